"""A ledger that keeps nothing beyond the process."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterator

from ..types import Entry
from .forks import watch_forks

MOST = 20_000
"""Entries kept; the oldest go first. Beliefs are not lost with them: the policy holds those."""


class MemoryLedger:
    """Keeps the newest entries, so that `explain` and `report` work."""

    def __init__(self, *, most: int = MOST) -> None:
        self._most = most
        self._entries: OrderedDict[str, tuple[int, Entry]] = OrderedDict()
        self._position = 0
        self._lock = threading.Lock()
        watch_forks(self)

    def append(self, entry: Entry) -> bool:
        with self._lock:
            if entry.id in self._entries:
                return False
            self._position += 1
            self._entries[entry.id] = (self._position, entry)
            if len(self._entries) > self._most:
                self._entries.popitem(last=False)
        return True

    def entries(
        self, *, goal: str | None = None, decision_id: str | None = None, after: int = 0
    ) -> Iterator[tuple[int, Entry]]:
        with self._lock:
            rows = list(self._entries.values())
        for position, entry in rows:
            if (
                position > after
                and goal in (None, entry.goal)
                and decision_id in (None, entry.decision_id)
            ):
                yield position, entry

    def close(self) -> None:
        """Nothing to close."""

    def _leave_parent(self) -> None:
        self._lock = threading.Lock()
