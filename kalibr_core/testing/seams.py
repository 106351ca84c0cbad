"""Simple and broken implementations of the seams."""

from __future__ import annotations

from collections.abc import Sequence

from ..errors import LedgerError
from ..ledger import MemoryLedger
from ..types import Arm, Context, Entry, Evidence, Output, Pull, Request, Verdict


class FirstArm:
    """A policy that takes the first arm it is offered, and keeps what it was told."""

    def __init__(self) -> None:
        self.pulls: list[tuple[tuple[Arm, ...], Context]] = []
        self.seen: list[tuple[str, Evidence]] = []

    def pull(self, arms: Sequence[Arm], context: Context) -> Pull:
        self.pulls.append((tuple(arms), context))
        return Pull(arm=arms[0].id, rule="first", propensity=1.0)

    def update(self, arm: str, evidence: Evidence) -> None:
        self.seen.append((arm, evidence))


class BrokenPolicy:
    """A policy whose every method raises."""

    def pull(self, arms: Sequence[Arm], context: Context) -> Pull:
        raise RuntimeError("broken policy")

    def update(self, arm: str, evidence: Evidence) -> None:
        raise RuntimeError("broken policy")


class FixedGate:
    """A gate that refuses these texts and passes all others."""

    def __init__(self, *refused: str, reason: str = "refused") -> None:
        self._refused = refused
        self._reason = reason

    def check(self, request: Request, output: Output) -> Verdict:
        if output.text in self._refused:
            return Verdict(passed=False, reason=self._reason)
        return Verdict(passed=True)


class BrokenGate:
    """A gate that raises."""

    def check(self, request: Request, output: Output) -> Verdict:
        raise RuntimeError("broken gate")


class FailingLedger(MemoryLedger):
    """A ledger that raises `error` as long as that is set: a full disk, a locked file."""

    def __init__(self) -> None:
        super().__init__()
        self.error: Exception | None = None
        self.tries = 0
        """Appends, also those that failed."""

    def fail(self, error: Exception | None = None) -> None:
        self.error = error or LedgerError("disk full")

    def mend(self) -> None:
        self.error = None

    def append(self, entry: Entry) -> bool:
        self.tries += 1
        if self.error is not None:
            raise self.error
        return super().append(entry)
