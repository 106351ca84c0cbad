"""One attempt on one path, by the chat model's inner methods.

They are called so that callbacks, caches and tracing see the routed call once and no call of a path
beside it.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterable, Generator
from contextlib import aclosing
from typing import Any

from langchain_core.messages import AIMessage, AIMessageChunk
from langchain_core.outputs import ChatGenerationChunk, ChatResult

from kalibr_core.adapter import attempts
from kalibr_core.errors import BadResponse
from kalibr_core.time_limit import TimeLimit
from kalibr_core.types import Attempt

from .asked import Asked
from .chat import Chat
from .reading import finishes, opens, reasons

READS = attempts.Reads(finishes=finishes, opens=opens, reasons=reasons)


def generate(chat: Chat, asked: Asked, attempt: Attempt) -> ChatResult:
    """One blocking call; errors as `attempts.whole`'s."""
    messages, arguments = asked.on(chat)
    return attempts.whole(
        chat,
        attempt,
        lambda limit: asked.model_of(chat, chat.blocking)._generate(
            messages, **_timed(chat, arguments, limit)
        ),
    )


async def agenerate(chat: Chat, asked: Asked, attempt: Attempt) -> ChatResult:
    """`generate`, awaited."""
    messages, arguments = asked.on(chat)
    return await attempts.awhole(
        chat,
        attempt,
        lambda limit: asked.model_of(chat, chat.in_loop)._agenerate(
            messages, **_timed(chat, arguments, limit)
        ),
    )


def stream(
    chat: Chat, asked: Asked, attempt: Attempt
) -> Generator[ChatGenerationChunk, None, None]:
    """One streamed call; errors as `attempts.stream`'s."""
    if not chat.streams:
        yield as_chunk(generate(chat, asked, attempt))
        return
    messages, arguments = asked.on(chat)
    yield from attempts.stream(
        chat,
        attempt,
        lambda limit: asked.model_of(chat, chat.blocking)._stream(
            messages, **_timed(chat, arguments, limit)
        ),
        READS,
    )


async def astream(
    chat: Chat, asked: Asked, attempt: Attempt
) -> AsyncGenerator[ChatGenerationChunk, None]:
    """`stream`, awaited."""
    if not chat.astreams:
        yield as_chunk(await agenerate(chat, asked, attempt))
        return
    messages, arguments = asked.on(chat)

    async def opened(limit: TimeLimit) -> AsyncIterable[ChatGenerationChunk]:
        model = asked.model_of(chat, chat.in_loop)
        return model._astream(messages, **_timed(chat, arguments, limit))

    async with aclosing(attempts.astream(chat, attempt, opened, READS)) as chunks:
        async for chunk in chunks:
            yield chunk


def as_chunk(result: ChatResult) -> ChatGenerationChunk:
    """A whole answer as a stream of one chunk."""
    if not result.generations:
        raise BadResponse("the model's result has no generations")
    generation = result.generations[0]
    message = generation.message
    if not isinstance(message, AIMessage):
        raise BadResponse(f"the model answered with a {type(message).__name__}")
    return ChatGenerationChunk(
        message=AIMessageChunk(
            content=message.content,
            additional_kwargs=message.additional_kwargs,
            response_metadata={**(result.llm_output or {}), **message.response_metadata},
            usage_metadata=message.usage_metadata,
            tool_calls=message.tool_calls,
            invalid_tool_calls=message.invalid_tool_calls,
            id=message.id,
        ),
        generation_info=generation.generation_info,
    )


def _timed(chat: Chat, arguments: dict[str, Any], limit: TimeLimit) -> dict[str, Any]:
    """The arguments, with a time-out where the connections are the user's own and keep no limit."""
    if chat.is_limited or not chat.is_openai:
        return arguments
    return {**arguments, "timeout": attempts.time_left_s(limit)}
