"""The JSON that the command writes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from kalibr_bench.resilience import ARMS, MODELS, Results, ratio, summaries
from kalibr_bench.resilience.export import as_json, save


def test_what_it_holds(quick: Results, tmp_path: Path) -> None:
    save(quick, tmp_path / "r.json")
    value = json.loads((tmp_path / "r.json").read_text())
    assert value == as_json(quick)
    assert set(value) == {
        "benchmark",
        "format",
        "scenario",
        "seeds",
        "stopped",
        "live",
        "latency_scale",
        "arms",
        "hard_coded_cost_per_success_over_kalibr",
        "runs",
    }
    assert value["scenario"]["base_rates"] == dict(MODELS)
    assert [p["executions"] for p in value["scenario"]["phases"]] == [10, 15, 10]
    assert list(value["arms"]) == list(ARMS)
    assert value["seeds"] == [3]


@pytest.mark.parametrize("arm", list(ARMS))
def test_figures_are_those_of_the_executions(quick: Results, arm: str) -> None:
    value = as_json(quick)
    told, rows = value["arms"][arm], value["runs"][0]["arms"][arm]
    assert {len(column) for column in rows.values()} == {35}
    assert told["overall"]["success"]["successes"] == sum(rows["valid"])
    assert told["overall"]["first_attempt"]["successes"] == sum(rows["first_valid"])
    assert told["calls"] == sum(map(len, rows["paths"]))
    assert told["cost_usd"] == pytest.approx(sum(rows["cost_usd"]), rel=1e-4)
    assert told["cost_per_success_usd"] == pytest.approx(told["cost_usd"] / sum(rows["valid"]))
    assert sum(told["overall"]["routing"].values()) == pytest.approx(1.0)
    assert sum(p["success"]["trials"] for p in told["phases"]) == 35
    assert told["latency_s"]["p50"] <= told["latency_s"]["p95"]
    low, high = told["overall"]["success"]["wilson95"]
    assert low <= told["overall"]["success"]["share"] <= high


def test_cost_is_tokens_times_list_prices(quick: Results) -> None:
    """gpt-4o: 2.50 and 10.00 USD per million tokens, for some 400 and some 100 tokens."""
    hard = quick.runs[0].executions["hard-coded"]
    assert all(0.0008 < execution.cost_usd < 0.004 for execution in hard)
    assert all(call.cost_usd is not None for execution in hard for call in execution.calls)


def test_the_ratio_is_of_cost_per_success(quick: Results) -> None:
    found = summaries(quick)
    dear = found["hard-coded"].cost_per_success_usd
    cheap = found["kalibr"].cost_per_success_usd
    assert dear is not None
    assert cheap is not None
    assert ratio(found) == pytest.approx(dear / cheap)
    assert ratio({"kalibr": found["kalibr"]}) is None
