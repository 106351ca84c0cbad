"""Which answers are judged: the same share on the whole, more of it where a score teaches more."""

from __future__ import annotations

import threading
from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import random

FIRST = 10
"""Of a path's answers are judged in any case: nothing is known of it before."""
REPAID = 0.5
"""Share of the rate at which judgements made in advance are made up for."""


class Sampler:
    """Draws which of a goal's answers are judged; safe for threads.

    Args:
        rate: share on the whole, in (0, 1].
        informative: judge each path's first answers, and the later ones the less until the rate
            holds again. What is unknown of a path stands in its first scores; what one more tells
            falls with their number.
    """

    def __init__(self, rate: float, *, informative: bool, rng: random.Random) -> None:
        self._rate = rate
        self._informative = informative
        self._rng = rng
        self._lock = threading.Lock()
        self._judged: Counter[str] = Counter()
        self._calls = 0

    def draws(self, path_id: str) -> bool:
        """Is this path's answer to be judged?"""
        with self._lock:
            self._calls += 1
            drawn = self._rng.random() < self._chance(path_id)
            if drawn:
                self._judged[path_id] += 1
            return drawn

    def forked(self) -> None:
        """One of the parent's threads may have held the lock."""
        self._lock = threading.Lock()

    def _chance(self, path_id: str) -> float:
        if not self._informative:
            return self._rate
        if self._judged[path_id] < FIRST:
            return 1.0
        in_advance = self._judged.total() > self._rate * self._calls
        return self._rate * (REPAID if in_advance else 1.0)
