// Numbers for people.

const WHOLE = new Intl.NumberFormat("en");

function amount(value, unit) {
  if (unit === "ns") return duration(value);
  if (unit === "bytes") return scaled(value, 1024, ["B", "KiB", "MiB", "GiB", "TiB", "PiB"]);
  return `${WHOLE.format(Math.round(value))} ${value === 1 ? unit.replace(/s$/, "") : unit}`;
}

function duration(ns) {
  return scaled(ns, 1000, ["ns", "µs", "ms", "s"]);
}

function scaled(value, step, names) {
  let place = 0;
  while (Math.abs(value) >= step && place < names.length - 1) {
    value /= step;
    place++;
  }
  return `${place === 0 || Math.abs(value) >= 100 ? WHOLE.format(Math.round(value)) : value.toPrecision(3)} ${names[place]}`;
}

function share(part, whole) {
  if (!whole) return "0%";
  const percent = (100 * part) / whole;
  return `${percent >= 99.995 ? percent.toFixed(0) : percent >= 10 ? percent.toFixed(1) : percent.toFixed(2)}%`;
}

function threadName([pid, tid, name]) {
  const numbers = tid && tid !== pid ? `${pid}/${tid}` : pid ? String(pid) : "";
  return [name, numbers].filter(Boolean).join(" ") || "unnamed";
}
