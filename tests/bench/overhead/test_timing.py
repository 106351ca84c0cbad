"""Medians, ratios and turns."""

from __future__ import annotations

import asyncio
import random

import pytest

from kalibr_bench.overhead.timing import apairs, median_of, pairs, ratio_of


def test_the_median_and_its_interval_by_order_statistics() -> None:
    """100 times: ranks 50 -+ 1.96 * 10 / 2, so the 41st and the 61st smallest."""
    found = median_of([float(n) for n in range(1, 101)])
    assert (found.value, found.low, found.high) == (50.5, 41.0, 61.0)
    assert found.p99 == 99.0
    assert found.count == 100


def test_a_single_time_is_its_own_interval() -> None:
    found = median_of([2.0])
    assert (found.value, found.low, found.high) == (2.0, 2.0, 2.0)
    with pytest.raises(ValueError, match="median"):
        median_of([])


def test_a_ratio_holds_its_truth() -> None:
    rng = random.Random(1)
    below = [rng.uniform(0.9, 1.1) for _ in range(200)]
    found = ratio_of([2.0 * time for time in below], below)
    assert found.value == pytest.approx(2.0)
    assert found.low <= 2.0 <= found.high
    assert found == ratio_of([2.0 * time for time in below], below)


def test_two_things_are_called_in_turns_and_the_warm_up_is_dropped() -> None:
    called: list[str] = []
    one, other = pairs(lambda: called.append("a"), lambda: called.append("b"), calls=3, warm_up=1)
    assert called == ["a", "b", "b", "a", "a", "b", "b", "a"]
    assert len(one) == len(other) == 3


def test_the_same_awaited() -> None:
    called: list[str] = []

    async def call(name: str) -> None:
        called.append(name)

    one, other = asyncio.run(apairs(lambda: call("a"), lambda: call("b"), calls=2, warm_up=2))
    assert "".join(called) == "abbaabba"
    assert len(one) == len(other) == 2
