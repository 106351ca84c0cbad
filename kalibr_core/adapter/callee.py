"""A path whose calls a framework's model object makes, as far as one attempt has to know it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from ..time_limit import TimeLimit
from ..types import Path


class Callee(Protocol):
    """A path whose calls a framework's model object makes."""

    readers: Sequence[str]
    """How the functions begin by which its framework reads a response."""
    is_openai: bool
    """Is it of OpenAI's SDK?"""
    tells_end: bool
    """Does a whole stream of it tell how the answer ended?"""

    @property
    def path(self) -> Path: ...

    @property
    def is_limited(self) -> bool:
        """Do its connections keep a `TimeLimit`?"""

    @property
    def secrets(self) -> Sequence[str]:
        """What must not stand in an error's text."""

    def acquire(self, limit: TimeLimit) -> None:
        """Wait for the model's own rate limiter."""

    async def aacquire(self, limit: TimeLimit) -> None:
        """`acquire`, awaited."""
