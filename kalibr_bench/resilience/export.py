"""The results as JSON. The same seeds give the same JSON but for the keys `latency_s`."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from kalibr_bench.resilience.arms import ARMS
from kalibr_bench.resilience.intervals import OverRuns, Share
from kalibr_bench.resilience.records import Execution, Results, RunResult
from kalibr_bench.resilience.scenario import MODELS, RATE
from kalibr_bench.resilience.summary import Part, Summary, ratio, summaries

FORMAT = 1


def save(results: Results, file: Path) -> None:
    """Write `as_json` into a file."""
    file.write_text(json.dumps(as_json(results)) + "\n", encoding="utf-8")


def as_json(results: Results) -> dict[str, Any]:
    """Everything: the set-up, the figures, and each execution."""
    found = summaries(results)
    return {
        "benchmark": "resilience",
        "format": FORMAT,
        "scenario": _scenario(results),
        "seeds": [run.seed for run in results.runs],
        "stopped": results.stopped,
        "live": results.live,
        "latency_scale": results.settings.latency_scale,
        "arms": {arm: _summary(summary) for arm, summary in found.items()},
        "hard_coded_cost_per_success_over_kalibr": ratio(found),
        "runs": [_run(run) for run in results.runs],
    }


def _scenario(results: Results) -> dict[str, Any]:
    scenario = results.settings.scenario
    return {
        "name": scenario.name,
        "degraded": scenario.model,
        "rate": RATE,
        "base_rates": dict(MODELS),
        "phases": [
            {"name": p.name, "executions": p.length, "degraded": p.degraded}
            for p in scenario.phases
        ],
    }


def _summary(summary: Summary) -> dict[str, Any]:
    p50, p95 = summary.latency_s
    return {
        "about": ARMS[summary.arm].about,
        "phases": [_part(part) for part in summary.parts],
        "overall": _part(summary.overall),
        "degraded": _part(summary.degraded),
        "calls": summary.calls,
        "cost_usd": summary.cost_usd,
        "cost_per_success_usd": summary.cost_per_success_usd,
        "calls_of_unknown_cost": summary.unpriced,
        "latency_s": {"p50": p50, "p95": p95},
    }


def _part(part: Part) -> dict[str, Any]:
    return {
        "name": part.name,
        "success": _share(part.success),
        "first_attempt": _share(part.first),
        "routing": part.routing,
        "over_runs": _over_runs(part.runs),
    }


def _share(share: Share) -> dict[str, Any]:
    low, high = share.interval
    return {
        "successes": share.successes,
        "trials": share.trials,
        "share": share.value,
        "wilson95": [low, high],
    }


def _over_runs(runs: OverRuns | None) -> dict[str, Any] | None:
    if runs is None:
        return None
    return {"mean": runs.mean, "half_width95": runs.half_width, "worst": runs.worst}


def _run(run: RunResult) -> dict[str, Any]:
    return {
        "seed": run.seed,
        "arms": {arm: _executions(row[: run.length]) for arm, row in run.executions.items()},
    }


def _executions(row: Sequence[Execution]) -> dict[str, Any]:
    """By columns, one entry per execution."""
    return {
        "valid": [int(e.valid) for e in row],
        "first_valid": [int(e.first_valid) for e in row],
        "paths": [[call.path for call in e.calls] for e in row],
        "cost_usd": [round(e.cost_usd, 9) for e in row],
        "latency_s": [round(e.latency_s, 6) for e in row],
    }
