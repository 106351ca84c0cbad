"""Which answers are judged: the same share on the whole, more of it where a score teaches more."""

from __future__ import annotations

import os
import threading
from collections import Counter
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import random

FIRST = 10
"""Of a path's answers are judged in any case: nothing is known of it before."""
FIRST_PER_RATE = 50
"""So that at a small rate they are few, and at a tiny one none."""
MOST_AHEAD = 30
"""Judgements that may be made in advance, all paths together."""
REPAID = 0.5
"""Share of the rate at which judgements made in advance are made up for; behind the rate, as much
more than it is judged."""


class Sampler:
    """Draws which of a goal's answers are judged; safe for threads.

    Args:
        rate: share on the whole, in (0, 1].
        informative: judge each path's first answers, and the later ones the less until the rate
            holds again. What is unknown of a path stands in its first scores; what one more tells
            falls with their number.
        known: how many scores a path has from before this process, or from others.
        answers: how many of a path's answers there have been, with this process's own. Where there
            are many and no score, the judge cannot be read: nothing is judged in advance.
    """

    def __init__(
        self,
        rate: float,
        *,
        informative: bool,
        rng: random.Random,
        known: Callable[[str], float] = lambda path_id: 0.0,
        answers: Callable[[str], float] = lambda path_id: 0.0,
    ) -> None:
        self._rate = rate
        self._first = min(FIRST, int(FIRST_PER_RATE * rate)) if informative else 0
        self._rng = rng
        self._known = known
        self._answers = answers
        self._pid = os.getpid()
        self._judged: Counter[str] = Counter()
        self._offered: Counter[str] = Counter()
        self._calls = self._lost = 0
        self._has_score = False
        self.forked()

    def draws(self, path_id: str) -> bool:
        """Is this path's answer to be judged?"""
        with self._lock:
            self._calls += 1
            self._offered[path_id] += 1
            drawn = self._rng.random() < self._chance(path_id)
            if drawn:
                self._judged[path_id] += 1
            return drawn

    def give_back(self, path_id: str) -> None:
        """A judgement that was drawn has come to nothing; of the rate it is lost, or a queue that
        was full for long would be followed by a time of more judgements than it can hold."""
        with self._lock:
            self._judged[path_id] -= 1
            self._lost += 1

    def has_score(self) -> None:
        """The judge can be read."""
        self._has_score = True

    def forked(self) -> None:
        """One of the parent's threads may have held the lock; children must not all draw alike."""
        self._lock = threading.Lock()
        if self._pid != os.getpid():
            self._pid = os.getpid()
            self._rng.seed()

    def _chance(self, path_id: str) -> float:
        if not self._first:
            return self._rate
        ahead = self._judged.total() + self._lost - self._rate * self._calls
        known = max(self._judged[path_id], self._known(path_id))
        if known < self._first and ahead < MOST_AHEAD and self._can_be_read(path_id):
            return 1.0
        return self._rate * (REPAID if ahead > 0 else 2.0 - REPAID)

    def _can_be_read(self, path_id: str) -> bool:
        """Has the judge given a score, or not had the time to?"""
        if self._has_score or self._known(path_id) > 0.0:
            return True
        return max(self._offered[path_id], self._answers(path_id)) <= self._first
