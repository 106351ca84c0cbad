"""The runs that are open, and the root of each: bounded, safe for threads and forks."""

from __future__ import annotations

import os
import threading
import time
from uuid import uuid4

import pytest

from kalibr_core import MemoryLedger
from kalibr_core.ledger import forks
from kalibr_core.testing import FakeClock
from kalibr_langchain import runs as module
from kalibr_langchain.runs import MOST_AGE_S, Last, Root, Runs


def test_open_runs_are_bounded() -> None:
    """Of runs that never end, those that began longest ago are let go, with what is below."""
    runs = Runs(most_roots=3)
    roots = [Root(uuid4(), "chat", None, (), False) for _ in range(5)]
    for root in roots:
        runs.open(root)
        runs.join(uuid4(), root)
    assert len(runs) == 6
    assert [runs.of(root.run_id) is not None for root in roots] == [False] * 2 + [True] * 3


def test_a_fork_while_another_thread_is_at_it_does_not_hang() -> None:
    runs, ends = Runs(), threading.Event()

    def busy() -> None:
        while not ends.is_set():
            with runs._lock:
                time.sleep(0.001)

    thread = threading.Thread(target=busy)
    thread.start()
    try:
        for _ in range(5):
            pid = os.fork()
            if pid == 0:
                os._exit(0 if runs._lock.acquire(timeout=2) else 1)
            assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    finally:
        ends.set()
        thread.join()


def test_a_run_that_is_open_for_too_long_is_let_go() -> None:
    """LangChain tells no end of a model's call that was cancelled."""
    clock = FakeClock()
    runs = Runs(clock=clock.monotonic)
    roots = [Root(uuid4(), "chat", None, (), False) for _ in range(3)]
    for root in roots:
        runs.open(root)
        clock.advance(MOST_AGE_S / 2 + 1)
    assert [runs.of(root.run_id) is not None for root in roots] == [False, True, True]


def test_a_run_may_end_while_its_own_thread_holds_the_lock() -> None:
    """The collector closes a stream in the middle of anything."""
    runs, root, ends = Runs(), Root(uuid4(), "chat", None, (), False), threading.Event()
    runs.open(root)

    def end() -> None:
        with runs._lock:
            runs.leave(root.run_id)
        ends.set()

    threading.Thread(target=end, daemon=True).start()
    assert ends.wait(5)
    assert len(runs) == 0


def test_a_fork_takes_a_ledgers_lock_before_that_of_the_runs() -> None:
    """Who holds a ledger's may wait for that of the runs, never the other way round."""
    several = [(Runs(), MemoryLedger()) for _ in range(5)]
    forks._before_fork()
    try:
        places = {id(one): place for place, one in enumerate(forks._HELD)}
    finally:
        forks._after_fork_in_parent()
    ledgers = [places[id(ledger)] for _, ledger in several]
    assert max(ledgers) < min(places[id(runs)] for runs, _ in several)


def test_what_is_known_of_sessions_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_SESSIONS", 2)
    runs = Runs()
    for number, session in enumerate("abc", start=1):
        runs.heard(session, number)
        runs.answered(session, Last("e", ()), number)
    assert [runs.last(session) is not None for session in "abc"] == [False, True, True]
    assert [len(kept) for kept in (runs._last, runs._begun, runs._answered)] == [2, 2, 2]


def test_a_run_is_late_where_one_that_began_after_it_has_begun_or_answered() -> None:
    runs = Runs()
    older, newer = (Root(uuid4(), "chat", None, (), False) for _ in range(2))
    for root in (older, newer):
        runs.open(root)
    runs.heard("chat", newer.number)
    runs.heard("chat", older.number)
    assert runs.is_late("chat", older.number, begun=True)
    assert not runs.is_late("chat", older.number, begun=False)
    runs.answered("chat", Last("e", ()), newer.number)
    assert runs.is_late("chat", older.number, begun=False)
    assert not runs.is_late("chat", newer.number, begun=True)
    assert not runs.is_late("other", older.number, begun=True)
