"""What tests of sessions share."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture
def place() -> Iterator[Path]:
    """A folder with a short name, as sockets need, on a disk."""
    with tempfile.TemporaryDirectory(prefix="invivo-") as folder:
        yield Path(folder)
