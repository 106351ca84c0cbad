"""Batches drawn from a seed: what is sane, damaged or a spike in them is known to the drawer."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from kalibr_bench.gauntlet.results import Event
from kalibr_bench.gauntlet.sandbox.inside.wire import Value

INFINITIES: tuple[Value, ...] = (
    *(float("inf"), float("-inf"), "inf", "-Infinity", "1e999", 10**400),
)
JUNK: tuple[Value, ...] = (
    *(None, "bad", "", " NaN", float("nan"), "nan", [], {}, [4.0], {"reading": 4.0}, "7,2", "0x1f"),
)
NO_EVENTS: tuple[Value, ...] = (None, "reading", 17, [1, 2.0])
NO_TIMES: tuple[Value, ...] = (None, "soon", float("nan"), [])
FAR = (40, 90)
"""Of the core's width: how far spikes are from its middle."""
MINORITY_OFFSET = (0.35, 0.5)
"""Of the core's width, below its lower edge: inside of any usual rule's fences."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bulk:
    """Evenly spaced readings: without tails, so that no sound rule trims them.

    Attributes:
        low: The lowest, in [-60, 500].
        width: The highest less the lowest, in [0.3, 60].
        count: How many, >= 12.
    """

    low: float
    width: float
    count: int

    @property
    def readings(self) -> list[float]:
        """All of them, rising."""
        step = self.width / (self.count - 1)
        return [round(self.low + i * step, 6) for i in range(self.count)]

    @property
    def middle(self) -> float:
        return self.low + self.width / 2


def draw_bulk(
    rng: Random,
    *,
    count: int | None = None,
    width: tuple[float, float] = (0.5, 8.0),
    highest: float = 500,
) -> Bulk:
    """A level, a spread, a size."""
    return Bulk(
        low=round(rng.uniform(-60, highest), 3),
        width=round(rng.uniform(*width), 3),
        count=count or rng.randint(14, 30),
    )


def spikes(rng: Random, bulk: Bulk, count: int) -> list[float]:
    """Two or more readings far from it, at least one on each side, most of them below 900."""
    sides = [1, -1, *(rng.choice((1, -1)) for _ in range(count - 2))]
    return [round(bulk.middle + side * rng.uniform(*FAR) * bulk.width, 3) for side in sides]


def alike(rng: Random, middle: float, distance: float, count: int) -> list[float]:
    """Spikes that are nearly equal, on one side: together they widen a deviation the most."""
    side = rng.choice((1, -1))
    return [round(middle + side * distance * (1 + i * 1e-4), 4) for i in range(count)]


def minority(rng: Random, bulk: Bulk) -> list[float]:
    """Two or three readings close below it."""
    low, high = MINORITY_OFFSET
    return [
        round(bulk.low - rng.uniform(low, high) * bulk.width, 6) for _ in range(rng.randint(2, 3))
    ]


def written(rng: Random, reading: float) -> Value:
    """The same reading as a float or as text."""
    return rng.choice((reading, reading, repr(reading), f"  {reading!r} "))


def events_of(
    rng: Random, labelled: list[tuple[str, Value]], *, start: int = 0, shuffled: bool = False
) -> list[Event]:
    """Events with unique times; values are mixed, times rise unless they are shuffled too."""
    mixed = list(labelled)
    rng.shuffle(mixed)
    events: list[Event] = [
        {"ts": start + i, "reading": value, "label": label}
        for i, (label, value) in enumerate(mixed)
    ]
    if shuffled:
        rng.shuffle(events)
    return events


def core(bulk: Bulk) -> list[tuple[str, Value]]:
    """Its readings, labelled."""
    return [("core", reading) for reading in bulk.readings]
