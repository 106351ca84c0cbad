"""One goal's memory: the policy's beliefs, and the record that they are a fold of.

The lock is held while an outcome moves the policy and is appended, so that both see the same order
and a restart folds the record into the very same beliefs.
"""

from __future__ import annotations

import logging
import os
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence

from .ledger.where import place_of
from .outbox import Outbox
from .ports import Ledger, Persistent, Policy, Recent, Shared
from .troubles import Troubles
from .types import Arm, Batch, Context, Entry, Evidence, EvidenceKind, Pull

log = logging.getLogger("kalibr")

SNAPSHOT_EVERY = 500
"""Entries between two snapshots: a start folds at most about as many."""
TAKE_IN_EVERY_S = 0.5
MOST_NEWEST = 3
"""Decisions that an error lists."""


class Learner:
    """Folds outcomes into a policy and into a ledger; safe for threads.

    Nothing in here raises for the sake of the policy or the ledger: a broken policy is replaced by
    the first arm, a failing ledger by memory, each with one warning.
    """

    def __init__(
        self, goal: str, *, policy: Policy, ledger: Ledger, clock: Callable[[], float]
    ) -> None:
        self.goal = goal
        self.policy = policy
        self.ledger = ledger
        self._shared = ledger if isinstance(ledger, Shared) else None
        self._persistent = policy if isinstance(policy, Persistent) else None
        self.origin = os.urandom(6).hex()
        self._version = str(getattr(policy, "FORMAT", type(policy).__name__))
        self._clock = clock
        self._lock = threading.RLock()
        self._troubles = Troubles(goal)
        self._outbox = Outbox(ledger, clock=clock, troubles=self._troubles)
        self._left: deque[Entry] = deque()
        self._take_in_at = 0.0
        self._position = 0
        self._own = 0
        """Entries of our own that are folded, and not yet passed by `_position`."""
        self._since_snapshot = 0
        self._newest: deque[str] = deque(maxlen=MOST_NEWEST)
        self._load()

    @property
    def unwritten(self) -> int:
        """Entries that the ledger has not taken: those still waiting and those lost."""
        self.settle()
        return len(self._outbox) + self._outbox.lost

    def pull(self, arms: Sequence[Arm], context: Context) -> Pull:
        """Let the policy choose; where it fails, the first arm is taken."""
        with self._lock:
            self.settle()
            self._take_in()
            try:
                pull = self.policy.pull(arms, context)
                if isinstance(pull, Pull) and any(arm.id == pull.arm for arm in arms):
                    return pull
                self.warn("policy", f"the policy chose {pull!r:.80}, which was not offered")
            except Exception as error:  # noqa: BLE001  # no call fails for the policy's sake
                self.warn("policy", f"the policy failed with {type(error).__name__}")
            return Pull(arm=arms[0].id, rule="fallback", propensity=1.0)

    def book(self, entry: Entry) -> bool:
        """Record an entry and learn from it; False: it was there already, and nothing moved."""
        with self._lock:
            self.settle()
            return self._book(entry)

    def pass_on(self, entry: Entry) -> bool:
        """Record what another goal's Router is to learn; it takes it in from a shared ledger.

        Raises:
            LedgerError: it could not be written.
        """
        return self.ledger.append(entry)

    def leave(self, entry: Entry) -> None:
        """Keep an entry for the next to come.

        For calls that were left: those may end in the garbage collector, in the middle of anything,
        also of an append of this very thread. So this takes no lock.
        """
        self._left.append(entry)

    def settle(self) -> None:
        """Book what was left."""
        while self._left:
            with self._lock:
                try:
                    entry = self._left.popleft()
                except IndexError:  # another thread has settled it
                    return
                self._book(entry)

    def _book(self, entry: Entry) -> bool:
        if not self._outbox.append(entry):
            return False
        self._own += 1
        self._fold(entry)
        self._since_snapshot += 1
        if self._since_snapshot >= SNAPSHOT_EVERY:
            self.snapshot()
        return True

    def snapshot(self) -> None:
        """Write the beliefs down, so that the next start need not fold the whole record."""
        with self._lock:
            self._since_snapshot = 0
            if self._shared is None or self._persistent is None:
                return
            if self._outbox:
                return  # what waits would be folded twice: it comes after this position
            if not self._take_in(now=True):
                return  # our own outcomes after the position would be folded twice
            try:
                state = self._persistent.state()
                self._shared.save(self.goal, self._version, self._position, state)
            except Exception as error:  # noqa: BLE001  # the record is there; only a start is slower
                self.warn("snapshot", f"the beliefs could not be written down: {error}")

    def close(self, *, ledger: bool) -> None:
        """Write what waits and the beliefs down; close the ledger too where it is ours."""
        with self._lock:
            self.settle()
            if not self._outbox.flush(now=True):
                log.warning(
                    "kalibr: goal %r: %d outcomes could not be written and are lost",
                    self.goal,
                    len(self._outbox),
                )
            self.snapshot()
            if ledger:
                self.ledger.close()

    def entries(self, decision_id: object) -> list[Entry]:
        """What is recorded of a decision, also what still waits for the ledger.

        Raises:
            LedgerError: the record cannot be read.
        """
        if not isinstance(decision_id, str):
            return []  # a ledger takes None for all decisions
        self.settle()
        with self._lock:
            waiting = self._outbox.of(decision_id)
        return [entry for _, entry in self.ledger.entries(decision_id=decision_id)] + waiting

    def recent(self, goal: str, most: int) -> Sequence[Entry]:
        """A goal's newest entries, newest first.

        Raises:
            LedgerError: the record cannot be read.
        """
        self.settle()
        if isinstance(self.ledger, Recent):
            return self.ledger.recent(goal, most)
        return [entry for _, entry in self.ledger.entries(goal=goal)][: -most - 1 : -1]

    def history(self) -> Iterator[Entry]:
        """All that is recorded of this goal, in the record's order.

        Raises:
            LedgerError: the record cannot be read.
        """
        self.settle()
        for _, entry in self.ledger.entries(goal=self.goal):
            yield entry

    def flush(self) -> bool:
        """Write what waits for the ledger, unless it has just failed; True: nothing waits."""
        with self._lock:
            self.settle()
            return self._outbox.flush()

    @property
    def place(self) -> str:
        """Where the ledger is, for errors."""
        return place_of(self.ledger)

    def goals(self) -> Sequence[str]:
        """The goal that this learns for."""
        return (self.goal,)

    def forked(self) -> None:
        """In a forked child: become a writer of its own, beside the parent."""
        self._lock = threading.RLock()  # one of the parent's threads may have held it
        self._outbox.clear()  # the parent writes these
        known, parent, self.origin = self._own, self.origin, os.urandom(6).hex()
        self._own = 0
        try:
            for position, entry in self.ledger.entries(goal=self.goal, after=self._position):
                if entry.origin == parent and known:
                    known -= 1
                else:
                    self._fold(entry)
                self._position = position
        except Exception as error:  # noqa: BLE001  # no call fails for the ledger's sake
            self.warn("ledger", f"the record cannot be read to its end: {error}")

    def _load(self) -> None:
        """Take up the newest snapshot and fold what came after it."""
        try:
            if self._shared is not None and self._persistent is not None:
                found = self._shared.snapshot(self.goal, self._version)
                if found is not None:
                    self._persistent.restore(found[1])
                    self._position = found[0]
        except Exception as error:  # noqa: BLE001  # nothing fails for the policy's or ledger's sake
            self.warn("snapshot", f"written beliefs cannot be read, the record is: {error}")
        folded = 0
        try:
            for position, entry in self.ledger.entries(goal=self.goal, after=self._position):
                self._fold(entry)
                self._position = position
                folded += 1
        except Exception as error:  # noqa: BLE001  # nothing fails for the ledger's sake
            self.warn("ledger", f"the record cannot be read to its end: {error}")
        if folded >= SNAPSHOT_EVERY:
            self.snapshot()  # processes that never close would fold the same again and again

    def _take_in(self, *, now: bool = False) -> bool:
        """Fold what other processes have learned of this goal; False: it could not be read."""
        if self._shared is None:
            return True
        at = self._clock()
        if not now and at < self._take_in_at:
            return True
        self._take_in_at = at + TAKE_IN_EVERY_S
        try:
            end, batches = self._shared.take_in(
                self.goal, after=self._position, but_from=self.origin
            )
        except Exception as error:  # noqa: BLE001  # no call fails for the ledger's sake
            self.warn("ledger", f"others' outcomes cannot be read: {error}")
            return False
        self._position, self._own = end, len(self._outbox)
        for batch in batches:
            self._update(batch)
        return True

    def newest(self, goal: str) -> Sequence[str]:
        """The last decisions of this goal that were made or read here, the newest first.

        The record is not asked: many look for a decision where it may not be.
        """
        return list(self._newest)[::-1] if goal == self.goal else []

    def _fold(self, entry: Entry) -> None:
        if entry.kind == "attempt" and entry.decision_id not in self._newest:
            self._newest.append(entry.decision_id)
        self._update(Batch(entry.path_id, evidence_of(entry)))

    def _update(self, batch: Batch) -> None:
        try:
            self.policy.update(batch.path_id, batch.evidence)
        except Exception as error:  # noqa: BLE001  # no call fails for the policy's sake
            self.warn("policy", f"the policy failed with {type(error).__name__}")

    def warn(self, what: str, text: str) -> None:
        """Log a warning once for each kind of trouble."""
        self._troubles.tell(what, text)


def evidence_of(entry: Entry) -> Evidence:
    """What an entry teaches; the one place where the record becomes evidence."""
    reward = entry.reward
    if reward is None or not 0.0 <= reward <= 1.0:
        return Evidence(EvidenceKind.NONE, at=entry.at)
    return Evidence(entry.evidence, reward, 1.0 - reward, entry.at)
