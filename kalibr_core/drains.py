"""What is under way in threads when a program ends or forks: waited for, or begun anew."""

from __future__ import annotations

import atexit
import os
import sys
import threading
import time
import weakref
from typing import Protocol


class Drained(Protocol):
    """Has work under way."""

    drain_s: float
    """How long to wait for it at the end."""

    def shut(self) -> None:
        """Take nothing more."""

    def close(self, *, ends: float | None = None) -> None:
        """Wait for what is under way, until then at the latest on the monotonic clock."""

    def forked(self) -> None:
        """Begin anew, in a forked child."""


_all: weakref.WeakSet[Drained] = weakref.WeakSet()
_exits = threading.Lock()
_at_exit: weakref.WeakSet[Drained] = weakref.WeakSet()
_registered: set[int] = set()
"""Processes that drain at their end."""


def begin_anew_in_children(one: Drained) -> None:
    """Have it told of forks, in the child, before any thread of the child's does anything."""
    _all.add(one)


def drain_at_exit(one: Drained) -> None:
    """Have what is under way at the end of the program waited for."""
    with _exits:
        _at_exit.add(one)
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


def forget(one: Drained) -> None:
    """There is nothing to be waited for any more."""
    with _exits:
        _at_exit.discard(one)


def _drain() -> None:
    """All together, within the longest of their deadlines."""
    with _exits:
        found = list(_at_exit)
    for one in found:
        one.shut()
    ends = time.monotonic() + max((one.drain_s for one in found), default=0.0)
    for one in found:
        one.close(ends=ends)


def _after_fork() -> None:
    global _exits
    _exits = threading.Lock()
    for one in list(_all):
        one.forked()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
