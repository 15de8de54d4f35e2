"""Classes of plain data behave as the like-named dataclasses do."""

from __future__ import annotations

import pickle

import pytest

from invivo.value import fields_of, fresh, mutable, node, replaced, value


@value
class Point:
    x: int
    y: int = 2


@node
class Leaf:
    name: str


@mutable
class Basket:
    items: list[int] = fresh(factory=list)
    count: int = 0


def test_values_compare_and_hash_by_their_fields() -> None:
    assert Point(1) == Point(1, 2) != Point(2)
    assert len({Point(1), Point(1), Point(3)}) == 2
    assert Point(1) != (1, 2)


def test_nodes_compare_by_identity() -> None:
    leaf = Leaf("a")
    assert leaf == leaf != Leaf("a")


@pytest.mark.parametrize("instance", [Point(1), Leaf("a")])
def test_frozen_ones_do_not_change(instance: object) -> None:
    with pytest.raises(AttributeError):
        instance.x = 5  # type: ignore[attr-defined]
    with pytest.raises(AttributeError):
        del instance.x  # type: ignore[attr-defined]
    assert not hasattr(instance, "__dict__")


def test_fresh_defaults_are_each_object_s_own() -> None:
    first, second = Basket(), Basket()
    first.items.append(1)
    first.count = 5
    assert (second.items, second.count) == ([], 0)


def test_the_rest_of_what_dataclasses_do() -> None:
    assert repr(Point(1)) == "Point(x=1, y=2)"
    assert fields_of(Point(1)) == ("x", "y")
    assert fields_of(3) is None
    assert replaced(Point(1), y=7) == Point(1, 7)
    assert pickle.loads(pickle.dumps(Point(4))) == Point(4)
    match Point(5, 6):
        case Point(x, y):
            assert (x, y) == (5, 6)
    with pytest.raises(TypeError):
        Point()  # type: ignore[call-arg]
