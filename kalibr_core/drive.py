"""Carry a plan out: four drivers, no decisions.

`except Exception` is deliberate: a cancelled call or a KeyboardInterrupt is not the path's fault,
and closes the plan instead. Only the provider's own work stands in a `try`, so that an exception
which a stream's consumer throws in is never booked against the path.
"""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator, Sequence
from contextlib import aclosing, closing
from typing import Generic, TypeVar, cast

from .plan import Done, Event, Order, Plan
from .types import Attempt, Failed, FirstChunk, Succeeded, Wait, Waited

T = TypeVar("T")
C = TypeVar("C")


def call(
    plan: Plan[T], invoke: Callable[[Attempt], T], *, sleep: Callable[[float], object] = time.sleep
) -> Done[T]:
    """Carry a plan out with blocking calls."""
    with closing(plan):
        step: Order | Done[T] = next(plan)
        while not isinstance(step, Done):
            event: Event[T]
            if isinstance(step, Wait):
                sleep(step.seconds)
                event = Waited()
            else:
                try:
                    event = Succeeded(invoke(step))
                except Exception as error:  # noqa: BLE001  # the plan says what it means
                    event = Failed(error)
            step = _tell(plan, event)
        return step


async def acall(plan: Plan[T], invoke: Callable[[Attempt], Awaitable[T]]) -> Done[T]:
    """Carry a plan out with awaited calls."""
    with closing(plan):
        step: Order | Done[T] = next(plan)
        while not isinstance(step, Done):
            event: Event[T]
            if isinstance(step, Wait):
                await _asleep(step.seconds)
                event = Waited()
            else:
                try:
                    event = Succeeded(await invoke(step))
                except Exception as error:  # noqa: BLE001  # the plan says what it means
                    event = Failed(error)
            step = _tell(plan, event)
        return step


def stream(
    plan: Plan[tuple[C, ...]],
    invoke: Callable[[Attempt], Generator[C, None, None]],
    *,
    opens: Callable[[C], bool],
    live: bool,
    finish: Callable[[Done[tuple[C, ...]]], object],
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], object] = time.sleep,
) -> Generator[C, None, None]:
    """Carry a plan out with blocking streams.

    Args:
        opens: is this chunk content? One that only names a role is not.
        live: give chunks out as they come; else hold them until the plan is done.
        finish: told the end of the plan before the stream ends.
        clock: the Router's; a held stream is left when the call's deadline is over. A live one
            is not: its chunks are with the caller, and cutting it could only harm.
    """
    with closing(plan):
        step: Order | Done[tuple[C, ...]] = next(plan)
        came = _Came(plan, opens, live)
        while not isinstance(step, Done):
            if isinstance(step, Wait):
                sleep(step.seconds)
                step = _tell(plan, Waited())
                continue
            came = _Came(plan, opens, live)
            with closing(_attempt(came, invoke, step, clock)) as chunks:
                yield from chunks
            step = _tell(plan, came.event)
        finish(step)
        if not came.given:
            yield from step.answer


async def astream(
    plan: Plan[tuple[C, ...]],
    invoke: Callable[[Attempt], AsyncGenerator[C, None]],
    *,
    opens: Callable[[C], bool],
    live: bool,
    finish: Callable[[Done[tuple[C, ...]]], object],
    clock: Callable[[], float] = time.monotonic,
) -> AsyncGenerator[C, None]:
    """Carry a plan out with async streams; arguments as `stream`'s."""
    with closing(plan):
        step: Order | Done[tuple[C, ...]] = next(plan)
        came = _Came(plan, opens, live)
        while not isinstance(step, Done):
            if isinstance(step, Wait):
                await _asleep(step.seconds)
                step = _tell(plan, Waited())
                continue
            came = _Came(plan, opens, live)
            async with aclosing(_aattempt(came, invoke, step, clock)) as chunks:
                async for chunk in chunks:
                    yield chunk
            step = _tell(plan, came.event)
        finish(step)
        if not came.given:
            for chunk in step.answer:
                yield chunk


class _Came(Generic[C]):
    """What has come of one attempt's stream, and how it ended."""

    __slots__ = ("_live", "_opened", "_opens", "_plan", "event", "seen")

    def __init__(self, plan: Plan[tuple[C, ...]], opens: Callable[[C], bool], live: bool) -> None:
        self._plan, self._opens, self._live = plan, opens, live
        self._opened = False
        self.seen: list[C] = []
        self.event: Event[tuple[C, ...]] = Succeeded(())

    @property
    def given(self) -> bool:
        """Has the caller got any of it?"""
        return self._live and self._opened

    def take(self, chunk: C) -> Sequence[C]:
        """Keep a chunk; what of all that has come may be given out now."""
        self.seen.append(chunk)
        if self._opened:
            return (chunk,) if self._live else ()
        if not self._opens(chunk):
            return ()
        self._opened = True
        _tell(self._plan, FirstChunk())
        return tuple(self.seen) if self._live else ()

    def ended(self, error: Exception | None = None) -> None:
        self.event = Succeeded(tuple(self.seen)) if error is None else Failed(error)


def _attempt(
    came: _Came[C],
    invoke: Callable[[Attempt], Generator[C, None, None]],
    attempt: Attempt,
    clock: Callable[[], float],
) -> Generator[C, None, None]:
    try:
        chunks = invoke(attempt)  # no generator, perhaps: one that makes the request at once
    except Exception as error:  # noqa: BLE001  # the plan says what it means
        return came.ended(error)
    with closing(chunks):
        while True:
            try:
                chunk = next(chunks)
            except StopIteration:
                return came.ended()
            except Exception as error:  # noqa: BLE001  # the plan says what it means
                return came.ended(error)
            yield from came.take(chunk)
            if not came.given and _is_late(attempt, clock):
                return came.ended(TimeoutError("the call's deadline is over"))


async def _aattempt(
    came: _Came[C],
    invoke: Callable[[Attempt], AsyncGenerator[C, None]],
    attempt: Attempt,
    clock: Callable[[], float],
) -> AsyncGenerator[C, None]:
    try:
        chunks = invoke(attempt)
    except Exception as error:  # noqa: BLE001  # the plan says what it means
        came.ended(error)
        return
    async with aclosing(chunks):
        while True:
            try:
                chunk = await anext(chunks)
            except StopAsyncIteration:
                came.ended()
                return
            except Exception as error:  # noqa: BLE001  # the plan says what it means
                came.ended(error)
                return
            for held in came.take(chunk):
                yield held
            if not came.given and _is_late(attempt, clock):
                came.ended(TimeoutError("the call's deadline is over"))
                return


def _is_late(attempt: Attempt, clock: Callable[[], float]) -> bool:
    return attempt.ends_at is not None and clock() > attempt.ends_at


def _tell(plan: Plan[T], event: Event[T]) -> Order | Done[T]:
    """Send an event; the plan's next order, or its end."""
    try:
        return plan.send(event)
    except StopIteration as end:
        return cast("Done[T]", end.value)


async def _asleep(seconds: float) -> None:
    import asyncio  # here, since it is most of what importing this package would cost

    await asyncio.sleep(seconds)
