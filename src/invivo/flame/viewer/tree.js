// What is drawn is a tree of boxes, made lazily: a box's children come into being when it is first wide enough to be seen.
//
// weigh(profile, choice)   for each node of the profile its weight, of the samples that are chosen
// topDown(...)             boxes from the outermost frame inwards
// A box: frame (-1 the root), weight (its width), own, before and after (of a difference), x (where it begins), up, depth.

class Box {
  constructor(frame, up, source) {
    this.frame = frame;
    this.up = up;
    this.depth = up ? up.depth + 1 : 0;
    this.source = source; // what its children are made from
    this.weight = 0;
    this.own = 0;
    this.before = 0;
    this.after = 0;
    this.x = 0;
    this.kids = null;
  }
}

// choice: {thread: number or -1, from, to (ns) or null, side: "both", "after", "before"}
function weigh(profile, choice) {
  const count = profile.parents.length;
  const after = new Float64Array(count);
  const before = profile.baseline ? new Float64Array(count) : null;
  const { nodes, weights, baseline, threadOf, times } = profile;
  const [was, is] = profile.totals; // the baseline is drawn as if its run had had the same total
  const scale = was && is ? is / was : 1;
  let first = 0;
  let last = nodes.length;
  if (times && choice.from !== null) {
    first = lowerBound(times, choice.from);
    last = lowerBound(times, choice.to);
  }
  const thread = threadOf ? choice.thread : -1;
  for (let i = first; i < last; i++) {
    if (thread >= 0 && threadOf[i] !== thread) continue;
    after[nodes[i]] += weights ? weights[i] : 1;
    if (before) before[nodes[i]] += baseline[i] * scale;
  }
  let own = after;
  if (before && choice.side === "before") own = before;
  if (before && choice.side === "both") own = after.map((value, node) => Math.max(value, before[node]));
  const total = addedUp(own, profile.parents);
  return {
    own,
    total,
    after: own === after ? total : addedUp(after, profile.parents),
    before: before && addedUp(before, profile.parents),
  };
}

function addedUp(own, parents) {
  const total = own.slice();
  for (let node = total.length - 1; node > 0; node--) total[parents[node]] += total[node];
  return total;
}

function lowerBound(sorted, value) {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted[middle] < value) low = middle + 1;
    else high = middle;
  }
  return low;
}

class Tree {
  // `expand(box)` gives the children of a box, without places.
  constructor(root, expand, names, order) {
    this.root = root;
    this.expand = expand;
    this.names = names;
    this.order = order;
  }

  kids(box) {
    if (box.kids) return box.kids;
    const kids = this.expand(box);
    const names = this.names;
    if (this.order === "weight") kids.sort((a, b) => b.weight - a.weight || compare(names[a.frame], names[b.frame]));
    else kids.sort((a, b) => compare(names[a.frame], names[b.frame]));
    let x = box.x;
    for (const kid of kids) {
      kid.x = x;
      x += kid.weight;
    }
    box.kids = kids;
    return kids;
  }

  // The box at the end of a path of frame numbers, or as far as the path leads.
  find(path) {
    let box = this.root;
    for (const frame of path) {
      const kid = this.kids(box).find((one) => one.frame === frame);
      if (!kid) break;
      box = kid;
    }
    return box;
  }
}

function compare(a, b) {
  return a < b ? -1 : a > b ? 1 : 0;
}

function pathOf(box) {
  const path = [];
  for (; box.up; box = box.up) path.push(box.frame);
  return path.reverse();
}

// Boxes of the profile's own tree. `tops`: nodes that together are the root (a function's calls), or node 0.
function topDown(profile, weight, order, frame = -1, tops = [0]) {
  const root = new Box(frame, null, tops);
  for (const node of tops) gather(root, node, weight);
  const expand = (box) => {
    const found = new Map();
    for (const node of box.source) {
      for (let i = profile.childStart[node]; i < profile.childStart[node + 1]; i++) {
        const child = profile.childList[i];
        if (weight.total[child] <= 0) continue;
        const of = profile.frameOf[child];
        let kid = found.get(of);
        if (!kid) found.set(of, (kid = new Box(of, box, [])));
        kid.source.push(child);
        gather(kid, child, weight);
      }
    }
    return [...found.values()];
  };
  return new Tree(root, expand, profile.names, order);
}

function gather(box, node, weight) {
  box.weight += weight.total[node];
  box.own += weight.own[node];
  box.after += weight.after[node];
  if (weight.before) box.before += weight.before[node];
}
