"""What is known of one arm's success rate: a mixture over how long its level has lasted (rule 1).

Evidence is discounted by the arm's own outcomes only, never by other arms' traffic, and never
decays towards the prior: that would lift a failing arm that nobody calls.

A new level may begin where outcomes turn, from successes to a failure or back: a run that began
within a series of equal outcomes would say the same as the one from the series' start.

Source: run-length posteriors, Adams & MacKay 2007 (arXiv:0710.3742); as a bandit's posterior,
Mellor & Shapiro 2013 (arXiv:1302.3721).
"""

from __future__ import annotations

import math
from array import array
from collections.abc import Iterator, Sequence
from operator import mul

from .bounds import MAX_COUNT, MIN_COUNT, clamped, items
from .constants import Constants
from .runs import UNITS, Return, Run, faded, log_beta, shortened

MAX_TOTAL = 1e12
"""Of an arm's outcomes; up to here a float tells `MIN_COUNT` more from the total."""
EDGE = 1e-9
"""A mean stays this far from 0 and 1."""


class Belief:
    """Posterior of one success rate.

    All runs see the same outcomes, so that a run is where the arm's totals stood when it began:
    its successes are `good - goods[i]`, its outcomes `seen - seens[i]`, priors included.

    Attributes:
        weights: of the runs, in `UNITS`, oldest run first.
        joint: of each run and a success, in `UNITS`: what the next outcome reweighs the runs by.
        top: index of the heaviest run.
        level: (successes, failures) of the heaviest run.
        mean: expected success rate, in (0, 1).
        count: outcomes behind it.
        series: 1 in a series of successes, 0 of failures, -1 after a batch.
    """

    __slots__ = (
        "births",
        "count",
        "good",
        "goods",
        "joint",
        "level",
        "mean",
        "seen",
        "seens",
        "series",
        "top",
        "weights",
    )
    weights: list[int]
    joint: list[float]
    goods: array[float]
    seens: array[float]
    births: array[float]

    def __init__(self, successes: float, failures: float) -> None:
        self.good = self.seen = 0.0
        self.series = -1
        self._take([Run(UNITS, successes, failures, 0.0)])

    def update(
        self,
        gain: float,
        loss: float,
        *,
        birth: float,
        hazard: float,
        comeback: Return | None,
        constants: Constants,
    ) -> None:
        """Learn a batch: `gain` successes and `loss` failures (fractions are fine).

        Args:
            birth: the call at which a run that begins here was born; unique.
            hazard: chance that the level has changed.
            comeback: chance and level of a return from an outage.
        """
        if gain + loss != 1.0 or 0.0 < gain < 1.0:
            self._learn_batch(gain, loss, birth, hazard, comeback, constants)
            return
        joint, series = self.joint, int(gain)
        turn, back, stay = series != self.series, 0.0, 1.0
        begun = UNITS * hazard / 2.0 if turn else 0.0  # a new run expects either outcome alike
        if turn:
            stay -= hazard
        if comeback is not None:
            chance, successes, failures = comeback
            stay -= chance
            back = UNITS * chance * (successes if gain else failures) / (successes + failures)
        old = joint if gain else [w - j for w, j in zip(self.weights, joint)]
        scale = UNITS / (stay * sum(old) + begun + back)
        keep = stay * scale
        self.weights = weights = [int(weight * keep) for weight in old]
        if turn:
            self.series = series
            weights.append(int(begun * scale))
            self._begin(constants.new_run, constants.new_run, birth)
        if comeback is not None:
            weights.append(int(back * scale))
            self._begin(successes, failures, birth - 0.5)
        self.good += gain
        self.seen += 1.0
        self._foretell()

    def turns(self, gain: float, loss: float) -> bool:
        """Do these outcomes end a series of equal ones?"""
        return gain + loss != 1.0 or gain != self.series

    def _begin(self, successes: float, failures: float, birth: float) -> None:
        self.goods.append(self.good - successes)
        self.seens.append(self.seen - successes - failures)
        self.births.append(birth)

    def _learn_batch(
        self,
        gain: float,
        loss: float,
        birth: float,
        hazard: float,
        comeback: Return | None,
        constants: Constants,
    ) -> None:
        """`update` with any number of outcomes: each run is weighed by how well it foretold all."""
        new, home = constants.new_run, comeback or Return(0.0, 1.0, 1.0)
        stay = 1.0 - hazard - home.chance
        runs = [run._replace(weight=stay * run.weight) for run in self]
        runs.append(Run(UNITS * hazard, new, new, birth))
        if comeback is not None:
            runs.append(Run(UNITS * home.chance, home.successes, home.failures, birth - 0.5))
        logs = [log_beta(a + gain, b + loss) - log_beta(a, b) for _, a, b, _ in runs]
        top = max([log for run, log in zip(runs, logs, strict=True) if run.weight])
        found = [
            run.weight * math.exp(min(log - top, 0.0)) for run, log in zip(runs, logs, strict=True)
        ]
        scale = UNITS / sum(found)
        self._take(
            [run._replace(weight=int(w * scale)) for run, w in zip(runs, found, strict=True)]
        )
        self.series = -1
        self.good += gain
        self.seen += gain + loss
        self._foretell()

    def _foretell(self) -> None:
        """Work out what follows from the runs; after every change."""
        good, seen, weights = self.good, self.seen, self.weights
        joint = [w * (good - x) / (seen - y) for w, x, y in zip(weights, self.goods, self.seens)]
        self.joint = joint
        total = sum(weights)
        self.mean = min(max(sum(joint) / total, EDGE), 1.0 - EDGE)
        self.count = max(0.0, seen - sum(map(mul, weights, self.seens)) / total - 2.0)
        self.top = top = weights.index(max(weights))
        successes = good - self.goods[top]
        self.level = successes, seen - self.seens[top] - successes

    def __iter__(self) -> Iterator[Run]:
        return map(self.run, range(len(self.weights)))

    def run(self, index: int) -> Run:
        successes = self.good - self.goods[index]
        failures = self.seen - self.seens[index] - successes
        return Run(self.weights[index], successes, failures, self.births[index])

    def heavy(self, least: float) -> list[tuple[float, float, float]]:
        """(share, successes, failures) of the runs with at least this share, heaviest first."""
        good, seen, least = self.good, self.seen, least * UNITS
        runs = [
            (w / UNITS, good - x, seen - y - good + x)
            for w, x, y in zip(self.weights, self.goods, self.seens, strict=True)
            if w >= least
        ]
        if len(runs) > 1:
            runs.sort(reverse=True)
        return runs

    def prune(self, constants: Constants) -> dict[float, float]:
        """Thin the runs out: of each age, in powers, one is kept; such runs say nearly the same.

        A run is left out too where it has become unlikely; a young one has time to prove itself.

        Returns:
            By the birth of a run that was merged into another one, that one's.
        """
        weights, seen = self.weights, self.seen
        old = constants.min_weight * UNITS
        left = [
            index
            for index, weight in enumerate(weights)
            if weight >= (old if seen - self.seens[index] > constants.young else old / 1000.0)
        ]
        taken: dict[float, float] = {}
        if len(left) > constants.max_runs:
            left, taken = self._merged(left, constants.ages)
        self._take([self.run(index) for index in left])
        return taken

    def _merged(self, indices: Sequence[int], ages: float) -> tuple[list[int], dict[float, float]]:
        """The heaviest run of each age takes the others' weights over; kinds are kept apart."""
        weights, births = self.weights, self.births
        age_of = {
            index: (
                int(ages * math.log2(max(self.seen - self.seens[index] - 1.0, 1.0))),
                births[index] % 1.0 != 0.0,
            )
            for index in indices
        }
        kept: dict[tuple[int, bool], int] = {}
        for index, age in age_of.items():
            other = kept.setdefault(age, index)
            if other != index:
                heavy, light = (index, other) if weights[index] > weights[other] else (other, index)
                weights[heavy] += weights[light]
                kept[age] = heavy
        taken = {births[index]: births[kept[age]] for index, age in age_of.items()}
        return sorted(kept.values()), taken

    def fade(self, keep: float) -> None:
        """Time has passed: each run counts for this share of its outcomes, its mean stays."""
        self._take([faded(run, keep) for run in self])

    def shorten(self, limit: float, floor: float) -> None:
        """Forget: a run counts for at most `limit` outcomes, each side for at least `floor`."""
        if self.seen - min(self.seens) > limit:
            self._take([shortened(run, limit, floor) for run in self])

    def _take(self, runs: Sequence[Run]) -> None:
        self.weights = [int(run.weight) for run in runs]
        self.goods = array("d", [self.good - run.successes for run in runs])
        self.seens = array("d", [self.seen - run.successes - run.failures for run in runs])
        self.births = array("d", [run.birth for run in runs])
        self._foretell()

    def state(self, calls: float) -> list[float]:
        """All runs in one row: for each its weight, failures, outcomes and age; exact."""
        row: list[float] = [whole(self.good), whole(self.seen), self.series]
        for index, birth in enumerate(self.births):
            row += (self.weights[index], whole(self.goods[index]), whole(self.seens[index]))
            row.append(whole(calls - birth))
        return row

    @classmethod
    def restored(cls, state: object, *, calls: float) -> Belief:
        """Read a written belief; values out of bounds are clamped.

        Raises:
            ValueError: this is no belief.
        """
        good, seen, series, *rest = items(state)
        if not rest or len(rest) % 4:
            raise ValueError(f"expected runs of four numbers, got {len(rest)} numbers")
        belief = cls(1.0, 1.0)
        belief.series = int(clamped(series, -1.0, 1.0))
        belief.good = clamped(good, 0.0, MAX_TOTAL)
        belief.seen = clamped(seen, belief.good, MAX_TOTAL)
        runs = [belief._restored_run(rest[at : at + 4], calls) for at in range(0, len(rest), 4)]
        weights, goods, seens, births = zip(*runs, strict=True)
        belief.weights = list(weights) if any(weights) else [1] * len(weights)
        belief.goods, belief.seens = array("d", goods), array("d", seens)
        belief.births = array("d", births)
        belief._foretell()
        return belief

    def _restored_run(
        self, state: Sequence[object], calls: float
    ) -> tuple[int, float, float, float]:
        """A run's weight, where the totals stood when it began, and its birth."""
        weight, good, seen, age = state
        goods = clamped(good, self.good - MAX_COUNT, self.good - MIN_COUNT)
        failed = self.seen - (self.good - goods)
        return (
            int(clamped(weight, 0.0, UNITS)),
            goods,
            clamped(seen, failed - MAX_COUNT, failed - MIN_COUNT),
            clamped(calls - clamped(age, 0.0, calls + 0.5), -0.5, calls),
        )


def whole(value: float) -> float:
    """The same number, written without `.0` where it is whole."""
    return int(value) if value.is_integer() else value
