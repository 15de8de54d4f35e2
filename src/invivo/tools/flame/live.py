"""The picture while it grows, in a browser of this machine.

    run_live(collecting, say)  ->  http://127.0.0.1:41234/3f2a.../ shows the page; it reads itself again as samples come

The server listens on the loopback address only, under a path that cannot be guessed: what was traced is not for other
users of the machine. It ends with the tracing.
"""

from __future__ import annotations

import http.server
import secrets
import threading
import time

from invivo.flame.page import write_page

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from invivo.flame.profile import Profile
    from invivo.tools.flame.collect import Collecting

__all__ = ["run_live"]

_EVERY = 2.0  # seconds between two pictures


def run_live(collecting: Collecting, say: Callable[[str], None]) -> Profile:
    """Run a collection while a server shows it; `say` is given the picture's address."""
    secret = secrets.token_urlsafe(16)
    seen = {"version": 0, "at": 0.0}

    def changed() -> None:
        if time.monotonic() - seen["at"] > _EVERY:
            seen["at"] = time.monotonic()
            seen["version"] += 1

    collecting.on_change(changed)

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body, kind = b"", "text/plain"
            if self.path == f"/{secret}/":
                with collecting.lock:
                    body = b"".join(write_page(collecting.profile, live=f"/{secret}/version"))
                kind = "text/html; charset=utf-8"
            elif self.path == f"/{secret}/version":
                body = str(seen["version"]).encode()
            else:
                self.send_error(404)
                return
            self.send_response(200)
            for name, value in (("Content-Type", kind), ("Content-Length", str(len(body))),
                                ("Cache-Control", "no-store"), ("X-Content-Type-Options", "nosniff")):  # fmt: skip
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Nothing: standard error is for what was traced."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True)
    thread.start()
    say(f"http://127.0.0.1:{server.server_address[1]}/{secret}/")
    try:
        return collecting.run()
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
