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
// weight of their own.
function callersOf(profile, weight, order, frame) {
  const { parents, frameOf } = profile;
  const own = (sums, node) => {
    let sum = sums[node];
    for (let i = profile.childStart[node]; i < profile.childStart[node + 1]; i++) sum -= sums[profile.childList[i]];
    return sum;
  };
  const root = new Box(frame, null, []);
  const start = frame < 0 ? [] : topsOf(profile, frame);
  if (frame < 0) for (let node = 1; node < parents.length; node++) if (weight.own[node] > 0) start.push(node);
  // An entry is where on its way out a leaf now is, and its weights.
  for (const node of start) {
    const entry = {
      at: node,
      weight: frame < 0 ? weight.own[node] : weight.total[node],
      after: frame < 0 ? own(weight.after, node) : weight.after[node],
      before: !weight.before ? 0 : frame < 0 ? own(weight.before, node) : weight.before[node],
    };
    take(root, entry);
  }
  const expand = (box) => {
    const found = new Map();
    for (const entry of box.source) {
      const at = box === root && frame < 0 ? entry.at : parents[entry.at];
      if (at <= 0) continue;
      const of = frameOf[at];
      let kid = found.get(of);
      if (!kid) found.set(of, (kid = new Box(of, box, [])));
      take(kid, { ...entry, at });
    }
    return [...found.values()];
  };
  return new Tree(root, expand, profile.names, order);
}

function take(box, entry) {
  if (entry.weight <= 0) return;
  box.source.push(entry);
  box.weight += entry.weight;
  box.after += entry.after;
  box.before += entry.before;
}

// For each function [own, total]; recursion is counted once. One walk over the tree, with a mark for each function on it.
function byFunction(profile, weight) {
  const count = profile.names.length;
  const own = new Float64Array(count);
  const total = new Float64Array(count);
  const open = new Int32Array(count);
  const { childStart, childList, frameOf } = profile;
  const stack = [0];
  const place = [childStart[0]];
  while (stack.length) {
    const node = stack[stack.length - 1];
    const next = place[place.length - 1]++;
    if (next < childStart[node + 1]) {
      const child = childList[next];
      if (weight.total[child] <= 0) continue;
      const frame = frameOf[child];
      own[frame] += weight.own[child];
      if (!open[frame]++) total[frame] += weight.total[child];
      stack.push(child);
      place.push(childStart[child]);
    } else {
      stack.pop();
      place.pop();
      if (node > 0) open[frameOf[node]]--;
    }
  }
  return { own, total };
}
