"""A chat model's answer, whole or in chunks -> the view of it that the gates judge."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.outputs import ChatGenerationChunk, ChatResult
from langchain_core.outputs.chat_generation import merge_chat_generation_chunks

from kalibr_core.answers import MOST_TOKENS
from kalibr_core.errors import BadResponse
from kalibr_core.types import Output, ToolCall, Usage

FINISH = ("finish_reason", "stop_reason", "stopReason", "done_reason")
"""Under which name the provider tells how an answer ended."""
MODEL = ("model_name", "model", "model_id", "modelVersion")
REASONING = frozenset({"thinking", "reasoning", "reasoning_content", "redacted_thinking"})
"""Types of content parts that hold a model's thoughts."""


def read_result(result: ChatResult) -> Output:
    """The answer's first generation.

    Raises:
        BadResponse: there is none, or it is no answer of an assistant.
    """
    if not result.generations:
        raise BadResponse("the model's result has no generations")
    generation = result.generations[0]
    return read_message(
        generation.message,
        {**(result.llm_output or {}), **(generation.generation_info or {})},
    )


def read_chunks(chunks: Sequence[ChatGenerationChunk]) -> Output:
    """A whole stream, joined.

    Raises:
        BadResponse: no chunk came.
    """
    whole = joined(chunks)
    return read_message(whole.message, whole.generation_info or {})


def joined(chunks: Sequence[ChatGenerationChunk]) -> ChatGenerationChunk:
    """A whole stream as one chunk.

    Raises:
        BadResponse: no chunk came.
    """
    whole = merge_chat_generation_chunks(list(chunks))
    if whole is None:
        raise BadResponse("the stream held no answer")
    return whole


def read_message(message: BaseMessage, said: Mapping[str, Any]) -> Output:
    """One message, and what the model told beside it."""
    if not isinstance(message, AIMessage):
        raise BadResponse(f"the model answered with a {type(message).__name__}")
    told = {**said, **message.response_metadata}
    return Output(
        text=text_of(message),
        tool_calls=_tool_calls(message),
        finish_reason=_finish_of(told),
        refusal=_refusal(message),
        usage=read_usage(message.usage_metadata),
        model=_first(told, MODEL),
    )


def text_of(message: BaseMessage) -> str:
    content = message.content
    return content if isinstance(content, str) else str(message.text)


def read_usage(usage: Mapping[str, Any] | None) -> Usage | None:
    """LangChain's token counts; None where they are missing or no numbers."""
    if not isinstance(usage, Mapping):
        return None
    given, made = _count(usage, "input_tokens"), _count(usage, "output_tokens")
    if given is None or made is None:
        return None
    return Usage(
        input_tokens=given,
        output_tokens=made,
        cached_input_tokens=_count(usage.get("input_token_details"), "cache_read"),
        reasoning_tokens=_count(usage.get("output_token_details"), "reasoning"),
    )


def opens(chunk: ChatGenerationChunk) -> bool:
    """Does a chunk hold content? A role alone, a usage or an end does not count."""
    message = chunk.message
    if isinstance(message.content, str):
        if message.content:
            return True
    elif any(map(_shows, message.content)):
        return True
    return bool(
        getattr(message, "tool_call_chunks", None)
        or message.additional_kwargs.get("refusal")
        or message.additional_kwargs.get("reasoning_content")
    )


def finishes(chunk: ChatGenerationChunk) -> bool:
    """Does a chunk tell how the answer ended?"""
    told = (chunk.generation_info or {}, chunk.message.response_metadata)
    return any(place.get(name) for place in told for name in (*FINISH, "status"))


def reasons(chunk: ChatGenerationChunk) -> bool:
    """Does a chunk hold a model's thoughts?"""
    content = chunk.message.content
    if isinstance(content, str):
        return bool(chunk.message.additional_kwargs.get("reasoning_content"))
    return any(isinstance(part, dict) and part.get("type") in REASONING for part in content)


def _finish_of(told: Mapping[str, Any]) -> str | None:
    """How the answer ended; OpenAI's Responses tell a status, and what is missing beside it."""
    found = _first(told, FINISH)
    if found is not None or told.get("status") != "incomplete":
        return found
    details = told.get("incomplete_details")
    reason = details.get("reason") if isinstance(details, Mapping) else None
    return reason if isinstance(reason, str) else "incomplete"


def _shows(part: object) -> bool:
    if isinstance(part, str):
        return bool(part)
    if not isinstance(part, Mapping):
        return False
    if part.get("type") == "text":
        return bool(part.get("text"))
    return bool(part.get("type"))


def _tool_calls(message: AIMessage) -> tuple[ToolCall, ...]:
    """All calls; the ones whose arguments are no JSON stand apart in LangChain's messages."""
    good = (
        ToolCall(id=call["id"], name=call["name"], arguments=_json(call["args"]))
        for call in message.tool_calls
    )
    bad = (
        ToolCall(id=call["id"], name=call["name"] or "", arguments=call["args"] or "")
        for call in message.invalid_tool_calls
    )
    return (*good, *bad)


def _json(arguments: object) -> str:
    try:
        return json.dumps(arguments)
    except (TypeError, ValueError):
        return str(arguments)  # no JSON, and the gate will say so


def _refusal(message: AIMessage) -> str | None:
    told = message.additional_kwargs.get("refusal")
    if isinstance(told, str) and told:
        return told
    for held in message.content if isinstance(message.content, list) else ():
        part: object = held
        if isinstance(part, Mapping) and part.get("type") == "non_standard":
            part = part.get("value")  # how LangChain's own form of content holds it
        if isinstance(part, Mapping) and part.get("type") == "refusal":
            return str(part.get("refusal") or "refused")
    return None


def _first(told: Mapping[str, Any], names: Sequence[str]) -> str | None:
    return next((told[name] for name in names if isinstance(told.get(name), str)), None)


def _count(holder: object, name: str) -> int | None:
    value = holder.get(name) if isinstance(holder, Mapping) else None
    known = isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= MOST_TOKENS
    return value if known else None
