"""Thompson sampling and its kin: draw from each arm's posterior, take the best draw.

Sources: Thompson 1933; discounted, Raj & Kalyani 2017 (arXiv:1707.09727); sliding window, Trovo et
al. 2020 (JAIR 68); both together, Cavenaghi et al. 2021 (Entropy 23, 380); with a subsidy for
cheap arms, Sinha et al. 2021 (arXiv:2011.01488).
"""

from __future__ import annotations

import numpy as np

from kalibr_bench.policies.arrays import Floats, Ints
from kalibr_bench.policies.batch import Batch
from kalibr_bench.policies.simple import Counts
from kalibr_bench.policies.worlds import MARGIN

WINDOW = 1000
"""Calls that the sliding window holds."""
HOT = 30
"""Outcomes of its own that f-dsw keeps of each arm ..."""
HISTORY = 0.999
"""... and the share of the older ones that is left at each call."""


class Thompson(Counts):
    """Beta(1 + successes, 1 + failures).

    Args:
        gamma: Share of all arms' evidence that is left at each outcome; 1: nothing is forgotten.
        subsidy: Take the cheapest arm whose draw is within the margin of the best draw, the
            margin being MARGIN * (1 - cost / cost of the best).
    """

    def __init__(
        self,
        batch: Batch,
        rng: np.random.Generator,
        *,
        gamma: float = 1.0,
        subsidy: bool = False,
    ) -> None:
        super().__init__(batch, rng)
        self._gamma = gamma
        self._subsidy = subsidy

    def pull(self, t: int) -> Ints:
        """Choose by one draw of each arm."""
        return self.chosen(self.draws())

    def draws(self) -> Floats:
        """One draw of each arm, (N, K)."""
        return self.rng.beta(1.0 + self.good, 1.0 + self.bad)

    def chosen(self, draws: Floats) -> Ints:
        """The best draw, or the cheapest one that is as good for its price."""
        leaders = self.greatest(draws)
        return subsidised(draws, leaders, self.batch) if self._subsidy else leaders

    def learn(self, arms: Ints, gains: Floats, losses: Floats) -> None:
        """Forget a little of everything, and count it."""
        if self._gamma < 1.0:
            self.good *= self._gamma
            self.bad *= self._gamma
        super().learn(arms, gains, losses)


def subsidised(draws: Floats, leaders: Ints, batch: Batch) -> Ints:
    """The cheapest arm whose draw is within its margin of the leader's, (N,)."""
    rows = batch.rows
    share = 1.0 - batch.costs / batch.costs[rows, leaders][:, None]
    enough = draws + batch.closed >= draws[rows, leaders][:, None] - MARGIN * share
    arms: Ints = np.argmin(np.where(enough, batch.costs, np.inf), axis=1)
    return arms


class Windowed(Thompson):
    """Thompson sampling on the last WINDOW outcomes of all arms together."""

    def __init__(self, batch: Batch, rng: np.random.Generator) -> None:
        super().__init__(batch, rng)
        self._arms = np.zeros((WINDOW, batch.size), np.int64)
        self._gains = np.zeros((WINDOW, batch.size))
        self._losses = np.zeros((WINDOW, batch.size))
        self._at = 0

    def learn(self, arms: Ints, gains: Floats, losses: Floats) -> None:
        """Put the newest in for the oldest."""
        at, self._at = self._at, (self._at + 1) % WINDOW
        super().learn(self._arms[at], -self._gains[at], -self._losses[at])
        super().learn(arms, gains, losses)
        self._arms[at], self._gains[at], self._losses[at] = arms, gains, losses


class DiscountedWindow(Thompson):
    """f-dsw with f = min: the less of two draws, from all outcomes discounted and from the last.

    Each arm keeps its own last HOT outcomes, however long ago they were.
    """

    def __init__(self, batch: Batch, rng: np.random.Generator) -> None:
        super().__init__(batch, rng, gamma=HISTORY)
        self._hot = np.zeros((2, *self.shape))
        self._kept = np.zeros((2, *self.shape, HOT))
        self._at = np.zeros(self.shape, np.int64)

    def draws(self) -> Floats:
        """The less of an old and a hot draw, (N, K)."""
        hot = self.rng.beta(1.0 + self._hot[0], 1.0 + self._hot[1])
        least: Floats = np.minimum(super().draws(), hot)
        return least

    def learn(self, arms: Ints, gains: Floats, losses: Floats) -> None:
        """Learn in both; a call that taught nothing pushes nothing out."""
        super().learn(arms, gains, losses)
        rows = np.flatnonzero(gains + losses > 0.0)
        arms = arms[rows]
        at = self._at[rows, arms] % HOT
        for side, values in enumerate((gains[rows], losses[rows])):
            self._hot[side, rows, arms] += values - self._kept[side, rows, arms, at]
            self._kept[side, rows, arms, at] = values
        self._at[rows, arms] += 1
