"""The runs that are open, and the root of each: bounded, safe for threads and forks."""

from __future__ import annotations

import os
import threading
import time
from uuid import uuid4

from kalibr_langchain.runs import Root, Runs


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
