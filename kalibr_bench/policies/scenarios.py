"""The scenarios: worlds with a name, what happens in them, and how many runs they deserve."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType
from typing import NamedTuple

import numpy as np

from kalibr_bench.policies import instances
from kalibr_bench.policies.chance import generator
from kalibr_bench.policies.worlds import World, world

AT_ONCE, LATE, JUDGED = "at once", "late", "judged"


class Event(NamedTuple):
    """An arm falls, or comes (back) up."""

    arm: int
    at: int
    """The first call that it holds for, counted from 0."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """A world, or a law that worlds are drawn by.

    Attributes:
        id: Its name.
        about: One line.
        calls: Length of a run.
        make: The world of a seed.
        runs: Runs of each seed, each with outcomes of its own.
        feedback: `at once`; `late`: 20 calls late, in batches of 16; `judged`: some are scored.
        fall: The arm that fails, if one does.
        rise: The arm that comes back, or up.
        good: The arm that is to be found, where that is the question.
        quick: Seeds of a default run; 0: only when asked for.
        full: Seeds of a full run, whose figures are reported: none of them served for tuning.
        first_full: The first of those.
    """

    id: str
    about: str
    calls: int
    make: Callable[[int], World]
    quick: int
    full: int
    first_full: int = 50_000
    runs: int = 1
    feedback: str = AT_ONCE
    fall: Event | None = None
    rise: Event | None = None
    good: int | None = None


def _same(made: World) -> Callable[[int], World]:
    return lambda seed: made


ORIGINAL, USUAL, COSTS = (0.99, 0.97, 0.93), (0.97, 0.99, 0.93), (1.0, 0.06, 0.2)


def _fallen(level: float, *at: int) -> Callable[[int], World]:
    """Arm 1 of the usual three changes between .99 and `level` at each of these calls."""
    phases: list[tuple[int, Sequence[float]]] = [(0, USUAL)]
    for number, call in enumerate(at):
        phases.append((call, USUAL if number % 2 else (USUAL[0], level, USUAL[2])))
    return _same(world(COSTS, *phases))


def _drifting() -> World:
    """.80 + .18 sin(2 pi (t / 2500 + i / 10)): a segment per call."""
    calls, arms = np.arange(5000), np.arange(10)
    angle = 2.0 * math.pi * (calls[:, None] / 2500.0 + arms[None, :] / 10.0)
    costs = np.array([0.3, 1.0, 0.06, 0.5, 0.1, 0.8, 0.2, 0.04, 0.6, 0.15])
    return World(costs=costs, starts=calls, levels=0.80 + 0.18 * np.sin(angle))


def _flickering(seed: int, *, calls: int = 4000) -> World:
    """Arm 1 is out for 5 calls every 120 to 280 calls."""
    rng = generator("outages", seed)
    phases: list[tuple[int, Sequence[float]]] = [(0, USUAL)]
    at = 0
    while (at := at + int(rng.integers(120, 281))) < calls:
        phases += [(at, (USUAL[0], 0.0, USUAL[2])), (at + 5, USUAL)]
    return world(COSTS, *phases)


def _parts(*levels: Sequence[float]) -> Callable[[int], World]:
    """Five equal parts of 5000 calls, all arms at the same cost."""
    return _same(world((1.0,) * 3, *[(1000 * n, level) for n, level in enumerate(levels)]))


MANY = (
    *(0.97, 0.95, 0.90, 0.98, 0.60, 0.30, 0.93, 0.85, 0.99, 0.20),
    *(0.96, 0.88, 0.75, 0.50, 0.94, 0.97, 0.10, 0.80, 0.92, 0.65),
)
MANY_COSTS = (
    *(0.30, 0.10, 0.05, 0.50, 0.02, 0.01, 0.20, 0.08, 1.00, 0.03),
    *(0.25, 0.06, 0.04, 0.02, 0.15, 0.40, 0.01, 0.07, 0.12, 0.05),
)
S1 = partial(Scenario, calls=100, quick=100, full=2000)
S5 = partial(Scenario, calls=12_000, quick=5, full=200, fall=Event(1, 10_000))
PROBLEM = partial(Scenario, calls=5000, quick=8, full=200)

_ALL = (
    S1(
        id="S1",
        about="the dear arm 0 falls to .297 from call 31",
        make=_same(world(COSTS, (0, ORIGINAL), (30, (0.297, 0.97, 0.93)))),
        fall=Event(0, 30),
    ),
    S1(
        id="S1b",
        about="the preferred arm 1 falls to .297 from call 31",
        make=_fallen(0.297, 30),
        fall=Event(1, 30),
    ),
    Scenario(
        id="S2",
        about="arm 1 falls to .297 from 3000 to 6000, then it is back",
        calls=9000,
        make=_fallen(0.297, 3000, 6000),
        quick=6,
        full=300,
        fall=Event(1, 3000),
        rise=Event(1, 6000),
    ),
    Scenario(
        id="S3",
        about="ten arms drift",
        calls=5000,
        make=_same(_drifting()),
        quick=6,
        full=200,
    ),
    Scenario(
        id="S4",
        about="five arms at one cost, nothing changes",
        calls=20_000,
        make=_same(world((1.0,) * 5, (0, (0.95, 0.93, 0.90, 0.85, 0.80)))),
        quick=3,
        full=200,
    ),
    S5(id="S5", about="arm 1 falls to .30 after 10,000 good calls", make=_fallen(0.30, 10_000)),
    S5(id="S5b", about="arm 1 falls to .90 after 10,000 good calls", make=_fallen(0.90, 10_000)),
    Scenario(
        id="S6",
        about="the cheap arm 2 rises from .50 to .98 at 3000",
        calls=6000,
        make=_same(
            world((0.5, 1.0, 0.06), (0, (0.90, 0.88, 0.50)), (3000, (0.90, 0.88, 0.98))),
        ),
        quick=8,
        full=300,
        rise=Event(2, 3000),
    ),
    Scenario(
        id="S7",
        about="arm 1 is out for 5 calls every 120 to 280",
        calls=4000,
        make=_flickering,
        quick=8,
        full=300,
    ),
    Scenario(
        id="S8",
        about="three equal arms, one of them cheap",
        calls=2000,
        make=_same(world((1.0, 1.0 / 12.0, 0.5), (0, (0.97,) * 3))),
        quick=12,
        full=400,
    ),
    Scenario(
        id="S9",
        about="outcomes come 20 calls late, in batches of 16",
        calls=4000,
        make=_fallen(0.297, 1500, 2500),
        quick=8,
        full=300,
        feedback=LATE,
        fall=Event(1, 1500),
        rise=Event(1, 2500),
    ),
    Scenario(
        id="S10",
        about="three arms pass alike, arm 0 is better; a fifth of the calls is judged",
        calls=1000,
        make=_same(world((1.0, 0.06, 0.3), (0, (0.97,) * 3), quality=(0.85, 0.60, 0.60))),
        quick=24,
        full=600,
        feedback=JUDGED,
        good=0,
    ),
    Scenario(
        id="S11",
        about="twenty arms, 200 calls: a cold start",
        calls=200,
        make=_same(world(MANY_COSTS, (0, MANY))),
        quick=60,
        full=1000,
    ),
    PROBLEM(
        id="PB1",
        about="problem 1 of Besson & Kaufmann (arXiv:1902.01575)",
        make=_parts(
            (0.9, 0.5, 0.3), (0.9, 0.2, 0.3), (0.1, 0.2, 0.3), (0.1, 0.7, 0.3), (0.1, 0.7, 0.5)
        ),
    ),
    PROBLEM(
        id="PB2",
        about="problem 2 of Besson & Kaufmann (arXiv:1902.01575)",
        make=_parts(
            (0.9, 0.5, 0.4), (0.7, 0.4, 0.5), (0.5, 0.3, 0.6), (0.3, 0.2, 0.7), (0.1, 0.1, 0.8)
        ),
    ),
    Scenario(
        id="1e6",
        about="arm 1 falls to .30 after half a million good calls",
        calls=1_000_000,
        make=_fallen(0.30, 500_000),
        quick=0,
        full=4,
        fall=Event(1, 500_000),
    ),
    Scenario(
        id="random",
        about="a new world for each seed",
        calls=instances.CALLS,
        make=instances.instance,
        quick=30,
        full=150,
        first_full=900_000,
        runs=4,
    ),
)
SCENARIOS: Mapping[str, Scenario] = MappingProxyType({one.id: one for one in _ALL})
SUITE = tuple(name for name in SCENARIOS if name not in ("S10", "1e6", "random"))
"""The fourteen whose losses are compared with the best published policy's."""
