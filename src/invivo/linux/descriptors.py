"""Room for descriptors: each probe, map and file takes one, and most systems begin with a limit of 1,024.

    allow()         the soft limit (RLIMIT_NOFILE) is as high as the hard one ...
    give_back()     ... until this has been called as often
    lower()         in a child that becomes another program: it gets the limit that this process began with

The soft limit is low for the sake of programs that call select(2), which invivo does not.
"""

from __future__ import annotations

import resource

__all__ = ["allow", "give_back", "lower"]

_MOST = 1 << 20  # where there is no limit, and no more than the kernel allows at first (fs.nr_open)


class _Holders:
    """How many have asked for room, and the soft limit before the first did."""

    count = 0
    soft = 0


def allow() -> None:
    """Raise the soft limit for as long as somebody needs it."""
    if _Holders.count == 0:
        _Holders.soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        wanted = _MOST if hard == resource.RLIM_INFINITY else hard
        if _Holders.soft != resource.RLIM_INFINITY and _Holders.soft < wanted:
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    _Holders.count += 1


def give_back() -> None:
    """The limit is as before, if nobody else needs it; what is open stays open."""
    _Holders.count -= 1
    if _Holders.count == 0:
        _set_soft()


def lower() -> None:
    """The limit is as before, whoever needs it."""
    if _Holders.count:
        _set_soft()


def _set_soft() -> None:
    resource.setrlimit(resource.RLIMIT_NOFILE, (_Holders.soft, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
