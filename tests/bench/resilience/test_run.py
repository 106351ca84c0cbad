"""Runs: the same luck for every arm, the same figures for the same seeds."""

from __future__ import annotations

import json
from typing import Any

import pytest

from kalibr_bench.provider import DEFAULT_MODELS, LoopbackProvider
from kalibr_bench.resilience import Results, RunResult, Settings, benchmark, scenario, summaries
from kalibr_bench.resilience.export import as_json
from kalibr_bench.resilience.many import run_here
from kalibr_bench.resilience.run import Run

from .conftest import settings_of


def run(provider: LoopbackProvider, settings: Settings, seed: int) -> RunResult:
    one = Run(settings, seed, provider)
    for _ in one.rows():
        pass
    return one.result


def without_latency(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: without_latency(v) for k, v in value.items() if k != "latency_s"}
    return [without_latency(v) for v in value] if isinstance(value, list) else value


def test_the_same_seeds_give_the_same_json_whatever_the_workers() -> None:
    settings = settings_of()
    alone = as_json(benchmark(settings, [11, 12], workers=1))
    shared = as_json(benchmark(settings, [11, 12], workers=2))
    assert json.dumps(without_latency(alone)) == json.dumps(without_latency(shared))


def test_other_seeds_give_other_luck(provider: LoopbackProvider) -> None:
    settings = settings_of(arms=("hard-coded",))
    rows = [run(provider, settings, seed).executions["hard-coded"] for seed in (1, 2)]
    assert [e.valid for e in rows[0]] != [e.valid for e in rows[1]]


def test_arms_that_ask_the_same_get_the_same(provider: LoopbackProvider) -> None:
    """The chain's first answers are the hard-coded agent's, and so for any path that two share."""
    found = run(provider, settings_of(), 21).executions
    assert [e.first_valid for e in found["chain"]] == [e.valid for e in found["hard-coded"]]
    by_path: dict[tuple[int, str], set[bool]] = {}
    for executions in found.values():
        for number, execution in enumerate(executions):
            call = execution.calls[0]
            by_path.setdefault((number, call.path), set()).add(call.valid)
    assert all(len(verdicts) == 1 for verdicts in by_path.values())


def test_an_arm_fares_alike_with_and_without_the_others(provider: LoopbackProvider) -> None:
    together = run(provider, settings_of(), 22).executions["kalibr"]
    alone = run(provider, settings_of(arms=("kalibr",)), 22).executions["kalibr"]
    assert [e.calls for e in together] == [e.calls for e in alone]


def test_routing_without_healing_begins_as_kalibr_does(provider: LoopbackProvider) -> None:
    """They have the same seed, and part only with the first failure."""
    found = run(provider, settings_of(), 24).executions
    until = next(n for n, e in enumerate(found["kalibr"]) if not e.first_valid)
    assert until > 0
    firsts = [[e.first for e in found[arm]][: until + 1] for arm in ("kalibr", "no-healing")]
    assert firsts[0] == firsts[1]


def test_injection_holds_though_answers_carry_a_dated_name(provider: LoopbackProvider) -> None:
    """Injection is keyed on the requested path: a match on the answer's name would never hit."""
    assert {m.response_name for m in DEFAULT_MODELS if m.name == "gpt-4o"} == {"gpt-4o-2024-08-06"}
    settings = settings_of(arms=("hard-coded",))
    valid = [
        e.valid for seed in range(5) for e in run(provider, settings, seed).executions["hard-coded"]
    ]
    degraded = [ok for number, ok in enumerate(valid) if number % 35 >= 10]
    healthy = [ok for number, ok in enumerate(valid) if number % 35 < 10]
    # 125 of expected .297: 4 standard errors are .16. 50 of .99: 4 failures are very unlikely.
    assert 0.13 < sum(degraded) / len(degraded) < 0.46
    assert sum(healthy) >= 46


def test_a_run_leaves_the_provider_as_it_was(provider: LoopbackProvider) -> None:
    settings = settings_of(arms=("hard-coded",))
    first, again = (run(provider, settings, 30).executions["hard-coded"] for _ in range(2))
    assert len(first) == len(again) == 35
    with_preferred = run(provider, settings_of("preferred", arms=("hard-coded",)), 31)
    assert sum(e.valid for e in with_preferred.executions["hard-coded"]) >= 32


def test_an_interrupt_leaves_whole_documents_only(provider: LoopbackProvider) -> None:
    results = Results(settings=settings_of(), runs=[])
    left = iter(range(8))

    def stop() -> None:
        if next(left) == 7:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_here(results, [1], provider, on_row=stop)
    assert {len(row) for row in results.runs[0].executions.values()} == {8}
    assert summaries(results)["kalibr"].overall.success.trials == 8


@pytest.mark.parametrize("workers", [1, 2])
def test_ctrl_c_ends_the_benchmark_with_what_there_is(workers: int) -> None:
    def stop() -> None:
        raise KeyboardInterrupt

    results = benchmark(settings_of(), [1, 2], workers=workers, on_row=stop)
    assert results.stopped
    assert [run.length for run in results.runs] == [1]


def test_a_failing_worker_is_told() -> None:
    broken = Settings(scenario=scenario("original", "quick"), arms=("no such arm",))
    with pytest.raises(RuntimeError, match="no such arm"):
        benchmark(broken, [1, 2], workers=2)


def test_the_story_in_figures() -> None:
    """Eight quick runs: 280 documents per arm. Margins of four standard errors and more."""
    found = summaries(benchmark(settings_of(), range(100, 108)))
    kalibr, fixed = found["kalibr"], found["hard-coded"]
    assert (kalibr.overall.success.value or 0) >= 0.98
    assert (found["no-healing"].overall.first.value or 0) >= 0.88
    assert 0.17 < (fixed.degraded.success.value or 0) < 0.43
    assert (fixed.parts[0].success.value or 0) >= 0.95
    assert fixed.calls == 280
    assert (fixed.cost_per_success_usd or 0) > 5 * (kalibr.cost_per_success_usd or 1)
    assert (found["oracle"].overall.first.value or 0) >= 0.94
    assert (found["chain"].degraded.first.value or 0) == fixed.degraded.success.value
    assert kalibr.degraded.routing["gpt-4o"] < 0.2
    assert all(0.2 < share < 0.47 for share in found["uniform"].overall.routing.values())


def test_kalibr_leaves_the_path_that_it_prefers() -> None:
    """Six runs of 100: 600 documents."""
    settings = settings_of("preferred", "default", arms=("kalibr",))
    kalibr = summaries(benchmark(settings, range(100, 106)))["kalibr"]
    learning, _, observation = (part.routing["gpt-4o-mini"] for part in kalibr.parts)
    assert learning > 0.5
    assert observation < 0.1
    assert (kalibr.overall.success.value or 0) >= 0.985
    assert (kalibr.overall.first.value or 0) >= 0.9


def test_kalibr_takes_up_a_path_that_came_back() -> None:
    settings = settings_of("recovery", "default", arms=("kalibr",))
    kalibr = summaries(benchmark(settings, range(100, 112)))["kalibr"]
    shares = {part.name: part.routing["gpt-4o-mini"] for part in kalibr.parts}
    assert shares["return"] > shares["observation"]
    assert shares["return"] > 0.08
