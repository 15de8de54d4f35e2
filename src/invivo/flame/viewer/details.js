// What is known of a box: one line for the foot of the page, some for the tip at the pointer.

const LONGEST_NAME = 600;

function describe(profile, box, whole) {
  const { frame } = box;
  const lines = profile.baseline ? difference(profile, box) : shares(profile, box, whole);
  if (frame >= 0) {
    const place = [KINDS[profile.kinds[frame]], profile.modules[profile.moduleOf[frame]]].filter(Boolean).join(", ");
    const file = profile.fileOf ? profile.files[profile.fileOf[frame]] : "";
    const line = profile.lineOf ? profile.lineOf[frame] : 0;
    lines.push(place + (file ? `, ${file}${line ? `:${line}` : ""}` : ""));
  }
  return lines;
}

function shares(profile, box, whole) {
  const lines = [amount(box.weight, profile.unit) + `, ${share(box.weight, whole)} of all`];
  if (box.up && box.up.weight !== whole) lines[0] += `, ${share(box.weight, box.up.weight)} of ${short(profile, box.up)}`;
  if (box.own > 0 && box.own < box.weight) lines.push(`${share(box.own, whole)} in the function itself`);
  return lines;
}

function difference(profile, box) {
  const [before, after] = profile.totals;
  const whole = after || before; // both sides are drawn to this scale
  const [was, is] = [(100 * box.before) / whole, (100 * box.after) / whole];
  const what = !box.after ? "gone" : !box.before ? "new" : `${is >= was ? "+" : "−"}${Math.abs(is - was).toFixed(2)} points`;
  const scale = before && after ? before / after : 1; // to what was seen
  return [
    `before ${was.toFixed(2)}%, after ${is.toFixed(2)}%: ${what}`,
    `${amount(box.before * scale, profile.unit)} before, ${amount(box.after, profile.unit)} after`,
  ];
}

function short(profile, box) {
  const name = box.frame < 0 ? "all" : profile.names[box.frame];
  return name.length > 40 ? `${name.slice(0, 39)}…` : name;
}

function showTip(profile, box, whole, event) {
  const tip = document.getElementById("tip");
  tip.hidden = !box;
  if (!box) return;
  const name = document.createElement("b");
  const text = box.frame < 0 ? "all" : profile.names[box.frame];
  name.textContent = text.length > LONGEST_NAME ? `${text.slice(0, LONGEST_NAME)}… (${text.length} characters)` : text;
  const lines = describe(profile, box, whole).map((line) => {
    const element = document.createElement("span");
    element.textContent = line;
    return element;
  });
  tip.replaceChildren(name, ...lines);
  const { offsetWidth: width, offsetHeight: height } = tip;
  const left = Math.min(event.clientX + 14, innerWidth - width - 8);
  const below = event.clientY + 18;
  tip.style.left = `${Math.max(8, left)}px`;
  tip.style.top = `${below + height > innerHeight ? Math.max(8, event.clientY - height - 10) : below}px`;
}
