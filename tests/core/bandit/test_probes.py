"""Rule 5: probes are earned, one at a time per arm, and followed up while they succeed."""

from __future__ import annotations

import math

import pytest

from kalibr_core.bandit.arms import ArmState
from kalibr_core.bandit.constants import DEFAULTS
from kalibr_core.bandit.probes import Probes, interval
from kalibr_core.bandit.regime import Tally


def arm(name: str, mean: float) -> ArmState:
    state = ArmState(name, DEFAULTS)
    state.mean = state.quality.mean = mean
    return state


def at(calls: float, *, rises: float = 0.0, drops: float = 0.0, returns: float = 0.0) -> Tally:
    tally = Tally()
    tally.calls, tally.rises, tally.drops, tally.returns = calls, rises, drops, returns
    return tally


def test_interval_of_an_idle_cheaper_arm_by_hand():
    """Cost .4 + .005; gain .1 / 2 + .02 * .9; hazard 1 / (3 * 1000)."""
    wait = interval(arm("a", 0.5), arm("b", 0.9), 0.1, 1.0, at(950.0), 3, DEFAULTS)
    assert wait == pytest.approx(2 * math.sqrt(0.405 / ((0.05 + 0.018) / 3000)))


def test_interval_of_an_idle_dearer_arm_by_hand():
    """What it costs more is paid with each probe, and must be made up for."""
    wait = interval(arm("a", 0.5), arm("b", 0.9), 1.0, 0.1, at(950.0), 3, DEFAULTS)
    assert wait == pytest.approx(2 * math.sqrt(0.423 / ((0.1 - 0.018) / 2 / 3000)))


def test_probes_come_more_often_where_arms_have_risen_before():
    calm = interval(arm("a", 0.5), arm("b", 0.9), 1.0, 1.0, at(950.0), 3, DEFAULTS)
    lively = interval(arm("a", 0.5), arm("b", 0.9), 1.0, 1.0, at(950.0, rises=3.0), 3, DEFAULTS)
    assert lively == pytest.approx(calm / 2)


def test_an_arm_that_is_down_is_probed_by_how_often_outages_ended():
    down = arm("a", 0.2)
    down.regime.down, down.regime.since, down.regime.home = True, 900.0, (29.0, 1.0)
    down.down = True
    tally = at(950.0, drops=4.0, returns=3.0)
    wait = interval(down, arm("b", 0.9), 1.0, 1.0, tally, 3, DEFAULTS)
    gain, hazard = 29 / 30 - 0.9, (DEFAULTS.ended + 3) / 5 / 51
    expected = DEFAULTS.outage_factor * math.sqrt(0.705 / (gain * hazard))
    assert wait == pytest.approx(expected)


def test_the_saving_of_a_cheaper_arm_that_is_down_is_part_of_the_gain():
    down = arm("a", 0.2)
    down.regime.since, down.regime.home, down.down = 900.0, (17.0, 3.0), True
    down.regime.down = True
    wait = interval(down, arm("b", 0.9), 0.1, 1.0, at(950.0, drops=1.0), 3, DEFAULTS)
    expected = DEFAULTS.outage_factor * math.sqrt(0.705 / (0.018 * DEFAULTS.ended / 2 / 51))
    assert wait == pytest.approx(expected)  # a home below the chosen arm's level takes nothing off


def test_an_arm_that_could_gain_nothing_is_never_probed():
    assert interval(arm("a", 0.5), arm("b", 0.99), 1.0, 0.1, at(9.0), 3, DEFAULTS) == math.inf


def test_one_probe_is_outstanding_per_arm():
    probes, arms, tally = Probes(DEFAULTS), [arm("a", 0.5), arm("b", 0.5)], at(5000.0)
    assert probes.due(arms, [1.0, 1.0], 0, tally, 2) == 1
    probes.begin(arms[1], tally.calls)
    assert probes.due(arms, [1.0, 1.0], 0, tally, 2) is None


def test_a_probe_that_taught_nothing_may_be_repeated():
    probes, arms, tally = Probes(DEFAULTS), [arm("a", 0.5), arm("b", 0.5)], at(5000.0)
    probes.begin(arms[1], tally.calls)
    probes.end("b")
    assert probes.due(arms, [1.0, 1.0], 0, tally, 2) == 1


def test_a_lost_probe_does_not_block_its_arm_for_good():
    probes, arms = Probes(DEFAULTS), [arm("a", 0.5), arm("b", 0.5)]
    probes.begin(arms[1], 5000.0)
    assert probes.due(arms, [1.0, 1.0], 0, at(7000.0), 2) == 1


def follow(state: ArmState, outcomes: list[tuple[float, float]]) -> bool:
    """Is the arm probed once more after these outcomes?"""
    probes, tally = Probes(DEFAULTS), at(5000.0)
    state.last = 5000.0
    for gain, loss in outcomes:
        probes.begin(state, tally.calls)
        probes.learned(state, gain, loss)
    return probes.due([arm("best", 0.9), state], [1.0, 1.0], 0, tally, 2) == 1


def test_a_successful_probe_of_a_poor_arm_is_followed_at_once():
    assert follow(arm("a", 0.3), [(1.0, 0.0)])
    assert not follow(arm("a", 0.3), [(0.0, 1.0)])
    assert not follow(arm("a", 0.3), [(1.0, 0.0), (0.0, 1.0)])


def test_a_success_of_a_good_arm_tells_nothing_and_is_not_followed():
    assert not follow(arm("a", 0.8), [(1.0, 0.0)])


def test_twenty_follow_at_most():
    down = arm("a", 0.3)
    down.down = True
    assert follow(down, [(1.0, 0.0)] * 20)
    assert not follow(down, [(1.0, 0.0)] * 21)
