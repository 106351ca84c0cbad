"""A ledger that keeps nothing beyond the process."""

from __future__ import annotations

import json
import threading
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from itertools import islice

from ..types import JSON, Entry
from .forks import watch_forks

MOST = 20_000
"""Entries kept; the oldest go first. Beliefs are not lost with them: the policy holds those."""


MOST_CONVERSATIONS = 10_000
"""Kept; the ones that have been silent longest go first."""


class MemoryConversations:
    """Keeps conversations in this process; see `ports.Conversations`."""

    def __init__(self, *, most: int = MOST_CONVERSATIONS) -> None:
        self._most = most
        self._kept: OrderedDict[str, tuple[int, float, bool, str]] = OrderedDict()
        self._lock = threading.RLock()
        watch_forks(self)

    def conversation(self, key: str) -> tuple[int, float, JSON] | None:
        with self._lock:
            found = self._kept.get(key)
        return None if found is None else (found[0], found[1], json.loads(found[3]))

    def keep(self, key: str, version: int, state: JSON, *, at: float, is_open: bool) -> bool:
        text = json.dumps(state, separators=(",", ":"))  # a fifth of what the objects take
        with self._lock:
            known = self._kept.get(key)
            if (0 if known is None else known[0]) != version:
                return False
            self._kept[key] = (version + 1, at, is_open, text)
            self._kept.move_to_end(key)
            if len(self._kept) > self._most:
                self._kept.popitem(last=False)
        return True

    def sweep(self, *, silent: float, gone: float, most: int) -> Sequence[str]:
        with self._lock:
            for key in [k for k, kept in self._kept.items() if not kept[2] and kept[1] < gone]:
                del self._kept[key]
            found = [key for key, kept in self._kept.items() if kept[2] and kept[1] < silent]
        return found[:most]

    def _leave_parent(self) -> None:
        self._lock = threading.RLock()


class MemoryLedger:
    """Keeps the newest entries, so that `explain` and `report` work."""

    def __init__(self, *, most: int = MOST) -> None:
        self._most = most
        self._entries: OrderedDict[str, tuple[int, Entry]] = OrderedDict()
        self._of: dict[str, list[str]] = {}
        """Decisions' ids -> their entries' ids, in order."""
        self._position = 0
        self._conversations = MemoryConversations()
        self._lock = threading.RLock()
        watch_forks(self)

    def append(self, entry: Entry) -> bool:
        with self._lock:
            if entry.id in self._entries:
                return False
            self._position += 1
            self._entries[entry.id] = (self._position, entry)
            self._of.setdefault(entry.decision_id, []).append(entry.id)
            if len(self._entries) > self._most:
                self._forget_oldest()
        return True

    def _forget_oldest(self) -> None:
        _, (_, entry) = self._entries.popitem(last=False)
        left = self._of[entry.decision_id]
        left.pop(0)
        if not left:
            del self._of[entry.decision_id]

    def entries(
        self, *, goal: str | None = None, decision_id: str | None = None, after: int = 0
    ) -> Iterator[tuple[int, Entry]]:
        with self._lock:
            if decision_id is None:
                rows = list(self._entries.values())
            else:  # a full ledger is not gone through for one decision
                rows = [self._entries[id_] for id_ in self._of.get(decision_id, ())]
        for position, entry in rows:
            if position > after and goal in (None, entry.goal):
                yield position, entry

    def recent(self, goal: str, most: int) -> list[Entry]:
        """A goal's newest entries, newest first."""
        with self._lock:
            newest = (entry for _, entry in reversed(self._entries.values()) if entry.goal == goal)
            return list(islice(newest, most))

    def conversation(self, key: str) -> tuple[int, float, JSON] | None:
        return self._conversations.conversation(key)

    def keep(self, key: str, version: int, state: JSON, *, at: float, is_open: bool) -> bool:
        return self._conversations.keep(key, version, state, at=at, is_open=is_open)

    def sweep(self, *, silent: float, gone: float, most: int) -> Sequence[str]:
        return self._conversations.sweep(silent=silent, gone=gone, most=most)

    def close(self) -> None:
        """Nothing to close."""

    def _leave_parent(self) -> None:
        self._lock = threading.RLock()
