"""Timing of small things side by side, and medians with their uncertainty."""

from __future__ import annotations

import asyncio
import gc
import math
import random
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from statistics import median

Z95 = 1.959963984540054
RESAMPLES = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Median:
    """The median of some times, in seconds.

    Attributes:
        value: The median.
        low: Lower end of its 95 % interval, by order statistics.
        high: Upper end.
        p99: 99 % quantile of the times themselves.
        count: How many times.
    """

    value: float
    low: float
    high: float
    p99: float
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Ratio:
    """A ratio of two medians with its 95 % bootstrap interval."""

    value: float
    low: float
    high: float


def median_of(times: Sequence[float]) -> Median:
    """The median with its interval.

    Raises:
        ValueError: without times.

    >>> median_of([3.0, 1.0, 2.0]).value
    2.0
    """
    ordered = sorted(times)
    count = len(ordered)
    half = Z95 * math.sqrt(count) / 2
    low, high = math.floor(count / 2 - half), math.ceil(count / 2 + half)
    return Median(
        value=median(ordered),
        low=ordered[max(low, 0)],
        high=ordered[min(high, count - 1)],
        p99=ordered[min(round(0.99 * (count - 1)), count - 1)],
        count=count,
    )


def ratio_of(above: Sequence[float], below: Sequence[float]) -> Ratio:
    """The ratio of two medians; the times are pairs, and are drawn anew as pairs."""
    rng = random.Random(0)
    pairs = list(zip(above, below, strict=True))
    found = []
    for _ in range(RESAMPLES):
        drawn = rng.choices(pairs, k=len(pairs))
        found.append(median(a for a, _ in drawn) / median(b for _, b in drawn))
    found.sort()
    return Ratio(
        value=median(above) / median(below),
        low=found[round(0.025 * (RESAMPLES - 1))],
        high=found[round(0.975 * (RESAMPLES - 1))],
    )


def pairs(
    one: Callable[[], object],
    other: Callable[[], object],
    *,
    calls: int,
    warm_up: int,
    rest_s: float = 0.0,
) -> tuple[list[float], list[float]]:
    """Times of two things, taken in turns, so that a slow minute hits both alike.

    Args:
        one: Its times come first.
        other: Its times come second.
        calls: Of each.
        warm_up: Further calls of each, before, that do not count.
        rest_s: Pause before each call. Without one a server that still tidies up after the last
            call hides what the next one does before it sends.
    """
    times: tuple[list[float], list[float]] = ([], [])
    with _quiet():
        for number in range(warm_up + calls):
            for which in (number % 2, 1 - number % 2):
                if rest_s:
                    time.sleep(rest_s)
                started = time.perf_counter()
                (one, other)[which]()
                times[which].append(time.perf_counter() - started)
    return times[0][warm_up:], times[1][warm_up:]


async def apairs(
    one: Callable[[], Awaitable[object]],
    other: Callable[[], Awaitable[object]],
    *,
    calls: int,
    warm_up: int,
    rest_s: float = 0.0,
) -> tuple[list[float], list[float]]:
    """`pairs`, awaited."""
    times: tuple[list[float], list[float]] = ([], [])
    with _quiet():
        for number in range(warm_up + calls):
            for which in (number % 2, 1 - number % 2):
                await asyncio.sleep(rest_s)
                started = time.perf_counter()
                await (one, other)[which]()
                times[which].append(time.perf_counter() - started)
    return times[0][warm_up:], times[1][warm_up:]


@contextmanager
def _quiet() -> Iterator[None]:
    """Start from a clean heap; collection stays on, as it does in an application."""
    gc.collect()
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()
