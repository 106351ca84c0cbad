"""Rule 2: outages are noticed, the level before them is remembered, and their end is seen."""

from __future__ import annotations

import pytest

from kalibr_core.bandit.constants import DEFAULTS
from kalibr_core.bandit.regime import Regime, Tally

WORSE = (0.6, 3.0, 7.0, 50.0, False)


def fallen() -> tuple[Regime, Tally]:
    regime, tally = Regime(96.0, 1.0), Tally()
    regime.follow([WORSE, (0.4, 99.0, 7.0, 0.0, False)], tally, DEFAULTS)
    return regime, tally


def test_a_worse_and_heavier_run_is_an_outage():
    regime, tally = fallen()
    assert (regime.down, regime.since, tally.drops) == (True, 50.0, 1.0)


def test_home_leaves_out_what_came_after_the_change_and_is_at_most_30_calls():
    """The old run holds 99:7, of which the new run's 2:6 came after the change: 97:1."""
    regime, _ = fallen()
    assert regime.home == pytest.approx((97.0 * 30 / 98, 1.0 * 30 / 98))


def test_a_run_at_half_the_weight_or_less_changes_nothing():
    regime, tally = Regime(96.0, 1.0), Tally()
    regime.follow([(0.5, 1.0, 4.0, 50.0, False), (0.5, 97.0, 4.0, 0.0, False)], tally, DEFAULTS)
    assert not regime.down


def test_younger_runs_that_together_hold_70_percent_are_a_change():
    regime, tally = Regime(96.0, 1.0), Tally()
    later = [(0.4, 1.0, 4.0, 50.0, False), (0.35, 1.0, 3.0, 51.0, False)]
    regime.follow([*later, (0.25, 97.0, 4.0, 0.0, False)], tally, DEFAULTS)
    assert (regime.down, regime.since) == (True, 50.0)


def test_a_home_run_ends_the_outage():
    regime, tally = fallen()
    regime.follow([(0.6, 31.0, 1.0, 80.0, True), (0.4, 1.0, 5.0, 50.0, False)], tally, DEFAULTS)
    assert (regime.down, tally.returns) == (False, 1.0)


@pytest.mark.parametrize(("run", "down"), [((19.0, 1.0), False), ((8.0, 2.0), True)])
def test_a_new_run_ends_it_only_close_to_home(run, down):
    regime, tally = fallen()
    regime.follow([(0.6, *run, 80.0, False), (0.4, 1.0, 5.0, 50.0, False)], tally, DEFAULTS)
    assert regime.down is down


def test_a_better_level_than_ever_is_a_rise():
    regime, tally = Regime(50.0, 50.0), Tally()
    better = [(0.8, 9.0, 1.0, 90.0, False), (0.2, 50.0, 50.0, 0.0, False)]
    regime.follow(better, tally, DEFAULTS)
    assert (regime.down, tally.rises) == (False, 1.0)


def test_a_switch_back_to_the_older_run_undoes_the_move():
    regime, tally = fallen()
    regime.follow([(0.6, 99.0, 4.0, 0.0, False), (0.4, 3.0, 4.0, 50.0, False)], tally, DEFAULTS)
    assert (regime.down, regime.birth, tally.drops) == (False, 0.0, 0.0)


def test_the_chance_of_a_return_grows_with_the_gap_and_is_at_most_half():
    regime, _ = fallen()
    chance, *home = regime.comeback(69.0, 10.0, DEFAULTS)
    assert chance == pytest.approx(0.2 * 10 / 20)
    assert tuple(home) == regime.home
    assert regime.comeback(50.0, 40.0, DEFAULTS)[0] == 0.5


def test_an_arm_that_is_up_has_no_return():
    assert Regime(3.0, 1.0).comeback(10.0, 5.0, DEFAULTS) is None
