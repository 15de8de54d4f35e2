"""What is written for speedscope, pprof and Chrome is read by speedscope itself, its npm package, in a browser; and for
the Firefox Profiler by the command line of that, another npm package, which has the profiler's own processing.

Both show a table of functions with total and self, which is compared with shares counted by hand. pprof's own reader,
Go's, has tests of its own in tests/unit/flame.

Traces are read by Chrome DevTools' own engine too, an npm package. Perfetto's wheel brings no trace_processor but
fetches one from elsewhere when it runs, and catapult's importer is in no package. The schema of trace events in
tests/unit/flame is written by hand from the document "Trace Event Format", so it only holds what that document says.
"""

from __future__ import annotations

import base64
import json
import os
import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from invivo.flame.files import write_profile
from invivo.flame.profile import Frame, Kind, Profile, Thread
from tests.browser.browser import Browser
from tests.support import ROOT

pytestmark = pytest.mark.browser


def npm(name: str, package: str, wanted: str) -> Path:
    """The path `wanted` in the folder node_modules with a package, installed once."""
    place = ROOT / ".peers" / name
    found = place / "node_modules" / wanted
    if not found.exists():
        if not shutil.which("npm"):
            pytest.skip(f"no npm, which brings {name} (apt-get install npm)")
        place.mkdir(parents=True, exist_ok=True)
        command = ["npm", "install", "--silent", "--no-audit", "--no-fund", "--prefix", str(place), package]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            pytest.skip(f"npm cannot install {name}: {done.stderr[-200:]}")
    return found


@pytest.fixture(scope="module")
def speedscope() -> Path:
    """The folder of speedscope's page."""
    return npm("speedscope", "speedscope@1", "speedscope/dist/release")


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with Browser(tmp_path_factory.mktemp("browser")) as found:
        yield found


def example() -> Profile:
    """70 ms in main;work;read, 20 ms in main;work;parse, 10 ms in main: a sample a millisecond."""
    profile = Profile("ns", "example")
    main, work = Frame("main", "prog"), Frame("work", "prog", Kind.USER, "work.c", 42)
    stacks = [[main, work, Frame("read<b>", "libc.so.6")]] * 70 + [[main, work, Frame("parse")]] * 20 + [[main]] * 10
    thread = profile.thread(Thread(100, 101, "worker"))
    for place, stack in enumerate(stacks):
        profile.add(profile.node(stack), 1_000_000, thread, place * 1_000_000)
    return profile


@pytest.mark.parametrize("name", ["x.speedscope.json", "x.pb.gz", "x.trace.json"])
def test_speedscope_shows_the_same_shares(speedscope: Path, browser: Browser, name: str, tmp_path: Path) -> None:
    write_profile(example(), str(tmp_path / name))
    text = base64.b64encode((tmp_path / name).read_bytes()).decode()
    (tmp_path / "profile.js").write_text(f"speedscope.loadFileFromBase64({name!r}, {text!r})")
    browser.driver.get("about:blank")
    browser.driver.get(f"{(speedscope / 'index.html').as_uri()}#localProfilePath={tmp_path}/profile.js&view=sandwich")
    deadline = time.monotonic() + 20
    found: dict[str, tuple[float, float]] = {}
    while len(found) < 4 and time.monotonic() < deadline:
        time.sleep(0.2)
        shown = browser.ask("return document.body.innerText")
        rows = re.findall(r"\(([<\d.]+)%\)\s+\S+ ?\S* \(([<\d.]+)%\)\s+(\S+)\n", shown + "\n")
        found = {row[2]: (float(row[0].strip("<")), float(row[1].strip("<"))) for row in rows}
    assert {function: pair for function, pair in found.items() if function != "[kernel]"} == {
        "main": (100, 10), "work": (90, 0.01), "read<b>": (70, 70), "parse": (20, 20)
    }  # fmt: skip


def test_speedscopes_schema_accepts_what_is_written(speedscope: Path, tmp_path: Path) -> None:
    jsonschema = pytest.importorskip("jsonschema", reason="jsonschema: pip install invivo[dev]")
    write_profile(example(), str(tmp_path / "x.speedscope.json"))
    schema = json.loads((speedscope / "file-format-schema.json").read_text())
    data = json.loads((tmp_path / "x.speedscope.json").read_text())
    jsonschema.validate(data, schema)
    data["profiles"][0]["type"] = "no such"
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(data, schema)


def test_the_firefox_profiler_shows_the_same_shares(tmp_path: Path) -> None:
    program = npm("profiler-cli", "@firefox-devtools/profiler-cli@0.10", ".bin/profiler-cli")
    write_profile(example(), str(tmp_path / "x.firefox.json"))
    environment = {**os.environ, "HOME": str(tmp_path)}  # where it keeps its session

    def ask(*words: str) -> str:
        command = [program, *words]
        done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment, timeout=60)
        return done.stdout

    try:
        ask("load", str(tmp_path / "x.firefox.json"))  # begins a process, and does not wait long for it
        deadline = time.monotonic() + 30
        while not (text := ask("thread", "functions", "--json")) and time.monotonic() < deadline:
            time.sleep(0.2)
    finally:
        ask("stop", "--all")
    found = json.loads(text)
    assert found["friendlyThreadName"] == "worker"
    assert {row["nameWithLibrary"]: (row["totalPercentage"], row["selfPercentage"]) for row in found["functions"]} == {
        "prog!main": (100, 10), "prog!work": (90, 0), "libc.so.6!read<b>": (70, 70), "parse": (20, 20)
    }  # fmt: skip


def devtools(path: Path) -> dict[str, dict[str, dict[str, list[float]]]]:
    """What Chrome DevTools' engine says of a trace."""
    if not shutil.which("node"):
        pytest.skip("no node, which runs the engine of Chrome DevTools (apt-get install nodejs)")
    engine = npm("devtools", "@paulirish/trace_engine@0.0.65", "@paulirish/trace_engine/models/trace/trace.js")
    command = ["node", str(Path(__file__).with_name("devtools_engine.mjs")), str(engine), str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    found: dict[str, dict[str, dict[str, list[float]]]] = json.loads(done.stdout)
    return found


def test_chrome_devtools_shows_the_same_times(tmp_path: Path) -> None:
    """Its bottom-up table has the functions with time of their own."""
    write_profile(example(), str(tmp_path / "x.trace.json"))
    assert devtools(tmp_path / "x.trace.json") == {
        "threads": {"100/101": "worker"},
        "functions": {"100/101": {"main": [100, 10], "read<b>": [70, 70], "parse": [20, 20]}},
    }


@pytest.mark.parametrize("unit", ["samples", "ns"])
def test_chrome_devtools_shows_the_weights_of_a_long_run(unit: str, tmp_path: Path) -> None:
    """Samples of each second were added up: 3 parts in f;g and 1 in f, at half past each of ten seconds, and another
    thread's. Counted, they share the second; as times they are as long as they are."""
    profile = Profile(unit, "long")
    part = 1 if unit == "samples" else 100_000_000
    first, second = profile.thread(Thread(7, 7, "busy")), profile.thread(Thread(7, 8, "other"))
    deep, shallow = profile.node([Frame("f"), Frame("g")]), profile.node([Frame("f")])
    for second_ in range(10):
        at = second_ * 10**9 + 500_000_000
        profile.add(deep, 3 * part, first, at)
        profile.add(shallow, part, first, at)
        profile.add(shallow, 2 * part, second, at)
    write_profile(profile, str(tmp_path / "x.trace.json"))
    whole = {"samples": 10_000, "ns": 4_000}[unit]  # ms in all
    assert devtools(tmp_path / "x.trace.json") == {
        "threads": {"7/7": "busy", "7/8": "other"},
        "functions": {
            "7/7": {"f": [pytest.approx(whole), pytest.approx(whole / 4)], "g": [pytest.approx(whole * 3 / 4)] * 2},
            "7/8": {"f": [pytest.approx({"samples": 10_000, "ns": 2_000}[unit])] * 2},
        },
    }
