// The profile out of the page: base64 -> deflated bytes -> columns of numbers, used in place. See flame/pack.py.

const ARRAYS = { u8: Uint8Array, u16: Uint16Array, u32: Uint32Array, f64: Float64Array };

async function readProfile(text) {
  const deflated = Uint8Array.fromBase64 ? Uint8Array.fromBase64(text) : bytesOf(atob(text));
  const stream = new Blob([deflated]).stream().pipeThrough(new DecompressionStream("deflate"));
  return profileOf(await new Response(stream).arrayBuffer());
}

function bytesOf(binary) {
  const bytes = new Uint8Array(binary.length);
  for (let i = 0; i < bytes.length; i++) bytes[i] = binary.charCodeAt(i);
  return bytes;
}

function profileOf(buffer) {
  const view = new DataView(buffer);
  if (view.getUint32(0) !== 0x49565031) throw new Error("this is no profile");
  const length = view.getUint32(4, true);
  const head = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 8, length)));
  const start = Math.ceil((8 + length) / 8) * 8;
  const columns = {};
  for (const [name, type, count, offset] of head.columns) {
    columns[name] = new ARRAYS[type](buffer, start + offset, count);
  }
  const count = columns.steps.length;
  const parents = new Int32Array(count).fill(-1);
  for (let node = 1; node < count; node++) parents[node] = node - columns.steps[node];
  const frameOf = new Int32Array(columns.frames);
  frameOf[0] = -1;
  const profile = {
    title: head.title, unit: head.unit, notes: head.notes,
    startNs: Number(head.start_ns), names: head.names, modules: head.modules, files: head.files,
    kinds: columns.kinds, moduleOf: columns.modules, fileOf: columns.files, lineOf: columns.lines,
    parents, frameOf, nodes: columns.nodes, weights: columns.weights, baseline: columns.baseline,
    threads: head.threads, threadOf: columns.threads, times: null,
  };
  if (columns.times) profile.times = timesOf(columns.times, head.first, head.tick);
  return Object.assign(profile, childrenOf(parents));
}

// Times in ns, from steps in ticks.
function timesOf(steps, first, tick) {
  const times = new Float64Array(steps.length);
  let time = first;
  for (let i = 0; i < steps.length; i++) {
    time += steps[i];
    times[i] = time * tick;
  }
  return times;
}

// Children of node n: childList[childStart[n]] up to childList[childStart[n + 1]].
function childrenOf(parents) {
  const count = parents.length;
  const childStart = new Int32Array(count + 1);
  for (let node = 1; node < count; node++) childStart[parents[node] + 1]++;
  for (let node = 0; node < count; node++) childStart[node + 1] += childStart[node];
  const next = childStart.slice();
  const childList = new Int32Array(Math.max(0, count - 1));
  for (let node = 1; node < count; node++) childList[next[parents[node]]++] = node;
  return { childStart, childList };
}
