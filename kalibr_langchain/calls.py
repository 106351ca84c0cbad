"""One attempt on one path: the model's own methods, under the attempt's limits.

The models' inner methods are called, so that callbacks, caches and tracing see the routed call once
and no call of a path beside it.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from contextlib import aclosing, closing
from typing import Any, TypeVar

from langchain_core.exceptions import ModelRateLimitError
from langchain_core.messages import AIMessage, AIMessageChunk
from langchain_core.outputs import ChatGenerationChunk, ChatResult
from langchain_core.rate_limiters import BaseRateLimiter

from kalibr_core.clients import redact
from kalibr_core.errors import BadResponse, StreamInterrupted
from kalibr_core.time_limit import StreamLimit, TimeLimit
from kalibr_core.types import Attempt

from .asked import Asked
from .chat import Chat
from .reading import REASONING, finishes, opens

T = TypeVar("T")

POLL_S = 0.02
"""Between two looks at a model's rate limiter."""
DEAD_LOOPS = 3
"""Connections of closed event loops that a model may hold on to, and an attempt drops."""
READERS = ("_create_", "_convert_dict_to_message", "_convert_chunk", "_convert_delta", "_construct")
"""How the functions begin by which LangChain's models read a response."""


class LimiterError(ModelRateLimitError):
    """The model's own `rate_limiter` gave no leave within the attempt's time."""


def generate(chat: Chat, asked: Asked, attempt: Attempt) -> ChatResult:
    """One blocking call.

    Raises:
        Exception: the model's own, without its key in the text; BadResponse.
    """
    messages, arguments = asked.on(chat)
    _acquire(chat.limiter, attempt.timeout_s)
    try:
        with TimeLimit(attempt.timeout_s):
            return chat.blocking._generate(messages, **arguments)
    except Exception as error:  # noqa: BLE001  # it is raised again, told apart
        told = _told(error, chat)
        raise told from told.__cause__


async def agenerate(chat: Chat, asked: Asked, attempt: Attempt) -> ChatResult:
    """`generate`, awaited."""
    messages, arguments = asked.on(chat)
    await _aacquire(chat.limiter, attempt.timeout_s)
    model = chat.in_loop
    try:
        async with asyncio.timeout(attempt.timeout_s):
            return await _alive(lambda: model._agenerate(messages, **arguments))
    except Exception as error:  # noqa: BLE001  # it is raised again, told apart
        told = _told(error, chat)
        raise told from told.__cause__


def stream(
    chat: Chat, asked: Asked, attempt: Attempt
) -> Generator[ChatGenerationChunk, None, None]:
    """One streamed call; closing the generator closes the connection.

    Raises:
        StreamInterrupted: it ended without telling how.
    """
    if not chat.streams:
        yield as_chunk(generate(chat, asked, attempt))
        return
    messages, arguments = asked.on(chat)
    _acquire(chat.limiter, attempt.timeout_s)
    limit, finished = StreamLimit(attempt), False
    try:
        with closing(_generator(chat.blocking._stream(messages, **arguments))) as chunks:
            while (chunk := limit.next(chunks)) is not None:
                finished = finished or finishes(chunk)
                lives = limit.saw(content=opens(chunk), reasoning=_reasons(chunk))
                yield chunk
                if lives:  # only now: the reader may have taken its time
                    limit.renew()
    except Exception as error:  # noqa: BLE001  # it is raised again, told apart
        if not finished:  # a server that hangs after its last chunk has said all
            told = _told(error, chat)
            raise told from told.__cause__
    _check_end(chat, finished)


async def astream(
    chat: Chat, asked: Asked, attempt: Attempt
) -> AsyncGenerator[ChatGenerationChunk, None]:
    """`stream`, awaited."""
    if not chat.astreams:
        yield as_chunk(await agenerate(chat, asked, attempt))
        return
    messages, arguments = asked.on(chat)
    await _aacquire(chat.limiter, attempt.timeout_s)
    limit, finished = StreamLimit(attempt), False
    model = chat.in_loop
    try:
        source = _agenerator(model._astream(messages, **arguments))
        async with aclosing(source) as chunks:
            while (chunk := await _next(chunks, limit)) is not None:
                finished = finished or finishes(chunk)
                lives = limit.saw(content=opens(chunk), reasoning=_reasons(chunk))
                yield chunk
                if lives:
                    limit.renew()
    except Exception as error:  # noqa: BLE001  # it is raised again, told apart
        if not finished:
            told = _told(error, chat)
            raise told from told.__cause__
    _check_end(chat, finished)


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


async def _next(
    chunks: AsyncGenerator[ChatGenerationChunk, None], limit: StreamLimit
) -> ChatGenerationChunk | None:
    async with asyncio.timeout(limit.limit.until - time.monotonic()):
        return await limit.anext(chunks)


def _check_end(chat: Chat, finished: bool) -> None:
    if chat.tells_end and not finished:
        raise StreamInterrupted("the stream ended without a finish reason: it was cut")


def _reasons(chunk: ChatGenerationChunk) -> bool:
    content = chunk.message.content
    if isinstance(content, str):
        return bool(chunk.message.additional_kwargs.get("reasoning_content"))
    return any(isinstance(part, dict) and part.get("type") in REASONING for part in content)


def _acquire(limiter: BaseRateLimiter | None, timeout_s: float) -> None:
    """Wait for the model's own rate limiter, but no longer than an attempt may take."""
    if limiter is None:
        return
    ends = time.monotonic() + timeout_s
    while not limiter.acquire(blocking=False):
        _check_wait(ends, timeout_s)
        time.sleep(POLL_S)


async def _aacquire(limiter: BaseRateLimiter | None, timeout_s: float) -> None:
    if limiter is None:
        return
    ends = time.monotonic() + timeout_s
    while not await limiter.aacquire(blocking=False):
        _check_wait(ends, timeout_s)
        await asyncio.sleep(POLL_S)


def _check_wait(ends: float, timeout_s: float) -> None:
    if time.monotonic() >= ends:
        raise LimiterError(f"the model's rate_limiter gave no leave within {timeout_s:g} s")


async def _alive(call: Callable[[], Awaitable[T]]) -> T:
    """Make a call again that met a connection of a closed event loop: no fault of the model.

    Models whose connections are the user's own keep them beyond `asyncio.run`.
    """
    for _ in range(DEAD_LOOPS):
        try:
            return await call()
        except Exception as error:
            if not _is_dead_loop(error):
                raise
    return await call()


def _is_dead_loop(error: BaseException) -> bool:
    cause: BaseException | None = error
    for _ in range(8):
        if isinstance(cause, RuntimeError) and "Event loop is closed" in str(cause):
            return True
        cause = cause and (cause.__cause__ or cause.__context__)
    return False


def _told(error: Exception, chat: Chat) -> Exception:
    """The error as the router is to know it: without keys, and an unreadable answer as such."""
    redact(error, chat.secrets)
    if isinstance(error, TypeError | ValueError | LookupError | AttributeError) and _was_read(
        error
    ):
        unread = BadResponse(f"the answer cannot be read: {type(error).__name__}")
        unread.__cause__ = error
        told: Any = error.args[0] if error.args else None
        if isinstance(told, dict):
            unread.code = told.get("code")  # a gateway's 200 around another's 429
        return unread
    return error


def _was_read(error: Exception) -> bool:
    """Was it raised while the model read a response? Told by the names of its functions."""
    trace = error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_name.startswith(READERS):
            return True
        trace = trace.tb_next
    return False


def _generator(chunks: Any) -> Generator[ChatGenerationChunk, None, None]:
    """A model's `_stream` may return any iterator; only generators can be closed."""
    return chunks if hasattr(chunks, "close") else (chunk for chunk in chunks)


def _agenerator(chunks: Any) -> AsyncGenerator[ChatGenerationChunk, None]:
    return chunks if hasattr(chunks, "aclose") else (chunk async for chunk in chunks)
