"""Success first, then cost: the leader (rule 3), and the cheaper arm that may stand in for it (4).

Rule 4 works on anything with a mean, a level and its doubt, so that the very same code makes a
choice and, later, works out how likely that choice was.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

from .arms import ArmState, value_at
from .bounds import saving
from .constants import Constants

if TYPE_CHECKING:
    import random

Order = Sequence[tuple[int, float | None]]
"""(index, cost) of the arms in order of rising cost, the unknown ones last."""


class Candidate(Protocol):
    """What rule 4 needs to know of an arm; see `ArmState`."""

    @property
    def mean(self) -> float: ...
    @property
    def level(self) -> float: ...
    @property
    def doubt(self) -> float: ...
    @property
    def upper(self) -> float: ...
    @property
    def down(self) -> bool: ...


def rising_cost(costs: Sequence[float | None]) -> Order:
    """Arms from the cheapest to the dearest; unknown costs come last, where they save nothing."""
    known = [(cost, index) for index, cost in enumerate(costs) if cost is not None]
    unknown = [(index, None) for index, cost in enumerate(costs) if cost is None]
    return [*((index, cost) for cost, index in sorted(known)), *unknown]


def drawn_leader(
    arms: Sequence[ArmState], best: float, rng: random.Random, constants: Constants
) -> tuple[int, float]:
    """Rule 3: the arm with the greatest draw, and that value; `best` is the greatest level."""
    levels = [arm.draw(best, rng, constants) for arm in arms]
    highest = max(levels)
    return levels.index(highest), value_at(highest)


def good_enough(
    arms: Sequence[Candidate],
    costs: Sequence[float | None],
    order: Order,
    leader: int,
    target: float,
    constants: Constants,
) -> int:
    """Rule 4: the cheapest arm whose value may be within its margin of `target`, the leader's.

    A cheaper arm stays until the evidence says that it is worse: the more it saves, the stronger
    that must be. An arm of unknown cost saves nothing.
    """
    leader_cost = costs[leader]
    if not leader_cost:  # unknown, or free: nothing is saved by another one
        return leader
    for index, cost in order:
        if cost is None or cost >= leader_cost:
            break
        share = 1.0 - cost / leader_cost
        arm, needed = arms[index], target - constants.margin * share
        if arm.mean >= needed:
            return index
        if arm.upper >= needed and arm.level + share * arm.doubt >= level_of(needed):
            return index
    return leader


def settled(
    arms: Sequence[Candidate],
    costs: Sequence[float | None],
    chosen: int,
    previous: int | None,
    target: float,
    constants: Constants,
) -> int:
    """A conversation's switch has a price: the previous turn's arm, or the chosen one."""
    if previous is None or previous == chosen or arms[previous].down:
        return chosen
    if arms[previous].mean + constants.switch_price < target:
        return chosen
    if saving(costs[chosen], costs[previous]) > constants.switch_saving:
        return chosen
    return previous


def level_of(value: float) -> float:
    """The logit of a value, kept within (0, 1).

    >>> level_of(0.5), round(level_of(1.0), 1)
    (0.0, 20.7)
    """
    value = min(max(value, 1e-9), 1.0 - 1e-9)
    return math.log(value / (1.0 - value))
