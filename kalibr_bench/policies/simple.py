"""Twins that know nothing, know everything, or trust their means."""

from __future__ import annotations

import numpy as np

from kalibr_bench.policies.arrays import Floats, Ints
from kalibr_bench.policies.batch import Batch

EPSILON = 0.1
"""Share of epsilon-greedy's calls that go to any arm."""
NOISE = 1e-9
"""Breaks ties by chance."""


class Counts:
    """Successes and failures of each arm, (N, K): what most twins learn."""

    def __init__(self, batch: Batch, rng: np.random.Generator) -> None:
        self.batch = batch
        self.rng = rng
        self.rows = batch.rows
        self.shape = batch.closed.shape
        self.good = np.zeros(self.shape)
        self.bad = np.zeros(self.shape)
        self._flat_good, self._flat_bad = self.good.reshape(-1), self.bad.reshape(-1)
        self._filled_up = bool(np.isinf(batch.closed).any())

    def learn(self, arms: Ints, gains: Floats, losses: Floats) -> None:
        """Count it; `good` and `bad` are only ever changed in place."""
        at = self.batch.offsets + arms
        self._flat_good[at] += gains
        self._flat_bad[at] += losses

    def greatest(self, scores: Floats) -> Ints:
        """The open arm with the greatest score, (N,)."""
        open_scores = scores + self.batch.closed if self._filled_up else scores
        arms: Ints = open_scores.argmax(axis=1)
        return arms

    def means(self) -> Floats:
        """Means of Beta(1 + successes, 1 + failures), ties broken by chance."""
        means = (1.0 + self.good) / (2.0 + self.good + self.bad)
        return means + NOISE * self.rng.random(self.shape)


class Uniform(Counts):
    """Any arm."""

    def pull(self, t: int) -> Ints:
        """Choose any."""
        return self.greatest(self.rng.random(self.shape))


class Fixed(Counts):
    """Always the first arm."""

    def pull(self, t: int) -> Ints:
        """Choose arm 0."""
        return np.zeros(self.batch.size, np.int64)


class Oracle(Counts):
    """Knows each world and when it changes: success first, then cost."""

    def __init__(self, batch: Batch, rng: np.random.Generator) -> None:
        super().__init__(batch, rng)
        self._segment = np.zeros(batch.size, np.int64)
        most = max(len(world.starts) for world in batch.worlds)
        filled = [np.pad(w.starts, (0, most - len(w.starts)), "edge") for w in batch.worlds]
        self._arms = np.array([np.pad(w.oracle, (0, most - len(w.starts))) for w in batch.worlds])
        ends = [np.append(row[1:], batch.calls) for row in filled]
        lengths = [len(w.starts) for w in batch.worlds]
        self._ends = np.array(ends)
        self._ends[self.rows, np.array(lengths) - 1] = batch.calls

    def pull(self, t: int) -> Ints:
        """Choose the oracle's arm at call `t`; calls come in order."""
        self._segment += self._ends[self.rows, self._segment] <= t
        arms: Ints = self._arms[self.rows, self._segment]
        return arms


class Greedy(Counts):
    """The arm with the best mean; with `epsilon`, now and then any arm.

    Source: Sutton & Barto, Reinforcement Learning, chapter 2.
    """

    def __init__(self, batch: Batch, rng: np.random.Generator, *, epsilon: float = 0.0) -> None:
        super().__init__(batch, rng)
        self._epsilon = epsilon

    def pull(self, t: int) -> Ints:
        """Choose the best so far, or explore."""
        scores = self.means()
        if self._epsilon:
            scores += (
                2.0
                * (self.rng.random((self.batch.size, 1)) < self._epsilon)
                * (self.rng.random(self.shape))
            )
        return self.greatest(scores)
