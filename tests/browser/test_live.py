"""A picture that grows while it is looked at."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

import pytest

from invivo.flame.files import read_profile
from tests.browser.browser import Browser
from tests.support import ROOT, trigger

pytestmark = [pytest.mark.browser, pytest.mark.kernel]


def samples(page: Browser) -> int:
    """The number of samples that the page tells; -1 while it is read again."""
    from selenium.common.exceptions import WebDriverException

    try:
        return int(page.text("total").split()[0].replace(",", ""))
    except (WebDriverException, IndexError):
        return -1


def until(condition: Callable[[], bool]) -> bool:
    """Whether it becomes true within 20 seconds."""
    deadline = time.monotonic() + 20
    while not (is_so := condition()) and time.monotonic() < deadline:
        time.sleep(0.2)
    return is_so


def test_a_live_picture_grows_and_tells_its_end(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "invivo", "flame", "cpu", "-F", "499", "--live", "-o", str(tmp_path / "out.html")]
    with (
        subprocess.Popen([trigger("shares"), "1000000"], stdout=subprocess.DEVNULL) as traced,
        subprocess.Popen([*command, "-p", str(traced.pid)], stderr=subprocess.PIPE, text=True, cwd=ROOT) as tracer,
        Browser(tmp_path) as page,
    ):
        try:
            assert tracer.stderr is not None
            address = re.search(r"http://127\.0\.0\.1:\d+/\S+/", tracer.stderr.readline())
            assert address is not None
            with pytest.raises(urllib.error.HTTPError, match="404"):  # others of this machine do not know the path
                urllib.request.urlopen(re.sub(r"/[^/]+/$", "/", address[0]))
            time.sleep(1)
            page.open(address[0])
            first = samples(page)
            assert until(lambda: samples(page) > first)
            tracer.send_signal(signal.SIGINT)
            assert tracer.wait(20) == 0
            assert until(lambda: page.text("status") == "Tracing has ended; this is what was seen last")
        finally:
            traced.kill()
            tracer.kill()
    assert read_profile(str(tmp_path / "out.html")).total > first
