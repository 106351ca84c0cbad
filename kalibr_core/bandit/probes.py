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

LOOK_AGAIN = 16.0
"""Calls after which it is worked out again, at the latest, which arms are due."""


class Probe:
    """One arm's probe: under way, or succeeded and about to be followed by another."""

    __slots__ = ("at", "before", "outstanding", "successes", "wall")

    def __init__(self, at: float, wall: float, before: float) -> None:
        self.at = at
        self.wall = wall
        """The same in wall time; 0: not known."""
        self.before = before
        """The arm's mean success before it."""
        self.successes = 0
        self.outstanding = 1

    @property
    def follows(self) -> bool:
        """Is another one to follow at once? Where outcomes come late, in growing numbers."""
        return self.outstanding < 2 * self.successes


class Probes:
    """The probes of one process: one outstanding per arm, more only after successes."""

    __slots__ = ("_constants", "_probes", "_quiet", "_quiet_at", "_rests")

    def __init__(self, constants: Constants) -> None:
        self._constants = constants
        self._probes: dict[str, Probe] = {}
        self._rests: dict[str, tuple[int, float]] = {}
        """Of arms whose last probes taught nothing: how many, and the call until which to wait."""
        self.wake()

    def wake(self) -> None:
        """Something has changed: look at every arm again."""
        self._quiet = -1.0
        """Before this call no arm is due ..."""
        self._quiet_at = -math.inf
        """... nor before this wall time."""

    def quiet(self, calls: float, at: float) -> bool:
        """Is it sure that no arm is due yet?"""
        return calls < self._quiet and at < self._quiet_at

    def due(
        self,
        arms: Sequence[ArmState],
        costs: Sequence[float | None],
        chosen: int,
        tally: Tally,
        known: int,
        at: float,
    ) -> int | None:
        """The arm whose probe is most overdue, given the arm that would be chosen without one.

        `known` is the number of the goal's arms, `at` the wall time or 0.
        """
        calls, best, most = tally.calls, None, 1.0
        self._quiet, self._quiet_at = calls + LOOK_AGAIN, math.inf
        for index, arm in enumerate(arms):
            if index == chosen:
                continue
            probe = self._probes.get(arm.id)
            if probe and probe.follows:
                self._quiet = calls
                return index
            idle = calls - arm.last
            wait = interval(
                arm, arms[chosen], costs[index], costs[chosen], tally, known, self._constants
            )
            saves = saving(costs[index], costs[chosen]) > 0.0
            wait = self._sooner(arm, calls, wait, at, cheaper=saves)
            if probe and not self._lost(probe, calls, at):
                wait = max(wait, idle + self._constants.lost_after - (calls - probe.at))
            if arm.id in self._rests:
                wait = max(wait, idle + self._rests[arm.id][1] - calls)
            if idle >= most * wait:
                best, most = index, idle / wait
            # Beliefs move meanwhile: look again well before the probe is due.
            self._quiet = min(self._quiet, calls + max(0.0, wait - idle) / 4.0)
        return best

    def _lost(self, probe: Probe, calls: float, at: float) -> bool:
        """Has a probe been under way for so long that no outcome will come?"""
        c = self._constants
        silent = min(at, probe.wall) > 0.0 and at - probe.wall > c.return_most_s
        return silent or calls - probe.at >= c.lost_after

    def _sooner(
        self, arm: ArmState, calls: float, wait: float, at: float, *, cheaper: bool
    ) -> float:
        """By the wall clock an arm that is down, or cheaper, may be due before `wait` calls."""
        c, idle = self._constants, calls - arm.last
        if at <= 0.0 or arm.last_at <= 0:
            return wait
        out = arm.availability is not None and arm.availability.since is not None
        if arm.down and (out or wait < math.inf):
            down_s = max(0.0, arm.last_at - arm.since_at)
            least_s = min(max(c.return_share * down_s, c.return_least_s), c.return_most_s)
            down = max(0.0, arm.last - arm.since)
            least = min(max(c.return_share * down, c.min_interval), c.return_calls)
        elif cheaper:
            least_s, least = c.return_most_s, c.look_calls
        else:
            return wait
        # A clock that was set back must not hold a probe up for longer than this.
        if at >= arm.last_at + least_s or at < arm.last_at - c.return_least_s:
            return min(wait, max(least, min(idle, wait)))
        self._quiet_at = min(self._quiet_at, arm.last_at + least_s)
        return wait

    def begin(self, arm: ArmState, calls: float, at: float = 0.0) -> None:
        """An arm is about to be probed."""
        probe = self._probes.get(arm.id)
        if probe is not None and probe.follows:
            probe.outstanding += 1
        else:
            self._probes[arm.id] = Probe(calls, at, arm.success)

    def end(self, arm: str, calls: float) -> None:
        """A probe taught nothing (cancelled, not supported): after it again, then ever later."""
        if self._probes.pop(arm, None) is not None:
            fruitless = self._rests.get(arm, (0, 0.0))[0] + 1
            wait = self._constants.min_interval * (2.0 ** min(fruitless - 1, 16) - 1.0)
            self._rests[arm] = fruitless, calls + min(wait, self._constants.lost_after)
            self.wake()

    def learned(self, arm: ArmState, gain: float, loss: float) -> None:
        """An outcome of an arm has come in: is its probe to be followed by another?"""
        self._rests.pop(arm.id, None)
        if (probe := self._probes.get(arm.id)) is None:
            return
        self.wake()
        probe.outstanding = max(0, probe.outstanding - round(gain + loss))
        probe.successes += max(1, round(gain))
        belief = arm.quality
        newest = belief.births[belief.top] > probe.at
        if loss > gain or newest or not self._worth_following(probe):
            del self._probes[arm.id]

    def _worth_following(self, probe: Probe) -> bool:
        """Successes follow successes while they may still mean that the arm has changed."""
        if probe.successes > self._constants.max_follow:
            return False
        return 2.0 / (probe.successes + 2.0) >= probe.before**probe.successes


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
    c = constants
    dearer = c.margin * saving(chosen_cost, cost)
    cheaper = c.margin * saving(cost, chosen_cost)
    if arm.down:
        better = arm.home_value(c) - chosen.mean
        gain = max(0.0, better) + cheaper if cheaper else better - dearer
        factor, hazard = c.outage_factor, return_hazard(tally.calls - arm.since, tally, c)
    else:
        # It may have risen to anywhere: the chance to pass the chosen one, times the mean lead.
        gain = max(0.0, 1.0 - chosen.mean + cheaper - dearer) ** 2 / 2.0
        factor, hazard = (
            c.interval_factor,
            (1.0 + tally.rises) / (known * (c.rise_calls + tally.calls)),
        )
    if gain <= c.min_gain:
        return math.inf
    price = max(0.0, chosen.mean - arm.mean) + c.probe_cost + dearer
    return max(c.min_interval, factor * math.sqrt(price / (gain * hazard)))


def return_hazard(down: float, tally: Tally, constants: Constants) -> float:
    """Chance per call that an outage ends which has lasted `down` calls.

    Short ones are common only where outages have been seen to end; any may be a lasting one.
    """
    short = tally.ended(constants.ended) / (down + 1.0)
    lasting = constants.lasting / (constants.lasting_calls + down)
    return (short + lasting) / (1.0 + down / constants.patience)
