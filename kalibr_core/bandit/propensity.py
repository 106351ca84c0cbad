"""How likely a recorded choice was, worked out from its basis, off the hot path."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..types import Basis, Pull
from .choosing import drawn_leader, good_enough, rising_cost
from .constants import DEFAULTS, Constants

if TYPE_CHECKING:
    import random


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """An arm as it was known when the choice was made."""

    components: Sequence[tuple[float, ...]]
    mean: float
    count: float
    ceiling: float = 1.0


def propensity(
    pull: Pull, *, rng: random.Random, draws: int = 1000, constants: Constants = DEFAULTS
) -> float:
    """Probability with which this pull's arm was chosen.

    Exact where no chance was involved (probes, fallbacks, a single arm) and for policies that
    know it. Else the share of `draws` repetitions of rules 3 and 4 on the recorded basis that
    choose the arm, as (hits + 1/2) / (draws + 1), so that it is never 0. Its standard error is
    sqrt(p (1 - p) / draws), at most .016 for 1000 draws; the basis' rounding and its merged
    light runs add at most about .01.

    Raises:
        ValueError: the pull has neither a propensity nor a basis with its arm.
    """
    if pull.propensity is not None:
        return pull.propensity
    chosen = [basis.arm for basis in pull.basis].index(pull.arm)
    order = rising_cost([basis.cost_usd for basis in pull.basis])
    arms = [recorded(basis) for basis in pull.basis]
    best = max(arm.mean for arm in arms)
    hits = 0
    for _ in range(draws):
        leader, target = drawn_leader(arms, best, rng, constants)
        hits += good_enough(arms, order, leader, target, constants) == chosen
    return (hits + 0.5) / (draws + 1.0)


def recorded(basis: Basis) -> Recorded:
    """The arm that a basis describes."""
    total = sum(weight for weight, _, _ in basis.runs)
    runs = [(weight / total, a, b) for weight, a, b in basis.runs]
    mean = sum(w * a / (a + b) for w, a, b in runs)
    size = sum(w * (a + b) for w, a, b in runs)
    return Recorded(components=runs, mean=mean, count=max(0.0, size - 2.0))
