// Colours of frames: by kind, by package, by name; of differences from blue (less) over grey to red (more).

const KINDS = ["user", "kernel", "inlined", "made at run time", "waker"];
//             hue of each kind, how far names spread around it, and saturation in percent
const HUES = [[38, 12, 88], [12, 9, 88], [180, 8, 46], [125, 14, 52], [222, 12, 70]];

function hashOf(text) {
  let hash = 2166136261;
  for (let i = 0; i < text.length && i < 200; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 16777619);
  return ((hash ^ (hash >>> 15)) >>> 0) / 4294967296;
}

class Colours {
  constructor(profile, scheme, isDark) {
    this.profile = profile;
    this.scheme = scheme;
    this.isDark = isDark;
    this.known = new Array(profile.names.length);
    this.text = isDark ? "#f4f3ef" : "#1d1d1b";
    this.match = isDark ? "#c25cf0" : "#e07bff";
    this.root = isDark ? "#3a3a40" : "#dedcd4";
    this.small = isDark ? "#45423c" : "#e6dccb";
    this.back = isDark ? "#17171a" : "#ffffff";
    this.ink = isDark ? "#e9e8e4" : "#1d1d1b"; // on the back
    this.line = isDark ? "#ffffff" : "#000000";
  }

  of(box) {
    if (box.frame < 0) return this.root;
    if (this.profile.baseline) return this.ofDifference(box);
    return this.known[box.frame] ?? (this.known[box.frame] = this.make(box.frame));
  }

  make(frame) {
    const { names, modules, moduleOf, kinds } = this.profile;
    const name = hashOf(names[frame]);
    let [hue, spread, strong] = HUES[kinds[frame]] ?? HUES[0];
    hue += (name - 0.5) * 2 * spread;
    let [saturation, light] = this.isDark ? [0.6 * strong, 36 + name * 7] : [strong, 66 + name * 10];
    if (this.scheme === "package") {
      const module = modules[moduleOf[frame]];
      hue = module ? hashOf(module) * 360 : 40;
      saturation = module ? (this.isDark ? 42 : 62) : 8;
      light = this.isDark ? 36 + name * 6 : 70 + name * 8;
    } else if (this.scheme === "hash") {
      hue = hashOf(names[frame] + "?") * 360;
      saturation = this.isDark ? 40 : 62;
    }
    return `hsl(${hue.toFixed(0)} ${saturation.toFixed(0)}% ${light.toFixed(0)}%)`;
  }

  ofDifference(box) {
    const most = Math.max(box.before, box.after);
    const change = most ? (box.after - box.before) / most : 0;
    const size = Math.sqrt(Math.abs(change));
    const hue = change >= 0 ? 8 : 216;
    if (Math.abs(change) < 0.005) return this.isDark ? "#4a4a50" : "#e4e3de";
    return this.isDark
      ? `hsl(${hue} ${(20 + 55 * size).toFixed(0)}% ${(30 + 14 * size).toFixed(0)}%)`
      : `hsl(${hue} ${(45 + 45 * size).toFixed(0)}% ${(91 - 27 * size).toFixed(0)}%)`;
  }

  // What the colours mean, for the foot of the page.
  key() {
    if (this.profile.baseline) {
      return [["less than before", -1], ["the same", 0], ["more", 1]].map(([text, change]) => [
        text,
        this.ofDifference({ before: change < 0 ? 1 : 1 - change, after: change < 0 ? 0 : 1 }),
      ]);
    }
    if (this.scheme !== "kind") return [];
    const seen = new Set(this.profile.kinds);
    return KINDS.map((text, kind) => [text, kind]).filter(([, kind]) => seen.has(kind)).map(([text, kind]) => [
      text,
      this.isDark ? `hsl(${HUES[kind][0]} ${0.6 * HUES[kind][2]}% 40%)` : `hsl(${HUES[kind][0]} ${HUES[kind][2]}% 70%)`,
    ]);
  }
}
