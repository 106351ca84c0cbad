"""Gate 2 at work: scores come in the background, and nothing that goes wrong there harms a call."""

from __future__ import annotations

import asyncio
import logging
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path as FilePath
from typing import Any

import pytest

from kalibr_bench.provider import DEFAULT_MODELS, Fault, LoopbackProvider
from kalibr_core import ConfigError, Judge, Router
from kalibr_core.testing import FirstArm

KEY = "sk-secret-12345678"
MESSAGES = [{"role": "user", "content": "Name the capital of France."}]
GOOD = '{"reason": "clear", "score": 0.75}'


@pytest.fixture
def provider() -> Iterator[LoopbackProvider]:
    served = [replace(model, quality=1.0) for model in DEFAULT_MODELS]
    with LoopbackProvider(served) as running:
        yield running


def make(provider: LoopbackProvider, judge: Any, **options: Any) -> Router:
    settings: dict[str, Any] = {
        "goal": "test",
        "paths": ["gpt-4o", "gpt-4o-mini"],
        "ledger": "memory",
        "policy": FirstArm(),
        "base_url": provider.base_url,
        "api_key": KEY,
        **options,
    }
    return Router(**settings, judge=judge)


def scores(router: Router) -> list[Any]:
    return [e for _, e in router._learner.ledger.entries() if e.kind in ("judge", "score")]


def judges(router: Router) -> list[Any]:
    """The servers and keys of the models that judge."""
    assert router._judging is not None
    models: Any = router._judging._asked
    return [endpoint for _, endpoint in models._judges]


def until(done: Callable[[], object], seconds: float = 10.0) -> None:
    ends = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < ends, "it has not come to pass"
        time.sleep(0.01)


def settled(router: Router, count: int) -> dict[str, int]:
    until(lambda: sum(router.judgements.values()) >= count)
    return dict(router.judgements)


def test_a_judges_score_becomes_evidence_of_the_path_that_answered(
    provider: LoopbackProvider,
) -> None:
    provider.script("deepseek-chat", [GOOD])
    router = make(provider, Judge(rate=1.0))
    answer = router.completion(MESSAGES)
    assert settled(router, 1) == {"judged": 1}
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


async def late(request: str, output: str) -> float:
    await asyncio.sleep(0.01)
    return 0.25


class Slow:
    """A judge that waits until it is let go."""

    def __init__(self) -> None:
        self.go = threading.Event()
        self.asked = threading.Event()

    def __call__(self, request: str, output: str) -> float:
        self.asked.set()
        self.go.wait(20)
        return 0.5


def fails(request: str, output: str) -> float:
    raise RuntimeError("no")


def test_an_async_judge_is_awaited(provider: LoopbackProvider) -> None:
    router = make(provider, late)
    router.completion(MESSAGES)
    settled(router, 1)
    assert [entry.reward for entry in scores(router)] == [0.25]


@pytest.mark.parametrize(
    ("judge", "counted"),
    [
        (fails, "failed"),
        (lambda request, output: "8/10", "unreadable"),
        (lambda request, output: 7, "unreadable"),
        (lambda request, output: float("nan"), "unreadable"),
        (lambda request, output: None, "unreadable"),
        (lambda request: 1.0, "failed"),
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
    raised = {fails: "the judge failed (RuntimeError);"}.get(judge, "the judge ")
    assert raised in told
    assert "(no)" not in told


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


def test_no_judge_scores_what_its_own_model_has_made(provider: LoopbackProvider) -> None:
    provider.script("gpt-4o-mini", [GOOD])
    router = make(provider, Judge(model=["gpt-4o", "gpt-4o-mini"], rate=1.0))
    router.completion(MESSAGES)
    settled(router, 1)
    assert scores(router)[0].data["judge"] == "gpt-4o-mini"


def test_a_refused_answer_is_not_judged(provider: LoopbackProvider) -> None:
    provider.fault(None, Fault(kind="empty_content"))
    router = make(provider, lambda request, output: 1.0, on_exhausted="best")
    router.completion(MESSAGES)
    time.sleep(0.05)
    assert router.judgements == {}


def test_closing_waits_for_what_is_under_way(provider: LoopbackProvider) -> None:
    router = make(provider, late)
    for _ in range(5):
        router.completion(MESSAGES)
    ledger = router._learner.ledger
    router.close()
    assert len([e for _, e in ledger.entries() if e.kind == "judge"]) == 5


def test_closing_does_not_wait_for_ever(provider: LoopbackProvider) -> None:
    slow = Slow()
    router = make(provider, Judge(model=slow, rate=1.0, drain_s=0.2, concurrency=1))
    for _ in range(3):
        router.completion(MESSAGES)
    until(slow.asked.is_set)
    started = time.monotonic()
    router.close()
    assert time.monotonic() - started < 3.0
    assert router.judgements["left"] == 2
    slow.go.set()
    assert settled(router, 3) == {"left": 3}, "what comes after the close is written nowhere"


def test_the_end_of_a_program_waits_within_its_deadline(
    provider: LoopbackProvider, tmp_path: FilePath
) -> None:
    code = f"""
import time
from kalibr_core import Judge, Router
def judge(request, output):
    time.sleep(0.2)
    return 0.5
router = Router("g", paths=["gpt-4o"], base_url={provider.base_url!r}, api_key={KEY!r},
                ledger={str(tmp_path / "k.db")!r}, judge=Judge(model=judge, rate=1.0))
for _ in range(3):
    router.completion([{{"role": "user", "content": "Name the capital of France."}}])
"""
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
    router = make(provider, None, goal="g", paths=["gpt-4o"], ledger=tmp_path / "k.db")
    assert len(scores(router)) == 3


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_a_forked_child_judges_its_own(provider: LoopbackProvider, tmp_path: FilePath) -> None:
    router = make(provider, lambda request, output: 0.5, ledger=tmp_path / "k.db")
    router.completion(MESSAGES)
    settled(router, 1)
    child = os.fork()
    if child == 0:
        threading.Timer(20.0, os._exit, [1]).start()
        router.completion(MESSAGES)
        router.close()
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert len(scores(router)) == 2


def test_score_when_replaces_the_judge(provider: LoopbackProvider) -> None:
    router = make(provider, fails, score_when=lambda text: 0.9)
    router.completion(MESSAGES)
    assert [entry.reward for entry in scores(router)] == [0.9]
    assert router.judgements == {}


def test_only_the_judges_goals_are_judged(provider: LoopbackProvider) -> None:
    judge = Judge(model=lambda request, output: 1.0, rate=1.0, goals=["research"])
    assert make(provider, judge)._judging is None
    assert make(provider, judge, goal="research")._judging is not None


ON_PREMISES = {"model": "deepseek-r1", "base_url": "http://10.0.0.5:8000/v1"}
OWN_KEY = {"model": "deepseek-chat", "api_key": "sk-of-this-path"}


@pytest.mark.parametrize(
    ("goal", "paths", "judged"),
    [
        ("research", ["gpt-4o", "deepseek-coder"], True),
        ("outreach_generation", ["deepseek-coder"], True),
        ("research", [OWN_KEY], True),
        ("research", ["gpt-4o"], False),
        ("research", [ON_PREMISES], False),
        ("support", ["deepseek-coder"], False),
    ],
)
def test_by_default_nobody_gets_to_see_prompts_who_does_not_anyway(
    goal: str, paths: list[Any], judged: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DEEPSEEK_API_KEY", KEY)
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    router = Router(goal, paths=paths, ledger="memory")
    assert (router._judging is not None) is judged
    assert Router(goal, paths=paths, ledger="memory", judge=None)._judging is None


@pytest.mark.parametrize("judge", [7, "gpt-4o", Judge, {"model": "gpt-4o"}])
def test_what_is_no_judge_is_told(judge: Any, provider: LoopbackProvider) -> None:
    with pytest.raises(ConfigError, match="judge"):
        make(provider, judge)


def test_a_judge_without_a_key_is_told_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    with pytest.raises(ConfigError, match="DEEPSEEK_API_KEY"):
        Router("g", paths=["gpt-4o"], ledger="memory", judge=Judge())


def test_the_routers_key_goes_to_no_judge_of_another_server(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("DEEPSEEK_API_KEY", "sk-the-judges-own")
    router = Router("g", paths=["gpt-4o"], api_key=KEY, ledger="memory", judge=Judge())
    assert [endpoint.api_key for endpoint in judges(router)] == ["sk-the-judges-own"]


def test_the_routers_key_goes_to_no_server_that_the_judge_names_itself(
    provider: LoopbackProvider,
) -> None:
    judge = Judge(model={"model": "m", "base_url": "http://other.example/v1"})
    (endpoint,) = judges(make(provider, judge))
    assert (endpoint.base_url, endpoint.api_key) == ("http://other.example/v1", "none")


def test_a_gateways_key_is_the_judges_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KALIBR_BASE_URL", "http://gateway.example/v1")
    router = Router("g", paths=["gpt-4o"], api_key=KEY, ledger="memory", judge=Judge())
    assert [(e.base_url, e.api_key) for e in judges(router)] == [("http://gateway.example/v1", KEY)]


def test_the_default_judge_has_the_key_of_the_path_that_it_is_there_for() -> None:
    router = Router("research", paths=[OWN_KEY], ledger="memory")
    assert [endpoint.api_key for endpoint in judges(router)] == ["sk-of-this-path"]


def test_no_key_is_shown() -> None:
    import pickle

    judge = Judge(model=[{"model": "x", "api_key": KEY, "base_url": "http://x.example"}])
    assert KEY not in repr(judge) + str(pickle.dumps(judge))
    with pytest.raises(ConfigError) as caught:
        Router("g", paths=["ollama/a"], ledger="memory", judge={"model": "x", "api_key": KEY})  # type: ignore[arg-type]
    assert KEY not in str(caught.value)


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


def test_a_budget_holds_for_judgements_at_once(provider: LoopbackProvider) -> None:
    provider.script("deepseek-chat", [GOOD] * 20)
    judge = Judge(rate=1.0, daily_budget_usd=1e-6, concurrency=8)
    router = make(provider, judge)
    for _ in range(9):
        router.completion(MESSAGES)
    counts = settled(router, 9)
    assert counts == {"budget": 9}, "not one of them fits"


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


def test_a_model_judges_at_the_end_of_a_short_program(
    provider: LoopbackProvider, tmp_path: FilePath
) -> None:
    provider.script("deepseek-chat", [GOOD] * 3)
    code = f"""
from kalibr_core import Judge, Router
router = Router("g", paths=["gpt-4o"], base_url={provider.base_url!r}, api_key={KEY!r},
                ledger={str(tmp_path / "k.db")!r}, judge=Judge(rate=1.0))
for _ in range(3):
    router.completion([{{"role": "user", "content": "Name the capital of France."}}])
"""
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
    router = make(provider, None, goal="g", paths=["gpt-4o"], ledger=tmp_path / "k.db")
    assert len(scores(router)) == 3


def test_many_routers_end_within_one_deadline(provider: LoopbackProvider) -> None:
    code = f"""
import time
from kalibr_core import Judge, Router
def judge(request, output):
    time.sleep(60)
for n in range(10):
    router = Router(f"g{{n}}", paths=["gpt-4o"], base_url={provider.base_url!r}, api_key={KEY!r},
                    ledger="memory", judge=Judge(model=judge, rate=1.0, drain_s=1.0))
    router.completion([{{"role": "user", "content": "Name the capital of France."}}])
    globals()[f"r{{n}}"] = router
print(time.monotonic(), flush=True)
"""
    done = subprocess.run(
        [sys.executable, "-c", code], check=True, timeout=60, capture_output=True, text=True
    )
    assert time.monotonic() - float(done.stdout) < 6.0, "ten deadlines of 1 s would be 10"


def test_a_refused_answer_with_text_is_not_judged(provider: LoopbackProvider) -> None:
    provider.fault(None, Fault(kind="refusal"))
    router = make(provider, lambda request, output: 1.0, on_exhausted="best")
    assert router.completion(MESSAGES).choices[0].message.content
    router.close()
    assert router.judgements == {}


async def test_aclose_waits_without_holding_the_loop(provider: LoopbackProvider) -> None:
    async def slow(request: str, output: str) -> float:
        await asyncio.sleep(0.3)
        return 0.5

    router = make(provider, slow)
    for _ in range(3):
        await router.acompletion(MESSAGES)
    ticks = 0

    async def tick() -> None:
        nonlocal ticks
        while True:
            await asyncio.sleep(0.001)
            ticks += 1

    task = asyncio.create_task(tick())
    await router.aclose()
    task.cancel()
    assert router.judgements == {"judged": 3}
    assert ticks > 2


def test_a_model_that_thinks_first_is_sent_neither_limit_nor_temperature(
    provider: LoopbackProvider,
) -> None:
    from kalibr_core.judges import Budget, Models, judges_of

    judge = Judge(model={"model": "o3", "api_key": KEY})
    (path, endpoint) = judges_of(judge, {}, base_url=None)[0]
    sent: list[Any] = []

    class Client:
        def post(self, *args: Any, body: Any, **kwargs: Any) -> Any:
            sent.append(body)
            raise OSError

    models = Models(judge, [(path, endpoint)], Budget(None, time.time))
    models._clients[path.id] = Client()
    with pytest.raises(OSError):
        models.judged("a", "b", "gpt-4o")
    assert not {"temperature", "max_tokens", "max_completion_tokens"} & sent[0].keys()


def test_a_provider_is_told_from_the_models_name(provider: LoopbackProvider) -> None:
    from kalibr_core.judges import _bare

    assert _bare("openai/gpt-4o") == _bare("gpt-4o")


def test_a_judge_that_is_left_may_have_cost_what_it_would(provider: LoopbackProvider) -> None:
    """Providers bill requests whose client has gone."""
    provider.fault("deepseek-chat", Fault(kind="hang"))
    judge = Judge(rate=1.0, timeout_s=0.2, daily_budget_usd=2e-4, concurrency=1)
    router = make(provider, judge)
    for _ in range(4):
        router.completion(MESSAGES)
    counts = settled(router, 4)
    assert counts["budget"] >= 2


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_a_lock_that_the_parent_held_holds_up_no_child(provider: LoopbackProvider) -> None:
    router = make(provider, lambda request, output: 0.5)
    assert router._judging is not None
    with router._judging._lock, router._judging._sampler._lock:
        child = os.fork()
        if child == 0:
            threading.Timer(20.0, os._exit, [1]).start()
            router.completion(MESSAGES)
            router.close()
            os._exit(0 if router.judgements == {"judged": 1} else 2)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


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


def test_an_answer_after_the_close_is_left(provider: LoopbackProvider) -> None:
    router = make(provider, lambda request, output: 0.5)
    stream = router.stream(MESSAGES)
    next(stream)
    router.close()
    for _ in stream:
        pass
    assert router.judgements == {"left": 1}


def test_a_budget_that_cannot_be_kept_is_told(
    provider: LoopbackProvider, caplog: pytest.LogCaptureFixture
) -> None:
    unpriced = {"model": "nobody-7b", "base_url": provider.base_url}
    with caplog.at_level(logging.WARNING, "kalibr"):
        make(provider, Judge(model=unpriced))
        make(provider, Judge(model=unpriced, daily_budget_usd=None))
        make(provider, Judge())
    assert [
        record.message for record in caplog.records if "daily_budget_usd" in record.message
    ] == [
        "kalibr: goal 'test': a judge's price is unknown, so that its daily_budget_usd cannot be "
        "kept; declare input_usd_per_mtok and output_usd_per_mtok"
    ]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_a_budget_that_the_parent_held_holds_up_no_child(provider: LoopbackProvider) -> None:
    provider.script("deepseek-chat", [GOOD] * 2)
    router = make(provider, Judge(rate=1.0))
    assert router._judging is not None
    models: Any = router._judging._asked
    with models._budget._lock:
        child = os.fork()
        if child == 0:
            threading.Timer(20.0, os._exit, [1]).start()
            router.completion(MESSAGES)
            router.close()
            os._exit(0 if router.judgements == {"judged": 1} else 2)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
