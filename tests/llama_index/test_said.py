"""What a person said, and an answer's text, whatever form they come in."""

from __future__ import annotations

from typing import Any

import pytest
from llama_index.core.base.llms.types import (
    ChatMessage,
    ChatResponse,
    CompletionResponse,
    ImageBlock,
    MessageRole,
    TextBlock,
)
from llama_index.core.base.response.schema import (
    AsyncStreamingResponse,
    PydanticResponse,
    Response,
    StreamingResponse,
)
from llama_index.core.chat_engine.types import AgentChatResponse, StreamingAgentChatResponse
from llama_index.core.schema import QueryBundle
from llama_index.core.workflow import StartEvent, StopEvent
from pydantic import BaseModel

from kalibr_llama_index.said import Said, is_stream, said_in, tells_its_end, text_in

USER = ChatMessage(role="user", content="hello")
TOOL = ChatMessage(role="tool", content="42")


class Ask(StartEvent):
    topic: str


class Draft(BaseModel):
    answer: str
    pages: int = 1


class Written(StopEvent):
    answer: str


@pytest.mark.parametrize(
    "arguments",
    [
        {"message": "hello"},
        {"message": "hello", "chat_history": [ChatMessage(role="user", content="before")]},
        {"user_msg": USER},
        {"user_msg": None, "chat_history": [TOOL, USER]},
        {"str_or_query_bundle": QueryBundle("hello", custom_embedding_strs=["other"])},
        {"query": "hello", "nodes": []},
        {"messages": [ChatMessage(role="system", content="be kind"), USER]},
        {"messages": (USER,)},
        {"input": {"question": "hello"}},
        {"input": [TextBlock(text="hello")]},
        {"kwargs": {"user_msg": "hello"}},
        {"whatever": "hello", "number": 3},
        {"user_msg": ChatMessage(role="user", blocks=[TextBlock(text="hello")])},
        {"start_event": StartEvent(user_msg="hello")},  # type: ignore[call-arg]
        {"start_event": StartEvent(query="hello", depth=2)},  # type: ignore[call-arg]
        {"start_event": Ask(topic="hello"), "init_state": object(), "tags": {"message": "no"}},
    ],
)
def test_what_a_person_said_is_found(arguments: dict[str, Any]) -> None:
    assert said_in(arguments) == Said("hello")


@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"one": "a", "other": "b"},
        {"number": 3},
        {"texts": ("a", "b")},
        {"messages": [USER, ChatMessage(role="assistant", content="hi")]},
        {"messages": [USER, TOOL]},
        {"messages": []},
        {"message": ChatMessage(role="system", content="be kind")},
        {"start_event": StartEvent()},
        {"start_event": None},
    ],
)
def test_where_nobody_has_said_anything_nothing_is_found(arguments: dict[str, Any]) -> None:
    assert said_in(arguments) is None


@pytest.mark.parametrize(("name", "value"), [("id", "m-1"), ("message_id", "m-1")])
def test_a_messages_own_id_is_kept(name: str, value: object) -> None:
    message = ChatMessage(role="user", content="hello", additional_kwargs={name: value})
    assert said_in({"message": message}) == Said("hello", "m-1")


def test_a_picture_alone_is_a_message_without_text() -> None:
    message = ChatMessage(role="user", blocks=[ImageBlock(image=b"x", image_mimetype="image/png")])
    assert said_in({"message": message}) == Said("")


@pytest.mark.parametrize(
    "result",
    [
        "hi",
        Response("hi"),
        PydanticResponse(Draft(answer="hi")),
        AgentChatResponse(response="hi"),
        StreamingResponse(None, response_txt="hi"),  # type: ignore[arg-type]
        ChatResponse(message=ChatMessage(role=MessageRole.ASSISTANT, content="hi")),
        CompletionResponse(text="hi"),
        ChatMessage(role="assistant", content="hi"),
        StopEvent(result="hi"),
        StopEvent(result=Response("hi")),
        Written(answer="hi"),
        Draft(answer="hi"),
        {"answer": "hi", "sources": []},
        StopEvent(result={"response": ChatMessage(role="assistant", content="hi")}),
    ],
)
def test_an_answers_text_is_found(result: object) -> None:
    assert text_in(result) == "hi"
    assert not is_stream(result)


@pytest.mark.parametrize("result", [None, 3, [], object(), Response(None), StopEvent(), {"a": "b"}])
def test_an_answer_without_text_has_none(result: object) -> None:
    assert text_in(result) == ""


def test_an_answer_that_holds_itself_ends() -> None:
    held: dict[str, Any] = {}
    held["response"] = held
    assert text_in(held) == ""


def test_streams_are_told_apart_by_who_tells_their_end() -> None:
    async def tokens() -> Any:
        yield "hi"

    whole = [StreamingResponse(iter("hi")), AsyncStreamingResponse(tokens())]  # type: ignore[arg-type]
    assert all(is_stream(one) and tells_its_end(one) for one in whole)
    for writes in (True, False):
        chat = StreamingAgentChatResponse(is_writing_to_memory=writes)
        assert is_stream(chat)
        assert tells_its_end(chat) is writes
    plain = (token for token in "hi")
    assert is_stream(plain)
    assert not tells_its_end(plain)
