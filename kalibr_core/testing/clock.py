"""Time that passes only where something sleeps."""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Callable, Coroutine
from typing import TypedDict, TypeVar

T = TypeVar("T")


class Times(TypedDict):
    """A Router's arguments of time."""

    clock: Callable[[], float]
    wall: Callable[[], float]
    sleep: Callable[[float], object]


class FakeClock:
    """Time that passes only where something sleeps, or by `advance`.

    >>> clock = FakeClock()
    >>> start = clock.monotonic()
    >>> clock.run(asyncio.sleep(3600))
    >>> clock.monotonic() - start, clock.slept
    (3600.0, [3600.0])
    """

    def __init__(self, *, wall: float = 1_800_000_000.0) -> None:
        self._now = 1000.0
        self._wall = wall
        self.slept: list[float] = []
        """Every sleep longer than zero, in seconds."""

    def monotonic(self) -> float:
        return self._now

    def wall(self) -> float:
        return self._wall

    def advance(self, seconds: float) -> None:
        self._now += seconds
        self._wall += seconds

    def set_wall(self, seconds: float) -> None:
        """Step the wall clock, as an operator or NTP does; the monotonic one goes on."""
        self._wall = seconds

    def sleep(self, seconds: float) -> None:
        if seconds > 0:
            self.slept.append(seconds)
            self.advance(seconds)

    def arguments(self) -> Times:
        """What a Router takes: `Router(..., **clock.arguments())`."""
        return {"clock": self.monotonic, "wall": self.wall, "sleep": self.sleep}

    def run(self, main: Coroutine[object, object, T]) -> T:
        """`asyncio.run` on an event loop that lives in this clock's time: its sleeps take none."""
        with asyncio.Runner(loop_factory=self._loop) as runner:
            return runner.run(main)

    def _loop(self) -> asyncio.AbstractEventLoop:
        clock = self

        class Loop(asyncio.SelectorEventLoop):
            def time(self) -> float:
                return clock.monotonic()

        return Loop(_Jumping(self))


class _Jumping(selectors.DefaultSelector):
    """Where the loop would wait for its next timer, time jumps there."""

    def __init__(self, clock: FakeClock) -> None:
        super().__init__()
        self._clock = clock

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None:
            return super().select(None)  # nothing is due: only another thread can wake it
        ready = super().select(0)
        if not ready:
            self._clock.sleep(timeout)
        return ready
