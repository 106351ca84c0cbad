"""One attempt by a framework's model object: its own method, under the attempt's limits.

The adapters say how a model is asked and how its answers are read; that an attempt ends in time,
that its error tells no key, and whose fault it was, is the same for all of them.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import (
    AsyncGenerator,
    AsyncIterable,
    Awaitable,
    Callable,
    Generator,
    Iterable,
)
from contextlib import aclosing, closing
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from ..errors import StreamInterrupted
from ..time_limit import StreamLimit, TimeLimit
from ..types import Attempt
from .callee import Callee
from .faults import told_apart
from .limiter import aacquire, acquire

T = TypeVar("T")
C = TypeVar("C")

DEAD_LOOPS = 3
"""Connections of closed event loops that a model may hold on to, and an attempt drops."""
GRACE_S = 0.25
"""Seconds that connections have to end an attempt by themselves, with their SDK's own error."""


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
    acquire(callee, attempt, limit)
    try:
        with limit:
            return call(limit)
    except Exception as error:  # noqa: BLE001  # it is raised again, told apart
        told = told_apart(error, callee, limit)
        raise told from told.__cause__


async def awhole(callee: Callee, attempt: Attempt, call: Callable[[TimeLimit], Awaitable[T]]) -> T:
    """`whole`, awaited."""
    limit = TimeLimit(attempt.timeout_s)
    await aacquire(callee, attempt, limit)
    try:
        with limit:
            async with _guard(callee, limit):
                return await _alive(lambda: call(limit))
    except Exception as error:  # noqa: BLE001  # it is raised again, told apart
        told = told_apart(error, callee, limit)
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
    acquire(callee, attempt, patience.limit)
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
            told = told_apart(error, callee, patience.limit)
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
    await aacquire(callee, attempt, patience.limit)
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
            told = told_apart(error, callee, patience.limit)
            raise told from told.__cause__
    finally:
        for opened_stream in patience.limit.streams:
            await opened_stream.close()
    _check_end(callee, finished)


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


def _generator(chunks: Any) -> Generator[Any, None, None]:
    """A model's stream may be any iterable; only generators can be closed."""
    return chunks if hasattr(chunks, "close") else (chunk for chunk in chunks)


def _agenerator(chunks: Any) -> AsyncGenerator[Any, None]:
    return chunks if hasattr(chunks, "aclose") else (chunk async for chunk in chunks)
