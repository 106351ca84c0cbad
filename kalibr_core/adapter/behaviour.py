"""What users did, as a framework's events show it, told to the Routers of this process.

A framework's handler must not break what it listens to: what goes wrong here is counted, and logged
once for each kind of error. No text is kept once it has been told.
"""

from __future__ import annotations

import functools
import inspect
import logging
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from concurrent.futures import Future, InvalidStateError
from contextlib import contextmanager, suppress
from typing import TypeVar

from ..errors import ConfigError, KalibrError, UnknownSession
from ..gates.behaviour import checked_action
from ..options import checked_wait
from ..signals import Classify
from .background import Background
from .interrupting import interrupts
from .telling import Decided, Telling

__all__ = ["FLUSH_S", "Behaviour", "Decided"]

log = logging.getLogger("kalibr")

T = TypeVar("T")

FLUSH_S = 5.0
SLOW_S = 0.1
"""A ledger that fails after so long is locked by another process ..."""
WAIT_S = 0.1
"""How long who reports an action or an end waits for what was heard before it."""
LATE_S = 5.0
"""... and for so long no chain waits for it: what comes is told in the background."""


class Behaviour:
    """Tells Routers what became of their answers; safe for threads.

    Args:
        model: what the adapter calls its routed models, for errors.
        classify: see `report_user_turn`. With it, all is told in order on a thread of its own, so
            that no chain waits for it.
        deaf: what to say to who reports an action before anything was heard: how to be heard.
        guarded: the adapter's modules that hold locks of their own.
        clock: seconds.

    Raises:
        ConfigError: `classify` is no function, or async.
    """

    def __init__(
        self,
        *,
        model: str,
        classify: Classify | None = None,
        deaf: str = "",
        guarded: Collection[str] = (),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._classify = _checked(classify)
        self._deaf, self._guarded = deaf, guarded
        self._telling = Telling(model=model, careful=self.careful)
        self._clock = clock
        self._background = Background()
        self._late_until = float("-inf") if classify is None else float("inf")
        self.failures: Counter[str] = Counter()
        """Errors by their class; `QueueFull` where too much waited to be told."""
        self.hears = False
        """The framework tells its events."""

    def turn(self, session_id: str, text: str, *, event_id: str | None) -> None:
        """The user has said something: tell each Router that has answered in this conversation.

        Args:
            event_id: names the message; None: it has no name, and counts once until there is
                another answer, so that a run which is tried again is no repeated complaint.
        """
        classify = None if self._classify is None else self._classified
        self._do(lambda: self._telling.turn(session_id, text, event_id, classify))

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
            self._do(lambda: self._telling.pipeline(session_id, decided, prompt, output, event_id))

    def unrouted(self, session_id: str, *, prompt: str, output: str) -> None:
        """What was said has got an answer that no Router made, or none: what comes next speaks of
        no answer before it. To try the same again is no other turn.

        Args:
            output: "": there was none.
        """
        self._do(lambda: self._telling.unrouted(session_id, prompt=prompt, output=output))

    def left(self, session_id: str) -> None:
        """The conversation is over, as far as it is known at all; raises nothing."""

        def told() -> None:
            with self.careful():
                self._telling.end(session_id)

        self._do(told)

    def action(self, session_id: str, action: str) -> bool:
        """The user has done something with the answer that was the conversation's last one now.

        It is told after all that was heard before it. Where that takes longer than `WAIT_S`, the
        caller waits no more: it is told in the background, and what goes wrong there is counted.

        Returns:
            False: this was reported before, the last answer is no Router's, or too much waits to be
            told; nothing has moved. True too where it is still to be told.

        Raises:
            UnknownAction: none of `ACTIONS`.
            UnknownSession: no Router of this process has answered in this conversation.
            LedgerError: no ledger that may know it can be used.
        """
        checked_action(action)
        return self._told(lambda: self._telling.action(session_id, action, deaf=self._how()))

    def end(self, session_id: str) -> bool:
        """The user has left; told in its order, as an `action` is.

        Returns:
            False: the conversation had ended before; else as `action`'s.

        Raises:
            UnknownSession, LedgerError: as `action`'s.
        """
        return self._told(lambda: self._telling.end(session_id, deaf=self._how()))

    def flush(self, *, timeout_s: float = FLUSH_S) -> bool:
        """Wait until all events have been told; False: some are left.

        Raises:
            ConfigError: the time is no finite number from 0 on.
        """
        return self._background.flush(timeout_s=checked_wait(timeout_s))

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
        is_free = self._clock() >= self._late_until and self._background.is_idle
        if is_free and not interrupts(self._guarded, above=__name__):
            self._timed(work)
        elif not self._background.put(functools.partial(self._timed, work)):
            self._too_much()

    def _how(self) -> str:
        return "" if self.hears else self._deaf

    def _classified(self, text: str) -> str | None:
        """The user's judgement; what would end this thread loses no turn."""
        assert self._classify is not None
        try:
            return self._classify(text)
        except Exception:
            raise  # it is told of where the built-in reading takes its place
        except BaseException as error:  # noqa: BLE001  # this thread is ours: nobody cancels it
            kind = type(error).__name__
            self.failed(kind, "classify ended in it, and the built-in reading was taken")
            return None

    def _too_much(self) -> None:
        self.failed("QueueFull", "too much waits to be told; events were left out")

    def _timed(self, work: Callable[[], None]) -> None:
        """Do it, and have no chain wait where a locked ledger kept it long."""
        began, failed = self._clock(), self.failures["LedgerError"]
        work()
        ended = self._clock()
        if self.failures["LedgerError"] > failed and ended - began >= SLOW_S:
            self._late_until = max(self._late_until, ended + LATE_S)

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


def _checked(classify: Classify | None) -> Classify | None:
    """
    Raises:
        ConfigError: it is no function, or async.
    """
    if classify is None:
        return None
    if not callable(classify):
        raise ConfigError(f"classify must be a function, got {type(classify).__name__}")
    called = getattr(classify, "__call__", None)  # noqa: B004  # an object's, which may be async
    if inspect.iscoroutinefunction(classify) or inspect.iscoroutinefunction(called):
        raise ConfigError(
            "classify must not be async: it is called on a thread of its own and may wait there, "
            "for instance with asyncio.run"
        )
    return classify
