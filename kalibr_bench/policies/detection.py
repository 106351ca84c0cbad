"""How fast a fall is noticed, beside the fastest that is possible.

Our alarm (`RunLengthPolicy.is_down`) knows nothing beforehand. The ruler is CUSUM, which knows both
levels and is the optimum at its rate of false alarms (Moustakides 1986): those of RATES.
A delay is the number of calls from the change until the alarm is up, the last one included.
A run whose alarm is up already when the change comes has no delay: it is counted and left out.
"""

from __future__ import annotations

import copy
import math
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import NamedTuple

import numpy as np

from kalibr_bench.policies.arrays import Floats, Ints
from kalibr_bench.policies.chance import generator, seed_of
from kalibr_bench.policies.figures import Estimate, estimate
from kalibr_core.bandit import RunLengthPolicy
from kalibr_core.types import Evidence, EvidenceKind

STABLE = 10_000
"""Good calls before the change."""
RATES = (0.5, 2.0)
"""CUSUM's false alarms per STABLE calls: few, and about as many as our alarm has."""
GIVEN_UP = 5000
"""A delay is cut here."""
BRANCHES = 10
"""Changes that are tried after each stable stretch: that is the dear part."""


class Case(NamedTuple):
    """Success before and after."""

    before: float
    after: float


CASES: Mapping[str, Case] = MappingProxyType(
    {".99 to .30": Case(0.99, 0.30), ".97 to .90": Case(0.97, 0.90)}
)
GOOD, BAD = Evidence(EvidenceKind.QUALITY, 1.0, 0.0), Evidence(EvidenceKind.QUALITY, 0.0, 1.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """Our alarm in one stable stretch: false alarms, was it up at the change, mean delay."""

    alarms: int
    up: bool
    delay: float


class Ruler(NamedTuple):
    """CUSUM's mean delay in calls, and ours by it."""

    delay: Estimate
    ratio: Estimate


@dataclass(frozen=True, slots=True, kw_only=True)
class Detection:
    """Both alarms in one case.

    Attributes:
        ours: Our mean delay, in calls.
        cusum: CUSUM's, by its rate of false alarms.
        alarms: Our false alarms per STABLE calls.
        up: Stretches whose alarm was up at the change.
        runs: Stretches in all.
    """

    ours: Estimate
    cusum: Mapping[float, Ruler]
    alarms: Estimate
    up: int
    runs: int


def watch(case: str, seeds: Sequence[int]) -> list[Watched]:
    """Our alarm, one stable stretch for each seed."""
    return [_watch_one(CASES[case], seed_of("detection", case, seed)) for seed in seeds]


def _watch_one(case: Case, seed: int) -> Watched:
    policy, rng = RunLengthPolicy(["fed", "other"], random.Random(seed)), random.Random(seed)
    alarms, down = 0, False
    for _ in range(STABLE):
        policy.update("fed", GOOD if rng.random() < case.before else BAD)
        was, down = down, policy.is_down("fed")
        alarms += down and not was
    if down:
        return Watched(alarms=alarms, up=True, delay=math.nan)
    delays = [_delay(copy.deepcopy(policy), case.after, rng) for _ in range(BRANCHES)]
    return Watched(alarms=alarms, up=False, delay=sum(delays) / BRANCHES)


def _delay(policy: RunLengthPolicy, level: float, rng: random.Random) -> int:
    for call in range(1, GIVEN_UP + 1):
        policy.update("fed", GOOD if rng.random() < level else BAD)
        if policy.is_down("fed"):
            return call
    return GIVEN_UP


class Threshold(NamedTuple):
    """An alarm at `low` in `share` of the runs, else at `high`: its rate moves in steps."""

    low: float
    high: float
    share: float


def steps(case: Case) -> tuple[float, float]:
    """What CUSUM adds for a success and for a failure: log likelihood ratios."""
    return (
        math.log(case.after / case.before),
        math.log((1.0 - case.after) / (1.0 - case.before)),
    )


def threshold(case: Case, rate: float, rng: np.random.Generator, *, rows: int = 4000) -> Threshold:
    """The level with `rate` false alarms per STABLE calls, by simulation.

    The statistic goes up from 0 and comes back; the share of those excursions that pass a level is
    the rate of its alarms. One simulation gives it for all levels.
    """
    success, failure = steps(case)
    peaks: list[Floats] = []
    level, peak = np.zeros(rows), np.zeros(rows)
    for _ in range(2 * STABLE):
        level = np.maximum(0.0, level + np.where(rng.random(rows) < case.before, success, failure))
        peak = np.maximum(peak, level)
        ended = (level == 0.0) & (peak > 0.0)
        peaks.append(peak[ended])
        peak[ended] = 0.0
    found, counts = np.unique(np.round(np.concatenate(peaks), 9), return_counts=True)
    passing = np.cumsum(counts[::-1])[::-1]
    wanted = rate * rows * 2
    at = int(np.searchsorted(-passing, -wanted))  # the first level that few enough pass
    share = (wanted - passing[at]) / (passing[at - 1] - passing[at])
    return Threshold(float(found[at - 1]), float(found[at]), float(share))


def cusum_delays(case: str, rate: float, *, rows: int = 20_000, settle: int = 1000) -> Ints:
    """CUSUM's delays, (rows,), with `rate` false alarms per STABLE calls."""
    chosen = CASES[case]
    rng = generator("cusum", case, rate)
    success, failure = steps(chosen)
    low, high, share = threshold(chosen, rate, rng)
    limit = np.where(rng.random(rows) < share, low, high) - 1e-8
    level, delays = np.zeros(rows), np.zeros(rows, np.int64)
    for _ in range(settle):
        level = np.maximum(
            0.0, level + np.where(rng.random(rows) < chosen.before, success, failure)
        )
        level[level >= limit] = 0.0
    left = np.arange(rows)
    for call in range(1, GIVEN_UP + 1):
        passed = rng.random(len(left)) < chosen.after
        level[left] = np.maximum(0.0, level[left] + np.where(passed, success, failure))
        delays[left] = call
        left = left[level[left] < limit[left]]
        if not len(left):
            break
    return delays


def compared(watched: Sequence[Watched], delays: Mapping[float, Ints]) -> Detection:
    """Ours beside CUSUM's."""
    ours = estimate(np.array([one.delay for one in watched if not one.up]))
    return Detection(
        ours=ours,
        cusum={rate: _ruler(ours, some) for rate, some in delays.items()},
        alarms=estimate(np.array([float(one.alarms) for one in watched])),
        up=sum(one.up for one in watched),
        runs=len(watched),
    )


def _ruler(ours: Estimate, delays: Ints) -> Ruler:
    cusum = estimate(delays.astype(float))
    ratio = ours.mean / cusum.mean
    error = ratio * math.hypot(ours.error / ours.mean, cusum.error / cusum.mean)
    return Ruler(cusum, Estimate(ratio, error))
