// A tree as boxes on a canvas. Only boxes that can be seen are laid out, anew for each picture: neighbours that are
// narrower than half a pixel are drawn as one. The window is a range of the root's weight: zooming moves it.

const ROW = 19;
const NARROW = 0.5; // px
const FONT = '12px ui-monospace, "DejaVu Sans Mono", Menlo, Consolas, monospace';
const ZOOM_MS = 180;
const AHEAD_MS = 1000;

class FlameView {
  // owner: {colours, matches(frame), hovered(box, event), focused(box), zoomed(box, view)}
  constructor(element, owner) {
    this.element = element;
    this.owner = owner;
    this.canvas = element.querySelector("canvas");
    this.spacer = element.querySelector(".spacer");
    this.context = this.canvas.getContext("2d", { alpha: false });
    this.tree = null;
    this.isFlame = true; // root below
    this.zoom = null;
    this.focus = null;
    this.hover = null;
    this.rows = [];
    this.isDue = false;
    this.drag = null;
    element.addEventListener("scroll", () => this.redraw());
    element.addEventListener("mousemove", (event) => this.moved(event));
    element.addEventListener("mouseleave", () => this.setHover(null, null));
    element.addEventListener("click", (event) => this.clicked(event));
    element.addEventListener("wheel", (event) => this.wheeled(event), { passive: false });
    new ResizeObserver(() => this.resized()).observe(element);
  }

  show(tree, isFlame, zoom) {
    const wasFlame = this.isFlame;
    this.tree = tree;
    this.isFlame = isFlame;
    this.zoom = zoom ?? tree.root;
    this.focus = this.zoom;
    this.hover = null;
    this.from = this.zoom.x;
    this.to = this.zoom.x + this.zoom.weight;
    this.depth = 0;
    const frame = tree.root.frame; // another function between its callers and callees is another picture
    this.isFresh = this.isFresh || wasFlame !== isFlame || this.shownFrame !== frame;
    this.shownFrame = frame;
    this.redraw();
  }

  zoomTo(box, isAnimated = true) {
    this.zoom = box;
    this.focus = box;
    const [from, to] = [box.x, box.x + box.weight];
    this.owner.zoomed(box, this);
    if (!isAnimated || matchMedia("(prefers-reduced-motion: reduce)").matches) {
      [this.from, this.to] = [from, to];
      this.redraw();
      return;
    }
    const begin = { from: this.from, to: this.to, at: performance.now() };
    const moving = (this.moving = {});
    const step = (now) => {
      if (this.moving !== moving) return;
      const part = Math.min(1, Math.max(0, now - begin.at) / ZOOM_MS);
      const eased = 1 - (1 - part) ** 3;
      this.from = begin.from + (from - begin.from) * eased;
      this.to = begin.to + (to - begin.to) * eased;
      if (part < 1) requestAnimationFrame(step);
      else [this.from, this.to] = [from, to];
      this.draw();
    };
    requestAnimationFrame(step);
  }

  resized() {
    const ratio = window.devicePixelRatio || 1;
    const { clientWidth: width, clientHeight: height } = this.element;
    if (!width || !height) return;
    const fromBelow = this.spacer.offsetHeight - this.element.scrollTop - (this.height ?? height);
    this.width = width;
    this.height = height;
    this.canvas.width = Math.round(width * ratio);
    this.canvas.height = Math.round(height * ratio);
    this.canvas.style.height = `${height}px`;
    this.context.setTransform(ratio, 0, 0, ratio, 0, 0);
    this.depth = -1; // the scrolled height follows the window's
    this.draw();
    if (this.isFlame && this.tree) {
      this.element.scrollTop = this.spacer.offsetHeight - fromBelow - height;
      this.redraw();
    }
  }

  redraw() {
    if (this.isDue) return;
    this.isDue = true;
    requestAnimationFrame(() => this.draw());
  }

  draw() {
    this.isDue = false;
    if (!this.tree || !this.width) return;
    const began = performance.now();
    this.layOut();
    this.setDepth(this.rows.length);
    this.paint();
    this.drawMs = performance.now() - began;
    this.firstDrawnAt ??= performance.now();
  }

  // rows[depth]: a flat list of x, width, box (null where several narrow ones are drawn as one).
  layOut() {
    const { tree, from, to, width } = this;
    const scale = width / (to - from || 1);
    const rows = [];
    const visit = (box) => {
      const row = rows[box.depth] ?? (rows[box.depth] = []);
      const left = Math.max(0, (box.x - from) * scale);
      row.push(left, Math.min(width, (box.x + box.weight - from) * scale) - left, box);
      let narrow = 0;
      let start = 0;
      const below = box.depth + 1;
      const flush = () => {
        if (narrow * scale >= NARROW / 2) {
          const shown = Math.max(0, (start - from) * scale);
          (rows[below] ?? (rows[below] = [])).push(shown, Math.min(width - shown, narrow * scale), null);
        }
        narrow = 0;
      };
      const kids = tree.columns(box);
      const { xs, weights, count } = kids;
      for (let i = 0; i < count; i++) {
        if (xs[i] + weights[i] <= from) continue;
        if (xs[i] >= to) break;
        if (weights[i] * scale < NARROW) {
          if (!narrow) start = xs[i];
          narrow += weights[i];
        } else {
          flush();
          visit(kids.box(i));
        }
      }
      flush();
    };
    visit(tree.root);
    this.rows = rows;
  }

  // The scrolled height follows the depth; a flame graph stays where it is seen from its root, below.
  setDepth(depth) {
    const { element } = this;
    const fromBelow = this.spacer.offsetHeight - element.scrollTop;
    if (depth !== this.depth) {
      this.depth = depth;
      this.spacer.style.height = `${Math.max(depth * ROW + 4, this.height)}px`;
      if (this.isFlame) element.scrollTop = this.spacer.offsetHeight - fromBelow;
    }
    if (this.isFresh) {
      element.scrollTop = this.isFlame ? this.spacer.offsetHeight : 0;
      this.isFresh = false;
    }
  }

  top(depth) {
    const all = Math.max(this.depth * ROW + 4, this.height);
    const y = this.isFlame ? all - (depth + 1) * ROW - 2 : depth * ROW + 2;
    return y - this.element.scrollTop;
  }

  paint() {
    const { context, owner, width, height } = this;
    const { colours } = owner;
    context.fillStyle = colours.back;
    context.fillRect(0, 0, width, height);
    context.font = FONT;
    context.textBaseline = "middle";
    context.direction = "ltr";
    const letter = this.letter ?? (this.letter = context.measureText("mmmmmmmmmm").width / 10);
    if (!this.tree.root.weight) {
      context.fillStyle = colours.ink;
      context.textAlign = "center";
      context.fillText(NOTHING, width / 2, height / 2);
      context.textAlign = "start";
      return;
    }
    const isSearching = owner.isSearching();
    for (let depth = 0; depth < this.rows.length; depth++) {
      const y = this.top(depth);
      if (y + ROW < 0 || y > height) continue;
      const row = this.rows[depth];
      for (let i = 0; i < row.length; i += 3) {
        const box = row[i + 2];
        const x = row[i];
        const wide = Math.max(row[i + 1] - (row[i + 1] > 3 ? 1 : 0), 0.5);
        const isMatch = isSearching && box && owner.matches(box.frame);
        context.globalAlpha = box && box.depth < this.zoom.depth ? 0.55 : 1;
        context.fillStyle = !box ? colours.small : isMatch ? colours.match : colours.of(box);
        context.fillRect(x, y, wide, ROW - 1);
        if (box && wide > 3 * letter) this.write(box, x, y, wide, letter);
      }
    }
    context.globalAlpha = 1;
    for (const [box, thick] of [[this.hover, 1], [document.activeElement === this.element ? this.focus : null, 2]]) {
      if (!box) continue;
      const scale = width / (this.to - this.from || 1);
      const left = Math.max(1, (box.x - this.from) * scale);
      const right = Math.min(width - 1, (box.x + box.weight - this.from) * scale - 1);
      context.lineWidth = thick;
      context.strokeStyle = colours.line;
      context.strokeRect(left, this.top(box.depth) + 0.5, Math.max(1, right - left), ROW - 2);
    }
  }

  write(box, x, y, wide, letter) {
    const text = this.owner.label(box);
    const room = Math.floor((wide - 6) / letter);
    if (room < 2) return;
    const { context } = this;
    context.fillStyle = this.owner.colours.text;
    context.globalAlpha = Math.max(0.8, context.globalAlpha); // callers of what is zoomed to are pale, but can be read
    const shown = text.length > room ? `${text.slice(0, room - 1)}…` : text;
    if (/^[\x20-\x7e…]*$/.test(shown)) {
      context.fillText(shown, x + 3, y + ROW / 2);
      return;
    }
    context.save(); // letters that are wider than others, or are written from the right, stay inside the box
    context.beginPath();
    context.rect(x, y, wide, ROW);
    context.clip();
    context.fillText(shown, x + 3, y + ROW / 2);
    context.restore();
  }

  at(event) {
    const place = this.canvas.getBoundingClientRect();
    const [x, y] = [event.clientX - place.left, event.clientY - place.top];
    for (let depth = 0; depth < this.rows.length; depth++) {
      const top = this.top(depth);
      if (y < top || y >= top + ROW) continue;
      const row = this.rows[depth];
      for (let i = 0; i < row.length; i += 3) if (x >= row[i] && x < row[i] + row[i + 1]) return row[i + 2];
    }
    return null;
  }

  moved(event) {
    this.setHover(this.at(event), event);
  }

  setHover(box, event) {
    this.owner.hovered(box, event, this);
    if (box !== this.hover) {
      this.hover = box;
      this.redraw();
    }
  }

  clicked(event) {
    const box = this.at(event);
    if (!box) return;
    this.element.focus({ preventScroll: true });
    if (event.altKey || event.shiftKey) this.owner.chosen(box);
    else this.zoomTo(box);
  }

  // Ctrl and the wheel (or two fingers) zooms around the pointer, sideways moves.
  wheeled(event) {
    const span = this.to - this.from;
    const whole = this.tree.root.weight;
    let [from, to] = [this.from, this.to];
    if (event.ctrlKey || event.metaKey) {
      const place = this.canvas.getBoundingClientRect();
      const centre = from + (span * (event.clientX - place.left)) / this.width;
      const factor = Math.exp(Math.max(-1, Math.min(1, event.deltaY / 200)));
      from = centre - (centre - from) * factor;
      to = centre + (to - centre) * factor;
    } else if (Math.abs(event.deltaX) > Math.abs(event.deltaY)) {
      const by = Math.max(-from, Math.min(whole - to, (event.deltaX * span) / this.width));
      from += by;
      to += by;
    } else {
      return;
    }
    event.preventDefault();
    this.moving = null;
    this.from = Math.max(0, from);
    this.to = Math.min(whole, Math.max(to, this.from + whole * 1e-9));
    this.redraw();
  }

  // Keyboard: to the caller, the widest callee, or a neighbour.
  move(direction) {
    const { tree } = this;
    let box = this.focus ?? this.zoom;
    if (direction === "out") box = box.up ?? box;
    if (direction === "in") {
      const kids = tree.kids(box);
      if (kids.length) box = kids.reduce((widest, kid) => (kid.weight > widest.weight ? kid : widest));
    }
    if ((direction === "left" || direction === "right") && box.up) {
      const kids = tree.kids(box.up);
      box = kids[kids.indexOf(box) + (direction === "left" ? -1 : 1)] ?? box;
    }
    this.setFocus(box);
  }

  setFocus(box) {
    this.focus = box;
    const outside = box.x < this.from - 1e-9 || box.x + box.weight > this.to + 1e-9;
    if (outside && box.depth <= this.zoom.depth) this.zoomTo(box);
    const y = this.top(box.depth);
    if (y < 0) this.element.scrollTop += y - ROW;
    if (y + ROW > this.height) this.element.scrollTop += y + 2 * ROW - this.height;
    this.owner.focused(box, this);
    this.redraw();
  }
}

// When a reader looks at the picture and there is nothing else to do: makes the columns that a view will lay out of the
// tree that `wanted()` gives, as long as it gives one, and then does what is left to do.
function layOutAhead(wanted, view, last) {
  const ahead = [];
  let isBegun = false;
  const work = (idle) => {
    do {
      const tree = wanted();
      if (!tree) return;
      if (!isBegun) ahead.push(tree.root);
      isBegun = true;
      const kids = tree.columns(ahead.pop());
      const least = (NARROW * tree.root.weight) / (view.width || 1);
      for (let i = 0; i < kids.count; i++) if (kids.weights[i] >= least) ahead.push(kids.box(i));
    } while (ahead.length && idle.timeRemaining() > 2);
    requestIdleCallback(ahead.length ? work : last);
  };
  if (window.requestIdleCallback) setTimeout(() => requestIdleCallback(work), AHEAD_MS);
}
