"""The guest kernels that invivo is tested on. The support page of the manual is made of this tuple."""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["KERNELS", "GuestKernel"]


class GuestKernel(NamedTuple):
    """A stock kernel of Debian: `package` is a pattern that the name of one of the suite's packages matches whole."""

    series: str
    suite: str
    package: str
    has_may_goto: bool  # Linux 6.9: the verifier need not follow every round of a loop


# The plain flavour: that for clouds has no 9p file system, by which the guest sees this machine's files.
KERNELS = (
    GuestKernel("6.1", "bookworm", r"linux-image-6\.1\.0-\d+-amd64", False),
    GuestKernel("6.12", "trixie", r"linux-image-6\.12\.\d+\+deb13-amd64", True),
)
