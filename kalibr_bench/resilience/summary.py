"""Figures out of runs: success, routing, cost and latency of each arm."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from kalibr_bench.resilience.intervals import OverRuns, Share, over_runs, quantile
from kalibr_bench.resilience.records import Execution, Results
from kalibr_bench.resilience.scenario import MODELS, Scenario


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """An arm's figures in one phase, or over all of them.

    Attributes:
        name: The phase, or "overall".
        success: Valid answers given out.
        first: Valid answers at the first attempt.
        routing: By path its share of the first attempts; empty where there were none.
        runs: Success over runs; None where no run reached the phase.
    """

    name: str
    success: Share
    first: Share
    routing: dict[str, float]
    runs: OverRuns | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """An arm's figures.

    Attributes:
        arm: Its name.
        parts: One per phase.
        overall: All phases together.
        degraded: The degraded phases together.
        calls: Provider calls.
        cost_usd: All of them together.
        unpriced: Calls whose cost is not known, and which are not in it.
        latency_s: Median and 95 % quantile; None without executions.
    """

    arm: str
    parts: tuple[Part, ...]
    overall: Part
    degraded: Part
    calls: int
    cost_usd: float
    unpriced: int
    latency_s: tuple[float | None, float | None]

    @property
    def cost_per_success_usd(self) -> float | None:
        """All calls' cost by valid answers; None without any."""
        good = self.overall.success.successes
        return self.cost_usd / good if good else None


def summaries(results: Results) -> dict[str, Summary]:
    """Every arm's figures, by its name."""
    return {arm: _summary(arm, results) for arm in results.settings.arms}


def ratio(found: dict[str, Summary], over: str = "hard-coded", by: str = "kalibr") -> float | None:
    """How much more one arm pays per success than another; None where one is missing."""
    if over not in found or by not in found:
        return None
    dear, cheap = found[over].cost_per_success_usd, found[by].cost_per_success_usd
    return dear / cheap if dear is not None and cheap else None


def _summary(arm: str, results: Results) -> Summary:
    scenario = results.settings.scenario
    runs = [run.executions.get(arm, [])[: run.length] for run in results.runs]
    everything = [execution for run in runs for execution in run]
    calls = [call for execution in everything for call in execution.calls]
    latencies = [execution.latency_s for execution in everything]
    degraded = {n for n in range(scenario.length) if scenario.phase(n).degraded}
    return Summary(
        arm=arm,
        parts=tuple(_part(name, runs, numbers) for name, numbers in phases_of(scenario)),
        overall=_part("overall", runs, range(scenario.length)),
        degraded=_part("degraded", runs, degraded),
        calls=len(calls),
        cost_usd=sum(call.cost_usd or 0.0 for call in calls),
        unpriced=sum(call.cost_usd is None for call in calls),
        latency_s=(quantile(latencies, 0.5), quantile(latencies, 0.95)),
    )


def phases_of(scenario: Scenario) -> list[tuple[str, range]]:
    """Each phase's name and its executions."""
    found, start = [], 0
    for phase in scenario.phases:
        found.append((phase.name, range(start, start + phase.length)))
        start += phase.length
    return found


def _part(name: str, runs: Sequence[Sequence[Execution]], numbers: Iterable[int]) -> Part:
    wanted = sorted(numbers)
    by_run = [[run[n] for n in wanted if n < len(run)] for run in runs]
    all_of = [execution for run in by_run for execution in run]
    return Part(
        name=name,
        success=Share(sum(e.valid for e in all_of), len(all_of)),
        first=Share(sum(e.first_valid for e in all_of), len(all_of)),
        routing=_routing(all_of),
        runs=over_runs([sum(e.valid for e in run) / len(run) for run in by_run if run]),
    )


def _routing(executions: Sequence[Execution]) -> dict[str, float]:
    chosen = Counter(e.first for e in executions if e.first is not None)
    total = chosen.total()
    return {path: chosen[path] / total for path in MODELS} if total else {}
