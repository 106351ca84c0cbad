"""What is drawn: once for each run, and the same for every policy."""

from __future__ import annotations

import hashlib
from typing import NamedTuple

import numpy as np

from kalibr_bench.policies.arrays import Bools, Floats
from kalibr_bench.policies.worlds import World

JUDGED = 0.2
"""Share of the calls that get a score, where a scenario has any."""
SCORE_SIZE = 8.0
"""A score is Beta(8 q, 8 (1 - q)), q the arm's quality."""


class Run(NamedTuple):
    """One run's name: equal names meet equal outcomes."""

    scenario: str
    seed: int
    number: int = 0


def seed_of(*parts: object) -> int:
    """A seed that is the same in every process and on every machine."""
    text = "\x1f".join(map(str, parts))
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big")


def generator(*parts: object) -> np.random.Generator:
    """A source of chance of its own for these words."""
    return np.random.default_rng(seed_of(*parts))


class Outcomes:
    """Whether each arm's answer would pass, call after call: `passed[t, k] = u[t, k] < p[t, k]`."""

    def __init__(self, world: World, run: Run) -> None:
        self._world = world
        self._rng = generator("outcomes", *run)
        self._at = 0

    def next(self, calls: int) -> Bools:
        """The next calls' outcomes, (calls, K); how they are cut into blocks does not matter."""
        begin, self._at = self._at, self._at + calls
        levels = self._world.levels[self._world.segments(begin, self._at)]
        passed: Bools = self._rng.random(levels.shape) < levels
        return passed


def judgements(world: World, run: Run, calls: int) -> tuple[Bools, Floats]:
    """Which calls are judged, (calls,), and each arm's score if it is, (calls, K).

    Raises:
        ValueError: the world has no scores.
    """
    if world.quality is None:
        raise ValueError(f"the world of {run.scenario} has no scores")
    rng = generator("judgements", *run)
    shape = (calls, len(world.quality))
    judged: Bools = rng.random(calls) < JUDGED
    good, bad = SCORE_SIZE * world.quality, SCORE_SIZE * (1.0 - world.quality)
    return judged, rng.beta(good, bad, shape)
