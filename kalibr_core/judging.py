"""Gate 2 at work: answers are judged in the background, after they have gone back to the caller.

Threads take what is to be judged from a bounded queue, so that it works the same in scripts, in
event loops and in notebooks. What goes wrong here is no evidence, is counted, and fails no call.
"""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, Protocol

from .drains import begin_anew_in_children, drain_at_exit, forget
from .gates.judge import Judge
from .gates.shown import Shown, cut_to_fit
from .judges import Made
from .places import where_from, where_raised
from .sampling import Sampler
from .types import Decision, Transcript
from .workers import Workers

log = logging.getLogger("kalibr")

POLL_S = 0.01
WHY = {
    "full": "the judge's queue is full",
    "budget": "the judge's budget of the day is used up",
    "failed": "the judge failed",
    "unreadable": "the judge answered with no score in [0, 1]",
    "left": "the judge had not come to them at the end",
}
"""What keeps an answer from being judged."""

_at_work: ContextVar[bool] = ContextVar("kalibr_judging", default=False)
"""A judge's own calls are not judged."""


def at_work() -> bool:
    """Is this a judge's own call?"""
    return _at_work.get()


@dataclass(frozen=True, slots=True, eq=False)
class Work:
    """One answer to be judged; held in memory until it is."""

    decision_id: str
    path_id: str
    model: str
    shown: Shown


class Asked(Protocol):
    """What judges: models, or a function."""

    def judged(self, shown: Shown, model: str) -> Made | None:
        """A judgement; None: there is no money for one."""

    def forked(self) -> None:
        """Threads and connections do not go along into a child."""

    def close(self) -> None:
        """Let connections go."""


class Judging:
    """Judges one goal's answers.

    Args:
        told: gets each score: the work, the score, and what goes into the record beside it; tells
            whether it moved anything.
    """

    def __init__(
        self,
        judge: Judge,
        asked: Asked,
        *,
        sampler: Sampler,
        told: Callable[[Work, float, Mapping[str, Any]], bool],
    ) -> None:
        self.counts: Counter[str] = Counter()
        """`judged`, and what came to nothing, as in `WHY`."""
        self.drain_s = judge.drain_s
        self._asked = asked
        self._function = judge.function
        self._sampler = sampler
        self._told = told
        self._warned: set[str] = set()
        self._closed = False
        self._lock = threading.Lock()
        self._workers: Workers[Work] = Workers(
            self._see_to,
            most=judge.concurrency,
            size=judge.queue,
            starts=lambda: drain_at_exit(self),
        )
        begin_anew_in_children(self)

    @property
    def under_way(self) -> int:
        """Answers that wait or are being judged."""
        return self._workers.under_way

    def offer(
        self,
        decision: Decision,
        request: str,
        output: str,
        conversation: Callable[[], Transcript] = tuple,
    ) -> None:
        """Take an answer to be judged, or leave it; this raises nothing and waits for nobody.

        Args:
            conversation: what else was said to the model; asked for where the answer is judged.
        """
        if not output or at_work():
            return
        path = decision.path
        try:
            if not self._sampler.draws(path.id):
                return
            shown = Shown(request, output, cut_to_fit(conversation()))
            work = Work(decision.id, path.id, path.model, shown)
            what = "left" if self._closed else self._workers.put(work)
        except Exception as error:  # noqa: BLE001  # no call fails for the judge's sake
            log.debug("kalibr: an answer could not be judged: %s", type(error).__name__)
            what = "failed"
        if what is not None:
            self._count(what)
            self._missed(what, path.id)

    def shut(self) -> None:
        """Take nothing more."""
        self._closed = True

    def close(self, *, ends: float | None = None) -> None:
        """Take nothing more, and wait for what is under way; what is not done then is left.

        Args:
            ends: until when, on the monotonic clock; None: `drain_s` from now.
        """
        self.shut()
        ends = time.monotonic() + self.drain_s if ends is None else ends
        try:
            while self.under_way and time.monotonic() < ends:
                time.sleep(POLL_S)
        finally:
            for work in self._workers.end():
                self._count("left")
                self._missed("left", work.path_id)
            forget(self)
            self._asked.close()

    def forked(self) -> None:
        """A child judges its own answers; its locks are its own too."""
        self._lock = threading.Lock()
        self._workers.forked()
        self.counts.clear()
        self._sampler.forked()
        self._asked.forked()

    def _see_to(self, work: Work) -> None:
        _at_work.set(True)
        what, why = "failed", ""
        try:
            what, why = self._judged(work)
        except BaseException as error:  # noqa: BLE001  # a judge may raise anything
            why = where_raised(error, self._function)
            log.debug("kalibr: a judge raised %s", "; ".join(where_from(error)))
        if self._workers.settle(work, lambda: self._count(what)) and what != "judged":
            self._missed(what, work.path_id, why=why)

    def _judged(self, work: Work) -> tuple[str, str]:
        """What became of it, and what more there is to say about that."""
        found = self._asked.judged(work.shown, work.model)
        if found is None:
            return "budget", ""
        judgement, beside = found
        if judgement is None:
            return "unreadable", str(beside.get("said", ""))
        if not self._workers.has_ended:  # else the ledger is closed
            self._told(work, judgement.score, beside)
            self._sampler.has_score()
        return "judged", ""

    def _missed(self, what: str, path_id: str, *, why: str = "") -> None:
        if what in ("full", "left"):  # no judge was asked; one that goes wrong is not asked more
            self._sampler.give_back(path_id)
        if what not in self._warned:
            self._warned.add(what)
            with contextlib.suppress(Exception):  # a program's own handler; the count is kept
                told = f"{WHY[what]} ({why})" if why else WHY[what]
                log.warning("kalibr: %s; such answers count as not judged", told)

    def _count(self, what: str) -> None:
        with self._lock:
            self.counts[what] += 1
