"""A day's budget holds, whatever judges do."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from kalibr_bench.provider import DEFAULT_MODELS, Fault, LoopbackProvider
from kalibr_core import Judge
from kalibr_core.budget import DAY_S, Budget

from .judged import GOOD, MESSAGES, make, settled


@pytest.fixture
def provider() -> Iterator[LoopbackProvider]:
    served = [replace(model, quality=1.0) for model in DEFAULT_MODELS]
    with LoopbackProvider(served) as running:
        yield running


def test_a_budget_that_is_used_up_lasts_until_the_next_day(provider: LoopbackProvider) -> None:
    provider.script("deepseek-chat", [GOOD] * 10)
    today = [1_000_000.0]
    judge = Judge(rate=1.0, daily_budget_usd=2e-4, concurrency=1)
    router = make(provider, judge, wall=lambda: today[0])
    for count in range(1, 4):
        router.completion(MESSAGES)
        settled(router, count)
    before = dict(router.judgements)
    assert before["judged"] >= 1
    assert before["budget"] >= 1
    today[0] += 86_400
    router.completion(MESSAGES)
    assert settled(router, 4)["judged"] == before["judged"] + 1


def test_a_budget_holds_for_judgements_at_once(provider: LoopbackProvider) -> None:
    provider.script("deepseek-chat", [GOOD] * 20)
    judge = Judge(rate=1.0, daily_budget_usd=1e-6, concurrency=8)
    router = make(provider, judge)
    for _ in range(9):
        router.completion(MESSAGES)
    counts = settled(router, 9)
    assert counts == {"budget": 9}, "not one of them fits"


def test_a_judge_that_is_left_may_have_cost_what_it_would(provider: LoopbackProvider) -> None:
    """Providers bill requests whose client has gone."""
    provider.fault("deepseek-chat", Fault(kind="hang"))
    judge = Judge(rate=1.0, timeout_s=0.2, daily_budget_usd=2e-4, concurrency=1)
    router = make(provider, judge)
    for _ in range(4):
        router.completion(MESSAGES)
    counts = settled(router, 4)
    assert counts["budget"] >= 2


def test_what_was_set_aside_before_midnight_is_settled_on_its_own_day() -> None:
    now = [0.0]
    budget = Budget(1.0, lambda: now[0])
    late = budget.reserve(0.9)
    assert late is not None
    now[0] += DAY_S
    assert budget.reserve(0.9) is not None
    budget.settle(late, 0.0)
    assert budget.reserve(0.9) is None, "the new day has its own 0.9"
    assert budget.reserve(0.1) is not None


def test_a_clock_that_steps_around_midnight_begins_no_day_anew() -> None:
    now = [10 * DAY_S]
    budget = Budget(1.0, lambda: now[0])
    assert budget.reserve(0.9) is not None
    now[0] -= 1.0
    assert budget.reserve(0.9) is None
    now[0] += 2.0
    assert budget.reserve(0.9) is None
