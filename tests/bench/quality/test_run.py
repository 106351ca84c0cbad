"""Runs over real HTTP."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from kalibr_bench.provider import LoopbackProvider
from kalibr_bench.quality import benchmark, summaries
from kalibr_bench.quality.run import ScoreThompson, run
from kalibr_core.types import Evidence, EvidenceKind

from .conftest import SHORT


@pytest.mark.parametrize("sampling", ["informative", "uniform"])
def test_a_run_is_judged_and_the_same_again(sampling: str, provider: LoopbackProvider) -> None:
    one, other = (run(SHORT, 3, "kalibr", sampling, provider.base_url) for _ in range(2))
    assert one == other
    assert len(one.to_best) == one.passed == SHORT.calls
    assert set(one.judged) == {"judged"}
    (best, of_best), (others, of_others) = one.scores
    assert of_best + of_others == one.judged["judged"]
    assert best / of_best > 0.7 > others / max(of_others, 1)


def test_the_best_path_gets_the_traffic() -> None:
    found = summaries(benchmark(SHORT, range(10, 13)))
    assert found["kalibr", "informative"].settled.median <= 50
    assert found["kalibr", "uniform"].to_best > 0.6


def test_calls_that_wait_for_nothing_are_judged_all_the_same(provider: LoopbackProvider) -> None:
    found = run(replace(SHORT, behind=None), 1, "kalibr", "uniform", provider.base_url)
    assert found.judged["judged"] >= 15


def test_an_interrupt_keeps_the_runs_that_are_done() -> None:
    def interrupt() -> None:
        raise KeyboardInterrupt

    found = benchmark(replace(SHORT, calls=100), range(3), on_run=interrupt)
    assert found.stopped
    assert [(run.seed, run.sampling) for run in found.runs] == [(0, "informative")]


@pytest.mark.parametrize(("alone", "counts"), [(True, (1.75, 1.25)), (False, (2.75, 1.25))])
def test_thompson_counts_scores(alone: bool, counts: tuple[float, float]) -> None:
    policy = ScoreThompson(["a"], random.Random(0), alone=alone)
    policy.update("a", Evidence(EvidenceKind.QUALITY, 1.0, 0.0))
    policy.update("a", Evidence(EvidenceKind.SCORE, 0.75, 0.25))
    state = policy.state()
    assert isinstance(state, dict)
    assert state["arms"] == {"a": [*counts]}
