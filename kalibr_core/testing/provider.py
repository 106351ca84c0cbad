"""A provider that follows a script, and the errors and answers that it gives."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Generator, Iterator, Mapping
from dataclasses import replace
from typing import Literal, TypeAlias, TypeVar

from ..plan import Done
from ..router import Router
from ..types import Attempt, Output, Request, Usage
from .clock import FakeClock

T = TypeVar("T")

Way: TypeAlias = Literal["call", "acall", "stream", "astream"]
WAYS: tuple[Way, ...] = ("call", "acall", "stream", "astream")
"""The four ways through a Router."""


class ProviderError(Exception):
    """An HTTP error as provider SDKs raise it: a status, a code, a response with headers."""

    def __init__(self, status: int, message: str, headers: Mapping[str, str]) -> None:
        super().__init__(message)
        self.status_code = status
        self.response = _Response(headers)


class _Response:
    def __init__(self, headers: Mapping[str, str]) -> None:
        self.headers = headers


def provider_error(
    status: int, message: str = "scripted", *, retry_after_s: float | None = None
) -> ProviderError:
    """An error answer with this status.

    >>> provider_error(429, retry_after_s=2).response.headers
    {'retry-after': '2'}
    """
    headers = {} if retry_after_s is None else {"retry-after": f"{retry_after_s:g}"}
    return ProviderError(status, message, headers)


def answer(
    text: str = "Paris.",
    *,
    input_tokens: int = 1000,
    output_tokens: int = 100,
    finish_reason: str = "stop",
) -> Output:
    """A whole answer with its usage."""
    return Output(
        text=text,
        finish_reason=finish_reason,
        usage=Usage(input_tokens=input_tokens, output_tokens=output_tokens),
    )


class Pause(float):
    """A script's step: this many seconds pass, by the script's clock."""


HANG = Pause("inf")
"""Never answers; for the async ways, to be cancelled."""

Step: TypeAlias = "str | Output | Exception | Pause | tuple[str | Exception | Pause, ...]"
"""One answer: a text, an output, an error, or a tuple of a stream's pieces (for a whole answer they
are joined). An empty piece is a chunk that names a role and holds no content."""


class Scripted:
    """A provider that follows a script.

    Args:
        script: path id -> its answer, or a list of answers, of which the last one stays.
        clock: what `Pause`s advance; needed only for those.
    """

    def __init__(
        self, script: Mapping[str, Step | list[Step]], *, clock: FakeClock | None = None
    ) -> None:
        self._script = {name: _steps(step) for name, step in script.items()}
        self._clock = clock
        self.attempts: list[Attempt] = []
        self.closed: list[str] = []
        """Path ids of the streams that have ended or were closed."""

    @property
    def called(self) -> list[str]:
        """The paths that were called, in order."""
        return [attempt.path.id for attempt in self.attempts]

    def route(
        self,
        router: Router,
        way: Way = "call",
        request: Request | None = None,
        *,
        timeout_s: float | None = None,
    ) -> Done[object]:
        """Send one request through a Router, by any of `WAYS`.

        A stream's answer is the tuple of its chunks as the caller got them.
        """
        request = request or Request()
        if way == "call":
            return _untyped(router.call(request, self.call, read=_same, timeout_s=timeout_s))
        if way == "stream":
            ends: list[Done[tuple[str | Output, ...]]] = []
            chunks = tuple(self.stream_through(router, request, ends, timeout_s=timeout_s))
            return replace(_untyped(ends[0]), answer=chunks)
        clock = self._clock or FakeClock()
        return clock.run(self.aroute(router, way, request, timeout_s=timeout_s))

    async def aroute(
        self,
        router: Router,
        way: Way = "acall",
        request: Request | None = None,
        *,
        timeout_s: float | None = None,
    ) -> Done[object]:
        """`route` for the two async ways, inside a running loop."""
        request = request or Request()
        if way == "acall":
            return _untyped(
                await router.acall(request, self.acall, read=_same, timeout_s=timeout_s)
            )
        ends: list[Done[tuple[str | Output, ...]]] = []
        through = self.astream_through(router, request, ends, timeout_s=timeout_s)
        chunks = tuple([chunk async for chunk in through])
        return replace(_untyped(ends[0]), answer=chunks)

    def stream_through(
        self,
        router: Router,
        request: Request,
        ends: list[Done[tuple[str | Output, ...]]],
        *,
        timeout_s: float | None = None,
    ) -> Generator[str | Output, None, None]:
        """A stream to iterate by hand; its end is put into `ends`."""
        return router.call_stream(
            request,
            self.stream,
            read=_joined,
            opens=bool,
            finish=ends.append,
            timeout_s=timeout_s,
        )

    def astream_through(
        self,
        router: Router,
        request: Request,
        ends: list[Done[tuple[str | Output, ...]]],
        *,
        timeout_s: float | None = None,
    ) -> AsyncGenerator[str | Output, None]:
        """`stream_through`, for `async for`."""
        return router.acall_stream(
            request,
            self.astream,
            read=_joined,
            opens=bool,
            finish=ends.append,
            timeout_s=timeout_s,
        )

    # The closures that a Router's methods take.

    def call(self, attempt: Attempt) -> Output:
        pieces: list[str | Output] = []
        for piece in self._pieces(attempt):
            if isinstance(piece, Pause):
                self._pass(piece)
            else:
                pieces.append(piece)
        return _joined(tuple(pieces))

    async def acall(self, attempt: Attempt) -> Output:
        pieces: list[str | Output] = []
        for piece in self._pieces(attempt):
            if isinstance(piece, Pause):
                await _apause(piece)
            else:
                pieces.append(piece)
        return _joined(tuple(pieces))

    def stream(self, attempt: Attempt) -> Generator[str | Output, None, None]:
        try:
            for piece in self._pieces(attempt):
                if isinstance(piece, Pause):
                    self._pass(piece)
                else:
                    yield piece
        finally:
            self.closed.append(attempt.path.id)

    async def astream(self, attempt: Attempt) -> AsyncGenerator[str | Output, None]:
        try:
            for piece in self._pieces(attempt):
                if isinstance(piece, Pause):
                    await _apause(piece)
                else:
                    yield piece
        finally:
            self.closed.append(attempt.path.id)

    def _pieces(self, attempt: Attempt) -> Iterator[str | Output | Pause]:
        self.attempts.append(attempt)
        steps = self._script[attempt.path.id]
        step = steps.pop(0) if len(steps) > 1 else steps[0]
        if isinstance(step, str):
            half = len(step) // 2
            step = ("", step[:half], step[half:])  # a role-only chunk comes first
        elif isinstance(step, Output | Exception | Pause):
            yield from _one(step)
            return
        for piece in step:
            yield from _one(piece)

    def _pass(self, pause: Pause) -> None:
        assert self._clock is not None, "a script with pauses needs clock="
        assert pause != HANG, "only an async call can hang: it can be cancelled"
        self._clock.advance(pause)


def _steps(step: Step | list[Step]) -> list[Step]:
    return list(step) if isinstance(step, list) else [step]


def _one(piece: str | Output | Exception | Pause) -> Iterator[str | Output | Pause]:
    if isinstance(piece, Exception):
        raise piece
    yield piece


async def _apause(pause: Pause) -> None:
    if pause == HANG:
        await asyncio.get_running_loop().create_future()
    await asyncio.sleep(pause)


def _joined(pieces: tuple[str | Output, ...]) -> Output:
    text = "".join(p if isinstance(p, str) else p.text for p in pieces)
    whole = next(
        (p for p in pieces if isinstance(p, Output)), Output(text="", finish_reason="stop")
    )
    return replace(whole, text=text)


def _same(output: Output) -> Output:
    return output


def _untyped(done: Done[T]) -> Done[object]:
    return Done(answer=done.answer, output=done.output, decision=done.decision)
