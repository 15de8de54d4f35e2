"""The picture as a still SVG: for a page, a mail, a report. No scripts; a frame's name and share are its title.

    profile  ->  <svg ...> <g><title>vfs_read: 3 samples, 60%</title><rect .../><text ...>vfs_read</text></g> ... </svg>

Frames narrower than a tenth of a pixel are left out, and told.
"""

from __future__ import annotations

import zlib
from typing import NamedTuple

from invivo.flame.profile import Kind
from invivo.flame.units import amount, share

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from invivo.flame.profile import Frame, Profile

__all__ = ["write_svg"]

_WIDTH, _ROW, _EDGE, _HEAD, _FOOT = 1200, 18, 10, 46, 26  # px
_LETTER = 7.25  # px a letter of the 12 px monospace fonts is wide
_NARROWEST = 0.1  # px
_LONGEST = 300  # characters of a name that are kept

#          hue, how far names spread around it, saturation; the viewer's colour.js has the same
_HUES = {Kind.USER: (38, 12, 88), Kind.KERNEL: (12, 9, 88), Kind.INLINED: (180, 8, 46), Kind.JIT: (125, 14, 52),
         Kind.WAKER: (222, 12, 70)}  # fmt: skip

_STYLE = (
    "text{font:12px ui-monospace,'DejaVu Sans Mono',Menlo,Consolas,monospace;fill:#1d1d1b;pointer-events:none;"
    "white-space:pre}"
    ".h{font:600 15px system-ui,'DejaVu Sans',sans-serif}.d{fill:#6a6a64}.b{fill:#fff}"
    "rect:hover{stroke:#000}"
    "@media(prefers-color-scheme:dark){.b{fill:#17171a}.h,.d{fill:#e9e8e4}rect:hover{stroke:#fff}}"
)
_ESCAPES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;"})


class _Box(NamedTuple):
    node: int
    depth: int
    x: float


def write_svg(profile: Profile, *, is_icicle: bool = False) -> Iterator[bytes]:
    """The picture, piece by piece: root below, or above with `is_icicle`."""
    own = _widths(profile)
    totals = profile.totals(own)
    whole = totals[0]
    boxes, left_out = _boxes(profile, totals)
    depth = max((box.depth for box in boxes), default=0) + 1
    notes = [*profile.notes]
    if left_out:
        notes.append(f"frames too narrow to be seen are left out, {share(left_out, whole)} of the innermost")
    height = _HEAD + depth * _ROW + _FOOT + 16 * len(notes)
    yield (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" width="{_WIDTH}" height="{height}" '
        f'role="img" aria-label="{_text(profile.title or "flame graph")}">\n<style>{_STYLE}</style>\n'
        f'<rect class="b" width="100%" height="100%"/>\n'
        f'<text class="h" x="{_EDGE}" y="26">{_text(profile.title or "Flame graph")}</text>\n'
        f'<text class="d" x="{_WIDTH - _EDGE}" y="26" text-anchor="end">{_seen(profile)}</text>\n'
    ).encode()
    scale = (_WIDTH - 2 * _EDGE) / (whole or 1)
    befores = profile.totals(_scaled_baseline(profile)) if profile.baseline is not None else None
    afters = profile.totals() if befores is not None else totals
    lines: list[str] = []
    for node, level, x in boxes:
        y = _HEAD + (level if is_icicle else depth - 1 - level) * _ROW
        width = totals[node] * scale
        frame = profile.frames[profile.node_frames[node]] if node else None
        name = frame.name if frame else "all"
        fill = _fill(frame)
        mark = " (inlined)" if frame and frame.kind is Kind.INLINED else ""
        title = f"{name[:_LONGEST]}{mark}: {amount(totals[node], profile.unit)}, {share(totals[node], whole)}"
        if befores is not None:
            was, now = befores[node] / (befores[0] or 1), afters[node] / (afters[0] or 1)
            title = f"{name[:_LONGEST]}{mark}: before {was:.2%}, after {now:.2%}"
            fill = _fill_of_change(befores[node], afters[node]) if node else fill
        box = (
            f'<rect x="{x * scale + _EDGE:.1f}" y="{y}" width="{max(width - (width > 3), 0.1):.1f}" '
            f'height="{_ROW - 1}" fill="{fill}"/>'
        )
        room = int((width - 6) / _LETTER)
        if room >= 3:
            shown = name if len(name) <= room else f"{name[: room - 1]}…"
            box += f'<text x="{x * scale + _EDGE + 3:.1f}" y="{y + 13}">{_text(shown)}</text>'
        lines.append(f"<g><title>{_text(title)}</title>{box}</g>\n")
        if len(lines) > 1000:
            yield "".join(lines).encode()
            lines.clear()
    for place, note in enumerate(notes):
        y = height - 10 - 16 * (len(notes) - 1 - place)
        lines.append(f'<text class="d" x="{_EDGE}" y="{y}">{_text(note[:160])}</text>\n')
    yield "".join([*lines, "</svg>\n"]).encode()


def _seen(profile: Profile) -> str:
    """All that was seen; of a difference, in both runs."""
    seen = amount(profile.total, profile.unit)
    if profile.baseline is None:
        return seen
    return f"before {amount(sum(profile.baseline), profile.unit)}, after {seen}"


def _scaled_baseline(profile: Profile) -> list[float]:
    scale = profile.baseline_scale()
    return [weight * scale for weight in profile.self_weights(profile.baseline)]


def _widths(profile: Profile) -> list[float]:
    """For each node its own width; of a difference the larger of before and after, so that what vanished is seen."""
    own = profile.self_weights()
    if profile.baseline is None:
        return own  # type: ignore[return-value]
    return list(map(max, own, _scaled_baseline(profile)))


def _boxes(profile: Profile, totals: Sequence[float]) -> tuple[list[_Box], float]:
    """What is wide enough to be seen, callers first, and the weight of the innermost frames that are not."""
    least = totals[0] * _NARROWEST / (_WIDTH - 2 * _EDGE)
    seen = [node for node in range(1, len(totals)) if totals[node] >= least and totals[node] > 0]
    children = profile.children(seen)
    names = [frame.name for frame in profile.frames]
    frames = profile.node_frames
    boxes: list[_Box] = []
    left_out = 0.0
    waiting = [_Box(0, 0, 0)]
    own = _widths(profile)
    while waiting:
        box = waiting.pop()
        boxes.append(box)
        x = box.x
        below = sorted(children.get(box.node, ()), key=lambda node: names[frames[node]])
        for node in below:
            waiting.append(_Box(node, box.depth + 1, x))
            x += totals[node]
        left_out += totals[box.node] - own[box.node] - sum(totals[node] for node in below)
    return boxes, left_out


def _fill(frame: Frame | None) -> str:
    if frame is None:
        return "#dedcd4"
    hue, spread, saturation = _HUES[frame.kind]
    part = (zlib.crc32(frame.name.encode("utf-8", "replace")) & 0xFFFF) / 0xFFFF
    return f"hsl({hue + (part - 0.5) * 2 * spread:.0f},{saturation}%,{66 + part * 10:.0f}%)"


def _fill_of_change(before: float, after: float) -> str:
    change = (after - before) / (max(before, after) or 1)
    if abs(change) < 0.005:
        return "#e4e3de"
    size = abs(change) ** 0.5
    return f"hsl({8 if change > 0 else 216},{45 + 45 * size:.0f}%,{91 - 27 * size:.0f}%)"


def _text(text: str) -> str:
    """Text inside XML, where control characters may not stand even escaped."""
    return "".join(char if char >= " " and char not in "\ufffe\uffff" else "\ufffd" for char in text).translate(
        _ESCAPES
    )
