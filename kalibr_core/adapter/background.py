"""Work that is done in order, one piece after the other, on a thread of its own."""

from __future__ import annotations

import atexit
import logging
import os
import threading
from collections import deque
from collections.abc import Callable

log = logging.getLogger("kalibr")

MOST_WAITING = 10_000
IDLE_S = 5.0
"""A thread that has had nothing to do for so long ends; the next piece of work starts another."""
EXIT_S = 5.0
"""How long the interpreter's exit waits for what is left."""


class Background:
    """A thread and what it has still to do.

    Args:
        most: pieces of work that may wait; further ones are refused.
    """

    def __init__(self, *, most: int = MOST_WAITING) -> None:
        self._most = most
        self._begin()

    def _begin(self) -> None:
        self._changed = threading.Condition()
        self._waiting: deque[Callable[[], object]] = deque()
        self._runs = self._is_busy = False
        self._pid = os.getpid()  # last: what is seen by it is whole

    def put(self, work: Callable[[], object]) -> bool:
        """Have this done after all that was put before; False: too much waits already.

        What it raises is lost: it minds its own errors.
        """
        if self._pid != os.getpid():
            self._begin()  # threads do not go along into a forked child, nor what they had to do
        with self._changed:
            if len(self._waiting) >= self._most:
                return False
            self._waiting.append(work)
            if not self._runs:
                self._start()
            self._changed.notify_all()
        return True

    @property
    def is_idle(self) -> bool:
        """All that was put has been done."""
        return self.flush(timeout_s=0.0)

    def flush(self, *, timeout_s: float) -> bool:
        """Wait until all has been done; False: something is left."""
        if self._pid != os.getpid():
            return True
        with self._changed:
            return self._changed.wait_for(
                lambda: not (self._waiting or self._is_busy), timeout=timeout_s
            )

    def _start(self) -> None:
        threading.Thread(target=self._work, name="kalibr-feedback", daemon=True).start()
        self._runs = True
        atexit.register(self._exit)

    def _exit(self) -> None:
        if not self.flush(timeout_s=EXIT_S):
            log.warning("kalibr: %d events were not told to the end", len(self._waiting))

    def _work(self) -> None:
        while True:
            with self._changed:
                if not self._changed.wait_for(lambda: self._waiting, timeout=IDLE_S):
                    self._runs = False
                    atexit.unregister(self._exit)
                    return
                work = self._waiting.popleft()
                self._is_busy = True
            try:
                work()
            except BaseException as error:  # noqa: BLE001  # what comes next must still be done
                log.debug("kalibr: work in the background raised %s", type(error).__name__)
            del work  # what it holds is not kept while the next one is waited for
            with self._changed:
                self._is_busy = False
                self._changed.notify_all()
