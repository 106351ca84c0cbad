"""One attempt by a framework's model object: its own method, under the attempt's limits.

The adapters say how a model is asked and how its answers are read; that an attempt ends in time,
that its error tells no key, and whose fault it was, is the same for all of them.
"""

from __future__ import annotations

import asyncio
import logging
import sys
import time
from collections.abc import (
    AsyncGenerator,
    AsyncIterable,
    Awaitable,
    Callable,
    Generator,
    Iterable,
    Sequence,
)
from contextlib import aclosing, closing
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Generic, Protocol, TypeVar

from ..clients import redact
from ..errors import BadResponse, KalibrError, NoEligiblePath, StreamInterrupted
from ..time_limit import StreamLimit, TimeLimit
from ..types import Attempt, Path

T = TypeVar("T")
C = TypeVar("C")

log = logging.getLogger("kalibr")

LIBRARIES = (
    "openai",
    "anthropic",
    "groq",
    "mistralai",
    "cohere",
    "google",
    "vertexai",
    "boto",
    "ollama",
    "langchain",
    "langgraph",
    "llama_index",
    "pydantic",
    "httpx",
    "httpcore",
    "h11",
    "aiohttp",
    "requests",
    "urllib3",
    "tenacity",
    "tiktoken",
)
"""How the names of packages begin whose faults after an answer came are the answer's."""

DEAD_LOOPS = 3
"""Connections of closed event loops that a model may hold on to, and an attempt drops."""
BUILTIN = (TypeError, ValueError, LookupError, AttributeError, NotImplementedError)
"""What is raised by code that meets what it did not expect, in a request or in an answer."""
INSTANT_S = 0.001
"""A rate limiter that takes less has not made the attempt wait."""
GRACE_S = 0.25
"""Seconds that connections have to end an attempt by themselves, with their SDK's own error."""


class LimiterError(KalibrError):
    """The model's own rate limiter gave no leave within the attempt's time, or failed."""


class Callee(Protocol):
    """A path whose calls a framework's model object makes."""

    readers: Sequence[str]
    """How the functions begin by which its framework reads a response."""
    is_openai: bool
    """Is it of OpenAI's SDK?"""
    tells_end: bool
    """Does a whole stream of it tell how the answer ended?"""

    @property
    def path(self) -> Path: ...

    @property
    def is_limited(self) -> bool:
        """Do its connections keep a `TimeLimit`?"""

    @property
    def secrets(self) -> Sequence[str]:
        """What must not stand in an error's text."""

    def acquire(self, limit: TimeLimit) -> None:
        """Wait for the model's own rate limiter."""

    async def aacquire(self, limit: TimeLimit) -> None:
        """`acquire`, awaited."""


@dataclass(frozen=True)
class Reads(Generic[C]):
    """How the chunks of a stream are understood."""

    finishes: Callable[[C], bool]
    """Does a chunk tell how the answer ended?"""
    opens: Callable[[C], bool]
    """Does it hold content?"""
    reasons: Callable[[C], bool]
    """Does it hold a model's thoughts?"""


def whole(callee: Callee, attempt: Attempt, call: Callable[[TimeLimit], T]) -> T:
    """One blocking call.

    Raises:
        Exception: the model's own, without its key in the text; BadResponse.
    """
    limit = TimeLimit(attempt.timeout_s)
    _acquire(callee, attempt, limit)
    try:
        with limit:
            return call(limit)
    except Exception as error:  # noqa: BLE001  # it is raised again, told apart
        told = _told(error, callee, limit)
        raise told from told.__cause__


async def awhole(callee: Callee, attempt: Attempt, call: Callable[[TimeLimit], Awaitable[T]]) -> T:
    """`whole`, awaited."""
    limit = TimeLimit(attempt.timeout_s)
    await _aacquire(callee, attempt, limit)
    try:
        with limit:
            async with _guard(callee, limit):
                return await _alive(lambda: call(limit))
    except Exception as error:  # noqa: BLE001  # it is raised again, told apart
        told = _told(error, callee, limit)
        raise told from told.__cause__


def stream(
    callee: Callee,
    attempt: Attempt,
    open_: Callable[[TimeLimit], Iterable[C]],
    reads: Reads[C],
) -> Generator[C, None, None]:
    """One streamed call; closing the generator closes the connection.

    Raises:
        StreamInterrupted: it ended without telling how.
    """
    patience, finished = StreamLimit(attempt), False
    _acquire(callee, attempt, patience.limit)
    try:
        with patience.limit:
            opened = _generator(open_(patience.limit))
        with closing(opened) as chunks:
            while (chunk := patience.next(chunks)) is not None:
                finished = finished or reads.finishes(chunk)
                lives = patience.saw(content=reads.opens(chunk), reasoning=reads.reasons(chunk))
                yield chunk
                if lives:  # only now: the reader may have taken its time
                    patience.renew()
    except Exception as error:  # noqa: BLE001  # it is raised again, told apart
        if not finished:  # a server that hangs after its last chunk has said all
            told = _told(error, callee, patience.limit)
            raise told from told.__cause__
    finally:
        for opened_stream in patience.limit.streams:
            opened_stream.close()
    _check_end(callee, finished)


async def astream(
    callee: Callee,
    attempt: Attempt,
    open_: Callable[[TimeLimit], Awaitable[AsyncIterable[C]]],
    reads: Reads[C],
) -> AsyncGenerator[C, None]:
    """`stream`, awaited."""
    patience = StreamLimit(attempt)
    await _aacquire(callee, attempt, patience.limit)
    for left in reversed(range(DEAD_LOOPS + 1)):
        given = False
        try:
            async with aclosing(_astreamed(callee, patience, open_, reads)) as chunks:
                async for chunk in chunks:
                    given = True
                    yield chunk
            return
        except Exception as error:
            if given or left == 0 or not _is_dead_loop(error):
                raise


async def _astreamed(
    callee: Callee,
    patience: StreamLimit,
    open_: Callable[[TimeLimit], Awaitable[AsyncIterable[C]]],
    reads: Reads[C],
) -> AsyncGenerator[C, None]:
    finished = False
    try:
        with patience.limit:
            async with _guard(callee, patience.limit):
                opened = _agenerator(await open_(patience.limit))
        async with aclosing(opened) as chunks:
            while (chunk := await _next(callee, chunks, patience)) is not None:
                finished = finished or reads.finishes(chunk)
                lives = patience.saw(content=reads.opens(chunk), reasoning=reads.reasons(chunk))
                yield chunk
                if lives:
                    patience.renew()
    except Exception as error:  # noqa: BLE001  # it is raised again, told apart
        if not finished:
            told = _told(error, callee, patience.limit)
            raise told from told.__cause__
    finally:
        for opened_stream in patience.limit.streams:
            await opened_stream.close()
    _check_end(callee, finished)


def _acquire(callee: Callee, attempt: Attempt, limit: TimeLimit) -> None:
    """Wait for the model's own rate limiter, which the attempt's time does not count.

    Raises:
        LimiterError: it gave no leave, or failed.
    """
    began = time.monotonic()
    try:
        callee.acquire(limit)
    except Exception as error:
        raise _limited(error) from error
    _count_anew(limit, attempt, began)


async def _aacquire(callee: Callee, attempt: Attempt, limit: TimeLimit) -> None:
    """`_acquire`, awaited."""
    began = time.monotonic()
    try:
        await callee.aacquire(limit)
    except Exception as error:
        raise _limited(error) from error
    _count_anew(limit, attempt, began)


def _limited(error: Exception) -> Exception:
    if isinstance(error, LimiterError):
        return error
    return LimiterError(f"the model's rate_limiter failed: {type(error).__name__}")


def _count_anew(limit: TimeLimit, attempt: Attempt, began: float) -> None:
    now = time.monotonic()
    if now - began < INSTANT_S:
        return
    seconds = attempt.first_token_s or attempt.timeout_s
    if attempt.ends_at is not None:
        seconds = min(seconds, attempt.ends_at - now)
    limit.renew(seconds)


def time_left_s(limit: TimeLimit) -> float:
    """For connections of the user's own, which keep no limit: the SDK's time-out in its place."""
    return max(limit.until - time.monotonic(), 0.001)


async def _next(callee: Callee, chunks: AsyncGenerator[C, None], patience: StreamLimit) -> C | None:
    async with _guard(callee, patience.limit):
        return await patience.anext(chunks)


def _guard(callee: Callee, limit: TimeLimit) -> asyncio.Timeout:
    """What ends an attempt whose connections do not: of another make, or looking up a name."""
    grace_s = GRACE_S if callee.is_limited else 0.0
    return asyncio.timeout(limit.until - time.monotonic() + grace_s)


def _check_end(callee: Callee, finished: bool) -> None:
    if callee.tells_end and not finished:
        raise StreamInterrupted("the stream ended without a finish reason: it was cut")


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


def _told(error: Exception, callee: Callee, limit: TimeLimit) -> Exception:
    """The error as the router is to know it: without keys, and as what it is."""
    redact(error, callee.secrets)
    if _is_unexpected(error):
        if _was_read(error, tuple(callee.readers)):
            return _unread(error)
        if limit.was_used:  # something was sent: so it is of what came back, or the user's own
            return _unread(error) if _is_of_a_library(error) else error
    if _was_not_sent(error, callee):
        return _unable(callee, f"its model refuses the request: {error}", error)
    if _lacks_responses(error):
        return _unable(callee, "its server has no Responses API", error)
    return error


def _unread(error: Exception) -> Exception:
    """The model could not read what its provider answered."""
    unread = BadResponse(f"the answer cannot be read: {type(error).__name__}")
    unread.__cause__ = error
    told: Any = error.args[0] if error.args else None
    if isinstance(told, dict):
        unread.code = told.get("code")  # a gateway's 200 around another's 429
    return unread


def _is_unexpected(error: Exception) -> bool:
    """Is it of code that met what it did not expect: a request before, an answer after sending?"""
    return isinstance(error, BUILTIN) and not isinstance(error, KalibrError)


def _was_not_sent(error: Exception, callee: Callee) -> bool:
    """Did the model refuse what it was to send? That says nothing of the path, and another may
    take it. An argument that OpenAI's SDK does not know is the caller's to mend."""
    if type(error).__name__ == "OpenAIError":  # the client cannot be made: it has no key
        return True
    if not callee.is_limited or not _is_unexpected(error):
        return False
    return not (callee.is_openai and isinstance(error, TypeError))


def _is_of_a_library(error: Exception) -> bool:
    """Was it raised by an SDK, a framework or what they stand on, not by a class of the user's?"""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    name = "" if trace is None else str(trace.tb_frame.f_globals.get("__name__", ""))
    package = name.partition(".")[0]
    return package in sys.stdlib_module_names or package.startswith(LIBRARIES)


def _lacks_responses(error: Exception) -> bool:
    url = str(getattr(getattr(error, "request", None), "url", ""))
    return (
        getattr(error, "status_code", None) == 404
        and url.endswith("/responses")
        and "model" not in str(getattr(error, "code", None))
    )


def _unable(callee: Callee, why: str, error: Exception) -> Exception:
    _warn(callee.path.id, type(error).__name__, _place_of(error))
    unable = NoEligiblePath([f"{callee.path.id}: {why}"])
    unable.__cause__ = error
    return unable


@lru_cache(maxsize=256)
def _warn(path_id: str, error: str, place: str) -> None:
    """Tell once that a path cannot be asked: it may never be. An error's text is not logged, for it
    may hold some of the prompt."""
    log.warning(
        "kalibr: path %r could not be asked (%s in %s): such calls go to the other paths",
        path_id,
        error,
        place,
    )


def _place_of(error: Exception) -> str:
    """Module and function that raised it."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    if trace is None:
        return "?"
    frame = trace.tb_frame
    return f"{frame.f_globals.get('__name__')}.{frame.f_code.co_name}"


def _was_read(error: Exception, readers: tuple[str, ...]) -> bool:
    """Was it raised while the model read a response? Told by the names of its functions."""
    trace = error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_name.startswith(readers):
            return True
        trace = trace.tb_next
    return False


def _generator(chunks: Any) -> Generator[Any, None, None]:
    """A model's stream may be any iterable; only generators can be closed."""
    return chunks if hasattr(chunks, "close") else (chunk for chunk in chunks)


def _agenerator(chunks: Any) -> AsyncGenerator[Any, None]:
    return chunks if hasattr(chunks, "aclose") else (chunk async for chunk in chunks)
