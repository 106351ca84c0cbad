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

from kalibr_core.clients import redact
from kalibr_core.errors import BadResponse, NoEligiblePath, StreamInterrupted
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
READERS = (
    "_create_chat_result",
    "_create_usage_metadata",
    "_convert_dict_to_message",
    "_convert_chunk",
    "_convert_delta",
    "_construct_lc_result",
    "_convert_responses_chunk",
)
"""How the functions begin by which LangChain's models read a response."""
BUILTIN = (TypeError, ValueError, LookupError, AttributeError, NotImplementedError)
"""What is raised by code that meets what it did not expect, in a request or in an answer."""
GRACE_S = 0.25
"""Seconds that connections have to end an attempt by themselves, with their SDK's own error."""


class LimiterError(ModelRateLimitError):
    """The model's own `rate_limiter` gave no leave within the attempt's time."""


def generate(chat: Chat, asked: Asked, attempt: Attempt) -> ChatResult:
    """One blocking call.

    Raises:
        Exception: the model's own, without its key in the text; BadResponse.
    """
    messages, arguments = asked.on(chat)
    limit = TimeLimit(attempt.timeout_s)
    _acquire(chat, limit)
    try:
        with limit:
            return asked.model_of(chat, chat.blocking)._generate(
                messages, **_timed(chat, arguments, limit)
            )
    except Exception as error:  # noqa: BLE001  # it is raised again, told apart
        told = _told(error, chat, limit)
        raise told from told.__cause__


async def agenerate(chat: Chat, asked: Asked, attempt: Attempt) -> ChatResult:
    """`generate`, awaited."""
    messages, arguments = asked.on(chat)
    limit = TimeLimit(attempt.timeout_s)
    await _aacquire(chat, limit)
    model = asked.model_of(chat, chat.in_loop)
    arguments = _timed(chat, arguments, limit)
    try:
        with limit:
            async with _guard(chat, limit):
                return await _alive(lambda: model._agenerate(messages, **arguments))
    except Exception as error:  # noqa: BLE001  # it is raised again, told apart
        told = _told(error, chat, limit)
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
    patience, finished = StreamLimit(attempt), False
    _acquire(chat, patience.limit)
    arguments = _timed(chat, arguments, patience.limit)
    model = asked.model_of(chat, chat.blocking)
    try:
        with closing(_generator(model._stream(messages, **arguments))) as chunks:
            while (chunk := patience.next(chunks)) is not None:
                finished = finished or finishes(chunk)
                lives = patience.saw(content=opens(chunk), reasoning=_reasons(chunk))
                yield chunk
                if lives:  # only now: the reader may have taken its time
                    patience.renew()
    except Exception as error:  # noqa: BLE001  # it is raised again, told apart
        if not finished:  # a server that hangs after its last chunk has said all
            told = _told(error, chat, patience.limit)
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
    patience, finished = StreamLimit(attempt), False
    await _aacquire(chat, patience.limit)
    model = asked.model_of(chat, chat.in_loop)
    arguments = _timed(chat, arguments, patience.limit)
    try:
        source = _agenerator(model._astream(messages, **arguments))
        async with aclosing(source) as chunks:
            while (chunk := await _next(chat, chunks, patience)) is not None:
                finished = finished or finishes(chunk)
                lives = patience.saw(content=opens(chunk), reasoning=_reasons(chunk))
                yield chunk
                if lives:
                    patience.renew()
    except Exception as error:  # noqa: BLE001  # it is raised again, told apart
        if not finished:
            told = _told(error, chat, patience.limit)
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
    chat: Chat, chunks: AsyncGenerator[ChatGenerationChunk, None], patience: StreamLimit
) -> ChatGenerationChunk | None:
    async with _guard(chat, patience.limit):
        return await patience.anext(chunks)


def _guard(chat: Chat, limit: TimeLimit) -> asyncio.Timeout:
    """What ends an attempt whose connections do not: of another make, or looking up a name."""
    grace_s = GRACE_S if chat.is_limited else 0.0
    return asyncio.timeout(limit.until - time.monotonic() + grace_s)


def _timed(chat: Chat, arguments: dict[str, Any], limit: TimeLimit) -> dict[str, Any]:
    """The arguments, with a time-out where the connections are the user's own and keep no limit."""
    if chat.is_limited or not chat.is_openai:
        return arguments
    return {**arguments, "timeout": max(limit.until - time.monotonic(), 0.001)}


def _check_end(chat: Chat, finished: bool) -> None:
    if chat.tells_end and not finished:
        raise StreamInterrupted("the stream ended without a finish reason: it was cut")


def _reasons(chunk: ChatGenerationChunk) -> bool:
    content = chunk.message.content
    if isinstance(content, str):
        return bool(chunk.message.additional_kwargs.get("reasoning_content"))
    return any(isinstance(part, dict) and part.get("type") in REASONING for part in content)


def _acquire(chat: Chat, limit: TimeLimit) -> None:
    """Wait for the model's own rate limiter: a while where another path has none, else all the time
    that the attempt has."""
    if chat.limiter is None:
        return
    ends = _wait_ends(chat, limit)
    while not chat.limiter.acquire(blocking=False):
        _check_wait(ends)
        time.sleep(POLL_S)


async def _aacquire(chat: Chat, limit: TimeLimit) -> None:
    if chat.limiter is None:
        return
    ends = _wait_ends(chat, limit)
    while not await chat.limiter.aacquire(blocking=False):
        _check_wait(ends)
        await asyncio.sleep(POLL_S)


def _wait_ends(chat: Chat, limit: TimeLimit) -> float:
    return min(limit.until, time.monotonic() + chat.longest_limiter_wait_s)


def _check_wait(ends: float) -> None:
    if time.monotonic() >= ends:
        raise LimiterError("the model's rate_limiter gave no leave in time")


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


def _told(error: Exception, chat: Chat, limit: TimeLimit) -> Exception:
    """The error as the router is to know it: without keys, and as what it is."""
    redact(error, chat.secrets)
    if isinstance(error, BUILTIN) and _was_read(error):
        return _unread(error)
    if _was_not_sent(error, chat, limit):
        return _unable(chat, f"its model refuses the request: {error}", error)
    if _lacks_responses(error):
        return _unable(chat, "its server has no Responses API", error)
    return error


def _unread(error: Exception) -> Exception:
    """The model could not read what its provider answered."""
    unread = BadResponse(f"the answer cannot be read: {type(error).__name__}")
    unread.__cause__ = error
    told: Any = error.args[0] if error.args else None
    if isinstance(told, dict):
        unread.code = told.get("code")  # a gateway's 200 around another's 429
    return unread


def _was_not_sent(error: Exception, chat: Chat, limit: TimeLimit) -> bool:
    """Did the model refuse what it was to send? That says nothing of the path, and another may
    take it. An argument that OpenAI's SDK does not know is the caller's to mend."""
    if limit.was_used or not chat.is_limited or not isinstance(error, BUILTIN):
        return False
    return not (chat.is_openai and isinstance(error, TypeError))


def _lacks_responses(error: Exception) -> bool:
    url = str(getattr(getattr(error, "request", None), "url", ""))
    return (
        getattr(error, "status_code", None) == 404
        and url.endswith("/responses")
        and "model" not in str(getattr(error, "code", None))
    )


def _unable(chat: Chat, why: str, error: Exception) -> Exception:
    unable = NoEligiblePath([f"{chat.path.id}: {why}"])
    unable.__cause__ = error
    return unable


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
