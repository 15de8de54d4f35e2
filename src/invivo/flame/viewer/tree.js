// What is drawn is a tree of boxes, made lazily: a box's children are columns of numbers, made when it is first wide enough
// to be seen, and each of them becomes a box of its own when it is. Most never are: a profile of 200,000 stacks has a
// million boxes, and a screen some thousand.
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

// The children of a box from left to right: for each its frame, weight, and where it begins. `ends`: its entries are those
// from the end of the one before up to its own. `sums`: what else a box has, by name.
class Kids {
  constructor(up, frames, weights, ends, sums, ats, leaves) {
    this.up = up;
    this.frames = frames;
    this.weights = weights;
    this.ends = ends;
    this.sums = sums;
    this.ats = ats;
    this.leaves = leaves;
    this.count = frames.length;
    this.xs = new Float64Array(this.count);
    this.boxes = new Array(this.count);
    let { x } = up;
    for (let i = 0; i < this.count; i++) {
      this.xs[i] = x;
      x += weights[i];
    }
  }

  box(i) {
    return (this.boxes[i] ??= this.make(i));
  }

  make(i) {
    const box = new Box(this.frames[i], this.up);
    box.ats = this.ats;
    box.leaves = this.leaves;
    box.first = i ? this.ends[i - 1] : 0;
    box.last = this.ends[i];
    box.x = this.xs[i];
    box.weight = this.weights[i];
    for (const [name, column] of this.sums) box[name] = column[i];
    return box;
  }
}

class Tree {
  // `expand(box)` gives the children of a box, in `order`.
  constructor(root, expand) {
    this.root = root;
    this.expand = expand;
  }

  // Children as columns, made once.
  columns(box) {
    return (box.kids ??= this.expand(box));
  }

  // Children as boxes.
  kids(box) {
    const kids = this.columns(box);
    return Array.from(kids.boxes, (_, i) => kids.box(i));
  }

  // The box at the end of a path of frame numbers, or as far as the path leads.
  find(path) {
    let box = this.root;
    for (const frame of path) {
      const kids = this.columns(box);
      const place = kids.frames.indexOf(frame);
      if (place < 0) break;
      box = kids.box(place);
    }
    return box;
  }

  // The widest box that a test of frames accepts, or null; of equally wide ones the first. Only boxes that are not much
  // narrower are looked at.
  widest(accepts) {
    let best = null;
    const look = (box, least) => {
      if (accepts(box.frame)) {
        if (!best || box.weight > best.weight) best = box;
        return; // what it calls is no wider
      }
      const kids = this.columns(box);
      for (let i = 0; i < kids.count; i++) {
        if (kids.weights[i] >= least && !(best && kids.weights[i] <= best.weight)) look(kids.box(i), least);
      }
    };
    for (let part = 8; !best && part < 1e15; part *= 8) look(this.root, this.root.weight / part);
    return best;
  }
}

// Frames in the order of names, and the place of each in it: numbers are compared faster than texts.
function alphabet(profile) {
  if (!profile.alphabet) {
    const { names } = profile;
    const frames = Int32Array.from(names.keys()).sort((a, b) => compare(names[a], names[b]));
    const ranks = new Int32Array(names.length);
    frames.forEach((frame, place) => (ranks[frame] = place));
    profile.alphabet = { frames, ranks };
  }
  return profile.alphabet;
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
  const { childStart, childList } = profile;
  const { total } = weight;
  const sums = { weight: total, own: weight.own, after: weight.after, before: weight.before };
  const splitter = new Splitter(profile, sums, order);
  const expand = (box) => {
    let most = 0;
    for (let i = box.first; i < box.last; i++) most += childStart[box.ats[i] + 1] - childStart[box.ats[i]];
    const children = new Int32Array(most);
    let count = 0;
    for (let i = box.first; i < box.last; i++) {
      const node = box.ats[i];
      const end = childStart[node + 1];
      for (let place = childStart[node]; place < end; place++) {
        const child = childList[place];
        if (total[child] > 0) children[count++] = child;
      }
    }
    return splitter.kids(box, children, children, count);
  };
  return new Tree(splitter.root(frame, Int32Array.from(tops)), expand);
}

// Sorts entries into boxes. Entry i is at the node ats[i], whose frame tells which box it is in, and it brings the weights
// of the node leaves[i]. A profile has as many entries as it has stacks: nothing is made for one, and sums are kept by
// frame in columns, which are all 0 before and after.
class Splitter {
  // sums: by node {weight, own, after, before}; own and before may be null, after may be weight itself.
  constructor(profile, sums, order) {
    const frames = profile.names.length;
    this.frameOf = profile.frameOf;
    this.order = order;
    this.alphabet = alphabet(profile);
    this.counts = new Int32Array(frames);
    this.sums = Object.entries(sums).filter(([, column]) => column); // weight first
    const added = new Map(this.sums.map(([, column]) => [column, new Float64Array(frames)]));
    this.added = [...added];
    this.byName = this.sums.map(([name, column]) => [name, added.get(column)]);
  }

  root(frame, nodes) {
    const root = new Box(frame, null);
    root.ats = root.leaves = nodes;
    root.last = nodes.length;
    for (const [name, column] of this.sums) {
      let sum = 0;
      for (let i = 0; i < nodes.length; i++) sum += column[nodes[i]];
      root[name] = sum;
    }
    return root;
  }

  // The children of a box, of the first `count` entries.
  kids(box, leaves, ats, count) {
    const { frameOf, counts, added, byName } = this;
    const seen = [];
    for (let i = 0; i < count; i++) {
      const frame = frameOf[ats[i]];
      if (!counts[frame]++) seen.push(frame);
    }
    for (const [column, sums] of added) addUp(sums, column, frameOf, ats, leaves, count);
    const frames = this.sorted(seen);
    const ends = new Int32Array(frames.length);
    let next = 0;
    for (let i = 0; i < frames.length; i++) {
      const first = next;
      next += counts[frames[i]];
      ends[i] = next;
      counts[frames[i]] = first; // from here on where its next entry goes
    }
    const sortedAts = new Int32Array(count);
    const sortedLeaves = leaves === ats ? sortedAts : new Int32Array(count);
    for (let i = 0; i < count; i++) {
      const to = counts[frameOf[ats[i]]]++;
      sortedAts[to] = ats[i];
      sortedLeaves[to] = leaves[i];
    }
    const [[, weights], ...others] = byName.map(([name, sums]) => [name, picked(sums, frames)]);
    for (const [, sums] of added) clear(sums, frames);
    clear(counts, frames);
    return new Kids(box, frames, weights, ends, others, sortedAts, sortedLeaves);
  }

  // Frames as their boxes stand from left to right.
  sorted(seen) {
    const { frames, ranks } = this.alphabet;
    const [[, weights]] = this.byName;
    const found = new Int32Array(seen.length);
    for (let i = 0; i < found.length; i++) found[i] = ranks[seen[i]];
    if (found.length > 1) found.sort();
    for (let i = 0; i < found.length; i++) found[i] = frames[found[i]];
    return this.order === "weight" ? found.sort((a, b) => weights[b] - weights[a]) : found;
  }
}

// Functions of their own, for the engine to make fast loops of them.
function addUp(sums, column, frameOf, ats, leaves, count) {
  for (let i = 0; i < count; i++) sums[frameOf[ats[i]]] += column[leaves[i]];
}

function picked(sums, frames) {
  const found = new Float64Array(frames.length);
  for (let i = 0; i < frames.length; i++) found[i] = sums[frames[i]];
  return found;
}

function clear(column, frames) {
  for (let i = 0; i < frames.length; i++) column[frames[i]] = 0;
}
