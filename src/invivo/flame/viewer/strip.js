// The time strip: how much was seen when, a row for each busy thread; a range is dragged, or chosen by keys.

const STRIP_ROWS = 8;
const CELL = { width: 4, height: 14 }; // px

class Strip {
  constructor(profile, element, changed) {
    this.profile = profile;
    this.element = element;
    this.changed = changed; // (from, to) in ns, or (null, null)
    this.box = element.querySelector("#strip-box");
    this.canvas = element.querySelector("canvas");
    this.range = element.querySelector("#strip-range");
    this.from = this.to = null;
    this.moments = 1; // what is read a few times a second has few: its cells are wide
    for (let i = 1; i < profile.times.length; i++) if (profile.times[i] !== profile.times[i - 1]) this.moments++;
    const first = profile.times[0];
    const last = profile.times[profile.times.length - 1];
    // Each moment stands for the time around it. A range ends before its end: the last sample is inside.
    const half = this.moments > 1 ? (last - first) / (this.moments - 1) / 2 : 0;
    this.begin = first - half;
    this.end = last + Math.max(1, half);
    element.hidden = false;
    this.rowOf = this.rowsOf();
    this.box.addEventListener("pointerdown", (event) => this.pressed(event));
    this.box.addEventListener("dblclick", () => this.choose(null, null));
    element.querySelector("#strip-clear").addEventListener("click", () => this.choose(null, null));
    element.addEventListener("keydown", (event) => this.key(event));
    new ResizeObserver(() => this.draw()).observe(this.box);
  }

  // The busiest threads have a row each, the others share the last.
  rowsOf() {
    const { threads, threadOf, weights, nodes } = this.profile;
    const sums = new Float64Array(Math.max(1, threads.length));
    for (let i = 0; i < nodes.length; i++) sums[threadOf ? threadOf[i] : 0] += weights ? weights[i] : 1;
    const order = [...sums.keys()].sort((a, b) => sums[b] - sums[a]);
    const count = Math.min(order.length, STRIP_ROWS);
    const rows = new Int32Array(sums.length);
    const names = [];
    order.forEach((thread, place) => {
      rows[thread] = Math.min(place, count - 1);
      if (place < count) names.push(threads[thread] ? threadName(threads[thread]) : "");
    });
    if (order.length > count) names[count - 1] = `${order.length - count + 1} others`;
    this.names = names;
    const element = this.element.querySelector("#strip-names");
    element.replaceChildren();
    for (const name of names.length > 1 ? names : []) {
      const line = document.createElement("div");
      line.textContent = name;
      line.title = name.slice(0, 200);
      element.append(line);
    }
    return rows;
  }

  draw() {
    const width = this.box.clientWidth;
    if (!width) return;
    const { times, weights, threadOf } = this.profile;
    // As many moments in each cell: with one more in every other cell, what is even would look striped.
    const each = Math.ceil(this.moments / Math.max(1, Math.floor(width / CELL.width)));
    const cells = Math.ceil(this.moments / each);
    const rows = this.names.length;
    const sums = new Float64Array(cells * rows);
    const scale = this.moments / each / (this.end - this.begin);
    for (let i = 0; i < times.length; i++) {
      const cell = Math.min(cells - 1, Math.floor((times[i] - this.begin) * scale));
      sums[(threadOf ? this.rowOf[threadOf[i]] : 0) * cells + cell] += weights ? weights[i] : 1;
    }
    const most = sums.reduce((high, value) => Math.max(high, value), 0) || 1;
    const ratio = window.devicePixelRatio || 1;
    const height = rows * CELL.height;
    this.canvas.width = Math.round(width * ratio);
    this.canvas.height = Math.round(height * ratio);
    this.canvas.style.height = `${height}px`;
    const context = this.canvas.getContext("2d");
    context.scale(ratio, ratio);
    const dark = document.documentElement.dataset.theme === "dark";
    const step = (width * each) / this.moments;
    for (let row = 0; row < rows; row++) {
      for (let cell = 0; cell < cells; cell++) {
        const heat = Math.sqrt(sums[row * cells + cell] / most);
        context.fillStyle = !heat
          ? dark ? "#2a2a2e" : "#e6e6e0"
          : dark
            ? `hsl(${(46 - 34 * heat).toFixed(0)} 80% ${(22 + 40 * heat).toFixed(0)}%)`
            : `hsl(${(46 - 34 * heat).toFixed(0)} 92% ${(86 - 42 * heat).toFixed(0)}%)`;
        context.fillRect(cell * step, row * CELL.height, Math.max(0.7, step - 0.6), CELL.height - 1);
      }
    }
    this.showRange();
  }

  timeAt(clientX) {
    const place = this.box.getBoundingClientRect();
    const part = Math.max(0, Math.min(1, (clientX - place.left) / place.width));
    return this.begin + part * (this.end - this.begin);
  }

  pressed(event) {
    if (event.button) return;
    this.box.setPointerCapture(event.pointerId);
    const start = this.timeAt(event.clientX);
    const move = (now) => {
      const [from, to] = [start, this.timeAt(now.clientX)].sort((a, b) => a - b);
      [this.from, this.to] = [from, to];
      this.showRange();
    };
    const done = (now) => {
      this.box.removeEventListener("pointermove", move);
      const to = this.timeAt(now.clientX);
      const least = ((this.end - this.begin) * 3) / this.box.clientWidth;
      if (Math.abs(to - start) < least) this.choose(null, null);
      else this.choose(Math.min(start, to), Math.max(start, to));
    };
    this.box.addEventListener("pointermove", move);
    this.box.addEventListener("pointerup", done, { once: true });
  }

  key(event) {
    const whole = this.end - this.begin;
    const sign = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (event.key === "Escape" && this.from !== null) this.choose(null, null);
    else if (sign) {
      const by = (sign * whole) / 50;
      const from = this.from ?? this.begin;
      const to = this.to ?? this.begin + whole / 10;
      if (event.shiftKey) this.choose(from, Math.max(from + whole / 200, to + by));
      else this.choose(from + by, to + by);
    } else return;
    event.preventDefault();
    event.stopPropagation();
  }

  choose(from, to) {
    if (from !== null) {
      const length = Math.min(to - from, this.end - this.begin);
      from = Math.max(this.begin, Math.min(from, this.end - length));
      to = from + length;
    }
    [this.from, this.to] = [from, to];
    this.showRange();
    this.changed(from, to);
  }

  showRange() {
    const isWhole = this.from === null;
    const text = this.element.querySelector("#strip-what");
    this.range.hidden = isWhole;
    this.element.querySelector("#strip-clear").hidden = isWhole;
    const first = this.profile.startNs ? ` from ${momentOf(this.profile.startNs / 1e6 + Math.max(0, this.begin) / 1e6)}` : "";
    if (isWhole) {
      text.textContent = `${duration(this.end - this.begin)}${first}; drag to select a range`;
      return;
    }
    const whole = this.end - this.begin;
    this.range.style.left = `${(100 * (this.from - this.begin)) / whole}%`;
    this.range.style.width = `${(100 * (this.to - this.from)) / whole}%`;
    text.textContent = `${duration(this.from - this.begin)} to ${duration(this.to - this.begin)}, ${duration(this.to - this.from)} of ${duration(whole)}`;
  }
}

// Milliseconds since 1970 as 2026-09-21 14:13:20.125 UTC.
function momentOf(ms) {
  return new Date(ms).toISOString().replace("T", " ").replace("Z", " UTC");
}
