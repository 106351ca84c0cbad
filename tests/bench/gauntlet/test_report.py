"""Lines, tables, figures, pictures of runs that are made up."""

from __future__ import annotations

import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from matplotlib.colors import to_hex
from rich.console import Console

from kalibr_bench.gauntlet import details, export, grade, plot, report
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
        (run(0, "dear", 1.0), "✓[/] Run 1: 100.0 % [dim]dear[/] - All tiers stable"),
        (run(4, "cheap", 0.96), "✗[/] Run 5: 96.0 % [dim]cheap[/] - Tier2 balance broken"),
        (run(0, "dear", 1.0, grade=None, ended="steps"), "no submission in 18 steps"),
        (run(0, "dear", 1.0, grade=None, ended="stopped"), "stopped without a submission"),
        (
            run(0, "dear", 1.0, grade=None, ended="crashed", error="AllPathsFailed (a: timeout)"),
            "0.0 % [dim]dear[/] - crashed: AllPathsFailed (a: timeout)",
        ),
        (run(0, "dear", 1.0, grade=None, ended="crashed", error="X", calls=()), "[dim]no path[/]"),
    ],
)
def test_a_runs_line(made: Run, told: str) -> None:
    assert told in report.line(made)


@pytest.mark.parametrize(
    ("source", "told"),
    [
        ("x = = 1", "syntax: invalid syntax, line 1"),
        ("import os", "forbidden: import os (line 1)"),
        ("def f(): ...", "missing: no function process_batch"),
        ("raise ValueError('what the model says')", "raised: ValueError"),
        ("def process_batch(e, s): raise ValueError('what the model says')", "raised: ValueError"),
    ],
)
def test_a_submission_that_never_ran_is_told_by_its_verdict(source: str, told: str) -> None:
    made = run(0, "dear", 0.0, grade=grade(source))
    assert report.what(made) == told
    assert report.line(made).endswith(f" - {told}")
    value = export.as_json(results_of(made))["runs"]["kalibr"][0]
    assert (value["number"], value["detail"]) == (1, told)
    assert {check["detail"] for check in value["checks"][:5]} == {told}
    assert "what the model says" not in json.dumps(value)


def test_a_submission_that_was_killed_in_every_scenario_is_told_so() -> None:
    def ended(*names: str) -> Run:
        checks = [Check(name=n, weight=0.2, passed=n in names) for n in ("tier1", "guardrails")]
        return run(0, "dear", 0.0, grade=grade_of(checks, Verdict.TIMEOUT, "no answer within 1 s"))

    assert report.what(ended()) == report.what(ended("guardrails"))
    assert report.what(ended()) == "timeout: no answer within 1 s"
    assert "timeout" not in report.what(ended("tier1"))


def test_a_detail_is_one_short_printable_line() -> None:
    told = details.of_detail(f"forbidden: \x1b[31m\n{'a' * 200}")
    assert told.isprintable()
    assert len(told) == details.LONGEST


def test_a_line_fits() -> None:
    rows = [f"Tier{n} is broken: {what}" for n in range(6) for what in ("booleans", "times")]
    checks = [Check(name="tier1", weight=0.1, passed=False, feedback=row) for row in rows]
    made = run(99, "no-guardrails", 0.0, grade=grade_of(checks, Verdict.OK))
    for width in (60, 80, 100):
        console = Console(file=StringIO(), width=width)
        console.print(report.line(made, width=width), soft_wrap=True)
        told = console.file.getvalue()  # type: ignore[attr-defined]
        assert len(told) <= width + 1
        assert "Tier0 is broken; " in told
        assert told.endswith(" more\n")
    assert "booleans, times" in report.line(made, width=500)


def test_tables_fit_in_80_columns() -> None:
    results = results_of(*[run(n, "no-guardrails", 1.0) for n in range(20)], arm="no-guardrails")
    console = Console(file=StringIO(), width=80)
    report.show(results, console)
    assert "2nd half %  score %  steps  USD/passed" in console.file.getvalue()  # type: ignore[attr-defined]


def test_calibration_is_told_as_far_as_the_runs_allow() -> None:
    def told(passed: int, of: int, **more: Any) -> str:
        runs = [run(n, "dear", 1.0 if n < passed else 0.8, **more) for n in range(of)]
        return report.calibrated(summaries(results_of(*runs))["kalibr"])

    assert told(0, 10) == (
        "Calibration (10-40 % pass): too few runs to tell, below the band so far."
    )
    assert "too few runs to tell, within" in told(3, 10)
    assert told(0, 60).endswith(": below the band: too hard for these paths.")
    assert told(25, 100).endswith(": within the band.")
    assert told(10, 10).endswith(": above the band: these paths can do it.")
    assert told(0, 10, grade=None, ended="crashed", error="X").endswith(": unknown.")


def test_tables_tell_passes_score_cost_and_calibration() -> None:
    told = shown(results_of(run(0, "cheap", 0.8), run(1, "dear", 1.0)))
    assert "Kalibr 1 of 2 50.0 90.0 2.0 0.04000" in told
    assert "cheap 0 of 1 0.0 80.0 2.0 none passed" in told
    assert "too few runs to tell, above the band so far" in told
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


def test_a_path_has_one_colour_and_the_legend_is_beside_the_panels() -> None:
    results = results_of(run(0, "cheap", 0.8), run(1, "dear", 1.0))
    results.runs["dear"] = [run(0, "dear", 1.0)]
    drawn, known = plot.figure(results), plot.colours(results)
    marks, rates, bars = drawn.axes
    lines = {str(line.get_label()): line.get_color() for line in rates.lines}
    assert lines == {"Kalibr": plot.OURS, "always dear": known["dear"]}
    assert to_hex(bars.patches[1].get_facecolor()) == known["dear"]
    edges = [
        to_hex(mark.get_edgecolor()[0]) for mark in marks.collections if len(mark.get_offsets())
    ]
    assert edges == [known["cheap"], known["dear"]]
    assert [text.get_text() for text in drawn.legends[0].get_texts()] == list(lines)
    assert all(panel.get_legend() is None for panel in drawn.axes)


def test_moving_pass_rate() -> None:
    runs = [run(number, "dear", 1.0 if number >= 10 else 0.8) for number in range(20)]
    rates = plot.moving(runs)
    assert (rates[0], rates[9], rates[14], rates[19]) == (0.0, 0.0, 0.5, 1.0)
