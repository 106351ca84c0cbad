"""Means, medians, ratios and turns."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from statistics import fmean

import pytest

from kalibr_bench.overhead.timing import aturns, ratio_of, times_of, turns


def test_the_median_and_its_interval_by_order_statistics() -> None:
    """100 times: ranks 50 -+ 1.96 * 10 / 2, so the 41st and the 61st smallest."""
    found = times_of([float(n) for n in range(1, 101)])
    assert (found.p50, found.low, found.high) == (50.5, 41.0, 61.0)
    assert found.p99 == 99.0
    assert found.count == 100


def test_the_mean_and_half_of_its_interval() -> None:
    """Two times at -+1 around 5: deviation sqrt(2), of the mean 1."""
    found = times_of([4.0, 6.0])
    assert found.mean == 5.0
    assert found.error == pytest.approx(1.96, abs=0.001)


def test_a_single_time_is_its_own_interval() -> None:
    found = times_of([2.0])
    assert (found.p50, found.low, found.high) == (2.0, 2.0, 2.0)
    assert (found.mean, found.error) == (2.0, 0.0)
    with pytest.raises(ValueError, match="median"):
        times_of([])


def test_a_ratio_holds_its_truth() -> None:
    rng = random.Random(1)
    below = [rng.uniform(0.9, 1.1) for _ in range(200)]
    found = ratio_of([2.0 * time for time in below], below)
    assert found.value == pytest.approx(2.0)
    assert found.low <= 2.0 <= found.high
    assert found == ratio_of([2.0 * time for time in below], below)


def test_times_are_pairs() -> None:
    """What slows both alike leaves a ratio of means exact; unequal numbers are no pairs."""
    below = [1.0, 1.0, 50.0, 2.0]
    found = ratio_of([3.0 * time for time in below], below, of=fmean)
    assert (found.low, found.high) == pytest.approx((3.0, 3.0))
    with pytest.raises(ValueError, match="argument"):
        ratio_of([1.0], below)


def test_each_thing_has_one_turn_per_round_and_the_warm_up_is_dropped() -> None:
    called: list[str] = []
    found = turns(_things(called, "abc"), rounds=30, warm_up=2)
    rounds = ["".join(called[at : at + 3]) for at in range(0, len(called), 3)]
    assert len(rounds) == 32
    assert {"".join(sorted(each)) for each in rounds} == {"abc"}
    assert len(set(rounds)) == 6  # in every order
    assert [len(times) for times in found.times.values()] == [30, 30, 30]


def test_what_fails_has_no_further_turn_and_the_others_go_on() -> None:
    called: list[str] = []
    things = _things(called, "ab") | {"broken": _failing_after(2)}
    found = turns(things, rounds=5, warm_up=1)
    assert {name: len(times) for name, times in found.times.items()} == {"a": 5, "b": 5}
    assert [*found.failed] == ["broken"]
    assert isinstance(found.failed["broken"], OSError)


def test_an_interruption_is_no_failure() -> None:
    def interrupted() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        turns({"a": interrupted}, rounds=1, warm_up=0)


def test_the_same_awaited() -> None:
    called: list[str] = []
    broken = _failing_after(0)

    async def call(name: str) -> None:
        called.append(name)

    async def fail() -> None:
        broken()

    things = {"a": lambda: call("a"), "b": lambda: call("b"), "broken": fail}
    found = asyncio.run(aturns(things, rounds=2, warm_up=2, rest_s=0.0))
    assert sorted(called) == [*"aaaabbbb"]
    assert [len(times) for times in found.times.values()] == [2, 2]
    assert [*found.failed] == ["broken"]


def _things(called: list[str], names: str) -> dict[str, Callable[[], object]]:
    return {name: lambda name=name: called.append(name) for name in names}  # type: ignore[misc]


def _failing_after(calls: int) -> Callable[[], object]:
    left = iter(range(calls))

    def call() -> None:
        if next(left, None) is None:
            raise OSError("the address of somebody")

    return call
