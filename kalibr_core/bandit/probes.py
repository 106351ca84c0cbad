"""When to call an arm that is not the best one, only to learn about it (rule 5).

A probe costs success or money now and brings something if the arm has changed. With a cost per
probe, a gain per call once the change is found, and a hazard of such a change, the best interval is
sqrt(cost / (gain * hazard)) up to a factor.

Probes are not part of a policy's state: they are chosen in `pull`, and each process has its own.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from .arms import ArmState
from .bounds import saving
from .constants import Constants
from .regime import Tally


class Probe:
    """One arm's probe: under way, or succeeded and about to be followed by another."""

    __slots__ = ("at", "before", "outstanding", "successes")

    def __init__(self, at: float, before: float) -> None:
        self.at = at
        self.before = before
        """The arm's mean success before it: of what its outcomes are, scores left aside."""
        self.successes = 0
        self.outstanding = True


class Probes:
    """The probes of one process: one outstanding per arm."""

    __slots__ = ("_constants", "_probes")

    def __init__(self, constants: Constants) -> None:
        self._constants = constants
        self._probes: dict[str, Probe] = {}

    def due(
        self,
        arms: Sequence[ArmState],
        costs: Sequence[float | None],
        chosen: int,
        tally: Tally,
        known: int,
    ) -> int | None:
        """The arm whose probe is most overdue, given the arm that would be chosen without one.

        `known` is the number of the goal's arms.
        """
        calls, best, most = tally.calls, None, 1.0
        usual, c = arms[chosen], self._constants
        worth = self._most_worth(usual, tally, known)
        for index, arm in enumerate(arms):
            idle = calls - arm.last
            price = usual.mean - arm.mean + c.probe_cost
            early = worth * idle * idle < price and not arm.down and not self._probes
            if early or index == chosen:
                continue
            probe = self._probes.get(arm.id)
            if probe and not probe.outstanding:
                return index
            if idle < c.min_interval or (probe and calls - probe.at < c.lost_after):
                continue
            wait = interval(arm, usual, costs[index], costs[chosen], tally, known, c)
            if idle >= most * wait:
                best, most = index, idle / wait
        return best

    def _most_worth(self, chosen: ArmState, tally: Tally, known: int) -> float:
        """An arm that is up is due at worth * idle^2 >= price or later: spares most of the work."""
        c = self._constants
        gain = (1.0 - chosen.mean) / 2.0 + c.margin
        return gain * change_hazard(tally, known, c) / c.interval_factor**2

    def begin(self, arm: ArmState, calls: float) -> None:
        """An arm is about to be probed."""
        probe = self._probes.get(arm.id)
        if probe is None or probe.outstanding:
            self._probes[arm.id] = Probe(calls, arm.quality.mean)
        else:
            probe.outstanding = True

    def end(self, arm: str) -> None:
        """A probe taught nothing."""
        self._probes.pop(arm, None)

    def learned(self, arm: ArmState, gain: float, loss: float) -> None:
        """An outcome of an arm has come in: is its probe to be followed by another?"""
        if (probe := self._probes.get(arm.id)) is None:
            return
        probe.outstanding = False
        probe.successes += 1
        newest = arm.quality.runs[0][3] > probe.at
        if loss > gain or newest or not self._worth_following(arm, probe):
            del self._probes[arm.id]

    def _worth_following(self, arm: ArmState, probe: Probe) -> bool:
        """Successes follow successes while they may still mean that the arm has changed."""
        if probe.successes > self._constants.max_follow:
            return False
        return arm.down or 2.0 / (probe.successes + 2.0) >= probe.before**probe.successes


def change_hazard(tally: Tally, known: int, constants: Constants) -> float:
    """Chance per call that one of the arms has become better than it ever was."""
    return (1.0 + tally.rises) / (known * (constants.hazard_calls + tally.calls))


def interval(
    arm: ArmState,
    chosen: ArmState,
    cost: float | None,
    chosen_cost: float | None,
    tally: Tally,
    known: int,
    constants: Constants,
) -> float:
    """Calls between two probes of `arm` while `chosen` is called otherwise; inf: never."""
    dearer = constants.margin * saving(chosen_cost, cost)
    cheaper = constants.margin * saving(cost, chosen_cost)
    factor = constants.outage_factor if arm.down else constants.interval_factor
    if arm.down:
        ended = (constants.ended + tally.returns) / (1.0 + tally.drops)
        hazard = min(1.0, ended) / (tally.calls - arm.since + 1.0)
        better = arm.home_value(constants) - chosen.mean
        gain = max(0.0, better) + cheaper if cheaper else better - dearer
    else:
        hazard = change_hazard(tally, known, constants)
        gain = (1.0 - chosen.mean - dearer) / 2.0 + cheaper
    if gain <= constants.min_gain:
        return math.inf
    price = max(0.0, chosen.mean - arm.mean) + constants.probe_cost + dearer
    wait = factor * math.sqrt(price / (gain * hazard))
    return max(constants.min_interval, wait)
