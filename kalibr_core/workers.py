"""Threads for work that has time: a bounded queue, and few who take from it, one by one."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from typing import Generic, Literal, TypeAlias, TypeVar

W = TypeVar("W")

Refused: TypeAlias = Literal["left", "full", "failed"]
"""It is the end; there is no more room; there are no more threads to be had."""

IDLE_S = 5.0
"""A thread that has had nothing to do for so long ends; the next work starts one anew."""


class Workers(Generic[W]):
    """A bounded queue and its threads; safe for threads.

    Args:
        does: sees to one piece of work, of which no two are equal; raises nothing.
        most: threads.
        size: pieces of work that may wait beside those that are under way.
        starts: called before a thread is started.
    """

    def __init__(
        self, does: Callable[[W], None], *, most: int, size: int, starts: Callable[[], None]
    ) -> None:
        self._does = does
        self._most = most
        self._size = size
        self._starts = starts
        self._ended = False
        self.forked()

    def forked(self) -> None:
        """Threads do not go along into a forked child, nor what they had to do."""
        self._lock = threading.Lock()
        self._queue: queue.SimpleQueue[W | None] = queue.SimpleQueue()
        self._open: set[W] = set()
        self._threads = 0

    @property
    def under_way(self) -> int:
        """Pieces of work that wait or are being done."""
        return len(self._open)

    @property
    def has_ended(self) -> bool:
        return self._ended

    def put(self, work: W) -> Refused | None:
        """Have it done; else why not."""
        with self._lock:
            if self._ended:
                return "left"
            if len(self._open) >= self._size + self._most:
                return "full"
            starts = self._threads < self._most
            self._threads += starts
            self._open.add(work)
            self._queue.put(work)
        return None if not starts or self._started() else "failed"

    def settle(self, work: W, count: Callable[[], object]) -> bool:
        """Count what has become of it, at once with taking it off what is under way.

        Returns:
            False: it was given up at the end, and counts as that.
        """
        with self._lock:
            if work not in self._open:
                return False
            count()
            self._open.remove(work)
            return True

    def end(self) -> list[W]:
        """Take no more, and let the threads end; gives back what waited or was under way."""
        with self._lock:
            self._ended = True
            left = list(self._open)
            self._open.clear()
            for _ in range(self._threads):
                self._queue.put(None)  # what waits before it is in nobody's hands any more
            return left

    def _started(self) -> bool:
        """Start a thread; False: there is none to do the work."""
        try:
            self._starts()
            threading.Thread(target=self._run, name="kalibr-judge", daemon=True).start()
        except RuntimeError:  # there are no more threads to be had
            with self._lock:
                self._threads -= 1
                if self._threads == 0 and self._open:
                    work = self._queue.get_nowait()
                    self._open -= {work}
                    return False
        return True

    def _run(self) -> None:
        while self._next_is_done():
            pass

    def _next_is_done(self) -> bool:
        """Wait for work and do it; False: the thread is to end. Its texts are not kept after."""
        try:
            work = self._queue.get(timeout=IDLE_S)
        except queue.Empty:
            with self._lock:  # work is put there under it: none comes in between
                idles = self._queue.empty()
                self._threads -= idles
                return not idles
        if work is None:
            with self._lock:
                self._threads -= 1
            return False
        try:
            if work in self._open:
                self._does(work)
        finally:
            with self._lock:
                self._open.discard(work)
        return True
