"""The scenarios are what they say."""

from __future__ import annotations

import math

import numpy as np
import pytest

from kalibr_bench.policies.scenarios import SCENARIOS, SUITE, Scenario


def test_the_suite_has_fourteen() -> None:
    assert len(SUITE) == 14
    assert set(SCENARIOS) - set(SUITE) == {"S10", "1e6", "random"}


@pytest.mark.parametrize("of", SCENARIOS.values(), ids=SCENARIOS)
def test_a_world_fits_its_scenario(of: Scenario) -> None:
    made = of.make(3)
    assert made.costs.max() == 1.0
    assert made.levels.shape == (len(made.starts), len(made.costs))
    assert made.starts[0] == 0
    assert (np.diff(made.starts) > 0).all()
    assert made.starts[-1] < of.calls
    assert ((made.levels >= 0.0) & (made.levels <= 1.0)).all()
    assert of.full > 0


@pytest.mark.parametrize(
    "of", [s for s in SCENARIOS.values() if s.fall or s.rise], ids=lambda scenario: scenario.id
)
def test_falls_and_rises_are_where_they_are_said_to_be(of: Scenario) -> None:
    made = of.make(0)
    for event, sign in ((of.fall, -1.0), (of.rise, 1.0)):
        if event is not None:
            before, after = made.levels[made.segments(event.at - 1, event.at + 1)][:, event.arm]
            assert sign * (after - before) > 0.0


def test_the_original_benchmark_falls_with_call_31() -> None:
    made = SCENARIOS["S1"].make(0)
    assert made.levels[made.segments(29, 31)][:, 0].tolist() == [0.99, 0.297]


def test_drift_follows_its_formula() -> None:
    levels = SCENARIOS["S3"].make(0).levels
    assert levels[700, 4] == pytest.approx(0.8 + 0.18 * math.sin(2 * math.pi * (0.28 + 0.4)))


def test_outages_last_five_calls_and_come_every_120_to_280() -> None:
    made = SCENARIOS["S7"].make(5)
    lengths, downs = np.diff(made.starts), made.starts[made.levels[:, 1] == 0.0]
    assert set(lengths[1::2]) == {5}
    assert all(120 <= gap <= 280 for gap in np.diff(downs))
    assert not np.array_equal(downs, SCENARIOS["S7"].make(6).starts[1::2])
