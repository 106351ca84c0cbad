"""Judges that are models, and judges that are functions."""

from __future__ import annotations

import asyncio
import contextvars
import json
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path as FilePath
from typing import Any

import pytest

from kalibr_bench.provider import DEFAULT_MODELS, LoopbackProvider
from kalibr_core import Judge, Router

from .judged import GOOD, MESSAGES, late, make, scores, settled


@pytest.fixture
def provider() -> Iterator[LoopbackProvider]:
    served = [replace(model, quality=1.0) for model in DEFAULT_MODELS]
    with LoopbackProvider(served) as running:
        yield running


def test_no_judge_scores_what_its_own_model_has_made(provider: LoopbackProvider) -> None:
    provider.script("gpt-4o-mini", [GOOD])
    router = make(provider, Judge(model=["gpt-4o", "gpt-4o-mini"], rate=1.0))
    router.completion(MESSAGES)
    settled(router, 1)
    assert scores(router)[0].data["judge"] == "gpt-4o-mini"


def test_a_provider_is_told_from_the_models_name(provider: LoopbackProvider) -> None:
    from kalibr_core.judges import _bare

    assert _bare("openai/gpt-4o") == _bare("gpt-4o")


def test_an_async_judge_is_awaited(provider: LoopbackProvider) -> None:
    router = make(provider, late)
    router.completion(MESSAGES)
    settled(router, 1)
    assert [entry.reward for entry in scores(router)] == [0.25]


def test_an_async_judge_may_keep_a_client_and_is_ended(provider: LoopbackProvider) -> None:
    loops: list[Any] = []

    async def judge(request: str, output: str) -> float:
        loops.append(asyncio.get_running_loop())
        await asyncio.sleep(60 if len(loops) == 3 else 0)
        return 0.5

    router = make(provider, Judge(model=judge, timeout_s=1.0, concurrency=1))
    for _ in range(3):
        router.completion(MESSAGES)
    assert settled(router, 3) == {"judged": 2, "failed": 1}
    assert len(set(map(id, loops))) == 1


TALK = [
    {"role": "system", "content": "Be kind."},
    {"role": "user", "content": "Tell of Paris."},
    {"role": "assistant", "content": "It is large."},
    {"role": "user", "content": "Shorter, please."},
]


def test_a_judge_is_shown_what_was_said_before(provider: LoopbackProvider) -> None:
    provider.script("deepseek-chat", [GOOD])
    router = make(provider, Judge(rate=1.0))
    router.completion(TALK)
    settled(router, 1)
    (sent,) = provider.requests("deepseek-chat")
    assert sent.body is not None
    work = json.loads(sent.body["messages"][1]["content"])
    assert list(work) == ["conversation", "request", "output"]
    assert (work["conversation"], work["request"]) == (TALK[:3], "Shorter, please.")


def test_a_function_that_asks_for_it_gets_the_conversation(provider: LoopbackProvider) -> None:
    seen: list[Any] = []

    def judge(request: str, output: str, *, conversation: list[dict[str, str]]) -> float:
        seen.extend(conversation)
        return 0.5

    router = make(provider, judge)
    router.completion(TALK)
    assert settled(router, 1) == {"judged": 1}
    assert seen == TALK[:3]


def test_half_a_character_keeps_no_answer_from_being_judged(provider: LoopbackProvider) -> None:
    provider.script("deepseek-chat", [GOOD])
    router = make(provider, Judge(rate=1.0, rubric="half \ud800"))
    router.completion([{"role": "user", "content": "Name the capital of France. \udc00"}])
    assert settled(router, 1) == {"judged": 1}


def test_the_record_names_the_function(provider: LoopbackProvider) -> None:
    def strict(request: str, output: str) -> float:
        return 0.5

    router = make(provider, strict)
    router.completion(MESSAGES)
    settled(router, 1)
    assert scores(router)[0].data["judge"] == "strict"


def test_a_judges_calls_on_a_thread_that_takes_its_context_are_not_judged(
    provider: LoopbackProvider,
) -> None:
    held: list[Router] = []

    def judge(request: str, output: str) -> float:
        asks = contextvars.copy_context().run
        thread = threading.Thread(target=asks, args=(held[0].completion, MESSAGES))
        thread.start()
        thread.join()
        return 0.5

    router = make(provider, judge)
    held.append(router)
    router.completion(MESSAGES)
    settled(router, 1)
    router.close()
    assert router.judgements == {"judged": 1}


def test_answers_from_before_count_where_no_score_has_come(
    provider: LoopbackProvider, tmp_path: FilePath
) -> None:
    """So that short processes do not each ask a judge anew that cannot be read."""
    judge = Judge(model=lambda request, output: "8/10", rate=0.1)
    options = {"ledger": tmp_path / "k.db", "policy": None, "paths": ["gpt-4o"]}
    with make(provider, judge, **options) as router:
        for _ in range(5):
            router.completion(MESSAGES)
    with make(provider, judge, seed=0, **options) as router:
        router.completion(MESSAGES)
    assert router.judgements == {}
