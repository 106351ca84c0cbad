"""The oracle knows, and decides by success first, then cost."""

from __future__ import annotations

import pytest

from kalibr_bench.resilience import Results, scenario
from kalibr_bench.resilience.oracle import MARGIN, OraclePolicy
from kalibr_core.types import Arm, Context

COSTS = {"gpt-4o": 0.0017, "gpt-4o-mini": 0.0001, "gpt-3.5-turbo": 0.0003}


def chosen(rates: dict[str, float], *names: str) -> str:
    arms = [Arm(name, COSTS[name]) for name in names or COSTS]
    return OraclePolicy(lambda: rates).pull(arms, Context()).arm


def test_it_takes_the_best_and_of_equals_the_cheapest() -> None:
    assert chosen(dict.fromkeys(COSTS, 0.9)) == "gpt-4o-mini"
    assert chosen({"gpt-4o": 0.99, "gpt-4o-mini": 0.5, "gpt-3.5-turbo": 0.93}) == "gpt-4o"


@pytest.mark.parametrize(("short", "path"), [(-0.0005, "gpt-4o-mini"), (0.0005, "gpt-4o")])
def test_a_cheap_path_may_be_worse_by_the_margin_and_no_more(short: float, path: str) -> None:
    bound = 0.99 - MARGIN * (1 - COSTS["gpt-4o-mini"] / COSTS["gpt-4o"])
    assert chosen({"gpt-4o": 0.99, "gpt-4o-mini": bound - short, "gpt-3.5-turbo": 0.5}) == path


def test_a_dearer_path_is_never_taken_for_its_price() -> None:
    rates = {"gpt-4o": 0.98, "gpt-4o-mini": 0.99, "gpt-3.5-turbo": 0.985}
    assert chosen(rates) == "gpt-4o-mini"


def test_after_a_failure_it_takes_the_best_of_the_rest() -> None:
    rates = {"gpt-4o": 0.99, "gpt-4o-mini": 0.97, "gpt-3.5-turbo": 0.93}
    assert chosen(rates, "gpt-4o-mini", "gpt-3.5-turbo") == "gpt-4o-mini"


def test_in_the_benchmark_it_leaves_in_the_very_execution_of_the_failure(quick: Results) -> None:
    firsts = [e.first for e in quick.runs[0].executions["oracle"]]
    start = scenario("original", "quick").window[0]
    assert set(firsts[:start]) == {"gpt-4o"}
    assert set(firsts[start:]) == {"gpt-4o-mini"}
