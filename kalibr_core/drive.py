"""Carry a plan out: four drivers, no decisions.

`except Exception` is deliberate: a cancelled call or a KeyboardInterrupt is not the path's fault,
and closes the plan instead. Only the provider's own work stands in a `try`, so that an exception
which a stream's consumer throws in is never booked against the path.
"""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from contextlib import aclosing, closing
from typing import TypeVar, cast

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
    sleep: Callable[[float], object] = time.sleep,
) -> Generator[C, None, None]:
    """Carry a plan out with blocking streams.

    Args:
        opens: is this chunk content? One that only names a role is not.
        live: give chunks out as they come; else hold them until the plan is done.
        finish: told the end of the plan before the stream ends.
    """
    with closing(plan):
        step: Order | Done[tuple[C, ...]] = next(plan)
        given = False
        while not isinstance(step, Done):
            if isinstance(step, Wait):
                sleep(step.seconds)
                step = _tell(plan, Waited())
                continue
            event: Event[tuple[C, ...]]
            seen: list[C] = []
            opened = False
            try:
                chunks = invoke(step)  # no generator, perhaps: one that makes the request at once
            except Exception as error:  # noqa: BLE001  # the plan says what it means
                step = _tell(plan, Failed(error))
                continue
            with closing(chunks):
                while True:
                    try:
                        chunk = next(chunks)
                    except StopIteration:
                        event = Succeeded(tuple(seen))
                        break
                    except Exception as error:  # noqa: BLE001  # the plan says what it means
                        event = Failed(error)
                        break
                    seen.append(chunk)
                    if not opened and opens(chunk):
                        opened = True
                        _tell(plan, FirstChunk())
                        if live:
                            given = True
                            yield from seen
                    elif given:
                        yield chunk
            step = _tell(plan, event)
        finish(step)
        if not given:
            yield from step.answer


async def astream(
    plan: Plan[tuple[C, ...]],
    invoke: Callable[[Attempt], AsyncGenerator[C, None]],
    *,
    opens: Callable[[C], bool],
    live: bool,
    finish: Callable[[Done[tuple[C, ...]]], object],
) -> AsyncGenerator[C, None]:
    """Carry a plan out with async streams; arguments as `stream`'s."""
    with closing(plan):
        step: Order | Done[tuple[C, ...]] = next(plan)
        given = False
        while not isinstance(step, Done):
            if isinstance(step, Wait):
                await _asleep(step.seconds)
                step = _tell(plan, Waited())
                continue
            event: Event[tuple[C, ...]]
            seen: list[C] = []
            opened = False
            try:
                chunks = invoke(step)  # no generator, perhaps: one that makes the request at once
            except Exception as error:  # noqa: BLE001  # the plan says what it means
                step = _tell(plan, Failed(error))
                continue
            async with aclosing(chunks):
                while True:
                    try:
                        chunk = await anext(chunks)
                    except StopAsyncIteration:
                        event = Succeeded(tuple(seen))
                        break
                    except Exception as error:  # noqa: BLE001  # the plan says what it means
                        event = Failed(error)
                        break
                    seen.append(chunk)
                    if not opened and opens(chunk):
                        opened = True
                        _tell(plan, FirstChunk())
                        if live:
                            given = True
                            for held in seen:
                                yield held
                    elif given:
                        yield chunk
            step = _tell(plan, event)
        finish(step)
        if not given:
            for held in step.answer:
                yield held


def _tell(plan: Plan[T], event: Event[T]) -> Order | Done[T]:
    """Send an event; the plan's next order, or its end."""
    try:
        return plan.send(event)
    except StopIteration as end:
        return cast("Done[T]", end.value)


async def _asleep(seconds: float) -> None:
    import asyncio  # here, since it is most of what importing this package would cost

    await asyncio.sleep(seconds)
