"""The difference of two profiles: one tree of the stacks of both, each with its weight before and after.

    before  main;read 30   main;write 10          main;read    75 -> 50 percent
    after   main;read 10   main;parse 10     ->   main;write   25 -> 0, gone      main;parse   0 -> 50, new

The runs need not have been equally long: pictures compare shares, each of its own run's total.
"""

from __future__ import annotations

from array import array

from invivo.errors import InvivoError
from invivo.flame.profile import Profile

__all__ = ["difference"]


def difference(before: Profile, after: Profile) -> Profile:
    """A profile whose weights are those of `after`, and whose `baseline` is what `before` has.

    Threads and times are left out: threads of two runs are not the same threads.

    Raises:
        InvivoError: If one has no weight at all, or their units differ.
    """
    for what, profile in (("before", before), ("after", after)):
        if profile.total <= 0:
            raise InvivoError(f"the profile {what} is empty", "a difference needs samples on both sides")
    if before.unit != after.unit:
        raise InvivoError(f"the profiles' weights are {before.unit} before and {after.unit} after", "record both alike")
    joined = Profile(after.unit, after.title)
    sums: dict[int, list[int]] = {}
    for side, profile in enumerate((before, after)):
        places = _places(profile, joined)
        for node, weight in zip(profile.nodes, profile.weights, strict=True):
            sums.setdefault(places[node], [0, 0])[side] += weight
    joined.nodes = array("i", sums)
    joined.weights = array("q", (pair[1] for pair in sums.values()))
    joined.baseline = array("q", (pair[0] for pair in sums.values()))
    joined.notes = [f"{what}: {note}" for what, of in (("before", before), ("after", after)) for note in of.notes]
    return joined


def _places(profile: Profile, joined: Profile) -> list[int]:
    """For each node of a profile its node in the joined tree."""
    numbers = [joined.frame(frame) for frame in profile.frames]
    places = [0] * len(profile.parents)
    for node in range(1, len(places)):
        places[node] = joined.child(places[profile.parents[node]], numbers[profile.node_frames[node]])
    return places
