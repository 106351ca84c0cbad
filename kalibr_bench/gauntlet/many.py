"""All runs of all arms, one after the other or several at once."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial
from typing import Any

from kalibr_bench.gauntlet import engineers, grader, sandbox
from kalibr_bench.gauntlet.crew import Crew
from kalibr_bench.gauntlet.grades import Grade
from kalibr_bench.gauntlet.learning import router_for
from kalibr_bench.gauntlet.records import FRAMEWORKS, Results, Run, Settings
from kalibr_bench.gauntlet.run import Agent, Runner
from kalibr_bench.provider import LoopbackProvider
from kalibr_core import Router

SEEDS_PER_BENCHMARK = 10_000
"""Benchmark s sends its run i with the request's seed s * this + i, so that all arms meet the same
luck."""
OnRun = Callable[[str, Run], object]
OnWait = Callable[[int], object]


def benchmark(
    settings: Settings,
    *,
    on_run: OnRun = lambda arm, run: None,
    on_wait: OnWait = lambda count: None,
    grade: Callable[..., Grade] = grader.grade,
    evaluate: Callable[[str], str] = sandbox.evaluate,
) -> Results:
    """Run every arm against the six engineers on the loopback provider.

    An interrupt (Ctrl-C) ends it with what there is, also before the first run; where several runs
    are under way at once with those that have begun; a second one drops these.

    Args:
        settings: What is to be run.
        on_run: Called with an arm and a run as it ends.
        on_wait: Called after an interrupt with the number of runs, >= 1, that are waited for.
        grade: As `grader.grade`.
        evaluate: As `sandbox.evaluate`.
    """
    results = Results(settings=settings, paths={}, stopped=True)
    with contextlib.suppress(KeyboardInterrupt), loopback(settings) as provider:
        paths = engineers.paths(provider.base_url)
        results = run_arms(
            settings, paths, on_run=on_run, on_wait=on_wait, grade=grade, evaluate=evaluate
        )
    return results


@contextlib.contextmanager
def loopback(settings: Settings) -> Iterator[LoopbackProvider]:
    """The provider that plays the engineers."""
    with LoopbackProvider(
        engineers.models(),
        seed=settings.seed,
        latency_scale=settings.latency_scale,
        players=engineers.players(),
        keep_requests=0,
    ) as provider:
        yield provider


def run_arms(
    settings: Settings,
    paths: Sequence[Mapping[str, Any]],
    *,
    on_run: OnRun,
    on_wait: OnWait = lambda count: None,
    grade: Callable[..., Grade] = grader.grade,
    evaluate: Callable[[str], str] = sandbox.evaluate,
    live: bool = False,
) -> Results:
    """Run every arm on these paths; see `benchmark`."""
    results = Results(settings=settings, paths=_prices(paths), live=live)
    # The same submission gets the same grade, and played engineers submit the same again and again.
    graded = cache(partial(grade, strict=settings.strict, seed=settings.seed))
    try:
        for arm in settings.arms:
            taken = _Taken(arm, on_run, results.runs.setdefault(arm, []))
            started = time.perf_counter()
            with (
                router_for(arm, paths, seed=settings.seed) as router,
                _runner(settings, router, graded, evaluate) as runner,
            ):
                _run_all(settings, runner, taken, on_wait, live=live)
            results.elapsed_s[arm] = time.perf_counter() - started
    except KeyboardInterrupt:
        results.stopped = True
    for runs in results.runs.values():
        runs.sort(key=lambda run: run.number)
    return results


@dataclass(frozen=True, slots=True)
class _Taken:
    """An arm's runs as they are handed on."""

    arm: str
    on_run: OnRun
    runs: list[Run]

    def add(self, run: Run) -> None:
        self.runs.append(run)
        self.on_run(self.arm, run)


@contextlib.contextmanager
def _runner(
    settings: Settings,
    router: Router,
    grade: Callable[[str], Grade],
    evaluate: Callable[[str], str],
) -> Iterator[Runner]:
    agent = agent_of(settings.framework, router)
    try:
        yield Runner(
            agent=agent,
            router=router,
            evaluate=evaluate,
            grade=grade,
            keep=settings.keep_submissions,
        )
    finally:
        agent.close()


def _run_all(
    settings: Settings, runner: Runner, taken: _Taken, on_wait: OnWait, *, live: bool
) -> None:
    """Hand an arm's runs on as they end; after an interrupt also those that had begun."""
    first = settings.seed * SEEDS_PER_BENCHMARK
    seeds = [None if live else first + number for number in range(settings.runs)]
    if settings.at_once == 1:
        for number, seed in enumerate(seeds):
            taken.add(runner.run(number, seed))
        return
    crew = Crew(runner.run, seeds, settings.at_once)
    try:
        _take(crew, taken)
    except KeyboardInterrupt:
        if waiting := crew.stop():
            on_wait(waiting)
        _take(crew, taken)
        raise
    finally:
        crew.stop()


def _take(crew: Crew, taken: _Taken) -> None:
    while (run := crew.ended(len(taken.runs))) is not None:
        taken.add(run)


def agent_of(framework: str, router: Router) -> Agent:
    """The agent of a framework; raises as `agent_class`."""
    return agent_class(framework)(router)


def agent_class(framework: str) -> Callable[[Router], Agent]:
    """What makes the agent of a framework.

    Raises:
        ValueError: there is no such framework.
        ModuleNotFoundError: it is not installed; names the pip command.
    """
    if framework not in FRAMEWORKS:
        raise ValueError(f"framework must be one of {', '.join(FRAMEWORKS)}, got {framework!r}")
    try:
        if framework == "langchain":
            from kalibr_bench.gauntlet.agent_langchain import LangChainAgent

            return LangChainAgent
        from kalibr_bench.gauntlet.agent_llama_index import LlamaIndexAgent

        return LlamaIndexAgent
    except ModuleNotFoundError as error:
        extra = f'pip install -e ".[{framework},bench]"'
        more = " and `pip install langchain`" if framework == "langchain" else ""
        raise ModuleNotFoundError(
            f"the gauntlet on {framework} needs {error.name}: {extra}{more}", name=error.name
        ) from None


def _prices(paths: Sequence[Mapping[str, Any]]) -> dict[str, tuple[float | None, float | None]]:
    """From the cheapest to the dearest, the unknown ones last."""
    found = {
        str(path["name"]): (path.get("input_usd_per_mtok"), path.get("output_usd_per_mtok"))
        for path in paths
    }
    return dict(sorted(found.items(), key=lambda one: (one[1][1] is None, one[1][1] or 0.0)))
