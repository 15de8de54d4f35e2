"""invivo: dynamic tracing for Linux. Ask running software a question; it answers without stopping.

    import invivo

    with invivo.trace("syscall:::entry { @[probefunc] = count(); }", command=["ls"]) as session:
        session.wait()
    for key, value in session.aggregations[""].items():
        print(*key, value)

Names are imported on first use, so that `import invivo` costs a few milliseconds.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from invivo.errors import (
        CompileError,
        InvivoError,
        KernelError,
        OptionError,
        RightsError,
        TargetError,
        UnsupportedError,
        VerifierError,
    )
    from invivo.session import Session
    from invivo.tracing import trace

__version__ = "0.1.0"

__all__ = [
    "CompileError",
    "InvivoError",
    "KernelError",
    "OptionError",
    "RightsError",
    "Session",
    "TargetError",
    "UnsupportedError",
    "VerifierError",
    "trace",
]

_HOMES = {"Session": "invivo.session", "trace": "invivo.tracing"}


def __getattr__(name: str) -> object:
    if name not in __all__:
        raise AttributeError(f"module 'invivo' has no attribute '{name}'")
    import importlib

    value = getattr(importlib.import_module(_HOMES.get(name, "invivo.errors")), name)
    globals()[name] = value
    return value
