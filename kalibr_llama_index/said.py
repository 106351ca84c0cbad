"""What a person said to a query engine, chat engine, agent or LLM, and the answer's text."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Generator, Mapping, Sequence
from typing import Any, NamedTuple

from llama_index.core.base.llms.types import (
    ChatMessage,
    ChatResponse,
    CompletionResponse,
    MessageRole,
    TextBlock,
)
from llama_index.core.base.response.schema import AsyncStreamingResponse, StreamingResponse
from llama_index.core.bridge.pydantic import BaseModel
from llama_index.core.chat_engine.types import StreamingAgentChatResponse
from llama_index.core.schema import QueryBundle
from llama_index.core.workflow import StartEvent, StopEvent

NAMES = (
    "user_msg",
    "message",
    "user_message",
    "str_or_query_bundle",
    "query",
    "query_bundle",
    "query_str",
    "question",
    "user_input",
    "input",
    "prompt",
    "text",
    "messages",
    "chat_history",
)
"""What arguments that hold it are called, the surest first."""
ANSWERS = ("response", "response_txt", "answer", "output", "result", "text", "content", "message")
"""What an answer's text is called where the class is not LlamaIndex's."""
IDS = ("id", "message_id")
"""In a `ChatMessage`'s `additional_kwargs`."""
DEPTH = 3
"""Answers within answers: a stop event's result's message."""


class Said(NamedTuple):
    """What a person said."""

    text: str
    message_id: str | None = None
    """The message's own; None: it has none."""


def said_in(arguments: Mapping[str, Any]) -> Said | None:
    """What a person said, in a method's arguments; None: nothing that is known as such."""
    event = arguments.get("start_event")
    if isinstance(event, StartEvent):
        return _said_among(_fields(event))
    inner = arguments.get("kwargs")
    return _said_among({**(inner if isinstance(inner, Mapping) else {}), **arguments})


def _said_among(found: Mapping[str, Any]) -> Said | None:
    for name in NAMES:
        said = _said(found.get(name))
        if said is not None:
            return said
    texts = [value for value in found.values() if isinstance(value, str)]
    return Said(texts[0]) if len(texts) == 1 else None


def _said(value: object) -> Said | None:
    if isinstance(value, str):
        return Said(value)
    if isinstance(value, QueryBundle):
        return Said(value.query_str)
    if isinstance(value, ChatMessage):
        return _of_message(value) if value.role == MessageRole.USER else None
    if isinstance(value, Mapping):
        return _said_among(value)
    if isinstance(value, Sequence) and value:
        if all(isinstance(block, TextBlock) for block in value):
            return Said("\n".join(block.text for block in value))
        # a conversation that a tool's result or an answer ends is one that goes on by itself
        return _said(value[-1]) if isinstance(value[-1], ChatMessage) else None
    return None


def _of_message(message: ChatMessage) -> Said:
    told = next((held for name in IDS if (held := message.additional_kwargs.get(name))), None)
    return Said(message.content or "", None if told is None else str(told))


def _fields(event: StartEvent) -> dict[str, Any]:
    own = {name: getattr(event, name, None) for name in type(event).model_fields}
    return {**own, **dict(event.items())}


def is_stream(result: object) -> bool:
    """Is its text yet to come?"""
    if isinstance(result, StreamingResponse | AsyncStreamingResponse):
        return result.response_gen is not None
    return isinstance(result, StreamingAgentChatResponse | Generator | AsyncGenerator)


def tells_its_end(result: object) -> bool:
    """Will a stream's whole text be told by the stream itself? Else the LLM's answer is it."""
    if isinstance(result, StreamingAgentChatResponse):
        return result.is_writing_to_memory
    return isinstance(result, StreamingResponse | AsyncStreamingResponse)


def text_in(result: object, *, depth: int = DEPTH) -> str:
    """An answer's text; "" where there is none to be found."""
    if isinstance(result, str):
        return result
    if depth == 0 or result is None:
        return ""
    if isinstance(result, StopEvent):
        return text_in(result.result, depth=depth - 1) or _text_of(_fields_of(result), depth)
    if isinstance(result, ChatResponse):
        return result.message.content or ""
    if isinstance(result, CompletionResponse):
        return result.text
    if isinstance(result, ChatMessage):
        return result.content or ""
    return _text_of(result if isinstance(result, Mapping) else _fields_of(result), depth)


def _text_of(found: Mapping[str, Any], depth: int) -> str:
    for name in ANSWERS:
        if text := text_in(found.get(name), depth=depth - 1):
            return text
    return ""


def _fields_of(result: object) -> Mapping[str, Any]:
    if isinstance(result, BaseModel):
        return {name: getattr(result, name, None) for name in ANSWERS}
    return getattr(result, "__dict__", {})
