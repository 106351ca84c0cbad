"""Which level an arm is at now, and where it came from (rule 2). Only the probes ask for this."""

from __future__ import annotations

from .beliefs import Belief, whole
from .bounds import MAX_COUNT, MIN_COUNT, clamped, items
from .constants import Constants
from .runs import UNITS, Return, Run


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

    def ended(self, least: float) -> float:
        """Of all outages, the share that has ended; `least` of one more is taken for granted."""
        return min(1.0, (least + self.returns) / (1.0 + self.drops))

    def state(self) -> list[float]:
        return [whole(self.calls), whole(self.rises), whole(self.drops), whole(self.returns)]

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
        self.undo: tuple[float, ...] | None = None
        """What the last move changed: (birth, down, since, home..., rises, drops, returns)."""

    @property
    def home_mean(self) -> float:
        successes, failures = self.home
        return successes / (successes + failures)

    def comeback(
        self, tally: Tally, gap: float, constants: Constants, *, turns: bool = True
    ) -> Return | None:
        """Chance that an outage ended during the last `gap` calls, and the level it returns to.

        A return begins where outcomes turn, or while nobody looked. It is doubted until outages
        have been seen to end: one lucky answer of a failing arm would bring its traffic back.
        """
        if not self.down or not (turns or gap > constants.min_interval):
            return None
        chance = constants.return_rate * tally.ended(constants.return_doubt)
        chance *= gap / (tally.calls - self.since + 1.0)
        return Return(min(constants.max_return, chance), *self.home)

    def follow(self, belief: Belief, tally: Tally, constants: Constants) -> None:
        """Move to the run that the evidence has settled on, if it has."""
        weights, births = belief.weights, belief.births
        index = belief.top
        if births[index] == self.birth:
            self.level = belief.level
        elif weights[index] > constants.regime_weight * UNITS:
            self._move(belief.run(index), belief, tally, constants)
            return
        if weights[index] < constants.later_weight * UNITS:
            later = [i for i, birth in enumerate(births) if birth > self.birth]
            if sum([weights[i] for i in later]) > constants.later_weight * UNITS:
                heaviest = max(later, key=weights.__getitem__)
                self._move(belief.run(heaviest), belief, tally, constants)

    def renamed(self, taken: dict[float, float]) -> None:
        """Runs were taken over by others that say the same."""
        self.birth = taken.get(self.birth, self.birth)
        if self.undo is not None:
            self.undo = (taken.get(self.undo[0], self.undo[0]), *self.undo[1:])

    def _move(self, run: Run, belief: Belief, tally: Tally, constants: Constants) -> None:
        if self.undo and run.birth == self.undo[0]:
            self._go_back(self.undo, tally)
            return
        before = tally.rises, tally.drops, tally.returns
        undo = (self.birth, float(self.down), self.since, *self.home)
        old_good, old_bad = self._level_before(run, belief)
        old_mean = old_good / (old_good + old_bad)
        mean = run.successes / (run.successes + run.failures)
        if self.down and (run.is_home or mean >= self.home_mean - constants.home_slack):
            self.down = False
            tally.returns += 1.0
        elif not self.down and mean < old_mean:
            scale = min(1.0, constants.home_counts / (old_good + old_bad))
            self.home = _home(old_good * scale), _home(old_bad * scale)
            self.down, self.since = True, run.birth
            tally.drops += 1.0
        elif not self.down:
            tally.rises += 1.0
        after = tally.rises, tally.drops, tally.returns
        self.undo = (*undo, *(new - old for new, old in zip(after, before, strict=True)))
        self.birth, self.level = run.birth, (run.successes, run.failures)

    def _level_before(self, run: Run, belief: Belief) -> tuple[float, float]:
        """The old run's counts without what it has learned since the new run began."""
        old = next((other for other in belief if other.birth == self.birth), None)
        if old is None or run.is_home or run.birth < self.birth:
            return self.level
        return (
            max(old.successes - (run.successes - 1.0), 1.0),
            max(old.failures - (run.failures - 1.0), MIN_COUNT),
        )

    def _go_back(self, undo: tuple[float, ...], tally: Tally) -> None:
        """The older run was right after all: the move never happened."""
        self.birth, down, self.since, home_good, home_bad, rises, drops, returns = undo
        self.down, self.home = bool(down), (home_good, home_bad)
        tally.rises = max(0.0, tally.rises - rises)
        tally.drops = max(0.0, tally.drops - drops)
        tally.returns = max(0.0, tally.returns - returns)
        self.undo = None

    def state(self, calls: float) -> list[float]:
        """One row; what a settled arm does not need is left out."""
        row = [whole(calls - self.birth), *map(whole, self.level)]
        if self.down or self.undo:
            row += [int(self.down), whole(self.since), *map(whole, self.home)]
        if self.undo:
            row += map(whole, self.undo)
        return row

    @classmethod
    def restored(cls, state: object, *, calls: float) -> Regime:
        """Read a written regime; values out of bounds are clamped."""
        row = items(state)
        if len(row) not in (3, 7, 15):
            raise ValueError(f"expected a regime of 3, 7 or 15 numbers, got {len(row)}")
        regime = cls(_count(row[1]), _count(row[2]))
        regime.birth = calls - clamped(row[0], 0.0, calls + 0.5)
        if len(row) >= 7:
            regime.down = bool(row[3])
            regime.since = clamped(row[4], -0.5, calls)
            regime.home = _count(row[5]), _count(row[6])
        if len(row) == 15:
            regime.undo = _restored_undo(row[7:], calls)
        return regime


def _home(counts: float) -> float:
    return max(MIN_COUNT, round(counts, 2))


def _count(value: object) -> float:
    return clamped(value, MIN_COUNT, 1e15)


def _restored_undo(state: object, calls: float) -> tuple[float, ...]:
    birth, down, since, home_good, home_bad, *deltas = items(state, 8)
    return (
        clamped(birth, -0.5, calls),
        clamped(down, 0.0, 1.0),
        clamped(since, -0.5, calls),
        _count(home_good),
        _count(home_bad),
        *(clamped(delta, 0.0, 1.0) for delta in deltas),
    )
