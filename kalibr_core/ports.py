"""The seams that others may implement."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol, runtime_checkable

from .types import JSON, Arm, Batch, Context, Entry, Evidence, Output, Pull, Request, Verdict


class Policy(Protocol):
    """Chooses arms and learns from their outcomes.

    State moves in `update` alone, so that folding the same evidence again gives the same beliefs;
    `pull` may only remember what is outstanding.
    """

    def pull(self, arms: Sequence[Arm], context: Context) -> Pull:
        """Choose one of `arms` (at least one, in any order, possibly fewer than the goal has)."""
        ...

    def update(self, arm: str, evidence: Evidence) -> None:
        """Learn what became of an arm; each pull is followed by one update of that arm."""
        ...


@runtime_checkable
class Persistent(Protocol):
    """A policy whose state can be written down and read back."""

    def state(self) -> JSON:
        """All beliefs, exactly: `restore(state())` changes nothing."""
        ...

    def restore(self, state: JSON) -> None:
        """Take up a written state; values out of bounds are clamped.

        Raises:
            ValueError: this is no state of this policy. Nothing has changed then.
        """
        ...


class Gate(Protocol):
    """Judges an output, inline: microseconds, no I/O."""

    def check(self, request: Request, output: Output) -> Verdict: ...


class Ledger(Protocol):
    """The append-only record: the truth, of which beliefs are a fold."""

    def append(self, entry: Entry) -> bool:
        """Write one entry; durable when it returns. False: this id was there already.

        Raises:
            LedgerError: it could not be written.
        """
        ...

    def entries(
        self, *, goal: str | None = None, decision_id: str | None = None, after: int = 0
    ) -> Iterator[tuple[int, Entry]]:
        """Entries with their positions, in the record's order."""
        ...

    def close(self) -> None: ...


@runtime_checkable
class Shared(Protocol):
    """A ledger that other processes write to as well, and that keeps snapshots of beliefs."""

    def take_in(self, goal: str, *, after: int, but_from: str) -> tuple[int, Sequence[Batch]]:
        """Others' evidence after a position, summed by arm, and the record's end; atomic."""
        ...

    def snapshot(self, goal: str, version: str) -> tuple[int, JSON] | None:
        """The newest written beliefs, and the position up to which they hold."""
        ...

    def save(self, goal: str, version: str, position: int, state: JSON) -> None: ...
