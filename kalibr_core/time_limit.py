"""A time limit on all socket work of a call, for either HTTP library of the client: httpx, httpx2.

The limit is kept where bytes are read and written, below HTTP: header lines that drip in, interim
responses (`102 Processing`) and keep-alive comments all end there, before a response is in sight.
"""

from __future__ import annotations

import importlib
import time
import warnings
from collections.abc import AsyncIterator, Iterable, Iterator
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from .types import Attempt

C = TypeVar("C")

LATE = "the time limit passed while bytes came, but no answer"

WRITE_BYTES = 65536
"""The blocking backend counts each send's time anew: a limit is looked at once in so many bytes."""


class TimeLimit:
    """A time limit for the reads and writes inside its `with`, which no byte can put off.

    The client's own read time-out starts anew with each byte. Providers that queue send blank lines
    or comments meanwhile, and would never time out. A stream enters it once for each chunk.
    """

    __slots__ = ("_before", "streams", "until", "was_used")

    def __init__(self, seconds: float) -> None:
        self.was_used = False
        """Has a socket been worked on under it? If not, nothing has been sent."""
        self.streams: list[Any] = []
        """Streams of a client that were opened under it, and are to be closed with its call."""
        self.renew(seconds)

    def renew(self, seconds: float) -> None:
        """Something of the answer has come: count from now."""
        self.until = time.monotonic() + seconds

    def __enter__(self) -> TimeLimit:
        self._before = _limit.get()
        _limit.set(self)
        return self

    def __exit__(self, *exc: object) -> None:
        # Not `reset`: a task that is destroyed while it waits is ended in another context.
        _limit.set(self._before)


class StreamLimit:
    """Until when the next chunk of a stream has to come.

    Until the first content `first_token_s` limits the wait as a whole. Without it, and from the
    first content on, `timeout_s` limits silence: reasoning breaks it, keep-alive comments do not.
    """

    __slots__ = ("_begun", "_silence_s", "_waits_for_token", "limit")

    def __init__(self, attempt: Attempt) -> None:
        self.limit = TimeLimit(attempt.first_token_s or attempt.timeout_s)
        self._silence_s = attempt.timeout_s
        self._waits_for_token = attempt.first_token_s is not None
        self._begun = False

    def next(self, chunks: Iterator[C]) -> C | None:
        """The next chunk, under the limit; None: the stream has ended."""
        with self.limit:
            return next(chunks, None)

    async def anext(self, chunks: AsyncIterator[C]) -> C | None:
        with self.limit:
            return await anext(chunks, None)

    def saw(self, *, content: bool, reasoning: bool) -> bool:
        """Note a chunk; does it break the silence? If so, `renew` once the reader is done."""
        self._begun = self._begun or content
        return self._begun or (reasoning and not self._waits_for_token)

    def renew(self) -> None:
        self.limit.renew(self._silence_s)


_limit: ContextVar[TimeLimit | None] = ContextVar("kalibr_limit", default=None)


def note_stream(stream: Any) -> None:
    """Have the running call close a client's stream that it opens, should it be left early.

    A client's stream and its iterator hold on to each other: unless it is closed, its connection
    stays open until the garbage collector comes by.
    """
    limit = _limit.get()
    if limit is not None:
        limit.streams.append(stream)


def keep_limits(client: Any) -> Any:
    """Make an HTTP client keep the `TimeLimit` that a call is made under; gives it back.

    Its pools are given a backend, rather than the client a transport: a client that is given one
    no longer reads the environment's proxies.
    """
    mounted = getattr(client, "_mounts", {}).values()
    for transport in (getattr(client, "_transport", None), *mounted):
        if transport is not None:  # None: the environment wants no proxy for these addresses
            _keep_limits_of(getattr(transport, "_pool", None))
    return client


def _keep_limits_of(pool: Any) -> None:
    backend = getattr(pool, "_network_backend", None)
    if isinstance(backend, _Backend | _AsyncBackend):
        return
    if backend is None:
        warnings.warn(
            "this HTTP library has no place for time limits: a server that keeps sending single "
            "bytes is not cut; use the version of `httpx` or `httpx2` that `openai` asks for",
            RuntimeWarning,
            stacklevel=4,
        )
        return
    late = importlib.import_module(type(pool).__module__.partition(".")[0]).ReadTimeout
    kind = _AsyncBackend if hasattr(pool, "aclose") else _Backend
    pool._network_backend = kind(backend, late)


def _left(timeout: float | None, late: type[Exception]) -> float | None:
    """The client's own time-out, or what is left of the call's limit if that is less."""
    limit = _limit.get()
    if limit is None:
        return timeout
    limit.was_used = True
    left = limit.until - time.monotonic()
    if left <= 0.0:
        raise late(LATE)
    return left if timeout is None or left < timeout else timeout


class _Stream:
    """A blocking connection whose every step keeps the limit."""

    __slots__ = ("_late", "_stream", "close", "get_extra_info")

    def __init__(self, stream: Any, late: type[Exception]) -> None:
        self._stream, self._late = stream, late
        self.close, self.get_extra_info = stream.close, stream.get_extra_info

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        found: bytes = self._stream.read(max_bytes, _left(timeout, self._late))
        return found

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        for start in range(0, len(buffer), WRITE_BYTES):
            part = buffer[start : start + WRITE_BYTES]
            self._stream.write(part, _left(timeout, self._late))

    def start_tls(
        self, ssl_context: Any, server_hostname: str | None = None, timeout: float | None = None
    ) -> _Stream:
        left = _left(timeout, self._late)
        return _Stream(self._stream.start_tls(ssl_context, server_hostname, left), self._late)


class _AsyncStream:
    """`_Stream`, awaited."""

    __slots__ = ("_late", "_stream", "aclose", "get_extra_info")

    def __init__(self, stream: Any, late: type[Exception]) -> None:
        self._stream, self._late = stream, late
        self.aclose, self.get_extra_info = stream.aclose, stream.get_extra_info

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        found: bytes = await self._stream.read(max_bytes, _left(timeout, self._late))
        return found

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        await self._stream.write(buffer, _left(timeout, self._late))

    async def start_tls(
        self, ssl_context: Any, server_hostname: str | None = None, timeout: float | None = None
    ) -> _AsyncStream:
        left = _left(timeout, self._late)
        stream = await self._stream.start_tls(ssl_context, server_hostname, left)
        return _AsyncStream(stream, self._late)


class _Backend:
    """Makes blocking connections that keep the limit."""

    def __init__(self, backend: Any, late: type[Exception]) -> None:
        self._backend, self._late = backend, late
        self.sleep = backend.sleep

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> _Stream:
        left = _left(timeout, self._late)
        stream = self._backend.connect_tcp(host, port, left, local_address, socket_options)
        return _Stream(stream, self._late)

    def connect_unix_socket(
        self,
        path: str,
        timeout: float | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> _Stream:
        left = _left(timeout, self._late)
        stream = self._backend.connect_unix_socket(path, left, socket_options)
        return _Stream(stream, self._late)


class _AsyncBackend:
    """`_Backend`, awaited."""

    def __init__(self, backend: Any, late: type[Exception]) -> None:
        self._backend, self._late = backend, late
        self.sleep = backend.sleep

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> _AsyncStream:
        left = _left(timeout, self._late)
        stream = await self._backend.connect_tcp(host, port, left, local_address, socket_options)
        return _AsyncStream(stream, self._late)

    async def connect_unix_socket(
        self,
        path: str,
        timeout: float | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> _AsyncStream:
        left = _left(timeout, self._late)
        stream = await self._backend.connect_unix_socket(path, left, socket_options)
        return _AsyncStream(stream, self._late)
