"""How likely a recorded choice was, worked out from its basis, off the hot path.

The greatest of independent draws has a distribution function that is the product of theirs, so the
probability of each leader is an integral over the level that it leads with; rule 4 then says for
each such level which arm is chosen. No chance is used: the same record gives the same number.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from math import erfc

from ..types import Basis, Pull
from .arms import value_at
from .choosing import good_enough, level_of, rising_cost, settled
from .constants import DEFAULTS, Constants

NODES = 24
"""Steps of the integral, finest near the best arm's level, where most draws are."""
DEVIATIONS = 5.0
NEVER = 1e-5
"""Arms that lead less often than this are taken never to."""
HALVINGS = 8
"""To find where in a step rule 4 changes its choice."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """An arm as it was known when the choice was made."""

    draws: Sequence[tuple[float, float, float]]
    """(half the weight, mean, 1 / (deviation * sqrt(2))) of the normals that levels are drawn from.
    """
    mean: float
    level: float
    doubt: float
    upper: float
    down: bool

    @property
    def top(self) -> float:
        """A level that hardly any draw is above."""
        return max(loc + DEVIATIONS * math.sqrt(0.5) / narrow for _, loc, narrow in self.draws)

    def below(self, level: float) -> float:
        """Probability that a draw is not above `level`, if that is not below the arm's own."""
        return sum([half * erfc((loc - level) * narrow) for half, loc, narrow in self.draws])


def propensity(pull: Pull, *, nodes: int = NODES, constants: Constants = DEFAULTS) -> float:
    """Probability with which this pull's arm was chosen.

    Exact where the policy knows it (fallbacks, a single arm). Else from the basis: rules 3 and 4
    by integration, then the conversation's price and the probe that was due. The integral's steps,
    the basis' rounding and its left-out light runs make an error of at most about .01.

    Args:
        nodes: steps of the integral; with 8 it takes half as long, at errors of up to about .03.

    Raises:
        ValueError: the pull has neither a propensity nor a basis with its arm.
    """
    if pull.propensity is not None:
        return pull.propensity
    chances = propensities(
        pull.basis, previous=pull.previous, due=pull.due, nodes=nodes, constants=constants
    )
    return chances[[basis.arm for basis in pull.basis].index(pull.arm)]


def propensities(
    bases: Sequence[Basis],
    *,
    previous: str | None = None,
    due: str | None = None,
    nodes: int = NODES,
    constants: Constants = DEFAULTS,
) -> list[float]:
    """Each arm's probability of being chosen, in the order of `bases`; they sum to 1.

    Args:
        previous: the arm of the conversation's previous turn.
        due: the arm whose probe was due.
    """
    names = [basis.arm for basis in bases]
    arms = [recorded(basis, constants) for basis in bases]
    costs = [basis.cost_usd for basis in bases]
    order = rising_cost(costs)
    before = names.index(previous) if previous in names else None

    def chosen(leader: int, level: float) -> int:
        target = value_at(level)
        arm = good_enough(arms, costs, order, leader, target, constants)
        return settled(arms, costs, arm, before, target, constants)

    chances = [0.0] * len(arms)
    at: dict[int, int] = {}
    """By leader: the arm that is chosen at the end of the last step."""
    sure = _sure(arms, chosen) if before is None else None
    if sure is not None:
        chances[sure] = 1.0
        return _with_probe(chances, names, due, constants)
    for leader, low, high, chance in _leaders(arms, nodes):
        first = at[leader] if leader in at else chosen(leader, low)
        last = at[leader] = chosen(leader, high)
        if first == last:
            chances[last] += chance
            continue
        for index, share in _split(arms[leader], partial(chosen, leader), low, high):
            chances[index] += share * chance
    total = sum(chances)
    return _with_probe([chance / total for chance in chances], names, due, constants)


def _sure(arms: Sequence[Recorded], chosen: Callable[[int, float], int]) -> int | None:
    """The arm that is chosen whoever leads at whatever level; None: it depends.

    A rising level only leads to dearer arms, so that both ends speak for all between them.
    """
    best = max(arm.level for arm in arms)
    found: set[int] = set()
    for leader, arm in enumerate(arms):
        if arm.below(best) < 1.0 - NEVER or arm.level == best:
            found.update((chosen(leader, best), chosen(leader, max(arm.top, best))))
            if len(found) > 1:
                return None
    return found.pop()


def _with_probe(
    chances: list[float], names: Sequence[str], due: str | None, constants: Constants
) -> list[float]:
    """The chances where a probe may be due, which is made first."""
    if due not in names:
        return chances
    chances = [(1.0 - constants.probe_chance) * chance for chance in chances]
    chances[names.index(due)] += constants.probe_chance
    return chances


def _leaders(arms: Sequence[Recorded], nodes: int) -> Iterator[tuple[int, float, float, float]]:
    """(leader, between these two levels, probability) in small steps of the level."""
    best = max(arm.level for arm in arms)
    first = next(index for index, arm in enumerate(arms) if arm.level == best)
    below = [arm.below(best) for arm in arms]
    yield first, best, best, math.prod(below)  # no draw is above the best mean
    leaders = [index for index, share in enumerate(below) if share < 1.0 - NEVER]
    top = max([arms[index].top for index in leaders], default=best)
    low, below = best, [below[index] for index in leaders]
    for node in range(1, nodes + 1 if top > best else 1):
        high = best + (top - best) * (node / nodes) ** 3
        upper = [arms[index].below(high) for index in leaders]
        middle = [(a + b) / 2.0 for a, b in zip(below, upper, strict=True)]
        both = math.prod(middle)
        for index, a, b, half in zip(leaders, below, upper, middle, strict=True):
            if b > a:
                yield index, low, high, (b - a) * both / half
        low, below = high, upper


def _split(
    leader: Recorded, chosen: Callable[[float], int], low: float, high: float
) -> Iterator[tuple[int, float]]:
    """The arms chosen within a step, each with its share of it."""
    begin, end = leader.below(low), leader.below(high)
    arm, last, done = chosen(low), chosen(high), begin
    while arm != last:
        beyond = high
        for _ in range(HALVINGS):
            middle = (low + beyond) / 2.0
            low, beyond = (middle, beyond) if chosen(middle) == arm else (low, middle)
        reached = leader.below(beyond)
        yield arm, (reached - done) / (end - begin)
        low, done, arm = beyond, reached, chosen(beyond)
    yield last, (end - done) / (end - begin)


def recorded(basis: Basis, constants: Constants) -> Recorded:
    """The arm that a basis describes.

    Raises:
        ValueError: it has no components.
    """
    total = sum(weight for weight, _, _ in basis.runs)
    if not total > 0.0:
        raise ValueError(f"the basis of arm {basis.arm!r} has no components")
    runs = [(weight / total, a, b) for weight, a, b in basis.runs]
    mean = sum(w * a / (a + b) for w, a, b in runs)
    level = level_of(mean)
    return Recorded(
        draws=[
            (w / 2.0, math.log(a / b), math.sqrt(0.5 * constants.sharpening / (1.0 / a + 1.0 / b)))
            for w, a, b in runs
        ],
        mean=mean,
        level=level,
        doubt=basis.doubt,
        upper=value_at(level + basis.doubt),
        down=basis.down,
    )
