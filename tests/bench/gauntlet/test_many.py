"""Many runs: at once, crashes among them, interrupted; what is kept of them."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from kalibr_bench.gauntlet import engineers
from kalibr_bench.gauntlet.many import agent_of, benchmark, run_arms
from kalibr_bench.gauntlet.records import ROUTED, Run, Settings
from kalibr_bench.provider import Conversation, LoopbackProvider

from .agents import graded, playing, quick


def settings_of(**more: Any) -> Settings:
    return Settings(**{"runs": 10, "latency_scale": 0.0, "arms": ("complete",), **more})


@pytest.fixture
def grading() -> dict[str, Any]:
    return {"grade": lambda source, *, strict, seed: graded(source), "evaluate": quick}


@pytest.mark.parametrize("framework", ["langchain", "llama-index"])
def test_ten_runs_are_under_way_at_once(framework: str, grading: dict[str, Any]) -> None:
    """All ten wait in a tool until the tenth has come."""
    together = threading.Barrier(10, timeout=60.0)
    waited: set[int] = set()

    def evaluate(expression: str) -> str:
        if expression == engineers.NAN and threading.get_ident() not in waited:
            waited.add(threading.get_ident())
            together.wait()
        return quick(expression)

    found = benchmark(
        settings_of(framework=framework), grade=grading["grade"], evaluate=evaluate
    ).runs["complete"]
    assert [run.number for run in found] == list(range(10))
    assert {run.ended for run in found} == {"submitted"}


def test_a_crash_of_the_harness_leaves_the_others() -> None:
    asked = iter(range(1000))

    def grade(source: str, *, strict: bool, seed: int) -> Any:
        if next(asked) == 0:
            raise OSError("no process could be started for /some/where")
        return graded(source)

    found = benchmark(settings_of(runs=3, at_once=1), grade=grade, evaluate=quick).runs["complete"]
    assert [run.error for run in found] == ["OSError", None, None]
    assert [run.ended for run in found] == ["crashed", "submitted", "submitted"]
    assert found[0].grade is None


@pytest.mark.parametrize("framework", ["langchain", "llama-index"])
def test_a_calculator_that_breaks_is_a_crash_and_no_answer(framework: str) -> None:
    """Also where the framework would tell the model of it, and go on."""

    def evaluate(expression: str) -> str:
        raise OSError("no process could be started")

    settings = settings_of(runs=1, framework=framework)
    found = benchmark(settings, grade=_passing, evaluate=evaluate).runs["complete"]
    assert [(run.ended, run.error, run.passed) for run in found] == [("crashed", "OSError", False)]


def _passing(source: str, *, strict: bool, seed: int) -> Any:
    return graded(source)


def test_a_players_crash_is_one_runs(grading: dict[str, Any]) -> None:
    """The provider answers 500; other runs go on with what they asked."""

    def sometimes(conversation: Conversation) -> Any:
        if conversation.luck.uniform("crash") < 0.3:
            raise LookupError("no such thing")
        return engineers.ENGINEERS["complete"](conversation)

    with playing({"complete": sometimes}) as provider:
        found = run_arms(
            settings_of(),
            [dict(path, timeout_s=5.0) for path in engineers.paths(provider.base_url)],
            on_run=lambda arm, run: None,
            **grading,
        ).runs["complete"]
    ends = [run.ended for run in found]
    assert set(ends) == {"submitted", "crashed"}
    assert all("server_error" in str(run.error) for run in found if run.ended == "crashed")


def test_submissions_are_kept_only_where_that_is_asked_for(grading: dict[str, Any]) -> None:
    for keep in (False, True):
        settings = settings_of(runs=1, keep_submissions=keep)
        run = benchmark(settings, **grading).runs["complete"][0]
        assert (run.submission is not None) is keep
        assert ("def process_batch" in repr(run)) is keep


def test_the_same_seed_gives_the_same_runs_one_at_a_time(grading: dict[str, Any]) -> None:
    def once(seed: int) -> list[tuple[str | None, float, float]]:
        settings = settings_of(seed=seed, at_once=1, runs=6, arms=(ROUTED,))
        found = benchmark(settings, **grading).runs[ROUTED]
        return [(run.path, run.score, run.cost_usd) for run in found]

    assert once(4) == once(4) != once(5)


def test_an_interrupt_ends_it_with_what_there_is(grading: dict[str, Any]) -> None:
    seen: list[Run] = []

    def stop(arm: str, run: Run) -> None:
        seen.append(run)
        if len(seen) == 3:
            raise KeyboardInterrupt

    results = benchmark(settings_of(at_once=1), on_run=stop, **grading)
    assert results.stopped
    assert results.runs["complete"] == seen


def test_runs_that_have_begun_are_in_the_results_after_an_interrupt(
    grading: dict[str, Any],
) -> None:
    """Three at once: the first to end interrupts; two others are under way, and the rest is not."""
    together, going_on = threading.Barrier(3, timeout=60.0), threading.Event()
    first, asked, waited = threading.Lock(), iter(range(1000)), list[int]()

    def grade(source: str, *, strict: bool, seed: int) -> Any:
        if next(asked) < 3:
            together.wait()
        if not first.acquire(blocking=False):
            assert going_on.wait(60.0)
        return graded(source)

    def stop(arm: str, run: Run) -> None:
        if not going_on.is_set():
            raise KeyboardInterrupt

    def wait(count: int) -> None:
        waited.append(count)
        going_on.set()

    settings = settings_of(at_once=3, arms=("unbounded", "complete"))
    results = benchmark(settings, on_run=stop, on_wait=wait, **grading | {"grade": grade})
    assert results.stopped
    assert list(results.runs) == ["unbounded"]
    ends = [run.ended for run in results.runs["unbounded"]]
    assert set(ends) == {"submitted"}
    # One that began after the first had ended may have ended too: its grade was known.
    assert len(ends) >= 1 + waited[0] >= 3


def test_an_interrupt_before_the_first_run_is_a_result_too(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def interrupted(self: LoopbackProvider) -> LoopbackProvider:
        raise KeyboardInterrupt

    monkeypatch.setattr(LoopbackProvider, "__enter__", interrupted)
    results = benchmark(settings_of())
    assert results.stopped
    assert not results.runs


def test_a_second_interrupt_drops_them(grading: dict[str, Any]) -> None:
    together, never = threading.Barrier(3, timeout=60.0), threading.Event()
    first, asked = threading.Lock(), iter(range(1000))

    def grade(source: str, *, strict: bool, seed: int) -> Any:
        if next(asked) < 3:
            together.wait()
        if not first.acquire(blocking=False):
            never.wait(60.0)
        return graded(source)

    def stop(*args: Any) -> None:
        raise KeyboardInterrupt

    settings = settings_of(at_once=3, runs=3)
    results = benchmark(settings, on_run=stop, on_wait=stop, **grading | {"grade": grade})
    never.set()
    assert results.stopped
    assert len(results.runs["complete"]) == 1


def test_an_unknown_framework_is_told() -> None:
    with pytest.raises(ValueError, match="langchain, llama-index"):
        agent_of("haystack", None)  # type: ignore[arg-type]  # it is refused before
