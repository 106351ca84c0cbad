"""Work in the background is done in order, is bounded, and outlives what it raises."""

from __future__ import annotations

import _thread
import asyncio
import os
import subprocess
import sys
import threading
import time
from functools import partial

import pytest

from kalibr_core.adapter import background as module
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


def test_it_takes_no_lock_to_hand_work_over() -> None:
    """The collector hands it over in the middle of anything, such as the start of a thread."""
    background, done = Background(), list[int]()
    with background._done, threading._active_limbo_lock:  # type: ignore[attr-defined]  # `start`'s
        assert background.put(lambda: done.append(1))
        assert not background.is_idle
    assert background.flush(timeout_s=5)
    assert done == [1]


def test_a_thread_that_was_idle_is_followed_by_another(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "IDLE_S", 0.001)
    background, done = Background(), list[int]()
    for number in range(50):
        background.put(partial(done.append, number))
        assert background.flush(timeout_s=5)
        time.sleep(0.001)
    assert done == list(range(50))


def test_an_exit_that_may_start_no_thread_does_the_work_itself(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As that of Python 3.12 and later."""

    def refuse(*_: object) -> int:
        raise RuntimeError("can't create new thread at interpreter shutdown")

    background, done = Background(), list[int]()
    monkeypatch.setattr(_thread, "start_new_thread", refuse)
    assert background.put(lambda: done.append(1))
    background._exit()
    assert done == [1]
    assert background.is_idle
