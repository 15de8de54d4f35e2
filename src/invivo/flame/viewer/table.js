// The hottest functions: weight of their own, and with all that they call; of a difference those that changed most.

const TABLE_ROWS = 400;

class Table {
  constructor(element, owner) {
    this.element = element;
    this.owner = owner; // {profile, isSearching(), matches(frame), chosen(frame)}
    this.sort = "own";
    this.isRising = false;
    for (const button of element.querySelectorAll("[data-sort]")) {
      button.addEventListener("click", () => {
        const sort = button.dataset.sort;
        this.isRising = sort === this.sort ? !this.isRising : sort === "name";
        this.sort = sort;
        this.show();
      });
    }
    element.querySelector("tbody").addEventListener("click", (event) => this.choose(event.target));
    element.addEventListener("keydown", (event) => {
      const row = event.target.closest("tbody tr");
      if (!row) return;
      if (event.key === "Enter") this.choose(row);
      else if (event.key === "ArrowDown") (row.nextElementSibling ?? row).focus();
      else if (event.key === "ArrowUp") (row.previousElementSibling ?? row).focus();
      else return;
      event.preventDefault();
      event.stopPropagation();
    });
  }

  choose(target) {
    const row = target.closest("tr");
    if (row) this.owner.chosen(Number(row.dataset.frame));
  }

  fill(weight) {
    if (weight !== this.weight) this.sums = null; // made when the table is seen
    this.weight = weight;
    this.whole = weight.total[0];
    this.show();
  }

  show() {
    if (this.element.hidden || !this.weight) return;
    const { names, baseline } = this.owner.profile;
    this.sums ??= (baseline ? changes : functions)(this.owner.profile, this.weight);
    const { own, total, tell } = this.sums;
    const isSearching = this.owner.isSearching();
    const found = [];
    for (let frame = 0; frame < names.length; frame++) {
      if (total[frame] > 0 && (!isSearching || this.owner.matches(frame))) found.push(frame);
    }
    const sign = this.isRising ? 1 : -1;
    const by = { own: (a, b) => own[a] - own[b] || total[a] - total[b], total: (a, b) => total[a] - total[b] || own[a] - own[b] };
    found.sort((a, b) => sign * (this.sort === "name" ? compare(names[a], names[b]) : by[this.sort](a, b)));
    const rows = found.slice(0, TABLE_ROWS).map((frame) => {
      const row = document.createElement("tr");
      row.dataset.frame = frame;
      row.tabIndex = 0;
      const cells = ["own", "total"].map((of) => tell(of, frame, this.whole));
      row.setAttribute("aria-label", `${names[frame].slice(0, 300)}: self ${cells[0].text}, total ${cells[1].text}`);
      const name = document.createElement("td");
      const text = document.createElement("span");
      text.className = "name";
      text.textContent = names[frame].slice(0, 300);
      name.title = names[frame].slice(0, 1000);
      name.append(text);
      row.append(name);
      for (const { text, title, part, kind } of cells) {
        const cell = document.createElement("td");
        cell.textContent = text;
        cell.title = title;
        cell.className = `bar ${kind}`;
        cell.style.backgroundSize = `${100 * part}% 100%`;
        row.append(cell);
      }
      return row;
    });
    this.element.querySelector("tbody").replaceChildren(...rows);
    const rest = found.length - rows.length;
    this.element.querySelector("#table-more").textContent = rest > 0 ? `and ${WHOLE.format(rest)} more: search narrows them` : "";
    for (const button of this.element.querySelectorAll("[data-sort]")) {
      const heading = button.closest("th");
      if (button.dataset.sort === this.sort) heading.setAttribute("aria-sort", this.isRising ? "ascending" : "descending");
      else heading.removeAttribute("aria-sort");
    }
  }
}

// own, total: what functions are sorted by. tell(of, frame, whole): the text of a cell, its title, and how long a bar.
function functions(profile, weight) {
  const sums = byFunction(profile, weight);
  const tell = (of, frame, whole) => {
    const value = sums[of][frame];
    return { text: share(value, whole), title: amount(value, profile.unit), part: value / (whole || 1), kind: "" };
  };
  return { ...sums, tell };
}

// Of a difference: by how much the share of a function has changed, whichever way.
function changes(profile, weight) {
  const [was, is] = profile.totals;
  const whole = is || was; // both sides are drawn to this scale
  const before = byFunction(profile, { own: weight.ownBefore, total: weight.before });
  const after = byFunction(profile, { own: weight.ownAfter, total: weight.after });
  const least = whole * 1e-9; // what is less comes of rounding
  const sizes = (of) => after[of].map((value, frame) => {
    const size = Math.abs(value - before[of][frame]);
    return size < least ? 0 : size;
  });
  const tell = (of, frame) => {
    const [one, other] = [before[of][frame], after[of][frame]].map((value) => (100 * value) / (whole || 1));
    const points = `${other < one ? "−" : "+"}${Math.abs(other - one).toFixed(2)} points`;
    return {
      text: `${one.toFixed(1)} → ${other.toFixed(1)}%`,
      title: `before ${one.toFixed(2)}%, after ${other.toFixed(2)}%: ${points}`,
      part: Math.abs(other - one) / 100,
      kind: other < one ? "less" : "more",
    };
  };
  return { own: sizes("own"), total: sizes("total"), tell };
}
