"""Calls and streams through the core's drivers: live, left, cancelled, many at once."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import openai
import pytest
from langchain_core.exceptions import ModelTimeoutError
from langchain_core.language_models import FakeListChatModel
from langchain_core.messages import AIMessage
from pydantic import BaseModel

from kalibr_bench.provider import Fault, LoopbackProvider
from kalibr_core import (
    AllPathsFailed,
)
from kalibr_langchain import ChatKalibr

from .ways import QUESTION, WAYS, ask, first_arm, record

FIRST, SECOND = "gpt-4o", "gpt-4o-mini"
KEY = "sk-of-the-test-123456"
every_way = pytest.mark.parametrize("way", WAYS)


def make(server: LoopbackProvider, *paths: Any, **options: Any) -> ChatKalibr:
    options = {"base_url": server.base_url, "api_key": KEY, **options}
    return first_arm(*(paths or (FIRST, SECOND)), **options)


class Slow(FakeListChatModel):
    """A model that makes its last token only when its first has been read."""

    seen: Any = None

    def _stream(self, *args: Any, **kwargs: Any) -> Iterator[Any]:
        for number, chunk in enumerate(super()._stream(*args, **kwargs)):
            if number == 1:
                assert self.seen.wait(timeout=10), "the first token has not left"
            yield chunk


def test_the_first_token_leaves_before_the_last_is_made() -> None:
    seen = threading.Event()
    model = first_arm({"model": Slow(responses=["Paris is it."], seen=seen), "name": "slow"})
    text = ""
    for chunk in model.stream(QUESTION):
        text += str(chunk.content)
        seen.set()
    assert text == "Paris is it."


async def test_cancelling_a_stream_closes_the_connection_and_charges_nobody(
    server: LoopbackProvider,
) -> None:
    server.fault(FIRST, Fault(kind="stall", after_tokens=3))
    model = make(server)
    started = asyncio.Event()

    async def read() -> None:
        async for _ in model.astream(QUESTION):
            started.set()

    task = asyncio.create_task(read())
    await asyncio.wait_for(started.wait(), 10)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    for _ in range(200):
        if server.stats(KEY)[FIRST].closed_early:
            break
        await asyncio.sleep(0.02)
    assert server.stats(KEY)[FIRST].closed_early == 1
    server.clear_faults()
    await model.ainvoke(QUESTION)
    booked = [entry.reward for _, entry in model.core._learner.ledger.entries()]
    assert booked == [None, 1.0]


def test_leaving_a_stream_closes_the_connection_and_charges_nobody(
    server: LoopbackProvider,
) -> None:
    server.fault(FIRST, Fault(kind="stall", after_tokens=3))
    model = make(server)
    stream = model.stream(QUESTION)
    while not next(stream).content:
        pass
    stream.close()  # type: ignore[attr-defined]  # it is a generator
    for _ in range(200):
        if server.stats(KEY)[FIRST].closed_early:
            break
        time.sleep(0.02)
    assert server.stats(KEY)[FIRST].closed_early == 1
    entries = [entry for _, entry in model.core._learner.ledger.entries()]
    assert model.core.unwritten == 0
    assert all(entry.reward is None for entry in entries)


@every_way
def test_when_all_hang_the_error_is_a_timeout_with_all_attempts(
    way: str, server: LoopbackProvider
) -> None:
    server.fault(None, Fault(kind="hang"))
    with pytest.raises(AllPathsFailed) as caught:
        ask(make(server, timeout_s=0.3), way)
    assert isinstance(caught.value, openai.APITimeoutError | ModelTimeoutError)
    assert [outcome.path_id for outcome in caught.value.outcomes] == [FIRST, SECOND]
    assert caught.value.kalibr is not None
    assert caught.value.__cause__ is caught.value.errors[0]


async def test_two_hundred_calls_at_once_are_not_mixed_up(server: LoopbackProvider) -> None:
    model = make(server, goal="crowd", stream_mode="hold")
    names = [f"person{n}" for n in range(200)]
    server.fault(FIRST, Fault(kind="server_error", rate=0.3))

    async def one(name: str) -> tuple[str, AIMessage]:
        return name, await model.ainvoke(f"Extract the email of {name}@example.com.")

    for name, answer in await asyncio.gather(*map(one, names)):
        assert name in str(answer.content)
        assert record(answer)["attempts"][-1]["path"] == record(answer)["path"]
    assert model.core.unwritten == 0
    stats = server.stats(KEY)
    sent = stats[FIRST].requests + stats[SECOND].requests
    booked = [e for _, e in model.core._learner.ledger.entries() if e.kind == "attempt"]
    assert len(booked) == sent >= 200


def test_sixteen_threads_on_one_model_are_not_mixed_up(server: LoopbackProvider) -> None:
    model = make(server, goal="crowd")

    def work(thread: int) -> list[tuple[str, Any, str]]:
        found = []
        for n in range(10):
            name, way = f"person{thread}x{n}", WAYS[n % 4]
            question = f"Extract the email of {name}@example.com."
            answer = ask(model, way, question)
            found.append((name, answer.content, record(answer)["decision_id"]))
        return found

    with ThreadPoolExecutor(16) as pool:
        results = [one for many in pool.map(work, range(16)) for one in many]
    assert all(name in str(text) for name, text, _ in results)
    assert len({decision for *_, decision in results}) == 160


class Person(BaseModel):
    """A person."""

    name: str
    age: int


def test_a_live_structured_stream_grows(server: LoopbackProvider) -> None:
    schema = {**Person.model_json_schema(), "title": "Person"}
    grown = list(
        make(server, stream_mode="live").with_structured_output(schema).stream("Anna is 32.")
    )
    assert len(grown) > 1
    assert set(grown[-1]) == {"name", "age"}
