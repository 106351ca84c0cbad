"""The tables."""

from __future__ import annotations

from dataclasses import replace
from io import StringIO

import pytest
from rich.console import Console

from kalibr_bench.resilience import (
    Call,
    Execution,
    Results,
    RunResult,
    Settings,
    scenario,
    summaries,
)
from kalibr_bench.resilience.report import show
from kalibr_bench.resilience.words import closing


def printed(results: Results) -> str:
    stream = StringIO()
    show(results, Console(file=stream, width=80, color_system=None))
    return stream.getvalue()


def execution(*calls: tuple[str, bool], cost_usd: float | None = 0.001) -> Execution:
    made = tuple(Call(path=path, valid=valid, cost_usd=cost_usd) for path, valid in calls)
    return Execution(calls=made, valid=any(valid for _, valid in calls), latency_s=0.1)


def results_of(arms: dict[str, list[Execution]]) -> Results:
    settings = Settings(scenario=scenario("original", "quick"), arms=tuple(arms))
    return Results(settings=settings, runs=[RunResult(seed=0, executions=arms)])


def test_eighty_columns_are_enough(quick: Results) -> None:
    text = printed(quick)
    assert max(map(len, text.splitlines())) <= 80
    assert "…" not in text
    for title in ("Valid answers, %", "first attempt", "First attempts by path", "Cost"):
        assert title in text
    assert "over runs" not in text


def test_several_runs_have_a_table_of_their_own(quick: Results) -> None:
    twice = Results(settings=quick.settings, runs=[*quick.runs, *quick.runs])
    assert "mean over runs" in printed(twice)


def test_nothing_done_is_told() -> None:
    assert "nothing to show" in printed(results_of({"kalibr": []}))


def test_a_run_that_was_stopped_early_says_so(quick: Results) -> None:
    short = results_of({"kalibr": [execution(("gpt-4o", True))] * 4})
    text = printed(replace_stopped(short))
    assert "Stopped early" in text
    assert "has met the degraded gpt-4o yet" in text


def replace_stopped(results: Results) -> Results:
    return Results(settings=results.settings, runs=results.runs, stopped=True)


def test_an_arm_without_a_valid_answer_has_no_price() -> None:
    text = printed(results_of({"hard-coded": [execution(("gpt-4o", False))] * 20}))
    assert "none valid" in text


def test_calls_of_unknown_cost_are_told() -> None:
    row = [execution(("gpt-4o", True), cost_usd=None)] * 12
    assert "unknown cost" in printed(results_of({"hard-coded": row}))


def test_the_closing_words_count() -> None:
    learning = [execution(("gpt-4o", True))] * 5 + [execution(("gpt-4o-mini", True))] * 5
    rest = [
        *[execution(("gpt-4o", False), ("gpt-4o-mini", True))] * 3,
        *[execution(("gpt-4o-mini", False))],
        *[execution(("gpt-4o-mini", True))] * 21,
    ]
    fixed = [execution(("gpt-4o", True))] * 10 + [execution(("gpt-4o", False))] * 25
    results = results_of({"hard-coded": fixed, "kalibr": learning + rest})
    text = closing(results, summaries(results))
    assert "50 % of its first attempts before, and 12 % then" in text
    assert "4 of its 25 first answers then were bad; 3 of those were healed" in text
    assert "96.0 % of the calls" in text
    assert "got 0.0 % valid answers" in text
    # Hard-coded: 35 calls for 10 valid answers; Kalibr: 38 calls for 34.
    assert f"{3.5 / (38 / 34):.1f} times as much" in text


BAD = execution(("gpt-4o", False), ("gpt-4o-mini", False))
HEALED = execution(("gpt-4o", False), ("gpt-4o-mini", True))
GOOD = execution(("gpt-4o-mini", True))


@pytest.mark.parametrize(
    ("before", "during", "told"),
    [
        ("gpt-4o-mini", [GOOD] * 3, "hardly used gpt-4o before it failed: it sent it 0 %"),
        ("gpt-4o-mini", [GOOD] * 3, "None of its 3 first answers then was bad."),
        ("gpt-4o", [GOOD] * 3, "took calls away from it: it sent it 100 %"),
        ("gpt-4o", [HEALED] * 3, "did not take calls away from it"),
        ("gpt-4o", [GOOD, HEALED], "1 of its 2 first answers then was bad; it was healed on"),
        ("gpt-4o", [GOOD, BAD], "1 of its 2 first answers then was bad; it was not healed. 50.0 %"),
        ("gpt-4o", [GOOD, HEALED, HEALED], "2 of its 3 first answers then were bad; both were"),
        ("gpt-4o", [HEALED] * 3, "3 of its 3 first answers then were bad; all were healed"),
        ("gpt-4o", [BAD] * 3, "3 of its 3 first answers then were bad; none of them was healed."),
        ("gpt-4o", [BAD, HEALED], "1 of those was healed on another path before the caller saw it"),
        ("gpt-4o", [HEALED], "The only first answer then was bad; it was healed"),
        ("gpt-4o", [GOOD], "The only first answer then was not bad."),
    ],
)
def test_the_closing_words_say_what_is_true(
    before: str, during: list[Execution], told: str
) -> None:
    results = results_of({"kalibr": [execution((before, True))] * 10 + during})
    assert told in closing(results, summaries(results))


@pytest.mark.parametrize("arms", [("kalibr",), ("hard-coded",), ("chain", "uniform")])
def test_any_choice_of_arms_can_be_shown(quick: Results, arms: tuple[str, ...]) -> None:
    fewer = Results(settings=replace(quick.settings, arms=arms), runs=quick.runs)
    assert printed(fewer)
