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
class Recent(Protocol):
    """A ledger that gives its newest entries without reading it all."""

    def recent(self, goal: str, most: int) -> Sequence[Entry]:
        """A goal's newest entries, newest first, as far as they are not long ago."""
        ...


@runtime_checkable
class Conversations(Protocol):
    """A ledger that keeps conversations too: what gate 3 knows of each, under a hash of its id."""

    def conversation(self, key: str) -> tuple[int, float, JSON] | None:
        """Its version, when it last moved (seconds since the epoch), and its state."""
        ...

    def keep(self, key: str, version: int, state: JSON, *, at: float, is_open: bool) -> bool:
        """Write a state over the one of this version, 0 for none; False: another came first."""
        ...

    def sweep(self, *, silent: float, gone: float, most: int) -> Sequence[str]:
        """Forget those that are over and have not moved since `gone`; find open ones to settle.

        Args:
            silent: seconds since the epoch; later than `gone`.

        Returns:
            Up to `most` open ones that are silent since then, however long; they are forgotten only
            once they were written as no longer open.
        """
        ...


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
