"""Figures out of runs: passes, scores and costs of each arm, and of each path in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Literal, TypeAlias

from kalibr_bench.gauntlet.records import Results, Run
from kalibr_bench.resilience.intervals import Share

BAND = (0.10, 0.40)
"""The pass rate that the task is meant to have: hard, and not hopeless."""
Calibration: TypeAlias = Literal["below", "within", "above"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """What some runs came to.

    Attributes:
        passed: How many passed, of how many.
        score: Mean score in [0, 1]; None without runs.
        cost_usd: All their calls, as far as their cost is known.
        unpriced: Calls whose cost is not known, and which are not in it.
        steps: Mean number of calls; None without runs.
        crashed: Runs that ended with an error.
    """

    passed: Share
    score: float | None
    cost_usd: float
    unpriced: int
    steps: float | None
    crashed: int

    @property
    def cost_per_passed_usd(self) -> float | None:
        """All runs' cost by those that passed; None where none did."""
        good = self.passed.successes
        return self.cost_usd / good if good else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """An arm's figures.

    Attributes:
        arm: Its name.
        overall: Of all its runs.
        later: Of the second half of its runs, by which a router has learned.
        by_path: Of the runs that ended on a path, from the cheapest path to the dearest; paths that
            no run ended on are left out.
    """

    arm: str
    overall: Figures
    later: Figures
    by_path: dict[str, Figures]

    @property
    def calibration(self) -> Calibration | None:
        """Where the pass rate lies by `BAND`; None where all runs crashed, or there are none."""
        rate = self.overall.passed.value
        if rate is None or self.overall.crashed == self.overall.passed.trials:
            return None
        return _place(rate)

    @property
    def settled(self) -> bool:
        """Whether all of the pass rate's 95 % interval lies on the same side of `BAND`'s edges."""
        low, high = self.overall.passed.interval
        return self.calibration is not None and _place(low) == _place(high)


def _place(rate: float) -> Calibration:
    return "below" if rate < BAND[0] else "above" if rate > BAND[1] else "within"


def summaries(results: Results) -> dict[str, Summary]:
    """Every arm's figures, by its name; arms without runs are left out."""
    return {arm: _summary(arm, runs, results) for arm, runs in results.runs.items() if runs}


def _summary(arm: str, runs: Sequence[Run], results: Results) -> Summary:
    return Summary(
        arm=arm,
        overall=figures(runs),
        later=figures(runs[len(runs) // 2 :]),
        by_path={
            path: figures(ended)
            for path in results.paths
            if (ended := [run for run in runs if run.path == path])
        },
    )


def figures(runs: Sequence[Run]) -> Figures:
    """The figures of some runs."""
    calls = [call for run in runs for call in run.calls]
    return Figures(
        passed=Share(sum(run.passed for run in runs), len(runs)),
        score=fmean(run.score for run in runs) if runs else None,
        cost_usd=sum(run.cost_usd for run in runs),
        unpriced=sum(call.cost_usd is None for call in calls),
        steps=len(calls) / len(runs) if runs else None,
        crashed=sum(run.ended == "crashed" for run in runs),
    )
