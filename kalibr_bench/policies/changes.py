"""Twins that look for changes.

Sources: GLR-klUCB, Besson & Kaufmann 2019 (arXiv:1902.01575); change-point Thompson sampling,
Mellor & Shapiro 2013 (arXiv:1302.3721), on Adams & MacKay 2007 (arXiv:0710.3742).
"""

from __future__ import annotations

import math

import numpy as np

from kalibr_bench.policies.arrays import Floats, Ints
from kalibr_bench.policies.batch import Batch
from kalibr_bench.policies.bounds import Optimist
from kalibr_bench.policies.divergence import divergence, upper
from kalibr_bench.policies.thompson import Thompson

EVERY = 10
"""Calls between two tests for a change."""
EXPLORE = 0.1
"""Forced exploration: EXPLORE * sqrt(K log T / T) of the calls."""
RUNS = 16
"""Run lengths that change-point Thompson sampling keeps for each arm."""
WEIGHT, A, B, BELOW = range(4)
HAZARD = 0.001
"""Chance that an arm changes at one of its calls."""


class GlrKlUCB(Optimist):
    """kl-UCB that starts an arm anew when a generalised likelihood ratio says it has changed.

    Local restarts, no knowledge of the number of changes. To keep it cheap an arm is tested every
    EVERY calls, and only where its newest, or oldest, 1, 2, 4, 8, ... outcomes part from the rest.
    """

    def __init__(self, batch: Batch, rng: np.random.Generator) -> None:
        super().__init__(batch, rng)
        self._arms = np.isfinite(batch.closed).sum(axis=1)
        self._alpha = EXPLORE * np.sqrt(self._arms * math.log(batch.calls) / batch.calls)
        self._spent = np.log(3.0 * np.sqrt(self._arms * batch.calls))[:, None]
        self._sums = np.zeros((batch.size * batch.arms, batch.calls + 1), np.float32)
        self._size = np.zeros(self.shape, np.int64)
        self._start = np.zeros(self.shape, np.int64)
        self._born = np.zeros(self.shape)
        self._t = 0

    def pull(self, t: int) -> Ints:
        """Choose by bounds, and rarely any arm."""
        self._t = t
        if t % EVERY == 0:
            self._test()
        arms = super().pull(t)
        forced = np.flatnonzero(self.rng.random(self.batch.size) < self._alpha)
        if len(forced):
            arms[forced] = self.rng.integers(self._arms[forced])
        return arms

    def bounds(self, means: Floats, counts: Floats, t: int) -> Floats:
        """kl-UCB's, on the calls since each arm's restart."""
        return upper(means, np.log(t + 1.0 - self._born) / counts)

    def learn(self, arms: Ints, gains: Floats, losses: Floats) -> None:
        """Remember the running sum; a call that taught nothing adds nothing."""
        super().learn(arms, gains, losses)
        seen = (gains + losses > 0.0).astype(np.int64)
        arm = self.batch.offsets + arms
        at = self._size.take(arm)
        self._sums[arm, at + seen] = self._sums[arm, at] + gains
        self._size[self.rows, arms] = at + seen

    def _test(self) -> None:
        length = self._size - self._start
        if (longest := int(length.max())) < 2:
            return
        powers = 2 ** np.arange(longest.bit_length())
        left = np.concatenate((length[..., None] - powers, powers + 0 * length[..., None]), axis=2)
        valid = (left >= 1) & (left < length[..., None])
        left = np.where(valid, left, 0)
        evidence = np.where(valid, self._ratio(left, length), 0.0).max(axis=2)
        found = evidence > self._spent + 1.5 * np.log(np.maximum(length, 1))
        if found.any():
            self._start[found] = self._size[found]
            self.good[found] = self.bad[found] = 0.0
            self._born[found] = self._t

    def _ratio(self, left: Ints, length: Ints) -> Floats:
        """Log likelihood ratio of a change after `left` outcomes, (N, K, splits)."""
        arm = (self.batch.offsets[:, None] + np.arange(self.shape[1]))[..., None]
        begin = self._sums[arm, self._start[..., None]]
        end = self._sums[arm, self._size[..., None]]
        middle = self._sums[arm, self._start[..., None] + left]
        right = np.maximum(length[..., None] - left, 1)
        mean = (end - begin) / np.maximum(length[..., None], 1)
        before = divergence((middle - begin) / np.maximum(left, 1), mean)
        ratio: Floats = left * before + right * divergence((end - middle) / right, mean)
        return ratio


class ChangePoint(Thompson):
    """Thompson sampling that also draws how long each arm has been as it is.

    Each arm has a mixture of Betas over run lengths of its own calls, at most RUNS: beyond, the
    least likely gives way to the newest.
    """

    def __init__(self, batch: Batch, rng: np.random.Generator, *, subsidy: bool = False) -> None:
        super().__init__(batch, rng, subsidy=subsidy)
        self._runs = np.zeros((batch.size * batch.arms, 4, RUNS))
        """(N K, 4, RUNS): weight, a, b, and the weights added up."""
        self._runs[:, WEIGHT, 0] = 1.0
        self._runs[:, A : B + 1] = 1.0
        self._runs[:, BELOW] = 1.0
        self._arms = np.arange(len(self._runs))

    def draws(self) -> Floats:
        """A run by its weight, and a draw from its Beta; (N, K)."""
        drawn = self.rng.random((len(self._runs), 1))
        run = np.minimum((self._runs[:, BELOW] <= drawn).sum(axis=1), RUNS - 1)
        a, b = self._runs[self._arms, A, run], self._runs[self._arms, B, run]
        drawn_from: Floats = self.rng.beta(a, b).reshape(self.shape)
        return drawn_from

    def learn(self, arms: Ints, gains: Floats, losses: Floats) -> None:
        """Reweigh the arm's runs by how well they foretold it, and begin a new one."""
        rows = np.flatnonzero(gains + losses > 0.0)
        at, gain, loss = (self.batch.offsets + arms)[rows], gains[rows, None], losses[rows, None]
        runs = self._runs[at]
        weights, a, b = runs[:, WEIGHT], runs[:, A], runs[:, B]
        weights *= (1.0 - HAZARD) * (gain * a + loss * b) / (a + b)
        a += gain
        b += loss
        each, least = self.rows[: len(rows)], weights.argmin(axis=1)
        weights[each, least] = 0.5 * HAZARD
        a[each, least], b[each, least] = 1.0 + gain[:, 0], 1.0 + loss[:, 0]
        weights /= weights.sum(axis=1, keepdims=True)
        weights.cumsum(axis=1, out=runs[:, BELOW])
        self._runs[at] = runs
