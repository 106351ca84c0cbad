"""One hypothesis of a belief: the level that an arm has had since a call."""

from __future__ import annotations

import math
from typing import NamedTuple

UNITS = 10**8
"""Weights are whole numbers of hundred-millionths: exact, short when written down, and a run that
has become impossible is 0."""


class Run(NamedTuple):
    """The level since call `birth`: Beta(successes, failures)."""

    weight: float
    successes: float
    failures: float
    birth: float
    """Whole for a new level; half a call earlier for a return to the one before an outage."""

    @property
    def is_home(self) -> bool:
        return self.birth % 1.0 != 0.0


class Return(NamedTuple):
    """An outage may have ended, at this level."""

    chance: float
    successes: float
    failures: float


def log_beta(a: float, b: float) -> float:
    """Logarithm of the Beta function."""
    return math.lgamma(a) + math.lgamma(b) - math.lgamma(a + b)


def faded(run: Run, keep: float) -> Run:
    """The run with a share of its outcomes, two at least, to hundredths."""
    size = run.successes + run.failures
    scale = max(keep, min(1.0, 2.0 / size))
    successes, failures = round(run.successes * scale, 2), round(run.failures * scale, 2)
    return run._replace(successes=max(successes, 0.01), failures=max(failures, 0.01))


def shortened(run: Run, limit: float, floor: float) -> Run:
    """The run as if it had lasted `limit` outcomes at most."""
    scale = min(1.0, limit / (run.successes + run.failures))
    successes, failures = round(run.successes * scale, 2), round(run.failures * scale, 2)
    return run._replace(successes=max(successes, floor), failures=max(failures, floor))
