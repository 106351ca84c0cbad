"""A model object's copies: one for blocking calls, and one for each event loop."""

from __future__ import annotations

import asyncio
import os
import threading
import weakref
from collections.abc import Callable
from typing import Any, Generic, TypeVar

M = TypeVar("M")


class Copies(Generic[M]):
    """Copies that are made when they are first needed, and anew after a fork.

    Args:
        model: as the user gave it; it is not changed.
        copied: makes a copy; is told by `is_async` whether it is for a loop.
    """

    def __init__(self, model: M, copied: Callable[..., M]) -> None:
        self._model = model
        self._copied = copied
        self._lock = threading.Lock()
        self._forget()

    @property
    def blocking(self) -> M:
        """The copy for blocking calls."""
        if self._pid != os.getpid():
            self._after_fork()
        return self._blocking or self._make_blocking()

    @property
    def in_loop(self) -> M:
        """The copy for the running event loop."""
        if self._pid != os.getpid():
            self._after_fork()
        loop = asyncio.get_running_loop()
        return self._in_loop.get(loop) or self._make_in_loop(loop)

    def close(self) -> None:
        """Let go of the copies; their connections close with them."""
        with self._lock:
            self._forget()

    def _forget(self) -> None:
        self._pid = os.getpid()
        self._blocking: M | None = None
        self._in_loop: weakref.WeakKeyDictionary[Any, M] = weakref.WeakKeyDictionary()

    def _after_fork(self) -> None:
        self._lock = threading.Lock()  # one of the parent's threads may have held it
        self._forget()

    def _make_blocking(self) -> M:
        with self._lock:
            if self._blocking is None:
                self._blocking = self._copied(self._model, is_async=False)
            return self._blocking

    def _make_in_loop(self, loop: asyncio.AbstractEventLoop) -> M:
        with self._lock:
            for other in [loop for loop in self._in_loop if loop.is_closed()]:
                del self._in_loop[other]  # a client holds on to its loop
            found = self._in_loop.get(loop)
            if found is None:
                found = self._in_loop[loop] = self._copied(self._model, is_async=True)
            return found
