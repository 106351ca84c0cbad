"""The results as JSON. The same seeds, one run at a time, give the same JSON but for the keys
`latency_s` and `elapsed_s`, and decision ids."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from kalibr_bench.gauntlet import details
from kalibr_bench.gauntlet.grades import Check
from kalibr_bench.gauntlet.records import Results, Run
from kalibr_bench.gauntlet.summary import BAND, Figures, Summary, summaries

FORMAT = 1


def save(results: Results, file: Path) -> None:
    """Write `as_json` into a file."""
    file.write_text(json.dumps(as_json(results)) + "\n", encoding="utf-8")


def as_json(results: Results) -> dict[str, Any]:
    """Everything: the set-up, the figures, and each run; submissions where they were kept.

    Runs are numbered from 1, as in the terminal. Details are those of `details`: an exception is
    told by its class.
    """
    settings = results.settings
    return {
        "benchmark": "gauntlet",
        "format": FORMAT,
        "runs_asked": settings.runs,
        "seed": settings.seed,
        "at_once": settings.at_once,
        "strict": settings.strict,
        "framework": settings.framework,
        "live": results.live,
        "latency_scale": None if results.live else settings.latency_scale,
        "stopped": results.stopped,
        "band": list(BAND),
        "paths": {
            path: {"input_usd_per_mtok": price[0], "output_usd_per_mtok": price[1]}
            for path, price in results.paths.items()
        },
        "arms": {arm: _summary(summary) for arm, summary in summaries(results).items()},
        "elapsed_s": results.elapsed_s,
        "runs": {arm: [_run(run) for run in runs] for arm, runs in results.runs.items()},
    }


def _summary(summary: Summary) -> dict[str, Any]:
    return {
        "overall": _figures(summary.overall),
        "second_half": _figures(summary.later),
        "by_path": {path: _figures(figures) for path, figures in summary.by_path.items()},
        "calibration": summary.calibration,
        "calibration_settled": summary.settled,
    }


def _figures(figures: Figures) -> dict[str, Any]:
    low, high = figures.passed.interval
    return {
        "passed": figures.passed.successes,
        "runs": figures.passed.trials,
        "pass_rate": figures.passed.value,
        "wilson95": [low, high],
        "average_score": figures.score,
        "cost_usd": figures.cost_usd,
        "cost_per_passed_usd": figures.cost_per_passed_usd,
        "calls_of_unknown_cost": figures.unpriced,
        "steps": figures.steps,
        "crashed": figures.crashed,
    }


def _run(run: Run) -> dict[str, Any]:
    told: dict[str, Any] = {
        "number": run.number + 1,
        "seed": run.seed,
        "path": run.path,
        "ended": run.ended,
        "passed": run.passed,
        "score": run.score,
        "feedback": [] if run.grade is None else list(run.grade.feedback),
        "verdict": None if run.grade is None else str(run.grade.verdict),
        "detail": None if run.grade is None else details.of_verdict(run.grade),
        "checks": [] if run.grade is None else [_check(check) for check in run.grade.checks],
        "error": run.error,
        "cost_usd": round(run.cost_usd, 9),
        "latency_s": round(run.latency_s, 6),
        "calls": [
            {"decision_id": c.decision_id, "path": c.path, "attempts": c.attempts}
            for c in run.calls
        ],
    }
    return told if run.submission is None else {**told, "submission": run.submission}


def _check(check: Check) -> dict[str, Any]:
    return {
        "name": check.name,
        "passed": check.passed,
        "detail": details.of_detail(check.detail),
    }
