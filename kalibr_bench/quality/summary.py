"""Figures out of runs: how soon the best path has the traffic, and whether it keeps it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean

from kalibr_bench.quality.records import ENOUGH, WINDOW, Results, RunResult
from kalibr_bench.resilience.intervals import quantile


@dataclass(frozen=True, slots=True, kw_only=True)
class Soon:
    """Numbers of calls over runs; a run that never gets there counts as its last window's begin.

    Attributes:
        median: Over runs.
        mean: At least so many, where runs are `never`.
        low: 10 % quantile.
        high: 90 % quantile.
        never: Runs that did not get there.
    """

    median: float
    mean: float
    low: float
    high: float
    never: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """One arm's figures.

    Attributes:
        runs: How many.
        settled: Calls until at least 90 of the next 100 go to the best path.
        for_good: Calls until that holds of all later windows too.
        kept: Share of the runs in which it holds of the last window.
        to_best: Share of all calls that went to the best path.
        passed: Share of the first answers that passed gate 1.
        judged: Share of the calls of which the judge gave a score.
        scores: The judge's mean score of the best path, and of the others; None: it gave none.
    """

    runs: int
    settled: Soon
    for_good: Soon
    kept: float
    to_best: float
    passed: float
    judged: float
    scores: tuple[float | None, float | None]


def summaries(results: Results) -> dict[tuple[str, str], Summary]:
    """Every arm's figures, by policy and sampling; of arms without runs none."""
    arms = {
        arm: [run for run in results.runs if (run.policy, run.sampling) == arm]
        for arm in results.settings.arms
    }
    return {arm: _summary(runs) for arm, runs in arms.items() if runs}


def _summary(runs: Sequence[RunResult]) -> Summary:
    calls = sum(len(run.to_best) for run in runs)
    return Summary(
        runs=len(runs),
        settled=_soon([run.settled for run in runs], runs),
        for_good=_soon([run.settled_for_good for run in runs], runs),
        kept=fmean(sum(run.to_best[-WINDOW:]) >= ENOUGH for run in runs),
        to_best=sum(sum(run.to_best) for run in runs) / calls,
        passed=sum(run.passed for run in runs) / calls,
        judged=sum(run.judged.get("judged", 0) for run in runs) / calls,
        scores=(_mean([run.scores[0] for run in runs]), _mean([run.scores[1] for run in runs])),
    )


def _soon(found: Sequence[int | None], runs: Sequence[RunResult]) -> Soon:
    last = [len(run.to_best) - WINDOW for run in runs]
    values = [float(at if n is None else n) for n, at in zip(found, last, strict=True)]
    middle, low, high = (quantile(values, q) or 0.0 for q in (0.5, 0.1, 0.9))
    return Soon(median=middle, mean=fmean(values), low=low, high=high, never=found.count(None))


def _mean(sums: Sequence[tuple[float, int]]) -> float | None:
    count = sum(number for _, number in sums)
    return sum(total for total, _ in sums) / count if count else None
