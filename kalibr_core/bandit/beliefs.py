"""What is known of one arm's success rate: a mixture over how long its level has lasted (rule 1).

Evidence is discounted by the arm's own outcomes only, never by other arms' traffic, and never
decays towards the prior: that would lift a failing arm that nobody calls.

Source: run-length posteriors, Adams & MacKay 2007 (arXiv:0710.3742); as a bandit's posterior,
Mellor & Shapiro 2013 (arXiv:1302.3721).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TypeAlias

from .bounds import MAX_COUNT, MIN_COUNT, clamped, items
from .constants import Constants

Run: TypeAlias = tuple[float, float, float, float, bool]
"""(weight, successes, failures, birth, home): Beta(successes, failures) since call `birth`;
`home` marks a return to the level before an outage. A plain tuple: this is the hot path."""

Return: TypeAlias = tuple[float, float, float]
"""(chance, successes, failures): an outage may have ended, at this level."""


class Belief:
    """Posterior of one success rate.

    Attributes:
        runs: heaviest first; weights sum to 1.
        mean: expected success rate.
        count: outcomes behind it.
    """

    __slots__ = ("count", "mean", "runs")

    def __init__(self, successes: float, failures: float) -> None:
        self._take([(1.0, successes, failures, 0.0, False)], 1.0)

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
        stay = 1.0 - hazard - (comeback[0] if comeback else 0.0)
        runs = [(w * stay, a, b, born, home) for w, a, b, born, home in self.runs]
        runs.append((hazard, 1.0, 1.0, birth, False))
        if comeback:
            runs.append((*comeback, birth - 0.5, True))
        runs = conditioned(runs, gain, loss)
        total = sum([run[0] for run in runs])
        floor = constants.min_weight * total
        runs = sorted([run for run in runs if run[0] > floor], reverse=True)
        del runs[constants.max_runs :]
        self._take(runs, sum([run[0] for run in runs]))

    def _take(self, runs: list[Run], total: float) -> None:
        self.runs = [(w / total, a, b, birth, home) for w, a, b, birth, home in runs]
        self.mean = sum([w * a / (a + b) for w, a, b, _, _ in self.runs])
        self.count = max(0.0, sum([w * (a + b) for w, a, b, _, _ in self.runs]) - 2.0)

    def shorten(self, limit: float, floor: float) -> None:
        """Forget: a run counts for at most `limit` outcomes, each side for at least `floor`."""
        if any(run[1] + run[2] > limit for run in self.runs):
            self._take([shortened(run, limit, floor) for run in self.runs], 1.0)

    def state(self) -> list[list[float]]:
        """All runs; `restored` reads them."""
        return [[w, a, b, birth, float(home)] for w, a, b, birth, home in self.runs]

    @classmethod
    def restored(cls, state: object, *, calls: float) -> Belief:
        """Read a written belief; values out of bounds are clamped.

        Raises:
            ValueError: this is no belief.
        """
        belief = cls(1.0, 1.0)
        if runs := sorted([_restored_run(run, calls) for run in items(state)], reverse=True):
            total = sum([run[0] for run in runs])
            # A sum within rounding of 1 is left alone: reading back must change nothing.
            belief._take(runs, total if abs(total - 1.0) > 1e-9 else 1.0)
            return belief
        raise ValueError("expected at least one run, got none")


def conditioned(runs: Sequence[Run], gain: float, loss: float) -> list[Run]:
    """Weigh each run by how well it foretold the outcomes, and let it learn them."""
    if gain == 1.0 and loss == 0.0:
        return [(w * a / (a + b), a + 1.0, b, birth, home) for w, a, b, birth, home in runs]
    if gain == 0.0 and loss == 1.0:
        return [(w * b / (a + b), a, b + 1.0, birth, home) for w, a, b, birth, home in runs]
    logs = [log_beta(a + gain, b + loss) - log_beta(a, b) for _, a, b, _, _ in runs]
    top = max(logs)
    return [
        (w * math.exp(log - top), min(a + gain, MAX_COUNT), min(b + loss, MAX_COUNT), birth, home)
        for (w, a, b, birth, home), log in zip(runs, logs, strict=True)
    ]


def log_beta(a: float, b: float) -> float:
    """Logarithm of the Beta function."""
    return math.lgamma(a) + math.lgamma(b) - math.lgamma(a + b)


def shortened(run: Run, limit: float, floor: float) -> Run:
    """The run as if it had lasted `limit` outcomes at most."""
    weight, a, b, birth, home = run
    scale = min(1.0, limit / (a + b))
    return weight, max(a * scale, floor), max(b * scale, floor), birth, home


def _restored_run(state: object, calls: float) -> Run:
    weight, a, b, birth, home = items(state, 5)
    return (
        clamped(weight, 1e-12, 1.0),
        clamped(a, MIN_COUNT, MAX_COUNT),
        clamped(b, MIN_COUNT, MAX_COUNT),
        clamped(birth, 0.0, calls),
        bool(home),
    )
