"""Work that is done in order, one piece after the other, on a thread of its own.

It may be handed over by the garbage collector, which closes a stream that was left in the middle of
anything that this thread does, also where it holds a lock. So `put` takes none, and waits for none.
"""

from __future__ import annotations

import _thread
import atexit
import logging
import os
import threading
import time
from collections import deque
from collections.abc import Callable
from queue import Empty, SimpleQueue

log = logging.getLogger("kalibr")

MOST_WAITING = 10_000
IDLE_S = 5.0
"""A thread that has had nothing to do for so long ends; the next piece of work starts another."""
EXIT_S = 5.0
"""How long the interpreter's exit waits for what is left."""
LOOK_S = 0.01
"""Between two looks of the exit at whether the thread has ended with work left."""


class Background:
    """A thread and what it has still to do.

    Args:
        most: pieces of work that may wait beside the one under way; further ones are refused.
    """

    def __init__(self, *, most: int = MOST_WAITING) -> None:
        self._most = most
        self._begin()

    def _begin(self) -> None:
        self._waiting: deque[Callable[[], object]] = deque()
        """The first one may be under way."""
        self._calls: SimpleQueue[None] = SimpleQueue()
        """One for each piece of work; the only queue that may be put into from anywhere."""
        self._at_work = threading.Lock()
        """Held by who works, and only ever tried."""
        self._done = threading.Condition()
        self._pid = os.getpid()  # last: what is seen by it is whole

    def put(self, work: Callable[[], object]) -> bool:
        """Have this done after all that was put before; False: too much waits already.

        What it raises is lost: it minds its own errors.
        """
        if self._pid != os.getpid():
            self._begin()  # threads do not go along into a forked child, nor what they had to do
        if len(self._waiting) > self._most:
            return False
        self._waiting.append(work)
        self._calls.put(None)
        if self._at_work.acquire(blocking=False):
            self._start()
        return True

    @property
    def is_idle(self) -> bool:
        """All that was put has been done."""
        return not self._waiting or self._pid != os.getpid()

    def flush(self, *, timeout_s: float) -> bool:
        """Wait until all has been done; False: something is left."""
        if self.is_idle:
            return True
        with self._done:
            return self._done.wait_for(lambda: self.is_idle, timeout=timeout_s)

    def _start(self) -> None:
        """Start the thread that works, by a bare one: a `Thread` takes locks of its module's."""
        atexit.register(self._exit)
        try:
            _thread.start_new_thread(self._launch, ())
        except RuntimeError:  # the interpreter ends; so does its exit, which does what is left
            self._at_work.release()

    def _launch(self) -> None:
        try:
            threading.Thread(target=self._work, name="kalibr-feedback", daemon=True).start()
        except RuntimeError:  # as above
            self._at_work.release()

    def _exit(self) -> None:
        until = time.monotonic() + EXIT_S
        while not self.flush(timeout_s=LOOK_S) and time.monotonic() < until:
            if self._at_work.acquire(blocking=False):  # no thread may be started any more
                while self._waiting and time.monotonic() < until:
                    self._do_next()
                self._at_work.release()
        if self._waiting:
            log.warning("kalibr: %d events were not told to the end", len(self._waiting))

    def _work(self) -> None:
        while True:
            try:
                self._calls.get(timeout=IDLE_S)
            except Empty:
                atexit.unregister(self._exit)
                self._at_work.release()
                # Who has put something meanwhile has found this at work.
                if not self._waiting or not self._at_work.acquire(blocking=False):
                    return
                atexit.register(self._exit)
            self._do_next()

    def _do_next(self) -> None:
        waiting = self._waiting  # work may fork
        if not waiting:
            return
        try:
            waiting[0]()
        except BaseException as error:  # noqa: BLE001  # what comes next must still be done
            log.debug("kalibr: work in the background raised %s", type(error).__name__)
        waiting.popleft()  # only now: what is under way has not been done
        with self._done:
            self._done.notify_all()
