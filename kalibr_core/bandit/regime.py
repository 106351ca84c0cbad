"""Which level an arm is at now, and where it came from (rule 2). Only the probes ask for this."""

from __future__ import annotations

from collections.abc import Sequence

from ..types import JSON
from .beliefs import Return, Run
from .bounds import MAX_COUNT, MIN_COUNT, clamped, items
from .constants import Constants


class Tally:
    """What has happened to all arms of a goal together.

    Attributes:
        calls: outcomes learned so far; the policy's clock.
        rises: arms that became better than they had ever been.
        drops: arms that became worse.
        returns: drops that ended.
    """

    __slots__ = ("calls", "drops", "returns", "rises")

    def __init__(self) -> None:
        self.calls = 0.0
        self.rises = 0.0
        self.drops = 0.0
        self.returns = 0.0

    def state(self) -> list[float]:
        return [self.calls, self.rises, self.drops, self.returns]

    @classmethod
    def restored(cls, state: object) -> Tally:
        """Read a written tally; values out of bounds are clamped."""
        tally = cls()
        calls, rises, drops, returns = items(state, 4)
        tally.calls = clamped(calls, 0.0, 1e15)
        tally.rises = clamped(rises, 0.0, MAX_COUNT)
        tally.drops = clamped(drops, 0.0, MAX_COUNT)
        tally.returns = clamped(returns, 0.0, tally.drops)
        return tally


class Regime:
    """The run that an arm is taken to be in.

    Attributes:
        birth: that run's.
        down: its level is below `home`'s.
        home: (successes, failures) before the outage, as Beta counts.
        since: the call at which the outage began.
    """

    __slots__ = ("birth", "down", "home", "level", "since", "undo")

    def __init__(self, successes: float, failures: float) -> None:
        self.birth = 0.0
        self.down = False
        self.since = 0.0
        self.level = (successes, failures)
        self.home = (successes, failures)
        self.undo: list[float] | None = None
        """What the last move changed: [birth, down, since, home..., rises, drops, returns]."""

    @property
    def home_mean(self) -> float:
        successes, failures = self.home
        return successes / (successes + failures)

    def comeback(self, calls: float, gap: float, constants: Constants) -> Return | None:
        """Chance that an outage ended during the last `gap` calls, and the level it returns to."""
        if not self.down:
            return None
        chance = constants.return_rate * gap / (calls - self.since + 1.0)
        return min(constants.max_return, chance), *self.home

    def follow(self, runs: Sequence[Run], tally: Tally, constants: Constants) -> None:
        """Move to the run that the evidence has settled on, if it has."""
        top = runs[0]
        if top[3] == self.birth:
            self.level = top[1], top[2]
        if top[3] != self.birth and top[0] > constants.regime_weight:
            self._move(top, runs, tally, constants)
        elif top[0] < constants.later_weight:
            later = [run for run in runs if run[3] > self.birth]
            if sum([run[0] for run in later]) > constants.later_weight:
                self._move(max(later), runs, tally, constants)

    def _move(self, run: Run, runs: Sequence[Run], tally: Tally, constants: Constants) -> None:
        _, a, b, birth, is_home = run
        if self.undo and birth == self.undo[0]:
            self._go_back(tally)
            return
        before = tally.rises, tally.drops, tally.returns
        undo = [self.birth, float(self.down), self.since, *self.home]
        old_a, old_b = self._level_before(run, runs)
        mean, old_mean = a / (a + b), old_a / (old_a + old_b)
        if self.down and (is_home or mean >= self.home_mean - constants.home_slack):
            self.down = False
            tally.returns += 1.0
        elif not self.down and mean < old_mean:
            scale = min(1.0, constants.home_counts / (old_a + old_b))
            self.home = old_a * scale, old_b * scale
            self.down, self.since = True, birth
            tally.drops += 1.0
        elif not self.down:
            tally.rises += 1.0
        after = tally.rises, tally.drops, tally.returns
        self.undo = undo + [new - old for new, old in zip(after, before, strict=True)]
        self.birth, self.level = birth, (a, b)

    def _level_before(self, run: Run, runs: Sequence[Run]) -> tuple[float, float]:
        """The old run's counts without what it has learned since the new run began."""
        old = next((other for other in runs if other[3] == self.birth), None)
        if old is None or run[4] or run[3] < self.birth:
            return self.level
        return max(old[1] - (run[1] - 1.0), 1.0), max(old[2] - (run[2] - 1.0), MIN_COUNT)

    def _go_back(self, tally: Tally) -> None:
        """The older run was right after all: the move never happened."""
        if self.undo is None:
            return
        self.birth, down, self.since, home_a, home_b, rises, drops, returns = self.undo
        self.down, self.home = bool(down), (home_a, home_b)
        tally.rises = max(0.0, tally.rises - rises)
        tally.drops = max(0.0, tally.drops - drops)
        tally.returns = max(0.0, tally.returns - returns)
        self.undo = None

    def state(self) -> JSON:
        return [self.birth, self.down, self.since, *self.level, *self.home, self.undo]

    @classmethod
    def restored(cls, state: object, *, calls: float) -> Regime:
        """Read a written regime; values out of bounds are clamped."""
        birth, down, since, level_a, level_b, home_a, home_b, undo = items(state, 8)
        regime = cls(1.0, 1.0)
        regime.birth = clamped(birth, 0.0, calls)
        regime.down = bool(down)
        regime.since = clamped(since, 0.0, calls)
        regime.level = _count(level_a), _count(level_b)
        regime.home = _count(home_a), _count(home_b)
        regime.undo = None if undo is None else _restored_undo(undo, calls)
        return regime


def _count(value: object) -> float:
    return clamped(value, MIN_COUNT, MAX_COUNT)


def _restored_undo(state: object, calls: float) -> list[float]:
    birth, down, since, home_a, home_b, *deltas = items(state, 8)
    return [
        clamped(birth, 0.0, calls),
        clamped(down, 0.0, 1.0),
        clamped(since, 0.0, calls),
        _count(home_a),
        _count(home_b),
        *(clamped(delta, 0.0, 1.0) for delta in deltas),
    ]
