"""Work in the background is done in order, is bounded, and outlives what it raises."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import threading
from functools import partial

from kalibr_core.adapter.background import Background


def test_work_is_done_in_order_on_another_thread() -> None:
    background, done = Background(), list[tuple[int, str]]()

    def work(number: int) -> None:
        done.append((number, threading.current_thread().name))

    for number in range(100):
        assert background.put(partial(work, number))
    assert background.flush(timeout_s=5)
    assert [number for number, _ in done] == list(range(100))
    assert {name for _, name in done} == {"kalibr-feedback"}


def test_what_raises_does_not_keep_the_rest_from_being_done() -> None:
    background, done = Background(), list[int]()
    background.put(lambda: 1 / 0)
    background.put(lambda: done.append(1))
    assert background.flush(timeout_s=5)
    assert done == [1]


def test_nor_does_what_would_end_the_program() -> None:
    """As a judge does that is cancelled, or that ends its own process."""
    background, done = Background(), list[int]()
    for error in (SystemExit(1), asyncio.CancelledError(), KeyboardInterrupt()):
        background.put(partial(_raise, error))
    background.put(lambda: done.append(1))
    assert background.flush(timeout_s=5)
    assert done == [1]
    assert background.is_idle


def _raise(error: BaseException) -> None:
    raise error


def test_no_more_waits_than_may_and_a_flush_is_bounded() -> None:
    goes_on, began = threading.Event(), threading.Event()
    background = Background(most=2)

    def wait() -> None:
        began.set()
        goes_on.wait(5)

    assert background.put(wait)
    assert began.wait(5)
    assert [background.put(wait) for _ in range(3)] == [True, True, False]
    assert not background.flush(timeout_s=0.01)
    goes_on.set()
    assert background.flush(timeout_s=5)


def test_a_forked_child_begins_anew() -> None:
    goes_on, began = threading.Event(), threading.Event()
    background = Background()

    def wait() -> None:
        began.set()
        goes_on.wait(5)

    background.put(wait)
    assert began.wait(5)
    pid = os.fork()
    if pid == 0:  # the thread of before is not here, and the lock may be held
        done = list[int]()
        good = background.flush(timeout_s=1) and background.put(lambda: done.append(1))
        os._exit(0 if good and background.flush(timeout_s=2) and done == [1] else 1)
    goes_on.set()
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    assert background.flush(timeout_s=5)


def test_the_interpreters_exit_waits_for_what_is_left() -> None:
    script = (
        "import time\n"
        "from kalibr_core.adapter.background import Background\n"
        "background = Background()\n"
        "background.put(lambda: time.sleep(0.1))\n"
        "background.put(lambda: print('done', flush=True))\n"
    )
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, timeout=60)
    assert ran.stdout == b"done\n"
