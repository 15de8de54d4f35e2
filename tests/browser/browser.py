"""A headless Chromium, from Debian's packages, driven by selenium.

    with Browser(tmp_path) as page:
        page.open(tmp_path / "out.html")
        page.ask("return document.title")

It gets a new profile directory, no network and no services of its own; what the page logs as errors fails `check`.
"""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any

__all__ = ["Browser", "missing"]

_FLAGS = (
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
    "--disable-background-networking", "--disable-component-update", "--disable-default-apps", "--no-pings",
    "--disable-client-side-phishing-detection", "--disable-domain-reliability", "--disable-dev-shm-usage",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1", "--force-prefers-reduced-motion",
    "--force-color-profile=srgb",
)  # fmt: skip


def missing() -> str:
    """Why there is no browser here; empty if there is one. Root installs it from Debian's packages."""
    try:
        import selenium  # noqa: F401
    except ImportError:
        return "no selenium (pip install invivo[dev])"
    if not (shutil.which("chromium") and shutil.which("chromedriver")):
        script = Path(__file__).parents[2] / "scripts" / "apt-get"
        done = subprocess.run([script, "chromium", "chromium-driver"], capture_output=True, text=True, check=False)
        if done.returncode:
            return f"no chromium and chromium-driver: {done.stderr.strip()[-200:]}"
    return ""


class Browser:
    """A window of 1280 x 800 that shows one page."""

    def __init__(self, scratch: Path, size: tuple[int, int] = (1280, 800)) -> None:
        self._scratch = scratch
        self._size = size
        self.driver: Any = None

    def __enter__(self) -> Browser:
        from selenium import webdriver
        from selenium.webdriver.chrome.options import Options
        from selenium.webdriver.chrome.service import Service

        options = Options()
        options.binary_location = shutil.which("chromium") or ""
        width, height = self._size
        for flag in (*_FLAGS, f"--user-data-dir={self._scratch / 'browser'}", f"--window-size={width},{height}"):
            options.add_argument(flag)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        self.driver = webdriver.Chrome(options=options, service=Service(shutil.which("chromedriver")))
        return self

    def __exit__(self, *_: object) -> None:
        self.driver.quit()

    def open(self, path: Path | str, link: str = "") -> float:
        """Show a file (or an address) and wait until its profile is drawn; returns the milliseconds that took."""
        address = path if isinstance(path, str) else path.as_uri()
        self.driver.get("about:blank")
        self.driver.get(address + link)
        return self.opened()

    def opened(self) -> float:
        """Wait until the page has drawn; milliseconds from the first byte of navigation to the first picture."""
        from selenium.webdriver.support.ui import WebDriverWait

        WebDriverWait(self.driver, 60, 0.05).until(
            lambda driver: driver.execute_script("return !!(window.invivo && window.invivo.app.upper.drawMs)")
        )
        return float(self.ask("return window.invivo.app.upper.firstDrawnAt"))

    def ask(self, script: str, *arguments: object) -> Any:
        """The result of a script's `return`; `app` is the page's application."""
        return self.driver.execute_script(f"const app = window.invivo && window.invivo.app; {script}", *arguments)

    def frame(self) -> None:
        """Wait until what was asked for is drawn."""
        self.driver.execute_async_script(
            "const done = arguments[0]; requestAnimationFrame(() => requestAnimationFrame(done))"
        )

    def keys(self, *keys: str) -> None:
        """Press keys, one after the other, wherever the focus is."""
        from selenium.webdriver.common.action_chains import ActionChains

        actions = ActionChains(self.driver)
        for key in keys:
            actions.send_keys(key)
        actions.perform()
        self.frame()

    def text(self, identity: str) -> str:
        """The text of an element."""
        return str(self.ask("return document.getElementById(arguments[0]).textContent", identity))

    def errors(self) -> list[str]:
        """What the page logged as errors so far, refused scripts and requests included."""
        return [entry["message"] for entry in self.driver.get_log("browser") if entry["level"] == "SEVERE"]

    def picture(self, path: Path) -> None:
        """A screenshot."""
        self.driver.save_screenshot(str(path))
