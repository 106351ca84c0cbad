"""What gate 2's judge may spend."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable
from dataclasses import dataclass

DAY_S = 86_400.0


@dataclass(frozen=True, slots=True)
class Reserved:
    """An amount that was set aside."""

    usd: float
    day: float


class Budget:
    """What a Router's judge may spend in a day (UTC); safe for threads."""

    def __init__(self, daily_usd: float | None, wall: Callable[[], float]) -> None:
        self.spent_usd = 0.0
        """In all."""
        self._daily_usd = daily_usd
        self._wall = wall
        self._day = -math.inf
        self._today_usd = 0.0
        self._lock = threading.Lock()

    def reserve(self, usd: float) -> Reserved | None:
        """Set an amount aside; None: the day's budget is used up."""
        with self._lock:
            day = self._wall() // DAY_S
            if day > self._day:  # a clock that steps back begins no day anew
                self._day, self._today_usd = day, 0.0
            if self._daily_usd is not None and self._today_usd + usd > self._daily_usd:
                return None
            self._today_usd += usd
            return Reserved(usd, self._day)

    def settle(self, reserved: Reserved, usd: float) -> None:
        """Put what a judgement has cost in the place of what was set aside, on that day."""
        with self._lock:
            self.spent_usd += usd
            if reserved.day == self._day:
                self._today_usd = max(self._today_usd + usd - reserved.usd, 0.0)

    def forked(self) -> None:
        """One of the parent's threads may have held the lock."""
        self._lock = threading.Lock()
