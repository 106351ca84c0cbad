"""Success first, then cost: the leader (rule 3), and the cheaper arm that may stand in for it (4).

Both work on anything with a mean, a count and a mixture of Betas, so that the very same code makes
a choice and, later, works out how likely that choice was.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

from .bounds import saving
from .constants import Constants

if TYPE_CHECKING:
    import random

Order = Sequence[tuple[int, float | None]]
"""(index, cost) of the arms in order of rising cost, the unknown ones last."""


class Candidate(Protocol):
    """What a choice needs to know of an arm."""

    @property
    def components(self) -> Sequence[tuple[float, ...]]:
        """(weight, alpha, beta, ...), the heaviest first."""
        ...

    @property
    def mean(self) -> float: ...
    @property
    def count(self) -> float: ...
    @property
    def ceiling(self) -> float: ...


def rising_cost(costs: Sequence[float | None]) -> Order:
    """Arms from the cheapest to the dearest; unknown costs come last, where they save nothing."""
    known = [(cost, index) for index, cost in enumerate(costs) if cost is not None]
    unknown = [(index, None) for index, cost in enumerate(costs) if cost is None]
    return [*((index, cost) for cost, index in sorted(known)), *unknown]


def drawn_leader(
    arms: Sequence[Candidate], best: float, rng: random.Random, constants: Constants
) -> tuple[int, float]:
    """Rule 3: the arm with the greatest max(mean, draw), and that value.

    Args:
        best: the greatest mean. No draw is made where the heaviest component comes up and hardly
            ever (four deviations) reaches this.
    """
    leader, highest = 0, -1.0
    for index, arm in enumerate(arms):
        value, components = arm.mean, arm.components
        rest = rng.random()
        if arm.ceiling > best or rest >= components[0][0]:
            value = max(value, _draw(components, rest, rng, constants.sharpening))
        if value > highest:
            leader, highest = index, value
    return leader, highest


def _draw(
    components: Sequence[tuple[float, ...]], rest: float, rng: random.Random, sharpening: float
) -> float:
    """Draw from the component at `rest`, in [0, 1), of the cumulated weights."""
    for component in components:
        rest -= component[0]
        if rest < 0.0:
            break
    return rng.betavariate(sharpening * component[1], sharpening * component[2])


def good_enough(
    arms: Sequence[Candidate], order: Order, leader: int, target: float, constants: Constants
) -> int:
    """Rule 4: the cheapest arm whose success is within its margin of `target`, the leader's.

    A cheaper arm stays until the evidence says that it is worse; an untested one has no such
    benefit, and one that saves nothing has neither.
    """
    leader_cost = next(cost for index, cost in order if index == leader)
    for index, cost in order:
        if index == leader:
            break
        share = saving(cost, leader_cost)
        if share <= 0.0:
            continue
        arm = arms[index]
        needed = target - constants.margin * share
        if arm.mean >= needed or within_doubt(arm.mean, arm.count, needed, constants):
            return index
    return leader


def within_doubt(mean: float, count: float, needed: float, constants: Constants) -> bool:
    """Is the evidence that an arm's success is below `needed` still weak?

    Most of the prior's failure is left out: it is no evidence against an arm. Without this, an arm
    that has never failed gives way to the lucky draws of dear arms that nobody has tried yet.
    """
    if count < constants.tested:
        return False
    failures = max(0.0, (1.0 - mean) * (count + constants.doubt_prior) - constants.prior_failures)
    rate = max(mean, 1.0 - failures / (count + 0.5))
    if rate >= needed:
        return True
    allowed = constants.doubt * count / (count + constants.doubt_calls)
    if 2.0 * count * (needed - rate) ** 2 > allowed:  # Pinsker's bound spares the logarithms
        return False
    return count * divergence(rate, needed) <= allowed


def divergence(p: float, q: float) -> float:
    """Kullback-Leibler divergence between Bernoulli(p) and Bernoulli(q), in nats.

    >>> divergence(0.5, 0.5)
    0.0
    """
    p = min(max(p, 1e-9), 1.0 - 1e-9)
    q = min(max(q, 1e-9), 1.0 - 1e-9)
    return p * math.log(p / q) + (1.0 - p) * math.log((1.0 - p) / (1.0 - q))
