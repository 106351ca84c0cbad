"""Which path answered a conversation's last turn: its hash and the path's id, in memory only."""

from __future__ import annotations

import threading
from collections import OrderedDict

MOST_SESSIONS = 10_000
EXPIRES_S = 86_400.0
"""No provider keeps a prompt cached for longer than a day."""


class Sessions:
    """The conversations of one Router; the ones that have been silent longest are forgotten."""

    __slots__ = ("_answered", "_lock")

    def __init__(self) -> None:
        self._answered: OrderedDict[str, tuple[str, float]] = OrderedDict()
        self._lock = threading.Lock()

    def previous(self, session: str | None, *, at: float) -> str | None:
        """The path that answered last, or None; `session` is a hash, `at` in epoch seconds."""
        known = None if session is None else self._answered.get(session)
        return known[0] if known is not None and at - known[1] < EXPIRES_S else None

    def answered(self, session: str | None, path_id: str, *, at: float) -> None:
        """An answer of this path has been given out."""
        if session is None:
            return
        with self._lock:
            self._answered[session] = path_id, at
            self._answered.move_to_end(session)
            if len(self._answered) > MOST_SESSIONS:
                self._answered.popitem(last=False)

    def forked(self) -> None:
        """In a forked child: one of the parent's threads may have held the lock."""
        self._lock = threading.Lock()
