"""Optimism: the arm with the greatest upper bound.

Sources: UCB1, Auer et al. 2002; kl-UCB, Garivier & Cappe 2011 (arXiv:1102.2490); discounted UCB,
Garivier & Moulines 2008 (arXiv:0805.3415).
"""

from __future__ import annotations

import math

import numpy as np

from kalibr_bench.policies.arrays import Floats, Ints
from kalibr_bench.policies.batch import Batch
from kalibr_bench.policies.divergence import divergence, upper
from kalibr_bench.policies.simple import NOISE, Counts

FRESH = 1e-9
"""Count of an arm without any outcome."""
GAMMA = 0.999
XI = 0.6
"""Weight of discounted UCB's bonus, 2 sqrt(XI log n / n_i)."""


class Optimist(Counts):
    """Takes the greatest bound; ties and an order of the untried are left to chance."""

    def pull(self, t: int) -> Ints:
        """Choose by bounds."""
        counts = np.maximum(self.good + self.bad, FRESH)
        bounds = self.bounds(self.good / counts, counts, t)
        if (fresh := counts == FRESH).any():
            bounds = np.where(fresh, 1e9 * (1.0 + self.rng.random(self.shape)), bounds)
        return self.greatest(bounds + NOISE * self.rng.random(self.shape))

    def bounds(self, means: Floats, counts: Floats, t: int) -> Floats:
        """Upper bounds, (N, K)."""
        raise NotImplementedError


class UCB1(Optimist):
    """mean + sqrt(2 log t / n)."""

    def bounds(self, means: Floats, counts: Floats, t: int) -> Floats:
        """Hoeffding's."""
        bounds: Floats = means + np.sqrt(2.0 * math.log(t + 1.0) / counts)
        return bounds


class KlUCB(Optimist):
    """The greatest q with n kl(mean, q) <= log t."""

    def bounds(self, means: Floats, counts: Floats, t: int) -> Floats:
        """Chernoff's."""
        return upper(means, math.log(t + 1.0) / counts)


class DiscountedUCB(Optimist):
    """UCB on counts that lose 1 - GAMMA at each outcome, whatever arm it was of."""

    def bounds(self, means: Floats, counts: Floats, t: int) -> Floats:
        """Hoeffding's, on discounted counts."""
        total = np.maximum(counts.sum(axis=1, keepdims=True), 1.0)
        bounds: Floats = means + 2.0 * np.sqrt(XI * np.log(total) / counts)
        return bounds

    def learn(self, arms: Ints, gains: Floats, losses: Floats) -> None:
        """Forget a little of everything, and count it."""
        self.good *= GAMMA
        self.bad *= GAMMA
        super().learn(arms, gains, losses)


class TrackAndStop(Counts):
    """Explores until it is sure which arm is best, and then stays with it for good.

    The share of the calls that an arm should get is not the exact optimum but its usual
    approximation by normal laws (OCBA), worked out every EVERY calls; the test is the exact one.
    Where two arms are equal it never stops.

    Sources: Garivier & Kaufmann 2016 (arXiv:1602.04589); Chen et al. 2000 for the shares.
    """

    EVERY = 10
    DELTA = 0.05
    """Chance of being wrong."""

    def __init__(self, batch: Batch, rng: np.random.Generator) -> None:
        super().__init__(batch, rng)
        self._open = np.isfinite(batch.closed)
        self._known = self._open.sum(axis=1, keepdims=True)
        self._pulls = np.zeros(self.shape)
        self._shares = self._open / self._known
        self._stopped = np.full(batch.size, -1)

    def pull(self, t: int) -> Ints:
        """Track the shares, or stay."""
        if t % self.EVERY == 0 and t:
            self._look(t)
        starved = self._pulls < math.sqrt(t) - self._known / 2.0
        wanted = np.where(starved, 1e6 - self._pulls, self._shares * (t + 1.0) - self._pulls)
        arms = self.greatest(wanted + 1e-9 * self.rng.random(self.shape))
        arms = np.where(self._stopped >= 0, self._stopped, arms)
        self._pulls[self.rows, arms] += 1.0
        return arms

    def _look(self, t: int) -> None:
        counts = self.good + self.bad
        means = (self.good + 0.5) / (counts + 1.0)
        best = self.greatest(means)[:, None]
        top, top_count = (np.take_along_axis(a, best, 1) for a in (means, counts))
        both = (top_count * top + counts * means) / np.maximum(top_count + counts, 1e-9)
        cost = top_count * divergence(top, both) + counts * divergence(means, both)
        others = self._open & (np.arange(self.shape[1]) != best)
        least = np.where(others, cost, np.inf).min(axis=1)
        sure = least > math.log((1.0 + math.log(t)) * (self.shape[1] - 1.0) / self.DELTA)
        self._stopped = np.where((self._stopped < 0) & sure, best[:, 0], self._stopped)
        gaps = np.maximum(top - means, 0.005)
        shares = np.where(others, means * (1.0 - means) / gaps**2, 0.0)
        variance = (top * (1.0 - top))[:, 0]
        weights = np.where(others, shares**2 / (means * (1.0 - means)), 0.0)
        shares[self.rows, best[:, 0]] = np.sqrt(variance * weights.sum(axis=1))
        self._shares = shares / shares.sum(axis=1, keepdims=True)
