"""What is under way at the end of a program is waited for, within a deadline; forks begin anew."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path as FilePath
from typing import Any

import pytest

from kalibr_bench.provider import DEFAULT_MODELS, LoopbackProvider
from kalibr_core import Judge, Router, RouterClosed

from .judged import GOOD, KEY, MESSAGES, Slow, late, make, scores, settled, until


@pytest.fixture
def provider() -> Iterator[LoopbackProvider]:
    served = [replace(model, quality=1.0) for model in DEFAULT_MODELS]
    with LoopbackProvider(served) as running:
        yield running


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
    assert router.judgements == {"left": 3}, "what is under way is left too"
    slow.go.set()
    time.sleep(0.05)
    assert router.judgements == {"left": 3}, "what comes after the close is written nowhere"


@pytest.mark.parametrize("closes", ["close", "aclose"])
def test_a_judge_may_call_its_own_router_while_it_closes(
    closes: str, provider: LoopbackProvider
) -> None:
    held: list[Router] = []
    closing = threading.Event()

    def judge(request: str, output: str) -> float:
        closing.wait(10.0)
        until(lambda: held[0].is_closed)
        return 1.0 if held[0].completion(MESSAGES).choices else 0.0

    router = make(provider, judge)
    held.append(router)
    router.completion(MESSAGES)
    closing.set()
    if closes == "close":
        router.close()
    else:
        asyncio.run(router.aclose())
    assert router.judgements == {"judged": 1}
    with pytest.raises(RouterClosed):
        router.completion(MESSAGES)


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


def test_an_answer_after_the_close_is_left(provider: LoopbackProvider) -> None:
    router = make(provider, lambda request, output: 0.5)
    stream = router.stream(MESSAGES)
    next(stream)
    router.close()
    for _ in stream:
        pass
    assert router.judgements == {"left": 1}


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


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_a_lock_that_the_parent_held_holds_up_no_child(provider: LoopbackProvider) -> None:
    router = make(provider, lambda request, output: 0.5)
    assert router._judging is not None
    with router._judging._lock, router._judging._workers._lock, router._judging._sampler._lock:
        child = os.fork()
        if child == 0:
            threading.Timer(20.0, os._exit, [1]).start()
            router.completion(MESSAGES)
            router.close()
            os._exit(0 if router.judgements == {"judged": 1} else 2)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


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
