"""Lines, tables, figures, pictures of runs that are made up."""

from __future__ import annotations

import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from kalibr_bench.gauntlet import export, plot, report
from kalibr_bench.gauntlet.grades import Check, grade_of
from kalibr_bench.gauntlet.records import Call, Results, Run, Settings
from kalibr_bench.gauntlet.sandbox import Verdict
from kalibr_bench.gauntlet.summary import figures, summaries

PRICES = {"cheap": (0.1, 0.4), "dear": (3.0, 15.0), "unknown": (None, None)}


def run(number: int, path: str, score: float, **more: Any) -> Run:
    """A run of two steps for a cent each."""
    wrong = "" if score == 1.0 else "Tier2 balance broken"
    checks = [
        Check(name="all", weight=score, passed=True),
        Check(name="rest", weight=1.0 - score, passed=not wrong, feedback=wrong),
    ]
    calls = tuple(
        Call(decision_id=f"{number}-{at}", path=path, cost_usd=0.01, attempts=1) for at in range(2)
    )
    told: dict[str, Any] = {
        "seed": None,
        "calls": calls,
        "ended": "submitted",
        "grade": grade_of(checks, Verdict.OK),
        "error": None,
        "latency_s": 1.0,
    }
    return Run(number=number, **(told | more))


def results_of(*runs: Run, arm: str = "kalibr", **more: Any) -> Results:
    return Results(settings=Settings(), paths=PRICES, runs={arm: list(runs)}, **more)


def shown(results: Results) -> str:
    console = Console(file=StringIO(), width=100)
    report.show(results, console)
    return " ".join(console.file.getvalue().split())  # type: ignore[attr-defined]


def test_figures() -> None:
    found = figures([run(0, "cheap", 0.8), run(1, "dear", 1.0), run(2, "dear", 1.0)])
    assert (found.passed.successes, found.passed.trials) == (2, 3)
    assert found.score == pytest.approx(2.8 / 3)
    assert found.cost_usd == pytest.approx(0.06)
    assert found.cost_per_passed_usd == pytest.approx(0.03)
    assert found.steps == 2.0
    assert figures([]).cost_per_passed_usd is None


def test_a_path_has_the_runs_that_ended_on_it() -> None:
    summary = summaries(results_of(run(0, "cheap", 0.8), run(1, "dear", 1.0)))["kalibr"]
    assert list(summary.by_path) == ["cheap", "dear"]
    assert summary.by_path["cheap"].passed.successes == 0
    assert summary.later.passed.successes == 1


@pytest.mark.parametrize(
    ("good", "where"), [(0, "below"), (1, "within"), (4, "within"), (5, "above")]
)
def test_calibration(good: int, where: str) -> None:
    runs = [run(number, "dear", 1.0 if number < good else 0.8) for number in range(10)]
    assert summaries(results_of(*runs))["kalibr"].calibration == where


@pytest.mark.parametrize(
    ("made", "told"),
    [
        (run(0, "dear", 1.0), "✓[/] Run 1: 100 % [dim]dear[/] - All tiers stable"),
        (run(4, "cheap", 0.9), "✗[/] Run 5: 90 % [dim]cheap[/] - Tier2 balance broken"),
        (run(0, "dear", 1.0, grade=None, ended="steps"), "no submission in 18 steps"),
        (run(0, "dear", 1.0, grade=None, ended="stopped"), "stopped without a submission"),
        (
            run(0, "dear", 1.0, grade=None, ended="crashed", error="AllPathsFailed (a: timeout)"),
            "0 % [dim]dear[/] - crashed: AllPathsFailed (a: timeout)",
        ),
        (run(0, "dear", 1.0, grade=None, ended="crashed", error="X", calls=()), "[dim]no path[/]"),
    ],
)
def test_a_runs_line(made: Run, told: str) -> None:
    assert told in report.line(made)


def test_tables_tell_passes_score_cost_and_calibration() -> None:
    told = shown(results_of(run(0, "cheap", 0.8), run(1, "dear", 1.0)))
    assert "Kalibr 1 of 2 50.0 90.0 2.0 0.04000" in told
    assert "cheap 0 of 1 0.0 80.0 2.0 none passed" in told
    assert "Calibration (10-40 % pass): above the band" in told
    assert "2nd half" not in told
    many = [run(number, "dear", 1.0) for number in range(20)]
    assert "2nd half" in shown(results_of(*many))


def test_unknown_costs_crashes_and_stops_are_told() -> None:
    calls = (Call(decision_id="1", path="unknown", cost_usd=None, attempts=1),)
    crashed = run(1, "dear", 1.0, grade=None, ended="crashed", error="OSError")
    told = shown(results_of(run(0, "unknown", 1.0, calls=calls), crashed, stopped=True))
    assert "Stopped early" in told
    assert "1 crashed." in told
    assert "Calls of unknown cost, which are not in it: 1." in told
    assert "nothing to show" in shown(results_of())


def test_json_holds_everything_but_submissions(tmp_path: Path) -> None:
    export.save(results_of(run(0, "cheap", 0.8, submission="def f(): ...")), tmp_path / "a.json")
    value = json.loads((tmp_path / "a.json").read_text())
    assert value["runs"]["kalibr"][0]["submission"] == "def f(): ..."
    assert value["paths"]["unknown"] == {"input_usd_per_mtok": None, "output_usd_per_mtok": None}
    assert "submission" not in export.as_json(results_of(run(0, "cheap", 0.8)))["runs"]["kalibr"][0]


def test_a_picture_is_written(tmp_path: Path) -> None:
    results = results_of(run(0, "cheap", 0.8), run(1, "dear", 1.0))
    results.runs["dear"] = [run(0, "dear", 1.0)]
    plot.save(results, tmp_path / "a.svg")
    assert (tmp_path / "a.svg").read_bytes().startswith(b"<?xml")


def test_moving_pass_rate() -> None:
    runs = [run(number, "dear", 1.0 if number >= 10 else 0.8) for number in range(20)]
    rates = plot.moving(runs)
    assert (rates[0], rates[9], rates[14], rates[19]) == (0.0, 0.0, 0.5, 1.0)
