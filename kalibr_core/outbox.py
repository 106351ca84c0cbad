"""Entries on their way to a ledger: where it fails, they wait in memory, in order, each once."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from .ports import Ledger
from .troubles import Troubles
from .types import Entry

RETRY_EVERY_S = 1.0
MOST_PENDING = 10_000
"""Entries that wait in memory for a ledger that fails; further ones are counted as lost."""


class Outbox:
    """Writes entries to a ledger, or keeps them until it is back; raises nothing for its sake.

    It has no lock: its owner holds one.

    Args:
        troubles: gets what goes wrong: `ledger`, until nothing waits any more, and `entry`.

    Attributes:
        lost: entries that could be written nowhere.
    """

    def __init__(
        self,
        ledger: Ledger,
        *,
        clock: Callable[[], float],
        troubles: Troubles,
    ) -> None:
        self._ledger = ledger
        self._clock = clock
        self._troubles = troubles
        self._pending: deque[Entry] = deque()
        self._waiting: set[str] = set()
        """Their ids."""
        self._retry_at = 0.0
        self.lost = 0

    def __len__(self) -> int:
        """How many wait."""
        return len(self._pending)

    def of(self, decision_id: str) -> list[Entry]:
        """What of a decision waits."""
        return [entry for entry in self._pending if entry.decision_id == decision_id]

    def clear(self) -> None:
        """Forget what waits: another process writes it."""
        self._waiting.clear()
        self._pending.clear()

    def append(self, entry: Entry) -> bool:
        """Write an entry, or keep it; False: it was there already."""
        if self._pending and not self.flush():
            return self._wait_in_memory(entry)
        written = self._write(entry)
        return self._wait_in_memory(entry) if written is None else written

    def _write(self, entry: Entry) -> bool | None:
        """True: it is written; False: it was there already; None: it must wait."""
        try:
            return self._ledger.append(entry)
        except (TypeError, ValueError) as error:  # it will never be: a policy's or gate's odd value
            self._troubles.tell(
                "entry", f"an outcome's details cannot be written: {type(error).__name__}"
            )
            return self._write_bare(entry)
        except Exception as error:  # noqa: BLE001  # no call fails for the ledger's sake
            self._troubles.tell(
                "ledger", f"{error}. Routing goes on, and what is not written waits in memory"
            )
            self._retry_at = self._clock() + RETRY_EVERY_S
            return None

    def _write_bare(self, entry: Entry) -> bool:
        """Write an entry without its details; where that fails too, it is lost."""
        try:
            return self._ledger.append(entry._replace(data={}))
        except Exception:  # noqa: BLE001  # waiting would hold up all that come after it
            self.lost += 1
            return True

    def _wait_in_memory(self, entry: Entry) -> bool:
        if entry.id in self._waiting:
            return False
        if len(self._pending) >= MOST_PENDING:
            self.lost += 1
        else:
            self._pending.append(entry)
            self._waiting.add(entry.id)
        return True

    def flush(self, *, now: bool = False) -> bool:
        """Write what waits; True: nothing waits any more."""
        if self._pending and not now and self._clock() < self._retry_at:
            return False
        while self._pending:
            if self._write(self._pending[0]) is None:
                return False
            self._waiting.discard(self._pending.popleft().id)
        self._troubles.over("ledger")
        return True
