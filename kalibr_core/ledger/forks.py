"""Locks and connections across `os.fork`.

A fork copies a lock as it stands and only the thread that forked: one that another thread held
stays held in the child for good. So all ledgers' locks are taken before a fork, by one thread at a
time, and the child's are made anew.
"""

from __future__ import annotations

import os
import threading
import weakref
from typing import Protocol


class Forkable(Protocol):
    """A ledger with a lock."""

    _lock: threading.RLock

    def _leave_parent(self) -> None:
        """In a forked child: let go of all that is the parent's, the lock first."""


_FORKING = threading.Lock()
"""Held from before a fork until it is over: two threads that fork at once take turns."""
_LEDGERS: weakref.WeakSet[Forkable] = weakref.WeakSet()
_INNER: weakref.WeakSet[Forkable] = weakref.WeakSet()
_HELD: list[Forkable] = []


def watch_forks(ledger: Forkable, *, inner: bool = False) -> None:
    """Keep a ledger usable on both sides of any fork to come.

    Args:
        inner: its lock may be taken by who holds a ledger's: a fork takes it after those.
    """
    with _FORKING:
        (_INNER if inner else _LEDGERS).add(ledger)


def _before_fork() -> None:
    _FORKING.acquire()
    _HELD[:] = [*_LEDGERS, *_INNER]
    for ledger in _HELD:
        ledger._lock.acquire()


def _after_fork_in_parent() -> None:
    for ledger in _HELD:
        ledger._lock.release()
    _HELD.clear()
    _FORKING.release()


def _after_fork_in_child() -> None:
    global _FORKING
    for ledger in _HELD:
        ledger._leave_parent()
    _HELD.clear()
    _FORKING = threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(
        before=_before_fork,
        after_in_parent=_after_fork_in_parent,
        after_in_child=_after_fork_in_child,
    )
