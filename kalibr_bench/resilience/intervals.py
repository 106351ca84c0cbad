"""Shares with their uncertainty, and quantiles."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean, stdev

Z95 = 1.959963984540054
"""Two-sided 95 % quantile of the normal distribution."""


def wilson(successes: int, trials: int, *, z: float = Z95) -> tuple[float, float]:
    """The Wilson score interval of a share; (0, 1) where nothing was tried.

    Source: Wilson 1927; unlike the normal interval it holds near 0 and 1.

    >>> tuple(round(bound, 4) for bound in wilson(8, 10))
    (0.4902, 0.9433)
    """
    if trials == 0:
        return 0.0, 1.0
    share = successes / trials
    scale = 1.0 + z * z / trials
    centre = (share + z * z / (2 * trials)) / scale
    half = z / scale * math.sqrt(share * (1 - share) / trials + z * z / (4 * trials * trials))
    low = 0.0 if successes == 0 else centre - half
    high = 1.0 if successes == trials else centre + half
    return low, high


@dataclass(frozen=True, slots=True)
class Share:
    """So many of so many."""

    successes: int
    trials: int

    @property
    def value(self) -> float | None:
        """In [0, 1]; None where nothing was tried."""
        return self.successes / self.trials if self.trials else None

    @property
    def interval(self) -> tuple[float, float]:
        """The 95 % Wilson interval."""
        return wilson(self.successes, self.trials)


@dataclass(frozen=True, slots=True, kw_only=True)
class OverRuns:
    """One figure over independent runs.

    Attributes:
        mean: Over runs.
        half_width: Of its 95 % interval; None for a single run.
        worst: The smallest.
    """

    mean: float
    half_width: float | None
    worst: float


def over_runs(values: Sequence[float]) -> OverRuns | None:
    """The mean of a figure over runs; None without runs."""
    if not values:
        return None
    half = Z95 * stdev(values) / math.sqrt(len(values)) if len(values) > 1 else None
    return OverRuns(mean=fmean(values), half_width=half, worst=min(values))


def quantile(values: Sequence[float], q: float) -> float | None:
    """The q-quantile, linear between neighbours; None without values.

    >>> quantile([1.0, 2.0, 3.0, 4.0], 0.5)
    2.5
    """
    if not values:
        return None
    ordered = sorted(values)
    at = q * (len(ordered) - 1)
    below = math.floor(at)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (at - below) * (ordered[above] - ordered[below])
