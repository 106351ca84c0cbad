"""Gate 2 at work: scores come in the background, and nothing that goes wrong there harms a call."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from kalibr_bench.provider import DEFAULT_MODELS, Fault, LoopbackProvider
from kalibr_core import Judge, Router

from .judged import GOOD, MESSAGES, Slow, make, scores, settled, until


@pytest.fixture
def provider() -> Iterator[LoopbackProvider]:
    served = [replace(model, quality=1.0) for model in DEFAULT_MODELS]
    with LoopbackProvider(served) as running:
        yield running


def test_a_judges_score_becomes_evidence_of_the_path_that_answered(
    provider: LoopbackProvider,
) -> None:
    provider.script("deepseek-chat", [GOOD])
    router = make(provider, Judge(rate=1.0))
    answer = router.completion(MESSAGES)
    assert settled(router, 1) == {"judged": 1}
    assert router._judging is not None
    assert router._judging._sampler._has_score
    (entry,) = scores(router)
    decision = answer.kalibr  # type: ignore[attr-defined]
    assert (entry.decision_id, entry.path_id) == (decision.id, "gpt-4o")
    assert (entry.reward, entry.data["judge"]) == (0.75, "deepseek-chat")
    assert entry.data["cost_usd"] > 0
    assert "0.75" in str(router.explain(decision.id))


def test_the_judge_sees_the_request_and_the_output_and_the_ledger_none_of_it(
    provider: LoopbackProvider,
) -> None:
    provider.script("deepseek-chat", [GOOD])
    router = make(provider, Judge(rate=1.0))
    text = router.completion(MESSAGES).choices[0].message.content
    settled(router, 1)
    (sent,) = provider.requests("deepseek-chat")
    assert sent.body is not None
    assert "capital of France" in sent.body["messages"][1]["content"]
    assert str(text)[:20] in sent.body["messages"][1]["content"]
    kept = repr([entry for _, entry in router._learner.ledger.entries()])
    assert "France" not in kept
    assert "clear" not in kept


@pytest.mark.parametrize("way", ["completion", "acompletion", "stream", "astream"])
def test_every_way_to_call_is_judged(way: str, provider: LoopbackProvider) -> None:
    router = make(provider, lambda request, output: 0.5)

    async def call() -> None:
        if way == "acompletion":
            await router.acompletion(MESSAGES)
        else:
            async for _ in router.astream(MESSAGES):
                pass

    for _ in range(3):
        if way.startswith("a"):
            asyncio.run(call())
        elif way == "stream":
            list(router.stream(MESSAGES))
        else:
            router.completion(MESSAGES)
    assert settled(router, 3) == {"judged": 3}
    assert [entry.reward for entry in scores(router)] == [0.5] * 3


def fails(request: str, output: str) -> float:
    raise RuntimeError("no")


@pytest.mark.parametrize(
    ("judge", "counted"),
    [
        (fails, "failed"),
        (lambda request, output: "8/10", "unreadable"),
        (lambda request, output: 7, "unreadable"),
        (lambda request, output: float("nan"), "unreadable"),
        (lambda request, output: None, "unreadable"),
    ],
)
def test_a_function_that_goes_wrong_is_no_evidence_and_counted(
    judge: Any, counted: str, provider: LoopbackProvider, caplog: pytest.LogCaptureFixture
) -> None:
    router = make(provider, judge)
    with caplog.at_level(logging.WARNING, "kalibr"):
        for _ in range(3):
            router.completion(MESSAGES)
        assert settled(router, 3) == {counted: 3}
    assert scores(router) == []
    (told,) = [r.message for r in caplog.records if "not judged" in r.message]
    line = fails.__code__.co_firstlineno + 1
    raised = {fails: f"the judge failed (RuntimeError at {__file__}:{line});"}
    assert raised.get(judge, "no score in [0, 1] (got ") in told
    assert "(no)" not in told
    assert "8/10" not in told, "a text may be anybody's"


@pytest.mark.parametrize(
    ("said", "counted"),
    [
        ("8/10", "unreadable"),
        ('{"score": "8/10"}', "unreadable"),
        ('{"score": 7}', "unreadable"),
        ('{"score": NaN}', "unreadable"),
        ("", "unreadable"),
        (Fault(kind="server_error", times=1), "failed"),
        (Fault(kind="rate_limit", times=1), "failed"),
        (Fault(kind="reset", times=1), "failed"),
    ],
)
def test_a_model_that_goes_wrong_is_no_evidence_and_counted(
    said: Any, counted: str, provider: LoopbackProvider
) -> None:
    if isinstance(said, Fault):
        provider.fault("deepseek-chat", said)
    else:
        provider.script("deepseek-chat", [said])
    router = make(provider, Judge(rate=1.0))
    router.completion(MESSAGES)
    assert settled(router, 1) == {counted: 1}
    assert scores(router) == []
    assert len(provider.requests("deepseek-chat")) <= 1, "a judgement is not retried"


def test_a_judge_that_always_goes_wrong_is_asked_no_more_than_another(
    provider: LoopbackProvider,
) -> None:
    provider.fault("deepseek-chat", Fault(kind="empty_content"))
    router = make(provider, Judge(rate=0.2, queue=1000), seed=7)
    for _ in range(120):
        router.completion(MESSAGES)
    router.close()
    assert router.judgements["unreadable"] < 40


def test_a_judge_that_hangs_is_ended_and_holds_up_nobody(provider: LoopbackProvider) -> None:
    provider.fault("deepseek-chat", Fault(kind="hang"))
    router = make(provider, Judge(rate=1.0, timeout_s=0.3, concurrency=1))
    started = time.monotonic()
    for _ in range(3):
        router.completion(MESSAGES)
    assert time.monotonic() - started < 5.0
    assert settled(router, 3) == {"failed": 3}


def test_a_full_queue_takes_no_more_and_counts(provider: LoopbackProvider) -> None:
    slow = Slow()
    router = make(provider, Judge(model=slow, rate=1.0, queue=2, concurrency=1))
    router.completion(MESSAGES)
    for _ in range(5):
        router.completion(MESSAGES)
    assert router.judgements == {"full": 3}
    slow.go.set()
    assert settled(router, 6) == {"full": 3, "judged": 3}


def test_a_refused_answer_is_not_judged(provider: LoopbackProvider) -> None:
    provider.fault(None, Fault(kind="empty_content"))
    router = make(provider, lambda request, output: 1.0, on_exhausted="best")
    router.completion(MESSAGES)
    time.sleep(0.05)
    assert router.judgements == {}


class Leaves:
    """A judge that ends its thread, as it believes."""

    def __init__(self, error: BaseException) -> None:
        self.error = error

    def __call__(self, request: str, output: str) -> float:
        raise self.error


@pytest.mark.parametrize("error", [SystemExit(1), KeyboardInterrupt(), GeneratorExit()])
def test_whatever_a_judge_raises_the_next_answer_is_judged(
    error: BaseException, provider: LoopbackProvider
) -> None:
    router = make(provider, Judge(model=Leaves(error), concurrency=1))
    for count in range(1, 4):
        router.completion(MESSAGES)
        assert settled(router, count) == {"failed": count}


def test_where_no_thread_can_be_had_the_call_goes_on(
    provider: LoopbackProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    router = make(provider, lambda request, output: 0.5)
    router.completion(MESSAGES)
    settled(router, 1)
    other = make(provider, lambda request, output: 0.5)

    def start(self: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", start)
        assert other.completion(MESSAGES).choices
    assert other.judgements == {"failed": 1}
    other.completion(MESSAGES)
    assert settled(other, 2) == {"failed": 1, "judged": 1}


def test_a_function_is_told_what_number_it_gave(
    provider: LoopbackProvider, caplog: pytest.LogCaptureFixture
) -> None:
    router = make(provider, lambda request, output: 7)
    with caplog.at_level(logging.WARNING, "kalibr"):
        router.completion(MESSAGES)
        assert settled(router, 1) == {"unreadable": 1}
        until(lambda: "(got 7)" in caplog.text)


def test_at_debug_all_the_places_of_an_error_are_told(
    provider: LoopbackProvider, caplog: pytest.LogCaptureFixture
) -> None:
    router = make(provider, lambda request, output: fails(request, output))
    with caplog.at_level(logging.DEBUG, "kalibr"):
        router.completion(MESSAGES)
        settled(router, 1)
    (told,) = [r.message for r in caplog.records if "a judge raised" in r.message]
    assert told.count(__file__) == 2
    assert "judges.py" in told


def test_a_judges_own_calls_of_the_router_are_not_judged(provider: LoopbackProvider) -> None:
    held: list[Router] = []

    def judge(request: str, output: str) -> float:
        held[0].completion(MESSAGES)
        return 0.5

    router = make(provider, judge)
    held.append(router)
    router.completion(MESSAGES)
    settled(router, 1)
    time.sleep(0.1)
    assert router.judgements == {"judged": 1}


def test_what_the_user_reports_counts_beside_the_judges_score(provider: LoopbackProvider) -> None:
    router = make(provider, lambda request, output: 1.0)
    decision = router.completion(MESSAGES).kalibr  # type: ignore[attr-defined]
    settled(router, 1)
    assert router.report(decision.id, score=0.0)
    assert [entry.reward for entry in scores(router)] == [1.0, 0.0]


def test_a_refused_answer_with_text_is_not_judged(provider: LoopbackProvider) -> None:
    provider.fault(None, Fault(kind="refusal"))
    router = make(provider, lambda request, output: 1.0, on_exhausted="best")
    assert router.completion(MESSAGES).choices[0].message.content
    router.close()
    assert router.judgements == {}


def test_a_logging_handler_that_raises_ends_no_worker(provider: LoopbackProvider) -> None:
    class Raises(logging.Filter):
        def filter(self, record: logging.LogRecord) -> bool:
            raise OSError("no")

    log, refuses = logging.getLogger("kalibr"), Raises()
    log.addFilter(refuses)
    try:
        router = make(provider, Judge(model=fails, concurrency=1))
        for _ in range(3):
            router.completion(MESSAGES)
        until(lambda: router.judgements.get("failed") == 3)
        assert scores(router) == []
        until(lambda: router._judging is not None and router._judging.under_way == 0)
    finally:
        log.removeFilter(refuses)
