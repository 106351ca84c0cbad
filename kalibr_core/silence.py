"""Conversations that nobody ends: who says nothing for long has left, and is forgotten at last.

What an event comes to does not rest on whether another one came in between: the age of a
conversation is looked at with each of its own events, and those that have none are looked for.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence

from .conversations import Conversation, Signal, restored
from .errors import LedgerError
from .ports import Conversations
from .session_ids import GONE_S

log = logging.getLogger("kalibr")

SILENT_S = 3_600.0
"""A user who has said nothing for so long is taken to have left."""
SWEEP_EVERY_S = 60.0
SWEEP_S = 0.005
"""After so long a sweep goes on with a later event."""
SWEPT = 20
"""Conversations between two looks at the clock."""


class Silence:
    """Knows how long each conversation has been silent, and settles those that are for long.

    Args:
        keeper: where the conversations are kept.
        emit: books what a conversation says of paths.
        wall: seconds since the epoch.
    """

    def __init__(
        self,
        *,
        keeper: Conversations,
        emit: Callable[[Sequence[Signal]], object],
        wall: Callable[[], float],
    ) -> None:
        self._keeper = keeper
        self._emit = emit
        self._wall = wall
        self._sweep_at = 0.0

    def known(self, key: str) -> tuple[int, Conversation]:
        """A conversation as it is now, and its version; a new one where it is none or forgotten.

        One that has been silent for long counts as left; nothing is written.
        """
        version, known, _ = self._read(key)
        return version, known

    def settled(self, key: str) -> tuple[int, Conversation]:
        """The same, and what its silence says is booked."""
        version, known, signals = self._read(key)
        self._emit(signals)
        return version, known

    def _read(self, key: str) -> tuple[int, Conversation, list[Signal]]:
        found = self._keeper.conversation(key)
        if found is None:
            return 0, Conversation(), []
        version, at, state = found
        known, silent_s = restored(state), self._wall() - at
        signals = known.left(ended=False) if silent_s > SILENT_S else []
        return version, Conversation() if silent_s > GONE_S else known, signals

    def sweep(self, *, now: bool = False) -> None:
        """Take long silent conversations for left; forget those from long ago.

        A long list is gone through a few milliseconds at a time.
        """
        at = self._wall()
        if not now and 0.0 <= self._sweep_at - at <= SWEEP_EVERY_S:
            return
        ends = time.perf_counter() + SWEEP_S
        try:
            while keys := self._keeper.sweep(silent=at - SILENT_S, gone=at - GONE_S, most=SWEPT):
                for key in keys:
                    self._settle(key, before=at - SILENT_S)
                if time.perf_counter() > ends:
                    return  # the next event goes on
        except LedgerError as error:  # what was asked for has been done: this can wait
            log.warning("kalibr: conversations cannot be looked through: %s", error)
        self._sweep_at = at + SWEEP_EVERY_S

    def _settle(self, key: str, *, before: float) -> None:
        found = self._keeper.conversation(key)
        if found is None or found[1] >= before:
            return
        version, at, state = found
        known = restored(state)
        self._emit(known.left(ended=False))
        self._keeper.keep(key, version, known.state(), at=at, is_open=False)
