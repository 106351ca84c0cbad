"""Which root run each of LangChain's runs belongs to, and what is known of it while it is open."""

from __future__ import annotations

import itertools
import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple, TypeVar
from uuid import UUID

from langchain_core.outputs import ChatGeneration, LLMResult

from kalibr_core.adapter.behaviour import Decided
from kalibr_core.ledger.forks import watch_forks

from .feedback import decided_in
from .said import Said, strings_in, text_of

T = TypeVar("T")

MOST_ROOTS = 10_000
"""Open ones; those that were opened longest ago are let go."""
MOST_AGE_S = 3_600.0
"""A root run that has been open for longer is let go: its user is taken to have left; and of a
model's call that was cancelled, LangChain tells no end."""
MOST_RUNS = 100_000
MOST_SESSIONS = 10_000
"""Whose last answer may still be gone on with."""
MOST_DECISIONS = 64
"""Of one run: its last ones."""
TELLING = 20
"""Characters of an answer from which on it is known by standing within the output."""


class Answer(NamedTuple):
    """A routed call's answer; its text is held until the run ends."""

    decided: Decided
    text: str

    def is_in(self, text: str, parts: tuple[str, ...]) -> bool:
        """Does an output hold it: its text, one of its parts, or, where it is JSON, its texts?"""
        own = self.text.strip()
        if own and own in map(str.strip, parts):
            return True
        if len(own) >= TELLING and any(own in one for one in (text, *parts)):
            return True
        strings = strings_in(own) if parts else ()
        return bool(strings) and set(strings) <= set(parts)


@dataclass(slots=True, eq=False)
class Root:
    """An open run that a user's message began."""

    run_id: UUID
    session: str | None
    said: Said | None
    held: tuple[str, ...]
    """Where its input holds texts, none of which was taken for the user's message."""
    resumes: bool
    is_below: bool = False
    """Runs above it were not heard: what it was asked is a program's prompt."""
    is_told: bool = False
    """The user's message has been told."""
    answers: deque[Answer] = field(default_factory=lambda: deque(maxlen=MOST_DECISIONS))
    calls: set[UUID] = field(default_factory=set)
    """Models' runs that are under way."""
    runs: set[UUID] = field(default_factory=set)
    began: float = 0.0
    """Seconds, by the clock of `Runs`."""
    number: int = 0
    """Grows in the order in which runs begin."""

    def wrote(self, wrote: Decided | None, text: str, parts: tuple[str, ...] = ()) -> list[Decided]:
        """The decisions whose answer the output is, or holds, the longest last; Args: `decided`'s.

        Returns:
            []: it shows no answer of the run's.
        """
        found = [answer.decided for answer in self.answers if answer.decided == wrote]
        if not found and text.strip():
            found = [one.decided for one in self.answers if one.text.strip() == text.strip()]
        if not found:
            held = [one for one in self.answers if one.is_in(text, parts)]
            found = [one.decided for one in sorted(held, key=lambda one: len(one.text.strip()))]
        return found

    def decided(
        self, wrote: Decided | None, text: str, parts: tuple[str, ...] = ()
    ) -> tuple[Decided, ...]:
        """The decisions of its answers, the one that wrote its output last.

        Args:
            wrote: the final message's; None: it holds none. Then the last answer with the output's
                very text is taken, else the longest that the output holds, else the last one.
            text: the output's.
            parts: its texts, where it is a structure.
        """
        last = self.wrote(wrote, text, parts)
        decided = [answer.decided for answer in self.answers]
        return (*(one for one in decided if one not in last[-1:]), *last[-1:])


class Last(NamedTuple):
    """A conversation's last answer, to be gone on with."""

    event_id: str
    decided: tuple[Decided, ...]

    def with_further(self, decided: tuple[Decided, ...]) -> tuple[Decided, ...]:
        return (*self.decided, *decided)[-MOST_DECISIONS:]


def answer_of(response: LLMResult) -> Answer | None:
    """A routed call's answer; None: the model was not routed."""
    for generation in (one for several in response.generations for one in several):
        if isinstance(generation, ChatGeneration):
            decided = decided_in(generation.message)
            if decided is not None:
                return Answer(decided, text_of(generation.message))
    return None


class Runs:
    """The open runs of all chains; safe for threads, and bounded.

    Args:
        clock: seconds.
    """

    def __init__(
        self, *, most_roots: int = MOST_ROOTS, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._most_roots = most_roots
        self._clock = clock
        # The collector may end a stream's run in the middle of anything that holds it.
        self._lock = threading.RLock()
        self._roots: OrderedDict[UUID, Root] = OrderedDict()
        self._of: OrderedDict[UUID, Root] = OrderedDict()
        self._last: OrderedDict[str, Last] = OrderedDict()
        self._numbers = itertools.count(1)
        self._begun: OrderedDict[str, int] = OrderedDict()
        """Sessions -> the number of their newest run whose user's message was told."""
        self._answered: OrderedDict[str, int] = OrderedDict()
        """... and of their newest one that has answered."""
        watch_forks(self, inner=True)

    def _leave_parent(self) -> None:
        """In a forked child: another thread of the parent may have held the lock."""
        self._lock = threading.RLock()

    def __len__(self) -> int:
        return len(self._of)

    def below(self, parent_id: UUID | None) -> Root | None:
        """The root run above; None: there is none, or it is not known."""
        if parent_id is None:
            return None
        with self._lock:
            return self._of.get(parent_id)

    def open(self, root: Root) -> None:
        """Take a root run up."""
        with self._lock:
            root.began, root.number = self._clock(), next(self._numbers)
            self._roots[root.run_id] = root
            self._join(root.run_id, root)
            while self._is_too_much(oldest := next(iter(self._roots.values())), root.began):
                self._drop(oldest)

    def join(self, run_id: UUID, root: Root) -> None:
        """Take up a run below a root."""
        with self._lock:
            if root.run_id in self._roots:
                self._join(run_id, root)

    def leave(self, run_id: UUID) -> Root | None:
        """A run has ended; the root where it is one, which is then forgotten."""
        with self._lock:
            root = self._of.pop(run_id, None)
            if root is None:
                return None
            root.runs.discard(run_id)
            if root.run_id != run_id:
                return None
            self._drop(root)
            return root

    def of(self, run_id: UUID) -> Root | None:
        with self._lock:
            return self._of.get(run_id)

    def last(self, session: str) -> Last | None:
        """What was last answered there, as far as this is remembered."""
        with self._lock:
            return self._last.get(session)

    def answered(self, session: str, last: Last, number: int) -> None:
        """A run of this number has answered."""
        with self._lock:
            _put(self._last, session, last)
            _put(self._answered, session, max(number, self._answered.get(session, 0)))

    def heard(self, session: str, number: int) -> None:
        """The user has said something, which a run of this number began with: what follows is
        another answer."""
        with self._lock:
            self._last.pop(session, None)
            _put(self._begun, session, max(number, self._begun.get(session, 0)))

    def is_late(self, session: str, number: int, *, begun: bool) -> bool:
        """Has a run that began later answered there, or, where asked for, `begun`?"""
        with self._lock:
            newest = self._answered.get(session, 0)
            return number < (max(newest, self._begun.get(session, 0)) if begun else newest)

    def _is_too_much(self, oldest: Root, now: float) -> bool:
        return len(self._roots) > self._most_roots or now - oldest.began > MOST_AGE_S

    def _join(self, run_id: UUID, root: Root) -> None:
        self._of[run_id] = root
        root.runs.add(run_id)
        if len(self._of) > MOST_RUNS:
            gone, its_root = self._of.popitem(last=False)
            its_root.runs.discard(gone)

    def _drop(self, root: Root) -> None:
        self._roots.pop(root.run_id, None)
        for run_id in list(root.runs):
            self._of.pop(run_id, None)


def _put(kept: OrderedDict[str, T], session: str, value: T) -> None:
    kept[session] = value
    kept.move_to_end(session)
    if len(kept) > MOST_SESSIONS:
        kept.popitem(last=False)
