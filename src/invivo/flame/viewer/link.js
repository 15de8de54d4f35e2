// What is shown as the end of the page's address, so that a link leads to the same view: #view=icicle&zoom=3.7.12&q=read

const DEFAULTS = { view: "flame", zoom: "", q: "", from: "", to: "", thread: "", colour: "kind", order: "name", side: "both",
  theme: "", table: "", fn: "" };

function stateFromLink() {
  const given = new URLSearchParams(location.hash.slice(1));
  const state = { ...DEFAULTS };
  for (const name of Object.keys(state)) if (given.has(name)) state[name] = given.get(name);
  return state;
}

function linkOf(state) {
  const given = new URLSearchParams();
  for (const [name, value] of Object.entries(state)) {
    if (name in DEFAULTS && String(value) !== DEFAULTS[name]) given.set(name, value);
  }
  return `${location.href.split("#")[0]}#${given}`;
}

function keepInLink(state) {
  try {
    history.replaceState(null, "", linkOf(state));
  } catch {
    // A page inside a frame without an address of its own may not; the view is shown all the same.
  }
}

async function copyLink(state) {
  const link = linkOf(state);
  try {
    await navigator.clipboard.writeText(link);
    return true;
  } catch {
    const field = document.createElement("textarea"); // where the page is a file, the clipboard has only the old way
    field.value = link;
    document.body.append(field);
    field.select();
    const isCopied = document.execCommand("copy");
    field.remove();
    return isCopied;
  }
}
