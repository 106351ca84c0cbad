"""Which conversation a call belongs to, by LlamaIndex's instrumentation tags."""

from __future__ import annotations

import asyncio
import gc
from typing import Any
from uuid import UUID

import pytest
from llama_index.core.agent.workflow import FunctionAgent
from llama_index.core.chat_engine.types import BaseChatEngine
from llama_index.core.llms import ChatMessage, MockLLM
from llama_index.core.memory import ChatMemoryBuffer, Memory, SimpleComposableMemory
from llama_index.core.workflow import Context, StartEvent
from llama_index_instrumentation.dispatcher import instrument_tags

from kalibr_core import ConfigError
from kalibr_llama_index.session import (
    Sessions,
    at_once,
    session_in,
    session_of_memory,
    session_of_tags,
)

NAMES = ["session_id", "thread_id", "conversation_id"]
ID = UUID("12345678-1234-5678-1234-567812345678")


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    ("value", "session"), [("alice", "alice"), (7, "7"), (0, "0"), (ID, str(ID))]
)
def test_each_name_may_name_it(name: str, value: Any, session: str) -> None:
    assert session_in({name: value}) == session


@pytest.mark.parametrize(
    "tags",
    [
        {},
        None,
        {"session_id": None},
        {"session_id": ""},
        {"session_id": True},
        {"session_id": False},
        {"session_id": ["alice"]},
        {"session_id": {"id": "alice"}},
        {"session_id": 1.5},
        {"user": "alice"},
        {"SESSION_ID": "alice"},
    ],
)
def test_a_call_may_belong_to_none(tags: Any) -> None:
    assert session_in(tags) is None


@pytest.mark.parametrize(
    "tags",
    [
        {"session_id": "a", "thread_id": "b", "conversation_id": "c"},
        {"conversation_id": "c", "thread_id": "a"},
        {"session_id": None, "thread_id": "a"},
        {"session_id": ["b"], "conversation_id": "a"},
    ],
)
def test_the_narrower_name_wins(tags: dict[str, Any]) -> None:
    assert session_in(tags) == "a"


def test_tags_name_it_only_while_they_are_set() -> None:
    assert session_of_tags() is None
    with instrument_tags({"session_id": "alice"}):
        assert session_of_tags() == "alice"
        with instrument_tags({"session_id": "bob"}):
            assert session_of_tags() == "bob"
        assert session_of_tags() == "alice"
    assert session_of_tags() is None


async def test_each_task_has_its_own() -> None:
    async def call(name: str) -> str | None:
        with instrument_tags({"session_id": name}):
            await asyncio.sleep(0)
            return session_of_tags()

    assert await asyncio.gather(*map(call, "abc")) == ["a", "b", "c"]


# By the objects that a conversation is led with.


class Engine(BaseChatEngine):
    """A chat engine that has this memory."""

    def __init__(self, memory: Any = None) -> None:
        self._memory = memory

    def reset(self) -> None: ...

    def chat(self, message: str, chat_history: Any = None) -> Any: ...

    def stream_chat(self, message: str, chat_history: Any = None) -> Any: ...

    async def achat(self, message: str, chat_history: Any = None) -> Any: ...

    async def astream_chat(self, message: str, chat_history: Any = None) -> Any: ...

    @property
    def chat_history(self) -> list[ChatMessage]:
        return []


def buffer(key: str | None = None) -> ChatMemoryBuffer:
    return ChatMemoryBuffer.from_defaults(**({} if key is None else {"chat_store_key": key}))


def test_a_memory_names_its_conversation() -> None:
    assert session_of_memory(Memory.from_defaults(session_id="alice")) == "alice"
    assert session_of_memory(buffer("alice")) == "alice"
    composed = SimpleComposableMemory.from_defaults(primary_memory=buffer("alice"))
    assert session_of_memory(composed) == "alice"


@pytest.mark.parametrize("memory", [None, buffer(), "alice", object()])
def test_a_memory_with_the_default_key_names_none(memory: object) -> None:
    assert session_of_memory(memory) is None


def test_what_is_said_with_a_call_goes_before_the_memory() -> None:
    sessions, engine = Sessions(), Engine(buffer("memory"))
    assert sessions.of_call({}, engine, {"session_id": "tags"}) == "tags"
    assert sessions.of_call({"kwargs": {"session_id": "call"}}, None, {}) == "call"
    assert sessions.of_call({"memory": buffer("given")}, engine, {}) == "given"
    event = StartEvent(memory=buffer("event"))  # type: ignore[call-arg]
    assert sessions.of_call({"start_event": event}, object(), {}) == "event"
    assert sessions.of_call({}, engine, {}) == "memory"
    assert sessions.of_call({"message": "hi"}, object(), {}) is None
    with instrument_tags({"session_id": "active"}):  # a workflow's span comes without its tags
        assert sessions.of_call({}, engine, None) == "active"


def test_a_chat_engine_whose_memory_tells_none_has_a_conversation_of_its_own() -> None:
    sessions = Sessions()
    one, other = Engine(buffer()), Engine(buffer())
    first = sessions.of_call({}, one, {})
    assert first
    assert sessions.of_call({"chat_history": None}, one, {}) == first
    assert sessions.of_call({}, other, {}) not in (None, first)


def test_an_id_is_not_given_again_when_an_engines_address_is() -> None:
    sessions = Sessions()
    assert len({sessions.of_engine(Engine()) for _ in range(100)}) == 100
    gc.collect()
    assert len(sessions._own) == 0


@pytest.mark.parametrize("history", [[], [ChatMessage(role="user", content="hi")]])
def test_an_engine_that_is_handed_its_history_may_serve_many(history: Any) -> None:
    sessions, engine = Sessions(), Engine(buffer("memory"))
    assert sessions.of_call({"chat_history": history}, engine, {}) is None
    assert sessions.of_call({"chat_history": history}, engine, {"session_id": "a"}) == "a"


async def test_a_context_keeps_its_conversation_also_when_it_is_written_down() -> None:
    agent = FunctionAgent(llm=MockLLM())
    sessions, context = Sessions(), Context(agent)
    found = sessions.of_context(context)
    assert found
    assert sessions.of_context(context) == found
    assert sessions.named(context) == found
    restored = Context.from_dict(agent, context.to_dict())
    assert Sessions().of_context(restored) == found
    assert sessions.of_context(Context(agent)) != found


async def test_a_contexts_memory_names_its_conversation() -> None:
    context = Context(FunctionAgent(llm=MockLLM()))
    await context.store.set("memory", Memory.from_defaults(session_id="alice"))
    assert Sessions().of_context(context) == "alice"


async def test_a_coroutine_that_waits_tells_nothing() -> None:
    ended = []

    async def waits() -> str:
        try:
            await asyncio.sleep(0)
        finally:
            ended.append(True)
        return "late"

    async def fails() -> str:
        raise LookupError

    async def tells() -> str:
        return "now"

    assert at_once(waits()) is None
    assert ended
    assert at_once(fails()) is None
    assert at_once(tells()) == "now"


def test_a_user_may_name_a_conversation_by_what_it_is_led_with() -> None:
    sessions = Sessions()
    assert sessions.named("alice") == "alice"
    assert sessions.named(7) == "7"
    assert sessions.named(buffer("alice")) == "alice"
    engine = Engine()
    assert sessions.named(engine) == sessions.of_call({}, engine, {})


@pytest.mark.parametrize("what", [None, "", object(), buffer(), True])
def test_what_names_no_conversation_is_refused(what: object) -> None:
    with pytest.raises(ConfigError, match="names no conversation"):
        Sessions().named(what)


async def test_a_context_that_has_had_no_answer_is_refused() -> None:
    with pytest.raises(ConfigError, match="this Context has no conversation yet"):
        Sessions().named(Context(FunctionAgent(llm=MockLLM())))
