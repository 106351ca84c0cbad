"""Bytes per arm: everything that is held, once."""

from __future__ import annotations

import random
import sys
from sys import getsizeof

import pytest

from kalibr_bench.overhead.footprint import in_memory, in_snapshot
from kalibr_bench.overhead.state import KINDS, StateSize, measure_state


class Holder:
    """Holds what it is given."""

    __slots__ = ("held",)

    def __init__(self, held: object) -> None:
        self.held = held


def test_each_object_counts_once() -> None:
    shared = float("1.5")
    value = Holder([shared, shared])
    found = in_memory(value, ["a"])
    assert found.mean == getsizeof(value) + getsizeof(value.held) + getsizeof(shared)


def test_constants_are_shared_and_an_arm_owns_what_hangs_on_its_name() -> None:
    constants = ("x" * 1000,)
    small, large = (constants,), ("y" * 500, constants)
    arms = {"one arm": small, "two arm": large}
    held = {"arms": arms, "constants": constants}
    value = Holder(held)
    shared = (value, held, *held, arms, *arms, constants, *constants)
    common = sum(getsizeof(each) for each in shared)
    own = [getsizeof(small), getsizeof(large) + getsizeof(large[0])]
    found = in_memory(value, list(arms))
    assert found.mean == (common + sum(own)) / 2
    assert found.most == common / 2 + max(own)


def test_what_stands_in_a_list_too_is_still_the_arms_own() -> None:
    one, two = ("z" * 300,), ("z" * 400,)
    found = in_memory(Holder([one, two, {"a": one, "b": two}]), ["a", "b"])
    assert found.most - found.mean == pytest.approx((getsizeof(two[0]) - getsizeof(one[0])) / 2)


def test_columns_are_spread_evenly() -> None:
    found = in_memory(Holder([[1.25, 2.5], [3.5, 4.5]]), ["a", "b"])
    assert found.most == found.mean


def test_code_chance_and_singletons_are_free() -> None:
    free = (None, True, 7, random.Random(0), sys, Holder, len)
    assert in_memory(Holder(free), ["a"]).mean == getsizeof(Holder(0)) + getsizeof(free)


def test_attributes_of_plain_objects_count() -> None:
    class Plain:
        pass

    value = Plain()
    value.text = "t" * 999  # type: ignore[attr-defined]
    assert in_memory(value, ["a"]).mean > 999


def test_a_snapshot_is_compact_json() -> None:
    found = in_snapshot({"arms": {"a": [1.5], "ü": [1, 2]}, "tally": [3]}, ["a", "ü"])
    whole = '{"arms":{"a":[1.5],"ü":[1,2]},"tally":[3]}'
    assert 2 * found.mean == len(whole.encode())
    assert found.most > found.mean


def test_a_snapshot_of_another_form_is_spread_evenly() -> None:
    found = in_snapshot([1, 2, 3, 4], ["a", "b"])
    assert found.most == found.mean == 4.5


def test_beliefs_grow_with_what_happens() -> None:
    found = measure_state(200)
    assert [*found] == [*KINDS]
    for size in found.values():
        assert isinstance(size, StateSize)
        assert 0 < size.memory.mean <= size.memory.most
        assert 0 < size.snapshot.mean <= size.snapshot.most
    assert found["steady"].snapshot.mean < found["changes, scores"].snapshot.mean
    again = measure_state(200)
    assert {name: size.snapshot for name, size in found.items()} == {
        name: size.snapshot for name, size in again.items()
    }
