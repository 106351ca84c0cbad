"""Gate 2 at work: answers are judged in the background, after they have gone back to the caller.

Threads take what is to be judged from a bounded queue, so that it works the same in scripts, in
event loops and in notebooks. What goes wrong here is no evidence, is counted, and fails no call.
"""

from __future__ import annotations

import atexit
import contextlib
import logging
import os
import queue
import sys
import threading
import time
import weakref
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, Protocol

from .errors import ConfigError
from .gates.judge import DEFAULT, DEFAULT_GOALS, Judge
from .judges import Budget, Function, Made, Models, default_judges, judges_of
from .providers import Endpoint
from .sampling import Sampler
from .types import Decision, Path

log = logging.getLogger("kalibr")

IDLE_S = 5.0
"""A worker that has had nothing to do for so long ends; the next judgement starts one anew."""
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


@dataclass(frozen=True, slots=True)
class Work:
    """One answer to be judged; held in memory until it is."""

    decision_id: str
    path_id: str
    model: str
    request: str
    output: str


def judging_for(
    judge: object,
    *,
    goal: str,
    paths: Sequence[Path],
    endpoints: Mapping[str, Endpoint],
    base_url: str | None,
    seed: int | None,
    wall: Callable[[], float],
    known: Callable[[str], float] | None,
    told: Callable[[Work, float, Mapping[str, Any]], bool],
) -> Judging | None:
    """What judges a Router's answers; None: nothing does.

    Args:
        known: how many scores a path has from before.

    Raises:
        ConfigError: it cannot judge.
    """
    import random  # slow to import

    chosen = _judge_of(judge, goal)
    if chosen is None:
        return None
    asked: Asked
    if chosen.function is not None:
        asked = Function(chosen, chosen.function)
    else:
        found = (
            default_judges(paths, endpoints)
            if isinstance(judge, str)
            else judges_of(chosen, endpoints, base_url=base_url)
        )
        if not found:
            return None
        asked = models = Models(chosen, found, Budget(chosen.daily_budget_usd, wall))
        if chosen.daily_budget_usd is not None and not models.priced:
            log.warning(
                "kalibr: goal %r: a judge's price is unknown, so that its daily_budget_usd cannot "
                "be kept; declare input_usd_per_mtok and output_usd_per_mtok",
                goal,
            )
    sampler = Sampler(
        chosen.rate,
        informative=chosen.sampling == "informative",
        rng=random.Random(seed),
        known=known or (lambda path_id: 0.0),
    )
    return Judging(chosen, asked, sampler=sampler, told=told)


def _judge_of(judge: object, goal: str) -> Judge | None:
    """The judge of this goal's answers.

    Raises:
        ConfigError: it is none.
    """
    if judge is None:
        return None
    if isinstance(judge, str) and judge == DEFAULT:
        return Judge() if goal in DEFAULT_GOALS else None
    if not isinstance(judge, Judge) and callable(judge) and not isinstance(judge, type):
        judge = Judge(model=judge)
    if not isinstance(judge, Judge):
        raise ConfigError(
            "judge must be a Judge, a function of request and output, or None, got "
            f"{type(judge).__name__}; write Judge(model=...)"
        )
    return judge if judge.judges(goal) else None


class Asked(Protocol):
    """What judges: models, or a function."""

    def judged(self, request: str, output: str, model: str) -> Made | None:
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
        self._most_workers = judge.concurrency
        self._size = judge.queue
        self._asked = asked
        self._sampler = sampler
        self._told = told
        self._warned: set[str] = set()
        self._closed = self._over = False
        self._begin()
        _all.add(self)

    @property
    def under_way(self) -> int:
        """Answers that wait or are being judged."""
        return self._open

    def offer(self, decision: Decision, request: str, output: str) -> None:
        """Take an answer to be judged, or leave it; this raises nothing and waits for nobody."""
        if not output or _at_work.get():
            return
        path = decision.path
        try:
            if not self._sampler.draws(path.id):
                return
            work = Work(decision.id, path.id, path.model, request, output)
            what = "left" if self._closed else self._taken(work)
        except Exception as error:  # noqa: BLE001  # no call fails for the judge's sake
            log.debug("kalibr: an answer could not be judged: %s", type(error).__name__)
            what = "failed"
        if what is not None:
            self._missed(what, path.id)

    def close(self, *, ends: float | None = None) -> None:
        """Take nothing more, and wait for what is under way; what is not done then is left.

        Args:
            ends: until when, on the monotonic clock; None: `drain_s` from now.
        """
        self._closed = True
        ends = time.monotonic() + self.drain_s if ends is None else ends
        try:
            while self._open and time.monotonic() < ends:
                time.sleep(POLL_S)
        finally:
            self._end()

    def _end(self) -> None:
        with self._lock:
            self._over = True
        while True:
            try:
                work = self._queue.get_nowait()
            except queue.Empty:
                break
            if work is not None:
                self._done(work, "left")
        for _ in range(self._workers):
            self._queue.put_nowait(None)  # there is room: it is empty, and takes no more
        with _exits:
            _at_exit.discard(self)
        self._asked.close()

    def _begin(self) -> None:
        """Threads do not go along into a forked child, nor what they had to do."""
        self._lock = threading.Lock()
        self._queue: queue.Queue[Work | None] = queue.Queue(self._size + self._most_workers)
        self._workers = self._open = 0
        self.counts.clear()
        self._sampler.forked()
        self._asked.forked()
        self._pid = os.getpid()  # last: what is seen by it is whole

    def _taken(self, work: Work) -> str | None:
        """Put it where a worker finds it; else why not."""
        with self._lock:
            if self._over:
                return "left"
            if self._open >= self._size + self._most_workers:
                return "full"
            starts = self._workers < self._most_workers
            self._workers += starts
            self._open += 1
            self._queue.put_nowait(work)
        if starts:
            try:
                _drain_at_exit(self)
                threading.Thread(target=self._work, name="kalibr-judge", daemon=True).start()
            except RuntimeError:  # there are no more threads to be had
                with self._lock:
                    self._workers -= 1
                    if self._workers == 0:
                        self._queue.get_nowait()
                        self._open -= 1
                        return "failed"
        return None

    def _work(self) -> None:
        _at_work.set(True)
        while True:
            try:
                work = self._queue.get(timeout=IDLE_S)
            except queue.Empty:
                with self._lock:  # offers are made under it: none comes in between
                    if self._queue.empty():
                        self._workers -= 1
                        return
                continue
            if work is None:
                return
            what, raised = "failed", ""
            try:
                what = self._judged(work)
            except BaseException as error:  # noqa: BLE001  # a judge may raise anything
                raised = type(error).__name__
                log.debug("kalibr: a judge raised %s", raised)
            self._done(work, what, raised=raised)
            del work  # its texts are not kept while the next one is waited for

    def _judged(self, work: Work) -> str:
        found = self._asked.judged(work.request, work.output, work.model)
        if found is None:
            return "budget"
        judgement, beside = found
        if judgement is None:
            return "unreadable"
        if self._over:
            return "left"  # the ledger is closed
        self._told(work, judgement.score, beside)
        return "left" if self._over else "judged"  # it came too late for the ledger

    def _done(self, work: Work, what: str, *, raised: str = "") -> None:
        if what == "failed" and self._over:
            what = "left"  # its connection was closed
        try:
            if what == "judged":
                self._count(what)
            else:
                self._missed(what, work.path_id, raised=raised)
        finally:
            with self._lock:
                self._open -= 1

    def _missed(self, what: str, path_id: str, *, raised: str = "") -> None:
        self._count(what)
        if what in ("full", "left"):  # no judge was asked; one that goes wrong is not asked more
            self._sampler.give_back(path_id)
        if what not in self._warned:
            self._warned.add(what)
            with contextlib.suppress(Exception):  # a program's own handler; the count is kept
                why = f"{WHY[what]} ({raised})" if what == "failed" and raised else WHY[what]
                log.warning("kalibr: %s; such answers count as not judged", why)

    def _count(self, what: str) -> None:
        with self._lock:
            self.counts[what] += 1


_all: weakref.WeakSet[Judging] = weakref.WeakSet()


def _after_fork() -> None:
    """In a forked child: before any of its threads judges anything."""
    global _exits
    _exits = threading.Lock()
    for judging in list(_all):
        judging._begin()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)

_exits = threading.Lock()
_at_exit: weakref.WeakSet[Judging] = weakref.WeakSet()
_registered: set[int] = set()
"""Processes that drain at their end."""


def _drain_at_exit(judging: Judging) -> None:
    """Have what is under way at the end of the program waited for."""
    with _exits:
        _at_exit.add(judging)
        pid = os.getpid()
        if pid in _registered:
            return
        try:
            # Where threads can still be made and awaited: before the interpreter takes itself down.
            getattr(threading, "_register_atexit", atexit.register)(_drain)
        except RuntimeError:  # the main thread has ended, others go on
            atexit.register(_drain)
        if "multiprocessing.util" in sys.modules:  # its children run no `atexit`
            sys.modules["multiprocessing.util"].Finalize(None, _drain, exitpriority=100)
        _registered.add(pid)


def _drain() -> None:
    """All together, within the longest of their deadlines."""
    with _exits:
        found = list(_at_exit)
    for judging in found:
        judging._closed = True
    ends = time.monotonic() + max((judging.drain_s for judging in found), default=0.0)
    for judging in found:
        judging.close(ends=ends)
