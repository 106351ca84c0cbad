"""What users did, as a framework's events show it, told to the Routers of this process.

A framework's handler must not break what it listens to: what goes wrong here is counted, and logged
once for each kind of error. No text is kept once it has been told.
"""

from __future__ import annotations

import functools
import logging
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, InvalidStateError
from contextlib import contextmanager, suppress
from typing import NamedTuple, TypeVar

from ..conversations import MOST_MADE, Made
from ..errors import ConfigError, KalibrError, LedgerError, RouterClosed, UnknownSession
from ..reporter import Reporter
from ..router import Router
from ..session_ids import shown
from ..signals import Classify, checked_action
from . import routers
from .background import Background

log = logging.getLogger("kalibr")

T = TypeVar("T")

FLUSH_S = 5.0
SLOW_S = 0.1
"""A ledger that fails after so long is locked by another process ..."""
WAIT_S = 0.1
"""How long who reports an action or an end waits for what was heard before it."""
LATE_S = 5.0
"""... and for so long no chain waits for it: what comes is told in the background."""


class Decided(NamedTuple):
    """A decision that had a part in an answer."""

    decision_id: str
    goal: str | None
    """None: unknown."""


class Behaviour:
    """Tells Routers what became of their answers; safe for threads.

    Args:
        model: what the adapter calls its routed models, for errors.
        classify: see `report_user_turn`. With it, all is told in order on a thread of its own, so
            that no chain waits for it.
        clock: seconds.

    Raises:
        ConfigError: `classify` is no function.
    """

    def __init__(
        self,
        *,
        model: str,
        classify: Classify | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        if classify is not None and not callable(classify):
            raise ConfigError(f"classify must be a function, got {type(classify).__name__}")
        self._model = model
        self._classify = classify
        self._clock = clock
        self._background = Background()
        self._late_until = float("-inf") if classify is None else float("inf")
        self.failures: Counter[str] = Counter()
        """Errors by their class; `QueueFull` where too much waited to be told."""

    def turn(self, session_id: str, text: str, *, event_id: str | None) -> None:
        """The user has said something: tell each Router that has answered in this conversation.

        Args:
            event_id: names the message; None: it has no name, and counts once until there is
                another answer, so that a run which is tried again is no repeated complaint.
        """
        self._do(lambda: self._turn(session_id, text, event_id))

    def pipeline(
        self,
        session_id: str,
        decided: Sequence[Decided],
        *,
        prompt: str,
        output: str,
        event_id: str,
    ) -> None:
        """An answer has been given: tell the Routers whose decisions made it.

        Args:
            decided: in their order; the last one wrote the answer.
            event_id: names the run; the same again adds what it names for the first time.
        """
        if decided:
            self._do(lambda: self._pipeline(session_id, decided, prompt, output, event_id))

    def left(self, session_id: str) -> None:
        """The conversation is over, as far as it is known at all; raises nothing."""

        def told() -> None:
            with self.careful():
                self._each(session_id, lambda feedback: feedback.session_end(session_id))

        self._do(told)

    def action(self, session_id: str, action: str) -> bool:
        """The user has done something with the answer that was the conversation's last one now.

        It is told after all that was heard before it. Where that takes longer than `WAIT_S`, the
        caller waits no more: it is told in the background, and what goes wrong there is counted.

        Returns:
            False: this was reported before, or too much waits to be told; nothing has moved. True
            too where it is still to be told.

        Raises:
            UnknownAction: none of `ACTIONS`.
            UnknownSession: no Router of this process has answered in this conversation.
            LedgerError: no ledger that may know it can be used.
        """
        checked_action(action)
        return self._told(
            lambda: self._each(
                session_id, lambda feedback: feedback.action(session_id, action, decision_id=None)
            )
        )

    def end(self, session_id: str) -> bool:
        """The user has left; told in its order, as an `action` is.

        Returns:
            False: the conversation had ended before; else as `action`'s.

        Raises:
            UnknownSession, LedgerError: as `action`'s.
        """
        return self._told(
            lambda: self._each(session_id, lambda feedback: feedback.session_end(session_id))
        )

    def flush(self, *, timeout_s: float = FLUSH_S) -> bool:
        """Wait until all events have been told; False: some are left."""
        return self._background.flush(timeout_s=timeout_s)

    @contextmanager
    def careful(self) -> Iterator[None]:
        """Count what goes wrong, and raise nothing."""
        try:
            yield
        except UnknownSession:  # it ended or was forgotten meanwhile
            pass
        except Exception as error:  # noqa: BLE001  # no chain fails for a signal's sake
            self._went_wrong(error)

    def read(self, reading: Callable[[], T], default: T) -> T:
        """What a look into a chain's own objects gives, or the default where they raise."""
        with self.careful():
            return reading()
        return default

    def failed(self, kind: str, what: str) -> None:
        """Count a failure; the first one of its kind is logged."""
        self.failures[kind] += 1
        if self.failures[kind] == 1:
            log.warning(
                "kalibr: what a user did could not be told: %s: %s (said once; see .failures)",
                kind,
                what,
            )

    def _went_wrong(self, error: Exception) -> None:
        # The text of an error that is none of ours may be the user's: pydantic shows what it got.
        said = str(error) if isinstance(error, KalibrError) else "what it got cannot be read"
        self.failed(type(error).__name__, said)

    def _do(self, work: Callable[[], None]) -> None:
        if self._clock() >= self._late_until and self._background.is_idle:
            self._timed(work)
        elif not self._background.put(functools.partial(self._timed, work)):
            self._too_much()

    def _too_much(self) -> None:
        self.failed("QueueFull", "too much waits to be told; events were left out")

    def _timed(self, work: Callable[[], None]) -> None:
        """Do it, and have no chain wait where a locked ledger kept it long."""
        began, failed = self._clock(), self.failures["LedgerError"]
        work()
        ended = self._clock()
        if self.failures["LedgerError"] > failed and ended - began >= SLOW_S:
            self._late_until = max(self._late_until, ended + LATE_S)

    def _turn(self, session_id: str, text: str, event_id: str | None) -> None:
        # Asked once, however many Routers know the conversation; told once to those of one ledger.
        classify = None if self._classify is None else functools.cache(self._classify)
        told: set[object] = set()
        for routing in routers.live():
            if routing.router.is_closed:
                continue
            with self.careful():
                feedback = routing.router.feedback
                signals = feedback.signals
                if signals.place in told:
                    continue
                if signals.knows(session_id):
                    feedback.user_turn(
                        session_id,
                        user_message=text,
                        event_id=event_id or f"{signals.number_of(session_id)}\n{text}",
                        classify=classify,
                    )
                told.add(signals.place)

    def _pipeline(
        self,
        session_id: str,
        decided: Sequence[Decided],
        prompt: str,
        output: str,
        event_id: str,
    ) -> None:
        credited: dict[int, tuple[Router, list[Made]]] = {}
        for decision_id, goal in decided[-MOST_MADE:]:
            with self.careful():
                router, made = routers.made(decision_id, goal=goal, model=self._model)
                made = made._replace(last=decision_id == decided[-1].decision_id)
                credited.setdefault(id(router), (router, []))[1].append(made)
        for router, several in credited.values():
            with self.careful():
                router.feedback.signals.pipeline(
                    session_id, several, prompt=prompt, output=output, event_id=event_id
                )

    def _told(self, tell: Callable[[], bool]) -> bool:
        """What a report came to that is made after all that was heard before it; see `action`."""
        if self._background.is_idle:
            return tell()
        found = Future[bool]()
        if not self._background.put(functools.partial(self._answer, found, tell)):
            self._too_much()
            return False
        with suppress(TimeoutError):
            return found.result(timeout=WAIT_S)
        return True if found.cancel() else found.result()

    def _answer(self, asked: Future[bool], tell: Callable[[], bool]) -> None:
        """Tell it, and say what became of it to who asked; where nobody waits, count errors."""
        try:
            moved = tell()
        except Exception as error:  # noqa: BLE001  # the caller's, or counted
            try:
                asked.set_exception(error)
            except InvalidStateError:
                self._went_wrong(error)
        else:
            with suppress(InvalidStateError):
                asked.set_result(moved)

    def _each(self, session_id: str, tell: Callable[[Reporter], bool]) -> bool:
        known = moved = False
        unread: LedgerError | None = None
        for routing in routers.live():
            try:
                moved |= tell(routing.router.feedback)
                known = True
            except (UnknownSession, RouterClosed):
                continue
            except LedgerError as error:  # another may know it
                unread = error
        if not known:
            raise unread or UnknownSession(
                f"no open {self._model} of this process has answered in session "
                f"{shown(session_id)}; from another process use kalibr_core.feedback.report_action "
                "or report_session_end"
            )
        return moved
