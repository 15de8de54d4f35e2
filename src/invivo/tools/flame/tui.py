"""The tree of calls in the terminal, live: Enter folds and unfolds, w unfolds the widest path, q or Ctrl-C ends.

    ▼ all, 1,024 samples
    ├── ▼ main 100%
    │   ├── ▶ read 70.0%

It needs textual: pip install invivo[tui].
"""

from __future__ import annotations

import asyncio
import signal
import threading

from invivo.errors import InvivoError
from invivo.flame.units import amount, share
from invivo.tools.flame.top import shown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from invivo.flame.profile import Profile
    from invivo.tools.flame.collect import Collecting

__all__ = ["make_app", "run_in_terminal"]

_EVERY = 0.5  # seconds
_LEAST = 0.002  # share of all below which a branch is not shown


def run_in_terminal(collecting: Collecting) -> Profile:
    """Run a collection in a thread, and the tree in the terminal until both have ended.

    Raises:
        InvivoError: If textual is not installed, or what the collection raises.
    """
    app = make_app(collecting.profile, collecting.lock, collecting.kind.doc)
    collecting.on_change(lambda: None)  # the tree looks for itself, and the profile is to grow meanwhile
    failed: list[BaseException] = []

    def collect() -> None:
        try:
            collecting.run()
        except BaseException as error:
            failed.append(error)
            app.call_from_thread(app.exit)
        else:
            app.ended = True

    thread = threading.Thread(target=collect, name="collecting")

    def began() -> None:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):  # or the terminal would stay as it is now
            asyncio.get_running_loop().add_signal_handler(number, app.exit)
        thread.start()

    app.began = began
    try:
        app.run()
    finally:
        collecting.stop()
        if thread.ident is not None:
            thread.join()
    if failed:
        raise failed[0]
    return collecting.profile


def make_app(profile: Profile, lock: threading.Lock, doc: str) -> Any:
    """The application: a tree of `profile`, read under `lock` twice a second."""
    try:
        from rich.text import Text
        from textual.app import App
        from textual.binding import Binding
        from textual.widgets import Footer, Header, Tree
    except ImportError:
        raise InvivoError("--tui needs the package textual", "pip install 'invivo[tui]'") from None

    class FlameApp(App[None]):
        TITLE = "invivo flame"
        BINDINGS = [  # noqa: RUF012 - textual's own type
            Binding("q,ctrl+c", "quit", "End", key_display="q", priority=True),
            Binding("w", "widest", "Widest path"), Binding("space", "pause", "Pause"),
        ]  # fmt: skip
        ended = False
        began = staticmethod(lambda: None)

        def compose(self) -> Any:
            yield Header()
            yield Tree("all", data=0)
            yield Footer()

        def on_mount(self) -> None:
            self.is_paused = False
            self.totals: list[int] = [0]
            self.children_of: dict[int, list[int]] = {}
            tree = self.query_one(Tree)
            tree.root.expand()
            self.sub_title = profile.title
            self.set_interval(_EVERY, self.refresh_tree)
            self.refresh_tree()
            self.began()

        def refresh_tree(self) -> None:
            if self.is_paused:
                return
            with lock:
                self.totals = profile.totals()
                self.children_of = profile.children()
            self.sub_title = f"{profile.title}{' (ended)' if self.ended else ''}"
            root = self.query_one(Tree).root
            root.set_label(f"all, {amount(self.totals[0], profile.unit)}")
            self.fill(root)

        def fill(self, branch: Any) -> None:
            """Give an unfolded branch the children that it now has, in order of weight, keeping what is unfolded."""
            if not branch.is_expanded:
                return
            least = self.totals[0] * _LEAST
            found = [node for node in self.children_of.get(branch.data, ()) if self.totals[node] >= least]
            found.sort(key=lambda node: -self.totals[node])
            known = {child.data: child for child in branch.children}
            if [child.data for child in branch.children] != found[: len(known)]:
                # Order has changed: textual cannot move a branch, so the shares say it, and new ones come last.
                found = [*known, *(node for node in found if node not in known)]
            for node in found:
                child = known.get(node) or branch.add(Text(""), data=node, allow_expand=node in self.children_of)
                child.allow_expand = node in self.children_of
                child.set_label(self.label(node))
                self.fill(child)

        def label(self, node: int) -> Any:
            frame = profile.frames[profile.node_frames[node]]
            part = self.totals[node] / (self.totals[0] or 1)
            text = Text(f"{share(self.totals[node], self.totals[0]):>6} ", style="bold" if part > 0.1 else "")
            text.append("█" * round(part * 20) + " ", style=("yellow", "red", "green", "cyan", "blue")[frame.kind])
            return text.append(shown(frame)[:200])

        def on_tree_node_expanded(self, event: Any) -> None:
            self.fill(event.node)

        def action_widest(self) -> None:
            """Unfold the heaviest callee of each frame from the root on."""
            branch = self.query_one(Tree).root
            while branch.children:
                branch = max(branch.children, key=lambda child: self.totals[child.data or 0])
                branch.expand()
                self.fill(branch)

        def action_pause(self) -> None:
            self.is_paused = not self.is_paused

    app = FlameApp()
    app.sub_title = doc
    return app
