"""A time limit on a response's bytes, for either HTTP library of the client: httpx, httpx2."""

from __future__ import annotations

import importlib
import time
from collections.abc import AsyncIterator, Iterator
from contextvars import ContextVar
from functools import lru_cache
from typing import Any


class TimeLimit:
    """A time limit on the bytes of a response, which no keep-alive byte can put off.

    The client's own read time-out starts anew with each byte. Providers that queue send blank lines
    or comments meanwhile, and would never time out.
    """

    __slots__ = ("_token", "until")

    def __init__(self, seconds: float) -> None:
        self.until: float | None = time.monotonic() + seconds

    def __enter__(self) -> TimeLimit:
        self._token = _limit.set(self)
        return self

    def __exit__(self, *exc: object) -> None:
        _limit.reset(self._token)

    def passed(self) -> bool:
        return self.until is not None and time.monotonic() > self.until


_limit: ContextVar[TimeLimit | None] = ContextVar("kalibr_limit", default=None)


def watch(response: Any) -> None:
    """Response hook: watch the body's bytes."""
    limit = _limit.get()
    if limit is not None:
        response.stream = _watched(type(response).__module__.partition(".")[0])[0](
            response.stream, limit
        )


async def awatch(response: Any) -> None:
    limit = _limit.get()
    if limit is not None:
        response.stream = _watched(type(response).__module__.partition(".")[0])[1](
            response.stream, limit
        )


@lru_cache(maxsize=4)
def _watched(library: str) -> tuple[type, type]:
    """Byte streams of the HTTP library that the client came with (httpx, or httpx2)."""
    http = importlib.import_module(library)
    late = "the time limit passed while bytes came, but no answer"

    class Watched(http.SyncByteStream):  # type: ignore[misc, name-defined]  # one of two libraries
        def __init__(self, stream: Any, limit: TimeLimit) -> None:
            self._stream, self._limit = stream, limit

        def __iter__(self) -> Iterator[bytes]:
            for part in self._stream:
                if self._limit.passed():
                    raise http.ReadTimeout(late)
                yield part

        def close(self) -> None:
            self._stream.close()

    class AsyncWatched(http.AsyncByteStream):  # type: ignore[misc, name-defined]  # as above
        def __init__(self, stream: Any, limit: TimeLimit) -> None:
            self._stream, self._limit = stream, limit

        async def __aiter__(self) -> AsyncIterator[bytes]:
            async for part in self._stream:
                if self._limit.passed():
                    raise http.ReadTimeout(late)
                yield part

        async def aclose(self) -> None:
            await self._stream.aclose()

    return Watched, AsyncWatched
