"""Which paths must not be called for now: rate limits, refused keys, models that are gone."""

from __future__ import annotations

import math
import threading
from collections import deque

from .failures import RULES
from .types import Failure

FIRST_S = 1.0
LONGEST_S = 60.0
"""Without a `Retry-After`: 1, 2, 4 ... s, at most a minute."""

STORM_SHARE = 0.2
STORM_CALLS = 10
"""More than this share of a minute's calls, if there were as many: the path is not available."""
PART_S = 5.0
PARTS = 12
"""A minute is counted in parts, so that a call costs the same whatever the traffic."""


class Blocks:
    """Blocked paths of one Router. Times are of a monotonic clock, in seconds."""

    __slots__ = ("_lock", "_minutes", "_streak", "_until", "_why")

    def __init__(self) -> None:
        self._until: dict[str, float] = {}
        self._why: dict[str, str] = {}
        self._streak: dict[str, int] = {}
        self._minutes: dict[str, Minute] = {}
        self._lock = threading.Lock()

    def failed(self, path_id: str, failure: Failure, *, now: float) -> bool:
        """Block the path if the failure asks for it; True: blocked until the configuration changes.

        The newest `Retry-After` counts, but a block is never shortened.
        """
        rule = RULES[failure.kind]
        with self._lock:
            self._count(path_id, rule.often is not None, now)
            if rule.block == "no":
                return False
            until = self._until.get(path_id, -math.inf)
            self._why[path_id] = str(failure.kind)
            if rule.block == "until changed":
                self._until[path_id] = math.inf
                return until != math.inf
            # One of zero, or a date gone by, is no time to wait: the path would be hammered.
            seconds = failure.retry_after_s or self._next_s(path_id, until, now)
            self._until[path_id] = max(until, now + seconds)
        return False

    def passed(self, path_id: str, *, now: float) -> None:
        """An answer came: the next rate limit starts from the shortest block again."""
        with self._lock:
            self._count(path_id, False, now)
            self._streak.pop(path_id, None)

    def is_storm(self, path_id: str) -> bool:
        """Were more than a fifth of the calls in the minute up to the path's newest limited?"""
        minute = self._minutes.get(path_id)
        return minute is not None and minute.is_storm

    def wait_s(self, path_id: str, *, now: float) -> float:
        """Seconds until the path is free: 0.0 it is, inf it will not be by itself."""
        until = self._until.get(path_id)
        return 0.0 if until is None else max(0.0, until - now)

    def why(self, path_id: str) -> str:
        return self._why.get(path_id, "not blocked")

    def forked(self) -> None:
        """In a forked child: one of the parent's threads may have held the lock."""
        self._lock = threading.Lock()

    def _count(self, path_id: str, limited: bool, now: float) -> None:
        minute = self._minutes.get(path_id)
        if minute is None:
            minute = self._minutes[path_id] = Minute()
        minute.count(limited, now=now)

    def _next_s(self, path_id: str, until: float, now: float) -> float:
        if until > now:
            return 0.0  # it was under way when the block began, and says nothing new
        streak = self._streak.get(path_id, 0)
        self._streak[path_id] = streak + 1
        return min(LONGEST_S, FIRST_S * 2.0 ** min(streak, 16))


class Minute:
    """One path's finished calls of the last minute, and how many of them were rate-limited."""

    __slots__ = ("_calls", "_limited", "_parts")

    def __init__(self) -> None:
        self._calls = self._limited = 0
        self._parts: deque[list[int]] = deque()
        """(number of the part, calls, limited), the oldest first."""

    def count(self, limited: bool, *, now: float) -> None:
        number, parts = int(now / PART_S), self._parts
        if not parts or parts[-1][0] < number:
            parts.append([number, 0, 0])
        parts[-1][1] += 1
        parts[-1][2] += limited
        self._calls += 1
        self._limited += limited
        while parts[0][0] <= number - PARTS:
            _, calls, were_limited = parts.popleft()
            self._calls -= calls
            self._limited -= were_limited

    @property
    def is_storm(self) -> bool:
        return self._calls >= STORM_CALLS and self._limited > STORM_SHARE * self._calls
