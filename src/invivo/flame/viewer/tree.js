// What is drawn is a tree of boxes, made lazily: a box's children come into being when it is first wide enough to be seen.
//
// weigh(profile, choice)   for each node of the profile its weight, of the samples that are chosen
// topDown(...)             boxes from the outermost frame inwards
// A box: frame (-1 the root), weight (its width), own, before and after (of a difference), x (where it begins), up, depth.

class Box {
  constructor(frame, up) {
    this.frame = frame;
    this.up = up;
    this.depth = up ? up.depth + 1 : 0;
    // What its children are made from: places `first` up to `last` of two columns that it shares with its neighbours.
    this.ats = this.leaves = null;
    this.first = this.last = 0;
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
    ownAfter: after,
    ownBefore: before,
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
  constructor(root, expand, profile, order) {
    this.root = root;
    this.expand = expand;
    this.order = order;
    this.ranks = profile.ranks ??= ranksOf(profile.names);
  }

  kids(box) {
    if (box.kids) return box.kids;
    const kids = this.expand(box);
    const { ranks } = this;
    if (this.order === "weight") kids.sort((a, b) => b.weight - a.weight || ranks[a.frame] - ranks[b.frame]);
    else kids.sort((a, b) => ranks[a.frame] - ranks[b.frame]);
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

// The place of each frame in the order of names: numbers are compared faster than texts.
function ranksOf(names) {
  const ranks = new Int32Array(names.length);
  const order = [...names.keys()].sort((a, b) => compare(names[a], names[b]));
  order.forEach((frame, place) => (ranks[frame] = place));
  return ranks;
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
  const { childStart, childList, frameOf } = profile;
  const sums = { weight: weight.total, own: weight.own, after: weight.after, before: weight.before };
  const made = new Array(profile.names.length);
  const expand = (box) => {
    let most = 0;
    for (let i = box.first; i < box.last; i++) most += childStart[box.ats[i] + 1] - childStart[box.ats[i]];
    const children = new Int32Array(most);
    let count = 0;
    for (let i = box.first; i < box.last; i++) {
      const node = box.ats[i];
      for (let place = childStart[node]; place < childStart[node + 1]; place++) {
        if (weight.total[childList[place]] > 0) children[count++] = childList[place];
      }
    }
    return split(box, children, children, count, frameOf, sums, made);
  };
  return new Tree(rootOf(frame, Int32Array.from(tops), sums), expand, profile, order);
}

function rootOf(frame, nodes, sums) {
  const root = new Box(frame, null);
  root.ats = root.leaves = nodes;
  root.last = nodes.length;
  for (const node of nodes) gather(root, node, sums);
  return root;
}

// The children of a box. Entry i is at the node ats[i], whose frame tells which child it is in, and it brings the weights
// of the node leaves[i]. `made` is room for a child of each frame, empty before and after. Nothing is made for an entry:
// a profile has as many as it has stacks.
function split(box, leaves, ats, count, frameOf, sums, made) {
  const kids = [];
  for (let i = 0; i < count; i++) {
    const frame = frameOf[ats[i]];
    let kid = made[frame];
    if (!kid) kids.push((kid = made[frame] = new Box(frame, box)));
    kid.last++;
    gather(kid, leaves[i], sums);
  }
  let place = 0;
  for (const kid of kids) {
    const next = place + kid.last;
    kid.first = kid.last = place;
    place = next;
  }
  const sortedAts = new Int32Array(count);
  const sortedLeaves = leaves === ats ? sortedAts : new Int32Array(count);
  for (let i = 0; i < count; i++) {
    const kid = made[frameOf[ats[i]]];
    sortedAts[kid.last] = ats[i];
    sortedLeaves[kid.last++] = leaves[i];
  }
  for (const kid of kids) {
    kid.ats = sortedAts;
    kid.leaves = sortedLeaves;
    made[kid.frame] = undefined;
  }
  return kids;
}

function gather(box, node, sums) {
  box.weight += sums.weight[node];
  box.after += sums.after[node];
  if (sums.own) box.own += sums.own[node];
  if (sums.before) box.before += sums.before[node];
}
