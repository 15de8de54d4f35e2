// The hottest functions: weight of their own, and with all that they call.

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
    this.sums ??= byFunction(this.owner.profile, this.weight);
    const { names, unit } = this.owner.profile;
    const { own, total } = this.sums;
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
      const shares = [own[frame], total[frame]].map((value) => share(value, this.whole));
      row.setAttribute("aria-label", `${names[frame].slice(0, 300)}: self ${shares[0]}, total ${shares[1]}`);
      const name = document.createElement("td");
      const text = document.createElement("span");
      text.className = "name";
      text.textContent = names[frame].slice(0, 300);
      name.title = names[frame].slice(0, 1000);
      name.append(text);
      row.append(name);
      for (const value of [own[frame], total[frame]]) {
        const cell = document.createElement("td");
        cell.textContent = share(value, this.whole);
        cell.title = amount(value, unit);
        cell.className = "bar";
        cell.style.backgroundSize = `${(100 * value) / (this.whole || 1)}% 100%`;
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
