"""A page of 1,000,000 samples on 200,000 stacks in headless Chromium: the time until it is drawn, and that of zooms.

The made profile of flame_render.py. To open: from the beginning of navigation to the first picture. To zoom: from the
call to the picture that the browser has shown, for the widest box of each level in turn, animation left out. Then other
looks, each for the first time, at the same samples one by one, with times and on 16 threads.

python bench/flame_page.py [ROUNDS]
"""

from __future__ import annotations

import random
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from _peers import ROOT, invivo, show, verdict
from flame_render import SAMPLES, STACKS, make

from invivo.flame.files import read_profile, write_profile
from invivo.flame.profile import Thread

sys.path.insert(0, str(ROOT))

from tests.browser.browser import Browser, missing

ROUNDS = 3
BARS_MS = {"open": 2000.0, "zoom, the slowest of a round": 100.0}  # a tenth of a second is felt as at once
_ZOOM = """
    const done = arguments[0], app = window.invivo.app, times = [];
    let box = app.upper.tree.root;
    function next() {
      box = app.upper.tree.kids(box).reduce((most, kid) => (!most || kid.weight > most.weight ? kid : most), null);
      if (!box || times.length >= 20) return done(times);
      const began = performance.now();
      app.upper.zoomTo(box, false);
      requestAnimationFrame(() => requestAnimationFrame(() => { times.push(performance.now() - began); next(); }));
    }
    next();
"""
_LOOKS = """
    const done = arguments[1], function_ = arguments[0], app = window.invivo.app, times = {};
    const looks = {
      "bottom up": () => app.setView("callers"),
      "sandwich": () => app.chosen(app.profile.names.indexOf(function_)),
      "flame": () => { app.state.fn = ""; app.setView("flame"); },
      "search": () => app.search("function_1"),
      "to the widest match": () => app.zoomToMatch(),
      "a tenth of the time": () => app.strip.choose(app.strip.end * 0.4, app.strip.end * 0.5),
      "its bottom up": () => app.setView("callers"),
      "a thread": () => app.set({ thread: "3" }),
      "table": () => app.toggleTable(),
    };
    const names = Object.keys(looks);
    function next() {
      const name = names.shift();
      if (!name) return done(times);
      const began = performance.now();
      looks[name]();
      requestAnimationFrame(() => requestAnimationFrame(() => {
        times[name] = performance.now() - began;
        setTimeout(next, 2500); // a reader looks at it
      }));
    }
    setTimeout(next, 2500);
"""


def timed(folded: Path, page: Path) -> str:
    """Write a page of the same samples, one by one over 100 s; returns the name of a function near the root."""
    profile = read_profile(str(folded))
    nodes = [node for node, weight in zip(profile.nodes, profile.weights, strict=True) for _ in range(weight)]
    random.Random(7).shuffle(nodes)
    threads = [profile.thread(Thread(100, 100 + number, f"thread {number}")) for number in range(16)]
    profile.nodes, profile.weights = type(profile.nodes)("i"), type(profile.weights)("q")
    for place, node in enumerate(nodes):
        profile.add(node, 1, threads[place % 16], place * 100_000)
    write_profile(profile, str(page))
    return profile.stack(nodes[0])[1].name


def main() -> None:
    if lack := missing():
        print(f"no browser is to be had: {lack}", file=sys.stderr)
        return
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else ROUNDS
    with tempfile.TemporaryDirectory() as scratch:
        folded, page = Path(scratch, "made.folded"), Path(scratch, "made.html")
        make(folded)
        subprocess.run([*invivo().command, "flame", "convert", str(folded), "-o", str(page)], check=True)
        print(f"{SAMPLES:,} samples, {STACKS:,} stacks, {page.stat().st_size >> 20} MiB of HTML", flush=True)
        results: dict[str, list[float]] = {name: [] for name in BARS_MS}
        middles = []
        for number in range(rounds):
            with Browser(Path(scratch, str(number))) as browser:
                opened = browser.open(page)
                assert browser.text("total") == f"{SAMPLES:,} samples"
                zooms = [float(time) for time in browser.driver.execute_async_script(_ZOOM)]
                assert browser.errors() == []
            middles += zooms
            for values, value in zip(results.values(), (opened, max(zooms)), strict=True):
                values.append(value)
            print(f"  round {number + 1}: open {opened:.0f} ms, zooms {min(zooms):.0f} to {max(zooms):.0f}", flush=True)
        for name, values in results.items():
            verdict(f"{name}, ms", show(name, values, "ms"), BARS_MS[name])
        print(f"  zoom, the median of {len(middles)}: {statistics.median(middles):.1f} ms")
        function = timed(folded, page)
        looks: dict[str, list[float]] = {}
        for number in range(rounds):
            with Browser(Path(scratch, f"looks {number}")) as browser:
                looks.setdefault("open, with times", []).append(browser.open(page))
                for name, value in browser.driver.execute_async_script(_LOOKS, function).items():
                    looks.setdefault(name, []).append(float(value))
                assert browser.errors() == []
        for name, values in looks.items():
            show(name, values, "ms")


if __name__ == "__main__":
    main()
