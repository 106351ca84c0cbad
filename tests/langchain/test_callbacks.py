"""What callbacks see: one start, one end or error, tokens once, failed attempts as events."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Any

import pytest
from langchain_core.callbacks import (
    AsyncCallbackHandler,
    BaseCallbackHandler,
    get_usage_metadata_callback,
)
from langchain_core.messages import AIMessage
from langchain_core.outputs import LLMResult
from langchain_core.runnables import RunnableLambda
from langchain_core.tracers.base import BaseTracer

from kalibr_bench.provider import Fault, LoopbackProvider
from kalibr_langchain import ATTEMPT_FAILED, ChatKalibr

from .ways import QUESTION, WAYS, ask, first_arm, record

FIRST, SECOND = "gpt-4o", "gpt-4o-mini"
every_way = pytest.mark.parametrize("way", WAYS)


class Seen(BaseCallbackHandler):
    """Counts what it is told."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.events: list[Any] = []
        self.tokens: list[str] = []
        self.results: list[LLMResult] = []
        self.run_ids: set[Any] = set()

    def on_chat_model_start(self, *args: Any, **kwargs: Any) -> None:
        self.counts["start"] += 1
        self.run_ids.add(kwargs["run_id"])

    def on_llm_new_token(self, token: Any, **kwargs: Any) -> None:
        self.tokens.append(token)

    def on_llm_end(self, response: LLMResult, **kwargs: Any) -> None:
        self.counts["end"] += 1
        self.results.append(response)

    def on_llm_error(self, error: BaseException, **kwargs: Any) -> None:
        self.counts["error"] += 1

    def on_custom_event(self, name: str, data: Any, *, run_id: Any, **kwargs: Any) -> None:
        self.events.append((name, data))
        self.run_ids.add(run_id)


class AsyncSeen(AsyncCallbackHandler):
    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.events: list[Any] = []

    async def on_chat_model_start(self, *args: Any, **kwargs: Any) -> None:
        self.counts["start"] += 1

    async def on_llm_end(self, response: LLMResult, **kwargs: Any) -> None:
        self.counts["end"] += 1

    async def on_custom_event(self, name: str, data: Any, **kwargs: Any) -> None:
        self.events.append((name, data))


def make(server: LoopbackProvider, **options: Any) -> ChatKalibr:
    return first_arm(FIRST, SECOND, base_url=server.base_url, api_key="k-12345678", **options)


@every_way
def test_a_call_that_failed_over_has_one_start_and_one_end(
    way: str, server: LoopbackProvider
) -> None:
    server.fault(FIRST, Fault(kind="server_error"))
    seen = Seen()
    answer = ask(make(server), way, config={"callbacks": [seen]})
    assert record(answer)["path"] == SECOND
    assert dict(seen.counts) == {"start": 1, "end": 1}
    assert len(seen.run_ids) == 1, "the event belongs to the same run"
    generation = seen.results[0].generations[0][0]
    assert isinstance(generation.message, AIMessage)  # type: ignore[union-attr]
    assert generation.message.response_metadata["kalibr"] == record(answer)  # type: ignore[union-attr]


@every_way
def test_an_attempt_that_failed_is_a_custom_event(way: str, server: LoopbackProvider) -> None:
    server.fault(FIRST, Fault(kind="server_error"))
    seen = Seen()
    answer = ask(make(server), way, config={"callbacks": [seen]})
    ((name, data),) = seen.events
    assert name == ATTEMPT_FAILED
    assert data["decision_id"] == record(answer)["decision_id"]
    assert (data["path"], data["failure"], data["status"]) == (FIRST, "server_error", 500)


@every_way
def test_a_call_that_failed_everywhere_has_one_start_and_one_error(
    way: str, server: LoopbackProvider
) -> None:
    for model in (FIRST, SECOND):
        server.fault(model, Fault(kind="unauthorized"))
    seen = Seen()
    with pytest.raises(Exception):  # noqa: B017  # which one is another test's
        ask(make(server), way, config={"callbacks": [seen]})
    assert dict(seen.counts) == {"start": 1, "error": 1}
    assert [data["path"] for _, data in seen.events] == [FIRST, SECOND]


async def test_async_handlers_are_told_the_same(server: LoopbackProvider) -> None:
    server.fault(FIRST, Fault(kind="server_error"))
    seen = AsyncSeen()
    await make(server).ainvoke(QUESTION, config={"callbacks": [seen]})
    assert dict(seen.counts) == {"start": 1, "end": 1}
    assert len(seen.events) == 1


@pytest.mark.parametrize("way", ["stream", "astream"])
def test_each_token_is_told_once(way: str, server: LoopbackProvider) -> None:
    seen = Seen()
    answer = ask(make(server), way, config={"callbacks": [seen]})
    assert "".join(map(str, seen.tokens)) == answer.content
    assert len(seen.tokens) > 5, "token by token"


def test_invoke_under_a_streaming_consumer_tells_each_token_once(server: LoopbackProvider) -> None:
    """A chain's `stream` makes its model stream, also where the chain calls `invoke`."""
    server.fault(FIRST, Fault(kind="server_error"))
    seen = Seen()
    chain = RunnableLambda(lambda question: make(server, streaming=True).invoke(question))
    answer = chain.invoke(QUESTION, config={"callbacks": [seen]})
    assert "".join(map(str, seen.tokens)) == answer.content
    assert dict(seen.counts) == {"start": 1, "end": 1}
    assert [name for name, _ in seen.events] == [ATTEMPT_FAILED]


async def test_event_streams_show_one_model_run_and_the_failed_attempt(
    server: LoopbackProvider,
) -> None:
    server.fault(FIRST, Fault(kind="server_error"))
    events = [event async for event in make(server).astream_events(QUESTION, version="v2")]
    names = Counter(event["event"] for event in events)
    assert names["on_chat_model_start"] == names["on_chat_model_end"] == 1
    assert names["on_chat_model_stream"] > 5
    custom = [event for event in events if event["event"] == "on_custom_event"]
    assert [event["name"] for event in custom] == [ATTEMPT_FAILED]


@pytest.mark.filterwarnings("ignore:.*beta")
async def test_the_third_event_stream_gives_text_and_message(server: LoopbackProvider) -> None:
    server.fault(FIRST, Fault(kind="server_error"))
    seen = Seen()
    stream = await make(server).astream_events(QUESTION, version="v3", config={"callbacks": [seen]})
    text = "".join([part async for part in stream.text])
    message = await stream.output
    await asyncio.gather(*(asyncio.all_tasks() - {asyncio.current_task()}))  # its end is told
    assert text == message.text
    assert message.response_metadata["kalibr"]["path"] == SECOND
    assert dict(seen.counts) == {"start": 1, "end": 1}
    assert len(seen.events) == 1


@every_way
def test_usage_is_counted_once_and_by_the_model_that_answered(
    way: str, server: LoopbackProvider
) -> None:
    server.fault(FIRST, Fault(kind="empty_content"))  # billed, and refused by gate 1
    model = make(server, stream_mode="hold")
    with get_usage_metadata_callback() as counted:
        answer = ask(model, way)
    assert list(counted.usage_metadata) == ["gpt-4o-mini-2024-07-18"]
    told = counted.usage_metadata["gpt-4o-mini-2024-07-18"]
    assert told["output_tokens"] == answer.usage_metadata["output_tokens"]
    first, second = record(answer)["attempts"]
    assert record(answer)["input_tokens"] == first["input_tokens"] + second["input_tokens"]
    assert record(answer)["cost_usd"] == pytest.approx(first["cost_usd"] + second["cost_usd"])


class Tracer(BaseTracer):
    """A tracer as LangSmith's is, that keeps its runs."""

    def __init__(self) -> None:
        super().__init__()
        self.runs: list[Any] = []

    def _persist_run(self, run: Any) -> None:
        self.runs.append(run)


@every_way
def test_a_tracers_run_holds_the_path_and_the_failures(way: str, server: LoopbackProvider) -> None:
    server.fault(FIRST, Fault(kind="server_error"))
    tracer = Tracer()
    answer = ask(make(server), way, config={"callbacks": [tracer]})
    (run,) = tracer.runs
    told = run.extra["metadata"]
    assert told["kalibr_decision_id"] == record(answer)["decision_id"]
    assert told["kalibr_path"] == SECOND
    assert told["kalibr_failures"] == [f"{FIRST}: server_error"]
    assert told["ls_model_name"] == "gpt-4o-mini-2024-07-18"


def test_no_key_is_in_what_tracers_get(server: LoopbackProvider) -> None:
    tracer = Tracer()
    ask(make(server), "invoke", config={"callbacks": [tracer]})
    assert "k-12345678" not in repr(tracer.runs[0].__dict__)


def test_a_handler_that_raises_breaks_no_call(server: LoopbackProvider) -> None:
    class Broken(BaseCallbackHandler):
        def on_custom_event(self, *args: Any, **kwargs: Any) -> None:
            raise RuntimeError("broken")

    server.fault(FIRST, Fault(kind="server_error"))
    answer = ask(make(server), "invoke", config={"callbacks": [Broken()]})
    assert record(answer)["path"] == SECOND


def test_langchains_own_fallbacks_start_twice_for_comparison(server: LoopbackProvider) -> None:
    """What the one start and one end are measured by: two starts and an error."""
    from langchain_openai import ChatOpenAI

    def model(name: str) -> ChatOpenAI:
        return ChatOpenAI(model=name, base_url=server.base_url, api_key="k", max_retries=0)  # type: ignore[arg-type]

    server.fault(FIRST, Fault(kind="server_error"))
    seen = Seen()
    both = model(FIRST).with_fallbacks([model(SECOND)])
    asyncio.run(both.ainvoke(QUESTION, config={"callbacks": [seen]}))
    assert dict(seen.counts) == {"start": 2, "error": 1, "end": 1}
