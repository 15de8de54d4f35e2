// The page: what is chosen (state), what is shown of it, and what each control does.

const byId = (id) => document.getElementById(id);
const NOTHING = "Nothing was seen here: choose another range of time, or thread";

class App {
  constructor(profile) {
    this.profile = profile;
    this.state = stateFromLink();
    profile.totals = this.wholes();
    this.upper = new FlameView(byId("upper"), this);
    this.lower = new FlameView(byId("lower"), this);
    this.table = new Table(byId("table"), this);
    const hasTime = profile.times && profile.times[0] < profile.times[profile.times.length - 1];
    this.strip = hasTime ? new Strip(profile, byId("strip"), (from, to) => this.setRange(from, to)) : null;
    this.found = null;
    this.prepare();
    this.restore();
  }

  // Totals before and after, which shares of a difference are of.
  wholes() {
    const { weights, baseline, nodes } = this.profile;
    let before = 0;
    let after = 0;
    for (let i = 0; i < nodes.length; i++) {
      after += weights ? weights[i] : 1;
      if (baseline) before += baseline[i];
    }
    return [before, after];
  }

  prepare() {
    const { profile } = this;
    const on = (id, event, act) => byId(id).addEventListener(event, act);
    for (const button of document.querySelectorAll("[data-view]")) {
      button.addEventListener("click", () => this.setView(button.dataset.view));
    }
    on("table-button", "click", () => this.toggleTable());
    on("reset", "click", () => this.escape(false));
    on("theme", "click", () => this.toggleTheme());
    on("copy", "click", () => this.copy());
    on("help-button", "click", () => this.help());
    for (const name of ["colour", "order", "side", "thread"]) {
      on(name, "change", (event) => this.set({ [name]: event.target.value }));
    }
    on("search", "input", () => this.search(byId("search").value));
    on("search", "keydown", (event) => event.key === "Enter" && this.zoomToMatch());
    document.addEventListener("keydown", (event) => pressed(event, this) && event.preventDefault());
    addEventListener("hashchange", () => {
      this.state = stateFromLink();
      this.restore();
    });
    SYSTEM_IS_DARK.addEventListener("change", () => this.recolour());
    byId("side-label").hidden = !profile.baseline;
    if (profile.baseline) byId("colour").parentElement.hidden = true;
    if (profile.threadOf) this.listThreads();
    byId("notes").hidden = !profile.notes.length;
    byId("notes").textContent = profile.notes.join("\n");
    listKeys();
  }

  listThreads() {
    const { threads, threadOf, weights } = this.profile;
    const sums = new Float64Array(threads.length);
    for (let i = 0; i < threadOf.length; i++) sums[threadOf[i]] += weights ? weights[i] : 1;
    const all = sums.reduce((sum, value) => sum + value, 0);
    const order = [...sums.keys()].sort((a, b) => sums[b] - sums[a]);
    const options = order.map((thread) => new Option(`${threadName(threads[thread])} (${share(sums[thread], all)})`.slice(0, 120), thread));
    byId("thread").append(new Option(`all ${threads.length} threads`, ""), ...options);
    byId("thread-label").hidden = false;
  }

  // --- from state to picture ---

  restore() {
    const { state } = this;
    if (!["flame", "icicle", "callers", "sandwich"].includes(state.view)) state.view = "flame";
    for (const name of ["colour", "order", "side", "thread"]) byId(name).value = state[name];
    byId("search").value = state.q;
    byId("table").hidden = !state.table;
    this.recolour();
    this.search(state.q);
    if (this.strip && state.from !== "" && state.to !== "") {
      const [from, to] = [Number(state.from), Number(state.to)];
      if (from < to) [this.strip.from, this.strip.to] = [from, to];
    } else if (this.strip) this.strip.from = this.strip.to = null;
    this.strip?.showRange();
    this.rebuild(state.zoom ? state.zoom.split(".").map(Number) : []);
  }

  set(change) {
    Object.assign(this.state, change);
    keepInLink(this.state);
    if ("colour" in change || "theme" in change) return this.recolour();
    return this.rebuild(pathOf(this.upper.zoom));
  }

  // Weights of what is chosen, and the trees of the kind of picture that is chosen.
  rebuild(path) {
    const { profile, state } = this;
    const thread = state.thread === "" ? -1 : Number(state.thread);
    const [from, to] = this.strip && this.strip.from !== null ? [this.strip.from, this.strip.to] : [null, null];
    const choice = `${thread} ${from} ${to} ${state.side}`;
    if (choice !== this.choice) {
      this.weight = weigh(profile, { thread, from, to, side: state.side });
      const trees = (this.trees = {});
      // Of a large profile the first look at the picture from the bottom up would take a quarter of a second.
      layOutAhead(() => (trees === this.trees ? this.bottomUp() : null), this.upper, () => recursionOf(profile));
    }
    this.choice = choice;
    const { weight } = this;
    const frame = state.fn === "" ? -1 : Number(state.fn);
    const isSandwich = state.view === "sandwich" && frame >= 0 && frame < profile.names.length;
    byId("lower").hidden = !isSandwich;
    if (isSandwich) {
      this.upper.show(callersOf(profile, weight, state.order, frame), true);
      this.lower.show(calleesOf(profile, weight, state.order, frame), false);
    } else if (state.view === "callers") {
      this.upper.show(this.bottomUp(), false);
    } else {
      const tree = this.kept("whole", () => topDown(profile, weight, state.order));
      this.upper.show(tree, state.view !== "icicle", tree.find(path));
    }
    for (const button of document.querySelectorAll("[data-view]")) {
      button.setAttribute("aria-pressed", button.dataset.view === state.view);
    }
    byId("table-button").setAttribute("aria-pressed", !byId("table").hidden);
    byId("reset").disabled = this.upper.zoom === this.upper.tree.root && !this.lower.tree?.root;
    this.whole = weight.total[0];
    const [before, after] = profile.totals.map((total) => amount(total, profile.unit));
    byId("total").textContent = profile.baseline ? `before ${before}, after ${after}` : amount(this.whole, profile.unit);
    byId("status").textContent = isSandwich
      ? `above: who calls ${short(profile, this.upper.tree.root)}; below: what it calls`
      : state.view === "sandwich" ? "Choose a function: shift and click a frame, or click a row of the table" : this.line(this.upper.zoom);
    if (!this.whole) byId("status").textContent = NOTHING;
    this.table.fill(weight);
    this.showMatched();
  }

  bottomUp() {
    return this.kept("callers", () => callersOf(this.profile, this.weight, this.state.order, -1));
  }

  // A tree of the chosen weights in the chosen order, made once: what was laid out of it is there at the next look.
  kept(name, make) {
    const key = `${name} ${this.state.order}`;
    return (this.trees[key] ??= make());
  }

  recolour() {
    showTheme(this.state.theme);
    byId("colour").value = this.state.colour;
    this.colours = new Colours(this.profile, this.state.colour, isDark(this.state.theme));
    const key = this.colours.key().map(([text, colour]) => {
      const item = document.createElement("span");
      const patch = document.createElement("i");
      patch.style.background = colour;
      item.append(patch, text);
      return item;
    });
    byId("key").replaceChildren(...key);
    this.upper.redraw();
    this.lower.redraw();
    this.strip?.draw();
    return true;
  }

  // --- what views ask ---

  label(box) {
    if (box.frame >= 0) return this.profile.names[box.frame];
    return this.profile.baseline ? "all" : `all, ${amount(box.weight, this.profile.unit)}`;
  }

  isSearching() {
    return this.found !== null;
  }

  matches(frame) {
    return frame >= 0 && this.found[frame] === 1;
  }

  line(box) {
    const name = box.frame < 0 ? "all" : this.profile.names[box.frame].slice(0, LONGEST_NAME);
    return `${name}: ${describe(this.profile, box, this.whole).join("; ")}`;
  }

  hovered(box, event) {
    showTip(this.profile, box, this.whole, event);
    if (box) byId("status").textContent = this.line(box);
  }

  focused(box) {
    byId("status").textContent = this.line(box);
  }

  zoomed(box, view) {
    byId("status").textContent = this.line(box);
    if (view !== this.upper) return;
    byId("reset").disabled = box === view.tree.root;
    const isTree = this.state.view === "flame" || this.state.view === "icicle";
    this.state.zoom = isTree ? pathOf(box).join(".") : "";
    keepInLink(this.state);
  }

  // --- what controls and keys do; true: done ---

  chosen(what) {
    const frame = typeof what === "number" ? what : what.frame;
    if (frame < 0) return false;
    this.set({ view: "sandwich", fn: String(frame), zoom: "" });
    return true;
  }

  setView(view) {
    if (view === "sandwich" && this.state.fn === "") {
      const box = this.upper.focus ?? this.upper.zoom;
      if (box && box.frame >= 0) return this.chosen(box);
      byId("table").hidden = false;
      this.state.table = "1";
    }
    const path = this.state.zoom ? this.state.zoom.split(".").map(Number) : [];
    this.state.view = view;
    keepInLink(this.state);
    this.rebuild(path);
    return true;
  }

  setRange(from, to) {
    this.set({ from: from === null ? "" : String(Math.round(from)), to: to === null ? "" : String(Math.round(to)) });
  }

  toggleTable() {
    byId("table").hidden = !byId("table").hidden;
    this.set({ table: byId("table").hidden ? "" : "1" });
    return true;
  }

  toggleTheme() {
    return this.set({ theme: isDark(this.state.theme) ? "light" : "dark" });
  }

  nextColour() {
    const all = ["kind", "package", "hash"];
    return this.set({ colour: all[(all.indexOf(this.state.colour) + 1) % all.length] });
  }

  copy() {
    copyLink(this.state).then((isCopied) => {
      byId("status").textContent = isCopied ? "The link is copied" : `Copy this: ${linkOf(this.state)}`;
    });
    return true;
  }

  help() {
    byId("help").showModal();
    return true;
  }

  startSearch() {
    byId("search").focus();
    byId("search").select();
    return true;
  }

  search(text) {
    const field = byId("search");
    field.classList.remove("wrong");
    this.found = null;
    if (text) {
      let test;
      const pattern = /^\/(.+?)\/?$/.exec(text);
      try {
        const expression = pattern && new RegExp(pattern[1], "i");
        const small = text.toLowerCase();
        test = expression ? (name) => expression.test(name) : (name) => name.toLowerCase().includes(small);
      } catch {
        field.classList.add("wrong");
        test = () => false;
      }
      const { names, modules, moduleOf } = this.profile;
      this.found = Uint8Array.from(names, (name, frame) => (test(name) || test(modules[moduleOf[frame]]) ? 1 : 0));
    }
    this.state.q = text;
    keepInLink(this.state);
    this.showMatched();
    this.table.show();
    this.upper.redraw();
    this.lower.redraw();
  }

  // The share of all that matches, each moment once: of nodes that match, those below none that does.
  showMatched() {
    const output = byId("matched");
    if (!this.found || !this.weight) {
      output.textContent = "";
      return;
    }
    const { parents, frameOf } = this.profile;
    const below = new Uint8Array(parents.length);
    let sum = 0;
    for (let node = 1; node < parents.length; node++) {
      if (below[parents[node]]) below[node] = 1;
      else if (this.found[frameOf[node]]) {
        below[node] = 1;
        sum += this.weight.total[node];
      }
    }
    output.textContent = `${share(sum, this.whole)} matched`;
  }

  zoomToMatch() {
    if (!this.found) return;
    const best = this.upper.tree.widest((frame) => this.matches(frame));
    if (best) {
      this.upper.zoomTo(best);
      this.upper.setFocus(best);
      byId("upper").focus();
    }
  }

  activeView() {
    return document.activeElement === byId("lower") ? this.lower : this.upper;
  }

  move(view, direction) {
    if (document.activeElement !== view.element) view.element.focus({ preventScroll: true });
    view.move(direction);
    return true;
  }

  zoomToFocus(view) {
    view.zoomTo(view.focus ?? view.zoom);
    return true;
  }

  zoomOut(view) {
    view.zoomTo(view.zoom.up ?? view.zoom);
    return true;
  }

  escape(isField) {
    if (document.querySelector("dialog[open]")) return false;
    if (isField && byId("search").value) {
      byId("search").value = "";
      this.search("");
      return true;
    }
    if (isField) document.activeElement.blur();
    if (this.state.view === "sandwich") {
      this.state.fn = "";
      return this.setView("flame");
    }
    this.upper.zoomTo(this.upper.tree.root);
    return true;
  }
}

// With --live the page comes from a server of its own, which tells how often it has a newer one: the page is read again,
// and shows the same view, since the view is in the address.
function follow(path, last) {
  setTimeout(async () => {
    let now = last;
    try {
      const answer = await fetch(path, { cache: "no-store" });
      now = answer.ok ? await answer.text() : null;
    } catch {
      now = null;
    }
    if (now === null) {
      byId("status").textContent = "Tracing has ended; this is what was seen last";
      return;
    }
    const isBusy = document.activeElement === byId("search") || document.querySelector("dialog[open]");
    if (last !== "" && now !== last && !isBusy) location.reload();
    else follow(path, isBusy && last !== "" ? last : now);
  }, 1000);
}

async function start() {
  const began = performance.now();
  try {
    const element = byId("profile");
    const profile = await readProfile(element.textContent);
    element.remove();
    const app = new App(profile);
    window.invivo = { app, openedMs: performance.now() - began };
    if (document.documentElement.dataset.live) follow(document.documentElement.dataset.live, "");
  } catch (error) {
    byId("status").textContent = `The profile inside this page cannot be read: ${error.message}`;
  }
}

start();
