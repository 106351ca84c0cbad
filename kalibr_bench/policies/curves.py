"""Shares of the calls over time, and when they pass a level.

A share is taken over the runs, and with fewer than STEADY of them over the next few calls too, so
that it rests on about STEADY choices; a level then seems to be passed up to so many calls early.
"""

from __future__ import annotations

import math

import numpy as np

from kalibr_bench.policies.arrays import Bools, Floats, Ints
from kalibr_bench.policies.scenarios import Event

STEADY = 200
USED = 0.05
"""An arm with a smaller share before its fall was hardly used: leaving it means nothing."""
LOOK_BACK = 100
TRAIL = 20
FOUND = 0.9
ROUNDING = 1e-9


def window(runs: int) -> int:
    """Calls that a share is averaged over."""
    return max(1, math.ceil(STEADY / runs))


def ahead(values: Floats, width: int) -> Floats:
    """Means over [t, t + width), cut at the end; the shape stays.

    Args:
        values: (T,).
        width: Calls.
    """
    total = np.concatenate(([0.0], np.cumsum(values)))
    begin = np.arange(len(values))
    end = np.minimum(begin + width, len(values))
    means: Floats = (total[end] - total[begin]) / (end - begin)
    return means


def share(counts: Ints, runs: int, arm: int) -> Floats:
    """An arm's share of the runs, by call; (T,)."""
    shares: Floats = counts[:, arm] / runs
    return shares


def before(shares: Floats, fall: Event) -> float:
    """The share before a fall: over the last third of the calls until then, at most LOOK_BACK."""
    length = max(1, min(LOOK_BACK, fall.at // 3))
    return float(shares[fall.at - length : fall.at].mean())


def left(counts: Ints, runs: int, fall: Event, until: int) -> float | None:
    """Calls after a fall until the arm's share is a tenth of what it was.

    Returns:
        inf: it never is; None: the arm was hardly used.
    """
    shares = share(counts, runs, fall.arm)
    usual = before(shares, fall)
    if usual < USED:
        return None
    after = ahead(shares[fall.at : until], window(runs))
    return _first(after <= 0.1 * usual + ROUNDING)


def back(counts: Ints, runs: int, fall: Event | None, rise: Event, part: float) -> float | None:
    """Calls after an arm has come (back) up until `part` of its share before its fall is back.

    An arm that was never up before is to get `part` of all calls.

    Returns:
        inf: it never does; None: the arm was hardly used.
    """
    shares = share(counts, runs, rise.arm)
    usual = 1.0 if fall is None else before(shares, fall)
    if usual < USED:
        return None
    return _first(ahead(shares[rise.at :], window(runs)) >= part * usual - ROUNDING)


def found(counts: Ints, runs: int, arm: int) -> float:
    """Calls until an arm has FOUND of the last TRAIL calls, over all runs; inf: never."""
    recent = np.convolve(share(counts, runs, arm), np.full(TRAIL, 1.0 / TRAIL), "valid")
    return _first(recent >= FOUND - ROUNDING) + TRAIL


def _first(held: Bools) -> float:
    return float(np.argmax(held)) if held.any() else math.inf
