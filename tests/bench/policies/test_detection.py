"""Our alarm beside CUSUM's."""

from __future__ import annotations

import math

import numpy as np
import pytest

from kalibr_bench.policies import detection
from kalibr_bench.policies.detection import (
    CASES,
    Case,
    Watched,
    compared,
    cusum_delays,
    steps,
    threshold,
    watch,
)

DEEP = ".99 to .30"


def test_cusums_threshold_keeps_its_rate() -> None:
    """Counted in a second simulation, alarm by alarm; within four standard errors."""
    case, rng = CASES[DEEP], np.random.default_rng(3)
    low, high, share = threshold(case, 2.0, rng, rows=1000)
    assert low < high
    success, failure = steps(case)
    limit = np.where(rng.random(4000) < share, low, high) - 1e-8
    level, alarms = np.zeros(4000), 0
    for _ in range(5000):
        level = np.maximum(0.0, level + np.where(rng.random(4000) < case.before, success, failure))
        up = level >= limit
        alarms += int(up.sum())
        level[up] = 0.0
    assert abs(alarms - 4000) < 4 * (4000 + 4000 * 4000 / 20_000) ** 0.5 * 1.5


def test_no_alarm_is_faster_with_fewer_false_ones() -> None:
    few, many = (cusum_delays(DEEP, rate, rows=3000).mean() for rate in (0.5, 8.0))
    assert 2.0 < many < few < 6.0


def test_a_delay_counts_calls_from_the_fall_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(detection, "STABLE", 300)
    monkeypatch.setitem(vars(detection), "CASES", {"total": Case(0.999, 0.0)})
    found = watch("total", range(3))
    assert found == watch("total", range(3))
    assert all(one.up or 1.0 <= one.delay <= 8.0 for one in found)


def test_a_run_whose_alarm_is_up_is_counted_and_left_out() -> None:
    runs = [
        Watched(alarms=1, up=False, delay=4.0),
        Watched(alarms=3, up=True, delay=math.nan),
        Watched(alarms=2, up=False, delay=6.0),
    ]
    one = compared(runs, {0.5: np.array([2, 2, 3, 3])})
    assert (one.ours.mean, one.up, one.runs, one.alarms.mean) == (5.0, 1, 3, 2.0)
    assert one.cusum[0.5].ratio.mean == 2.0
