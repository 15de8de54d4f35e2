// One function from both sides, and the whole profile from its innermost frames outwards.

// The nodes of a function that are not inside a call of itself: each moment of it is in just one of them.
function topsOf(profile, frame) {
  const { parents, frameOf } = profile;
  const inside = new Uint8Array(parents.length); // 1: below the function, or one of its nodes
  const tops = [];
  for (let node = 1; node < parents.length; node++) {
    if (inside[parents[node]]) inside[node] = 1;
    else if (frameOf[node] === frame) {
      inside[node] = 1;
      tops.push(node);
    }
  }
  return tops;
}

function calleesOf(profile, weight, order, frame) {
  return topDown(profile, weight, order, frame, topsOf(profile, frame));
}

// Boxes outwards: a box's children are its callers. With frame -1 the root's children are the innermost frames, by the
// weight of their own. An entry is a leaf on its way out.
function callersOf(profile, weight, order, frame) {
  const { parents } = profile;
  const isLeaf = frame < 0;
  const sums = isLeaf
    ? { weight: weight.own, own: null, after: weight.ownAfter, before: weight.ownBefore }
    : { weight: weight.total, own: null, after: weight.after, before: weight.before };
  const splitter = new Splitter(profile, sums, order);
  const root = splitter.root(frame, isLeaf ? nodesWith(sums.weight) : nodesWith(sums.weight, topsOf(profile, frame)));
  const expand = (box) => {
    const { first, last } = box;
    const leaves = new Int32Array(last - first);
    const ats = new Int32Array(last - first);
    let count = 0;
    const isFirst = isLeaf && box === root;
    for (let i = first; i < last; i++) {
      const at = isFirst ? box.ats[i] : parents[box.ats[i]];
      if (at <= 0) continue;
      leaves[count] = box.leaves[i];
      ats[count++] = at;
    }
    return splitter.kids(box, leaves, ats, count);
  };
  return new Tree(root, expand);
}

// The nodes that have some weight; of all but the root, or of these.
function nodesWith(weights, nodes = null) {
  const found = new Int32Array(nodes ? nodes.length : weights.length);
  let count = 0;
  for (let i = nodes ? 0 : 1; i < found.length; i++) {
    const node = nodes ? nodes[i] : i;
    if (weights[node] > 0) found[count++] = node;
  }
  return found.slice(0, count);
}

// For each function [own, total]; recursion is counted once.
function byFunction(profile, weight) {
  const count = profile.names.length;
  const own = new Float64Array(count);
  const total = new Float64Array(count);
  const { frameOf } = profile;
  const again = recursionOf(profile);
  for (let node = 1; node < frameOf.length; node++) {
    const frame = frameOf[node];
    own[frame] += weight.own[node];
    if (!again[node]) total[frame] += weight.total[node];
  }
  return { own, total };
}

// For each node whether it is inside a call of its own function, found once. One walk over the tree, with a mark for each
// function on it.
function recursionOf(profile) {
  if (profile.recursion) return profile.recursion;
  const { parents, childStart, childList, frameOf } = profile;
  const again = new Uint8Array(parents.length);
  const open = new Int32Array(profile.names.length);
  const next = childStart.slice(0, -1); // for each node the next of its children to walk to
  for (let node = 0; node >= 0; ) {
    if (next[node] < childStart[node + 1]) {
      node = childList[next[node]++];
      if (open[frameOf[node]]++) again[node] = 1;
    } else {
      if (node) open[frameOf[node]]--;
      node = parents[node];
    }
  }
  profile.recursion = again;
  return again;
}
