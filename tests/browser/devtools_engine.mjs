// What Chrome DevTools' Performance panel makes of a trace: its own engine, from the npm package @paulirish/trace_engine.
//
//   node devtools_engine.mjs ENGINE/models/trace/trace.js X.trace.json
//   {"threads": {"100/101": "worker"}, "functions": {"100/101": {"main": [total ms, self ms]}}}     its "Bottom-up" tab

import fs from "node:fs";
import { pathToFileURL } from "node:url";

globalThis.window ??= globalThis; // the engine is made for a page
globalThis.DOMRect ??= class DOMRect {};
const [engine, trace] = process.argv.slice(2);
const { Extras, Handlers, Helpers, Processor, Types } = await import(pathToFileURL(engine));

const configuration = { ...Types.Configuration.defaults(), showAllEvents: true };
const processor = new Processor.TraceProcessor(Handlers.ModelHandlers, configuration);
await processor.parse(JSON.parse(fs.readFileSync(trace)).traceEvents, { isCPUProfile: false });

const threads = {};
const functions = {};
for (const [pid, { threads: rows }] of processor.data.Renderer.processes) {
  for (const [tid, { name, entries }] of rows) {
    const place = `${pid}/${tid}`;
    threads[place] = name;
    const ends = entries.map((event) => Helpers.Timing.eventTimingsMilliSeconds(event).endTime);
    const tree = new Extras.TraceTree.BottomUpRootNode(entries, {
      textFilter: { accept: () => true },
      filters: [],
      startTime: 0,
      endTime: Math.max(...ends),
    });
    functions[place] = Object.fromEntries(
      [...tree.children().values()].map((node) => [node.event.name, [node.totalTime, node.selfTime]]),
    );
  }
}
console.log(JSON.stringify({ threads, functions }));
