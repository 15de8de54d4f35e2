// What each key does, and the list that "?" shows.

const KEYS = [
  ["↑ ↓", "to the frame above, below"],
  ["← →", "to a neighbour with the same caller"],
  ["Enter", "zoom to the frame"],
  ["Backspace", "zoom out to the caller"],
  ["Esc", "show everything"],
  ["/ or Ctrl+F", "search; Enter in the field goes to the widest match"],
  ["i", "flame or icicle"],
  ["b", "bottom up"],
  ["s", "callers and callees of the frame"],
  ["t", "table of functions"],
  ["c", "next colouring"],
  ["d", "light or dark"],
  ["l", "copy a link to this view"],
  ["Tab", "to the controls, the strip of times, the pictures, the table"],
  ["← →, Shift + ← →", "on the strip: move the range of time, move its end"],
  ["Ctrl + wheel", "zoom around the pointer"],
  ["Shift + click", "callers and callees of a frame"],
];

function listKeys() {
  const list = document.getElementById("help-keys");
  for (const [keys, text] of KEYS) {
    const name = document.createElement("dt");
    const key = document.createElement("kbd");
    key.textContent = keys;
    name.append(key);
    const meaning = document.createElement("dd");
    meaning.textContent = text;
    list.append(name, meaning);
  }
}

// actions: functions by name; returns true if the key did something.
function pressed(event, app) {
  const isField = /^(INPUT|SELECT|TEXTAREA)$/.test(event.target.tagName);
  if ((event.ctrlKey || event.metaKey) && event.key === "f") return app.startSearch();
  if (event.ctrlKey || event.metaKey || event.altKey) return false;
  if (event.key === "Escape") return app.escape(isField);
  if (isField || document.querySelector("dialog[open]")) return false;
  const isButton = event.target.tagName === "BUTTON";
  const view = app.activeView();
  const [up, down] = view.isFlame ? ["in", "out"] : ["out", "in"];
  switch (event.key) {
    case "ArrowUp": return app.move(view, up);
    case "ArrowDown": return app.move(view, down);
    case "ArrowLeft": return app.move(view, "left");
    case "ArrowRight": return app.move(view, "right");
    case "Enter": return !isButton && app.zoomToFocus(view);
    case "Backspace": return app.zoomOut(view);
    case "/": return app.startSearch();
    case "i": return app.setView(app.state.view === "flame" ? "icicle" : "flame");
    case "b": return app.setView("callers");
    case "s": return app.chosen(view.focus ?? view.zoom);
    case "t": return app.toggleTable();
    case "c": return app.nextColour();
    case "d": return app.toggleTheme();
    case "l": return app.copy();
    case "?": return app.help();
  }
  return false;
}
