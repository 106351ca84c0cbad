"""A world: what each arm costs, and how often it succeeds, over the calls of one run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from kalibr_bench.policies.arrays import Floats, Ints

MARGIN = 0.02
"""Success that the oracle gives up at most, for an arm that is nearly free."""
TIE = 1e-12


@dataclass(frozen=True, kw_only=True, eq=False)
class World:
    """Success probabilities, constant within segments; K arms, S segments.

    Attributes:
        costs: (K,), the dearest arm's is 1.
        starts: (S,), the calls at which segments begin, rising from 0.
        levels: (S, K), probability that a call passes.
        quality: (K,), expected score of an answer that passed; None where nothing is judged.
    """

    costs: Floats
    starts: Ints
    levels: Floats
    quality: Floats | None = None

    @cached_property
    def values(self) -> Floats:
        """(S, K), what a call is worth: its success, times (1 + score) / 2 where there are any."""
        return self.levels if self.quality is None else self.levels * (0.5 + 0.5 * self.quality)

    @cached_property
    def oracle(self) -> Ints:
        """(S,), the arm to choose in each segment."""
        return lexicographic(self.values, self.costs)

    @cached_property
    def losses(self) -> Floats:
        """(S, K), what choosing an arm loses to the oracle: success less the margin times cost."""
        utility = self.values - MARGIN * self.costs
        best = np.take_along_axis(utility, self.oracle[:, None], axis=1)
        losses: Floats = np.maximum(0.0, best - utility)
        return losses

    @cached_property
    def regrets(self) -> Floats:
        """(S, K), success lost to the arm with the most, whatever it costs."""
        regrets: Floats = self.values.max(axis=1, keepdims=True) - self.values
        return regrets

    def segments(self, begin: int, end: int) -> Ints:
        """Each call's segment; (end - begin,)."""
        found: Ints = np.searchsorted(self.starts, np.arange(begin, end), side="right") - 1
        return found


def lexicographic(values: Floats, costs: Floats) -> Ints:
    """Success first, then cost: the cheapest arm within its margin of the best.

    An arm is within its margin when v >= v_best - MARGIN * (1 - cost / cost_best).

    Args:
        values: (S, K).
        costs: (K,).

    Returns:
        (S,), indices of arms.
    """
    order = np.argsort(costs, kind="stable")
    best = order[np.argmax(values[:, order], axis=1)]
    highest = values.max(axis=1, keepdims=True)
    needed = highest - MARGIN * (1.0 - costs[None, :] / costs[best][:, None])
    priced = np.where(values >= needed - TIE, costs[None, :], np.inf)
    chosen: Ints = np.argmin(priced, axis=1)
    return chosen


def world(
    costs: Sequence[float],
    *phases: tuple[int, Sequence[float]],
    quality: Sequence[float] | None = None,
) -> World:
    """A world out of (first call, success of each arm)."""
    return World(
        costs=np.array(costs, float),
        starts=np.array([start for start, _ in phases], np.int64),
        levels=np.array([levels for _, levels in phases], float),
        quality=None if quality is None else np.array(quality, float),
    )
