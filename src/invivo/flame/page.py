"""The picture as one HTML file: the viewer's scripts and style, and the profile, with nothing fetched from anywhere.

    viewer/*.js, *.css, page.html + pack(profile)   ->   <!doctype html> ... <script type="application/x-invivo"> ...

The profile is base64 text: no traced name stands in the page as such. A content security policy lets only these very
scripts run, and lets them load nothing.
"""

from __future__ import annotations

import base64
import hashlib
import html
import re
from importlib.resources import files

from invivo.errors import InvivoError
from invivo.flame.pack import pack, unpack

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import BinaryIO

    from invivo.flame.profile import Profile

__all__ = ["MARK", "read_page", "read_page_file", "scripts", "write_page"]

# In order: a script uses what those before it define.
SCRIPTS = (
    "data.js", "units.js", "tree.js", "sandwich.js", "colour.js", "theme.js", "canvas.js", "strip.js", "table.js",
    "details.js", "link.js", "keys.js", "app.js",
)  # fmt: skip
MARK = b'<script type="application/x-invivo-profile" id="profile">'


def write_page(profile: Profile, live: str = "") -> Iterator[bytes]:
    """The page, piece by piece. `live`: the path on this page's own server that gives newer profiles."""
    script, style = scripts(), _text("style.css")
    connect = "'self'" if live else "'none'"
    policy = (
        f"default-src 'none'; script-src '{_digest(script)}'; style-src '{_digest(style)}'; img-src data:; "
        f"connect-src {connect}; base-uri 'none'; form-action 'none'"
    )
    page = _text("page.html")
    values = {
        "title": html.escape(profile.title or "flame graph"),
        "policy": policy,
        "style": style,
        "script": script,
        "live": html.escape(live),
    }
    before, after = (  # taken apart before a title is put in, whatever it says
        re.sub(r"\{\{(\w+)\}\}", lambda match: values[match[1]], part) for part in page.split("{{profile}}")
    )
    yield before.encode()
    yield base64.b64encode(pack(profile))
    yield after.encode()


def read_page(data: bytes, name: str) -> Profile:
    """The profile that a page of write_page() carries.

    Raises:
        InvivoError: If it carries none, or a damaged one.
    """
    _, mark, rest = data.partition(MARK)
    text, end, _ = rest.partition(b"</script>")
    if not mark or not end:
        what = "is cut before its end" if mark else "carries no profile"
        raise InvivoError(f"{name}: the page {what}", "only pages that invivo wrote can be read")
    try:
        return unpack(base64.b64decode(text, validate=True), name)
    except ValueError:
        raise InvivoError(f"{name}: the profile inside the page is damaged", "was the file edited?") from None


def read_page_file(stream: BinaryIO, name: str) -> Profile:
    """The profile of the page that a stream gives."""
    return read_page(stream.read(), name)


def scripts() -> str:
    """All scripts as one function, so that nothing of them is visible outside."""
    parts = [f"// {name}\n{_text(name)}" for name in SCRIPTS]
    return '(() => {\n"use strict";\n' + "\n".join(parts) + "\n})();\n"


def _text(name: str) -> str:
    return (files("invivo.flame") / "viewer" / name).read_text("utf-8")


def _digest(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
