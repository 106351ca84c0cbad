"""Timing of small things side by side: means and medians with their uncertainty, and ratios."""

from __future__ import annotations

import asyncio
import gc
import math
import random
import time
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from statistics import fmean, median, stdev

Z95 = 1.959963984540054
RESAMPLES = 300
IDLE = 0.3
"""Rested: the process used less than this share of the pause."""
MOST_RESTS = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Times:
    """What some times have in common, in seconds.

    Attributes:
        mean: Their mean.
        error: Half of the mean's 95 % interval; 0 for a single time.
        p50: Their median.
        low: Lower end of the median's 95 % interval, by order statistics.
        high: Upper end.
        p99: 99 % quantile of the times themselves.
        count: How many times.
    """

    mean: float
    error: float
    p50: float
    low: float
    high: float
    p99: float
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Ratio:
    """A ratio of two medians, or of two means, with its 95 % bootstrap interval."""

    value: float
    low: float
    high: float


def times_of(times: Sequence[float]) -> Times:
    """Mean and median with their intervals.

    Raises:
        ValueError: without times.

    >>> times_of([3.0, 1.0, 5.0]).p50
    3.0
    """
    ordered = sorted(times)
    count = len(ordered)
    half = Z95 * math.sqrt(count) / 2
    low, high = math.floor(count / 2 - half), math.ceil(count / 2 + half)
    return Times(
        p50=median(ordered),
        mean=fmean(ordered),
        error=Z95 * stdev(ordered) / math.sqrt(count) if count > 1 else 0.0,
        low=ordered[max(low, 0)],
        high=ordered[min(high, count - 1)],
        p99=ordered[min(round(0.99 * (count - 1)), count - 1)],
        count=count,
    )


def ratio_of(
    above: Sequence[float],
    below: Sequence[float],
    *,
    of: Callable[[Iterable[float]], float] = median,
) -> Ratio:
    """The ratio of two medians or means; the times are pairs, and are drawn anew as pairs."""
    rng = random.Random(0)
    pairs = list(zip(above, below, strict=True))
    found = []
    for _ in range(RESAMPLES):
        drawn = rng.choices(pairs, k=len(pairs))
        found.append(of(a for a, _ in drawn) / of(b for _, b in drawn))
    found.sort()
    return Ratio(
        value=of(above) / of(below),
        low=found[round(0.025 * (RESAMPLES - 1))],
        high=found[round(0.975 * (RESAMPLES - 1))],
    )


class Turns:
    """Things that are called in turns, so that a slow minute hits them alike.

    Attributes:
        times: By thing, one per round; the times of a round belong together.
        failed: What a thing raised; it has no further turn, and no times.
    """

    def __init__(self, names: Iterable[str]) -> None:
        self.times: dict[str, list[float]] = {name: [] for name in names}
        self.failed: dict[str, Exception] = {}
        self._rng = random.Random(0)

    def order(self) -> list[str]:
        """Each thing once. Drawn anew each round: none always comes after the same one."""
        return self._rng.sample(list(self.times), len(self.times))

    @contextmanager
    def timed(self, name: str) -> Iterator[None]:
        """One turn; what it raises ends this thing's turns, not the round."""
        started = time.perf_counter()
        try:
            yield
        except Exception as error:  # noqa: BLE001  # whatever a peer may raise
            self.failed[name] = error
            del self.times[name]
        else:
            self.times[name].append(time.perf_counter() - started)

    def warmed(self, warm_up: int) -> Turns:
        """Without the first rounds."""
        for times in self.times.values():
            del times[:warm_up]
        return self


def turns(
    things: Mapping[str, Callable[[], object]], *, rounds: int, warm_up: int, rest_s: float = 0.0
) -> Turns:
    """Call each thing once per round.

    Args:
        things: What to call, by name.
        rounds: Calls of each.
        warm_up: Further calls of each, before, that do not count.
        rest_s: Pause before each call, and again until the process idles: what another thing
            leaves to its threads is neither its own time nor the next one's.
    """
    found = Turns(things)
    with _quiet():
        for _ in range(warm_up + rounds):
            for name in found.order():
                for pause in _pauses(rest_s):
                    time.sleep(pause)
                with found.timed(name):
                    things[name]()
    return found.warmed(warm_up)


async def aturns(
    things: Mapping[str, Callable[[], Awaitable[object]]],
    *,
    rounds: int,
    warm_up: int,
    rest_s: float,
) -> Turns:
    """`turns`, awaited."""
    found = Turns(things)
    with _quiet():
        for _ in range(warm_up + rounds):
            for name in found.order():
                for pause in _pauses(rest_s):
                    await asyncio.sleep(pause)
                with found.timed(name):
                    await things[name]()
    return found.warmed(warm_up)


def _pauses(rest_s: float) -> Iterator[float]:
    """Pauses until the process idles; each is to be slept before the next is asked for."""
    for _ in range(MOST_RESTS if rest_s else 0):
        before = time.process_time()
        yield rest_s
        if time.process_time() - before < IDLE * rest_s:
            return


@contextmanager
def _quiet() -> Iterator[None]:
    """Start from a clean heap; collection stays on, as it does in an application."""
    gc.collect()
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()
