"""Which paths must not be called for now: rate limits, refused keys, models that are gone."""

from __future__ import annotations

import math
import threading

from .failures import RULES
from .types import Failure

FIRST_S = 1.0
LONGEST_S = 60.0
"""Without a `Retry-After`: 1, 2, 4 ... s, at most a minute."""


class Blocks:
    """Blocked paths of one Router. Times are of a monotonic clock, in seconds."""

    __slots__ = ("_lock", "_streak", "_until", "_why")

    def __init__(self) -> None:
        self._until: dict[str, float] = {}
        self._why: dict[str, str] = {}
        self._streak: dict[str, int] = {}
        self._lock = threading.Lock()

    def failed(self, path_id: str, failure: Failure, *, now: float) -> bool:
        """Block the path if the failure asks for it; True: blocked until the configuration changes.

        The newest `Retry-After` counts, but a block is never shortened.
        """
        block = RULES[failure.kind].block
        if block == "no":
            return False
        with self._lock:
            if block == "until changed":
                news = self._until.get(path_id) != math.inf
                self._until[path_id] = math.inf
                self._why[path_id] = str(failure.kind)
                return news
            streak = self._streak.get(path_id, 0)
            self._streak[path_id] = streak + 1
            seconds = failure.retry_after_s
            if seconds is None:
                seconds = min(LONGEST_S, FIRST_S * 2.0 ** min(streak, 16))
            self._until[path_id] = max(self._until.get(path_id, -math.inf), now + seconds)
            self._why[path_id] = str(failure.kind)
        return False

    def passed(self, path_id: str) -> None:
        """An answer came: the next rate limit starts from the shortest block again."""
        if path_id in self._streak:
            with self._lock:
                self._streak.pop(path_id, None)

    def wait_s(self, path_id: str, *, now: float) -> float:
        """Seconds until the path is free: 0.0 it is, inf it will not be by itself."""
        until = self._until.get(path_id)
        return 0.0 if until is None else max(0.0, until - now)

    def why(self, path_id: str) -> str:
        return self._why.get(path_id, "not blocked")
