"""Rule 2: outages are noticed, the level before them is remembered, and their end is seen."""

from __future__ import annotations

import json

import pytest

from kalibr_core.bandit.beliefs import Belief
from kalibr_core.bandit.constants import DEFAULTS
from kalibr_core.bandit.regime import Regime, Tally
from kalibr_core.bandit.runs import UNITS, Run

WORSE = (0.6, 3.0, 7.0, 50.0)


def believing(*runs: tuple[float, float, float, float]) -> Belief:
    """A belief of these runs: (share, successes, failures, birth)."""
    belief = Belief(3.0, 1.0)
    belief._take([Run(round(share * UNITS), a, b, birth) for share, a, b, birth in runs])
    return belief


def fallen() -> tuple[Regime, Tally]:
    regime, tally = Regime(96.0, 1.0), Tally()
    tally.calls = 60.0
    regime.follow(believing((0.4, 99.0, 7.0, 0.0), WORSE), tally, DEFAULTS)
    return regime, tally


def follow(regime: Regime, tally: Tally, *runs: tuple[float, float, float, float]) -> None:
    regime.follow(believing(*runs), tally, DEFAULTS)


def test_a_worse_and_heavier_run_is_an_outage():
    regime, tally = fallen()
    assert (regime.down, regime.since, tally.drops) == (True, 50.0, 1.0)


def test_home_leaves_out_what_came_after_the_change_and_is_at_most_so_many_calls():
    """The old run holds 99:7; what the new run has seen came after the change."""
    regime, _ = fallen()
    assert regime.home_mean > 0.97
    assert sum(regime.home) <= DEFAULTS.home_counts + 0.1
    long, tally = Regime(9600.0, 100.0), Tally()
    follow(long, tally, (0.4, 9600.0, 107.0, 0.0), WORSE)
    assert sum(long.home) == pytest.approx(DEFAULTS.home_counts, abs=0.1)


def test_a_run_at_half_the_weight_or_less_changes_nothing():
    regime, tally = Regime(96.0, 1.0), Tally()
    follow(regime, tally, (0.5, 97.0, 4.0, 0.0), (0.5, 1.0, 4.0, 50.0))
    assert not regime.down


def test_younger_runs_that_hold_most_of_the_weight_together_are_a_change():
    regime, tally = Regime(96.0, 1.0), Tally()
    follow(regime, tally, (0.25, 97.0, 4.0, 0.0), (0.4, 1.0, 4.0, 50.0), (0.35, 1.0, 3.0, 51.0))
    assert (regime.down, regime.since) == (True, 50.0)


def test_a_home_run_ends_the_outage():
    regime, tally = fallen()
    follow(regime, tally, (0.3, 1.0, 5.0, 50.0), (0.7, 31.0, 1.0, 79.5))
    assert (regime.down, tally.returns) == (False, 1.0)


@pytest.mark.parametrize(("run", "down"), [((19.0, 1.0), False), ((8.0, 2.0), True)])
def test_a_new_run_ends_it_only_close_to_home(run, down):
    regime, tally = fallen()
    follow(regime, tally, (0.3, 1.0, 5.0, 50.0), (0.7, *run, 80.0))
    assert regime.down is down


def test_a_better_level_than_ever_is_a_rise():
    regime, tally = Regime(50.0, 50.0), Tally()
    follow(regime, tally, (0.2, 50.0, 50.0, 0.0), (0.8, 9.0, 1.0, 90.0))
    assert (regime.down, tally.rises) == (False, 1.0)


def test_a_switch_back_to_the_older_run_undoes_the_move():
    regime, tally = fallen()
    follow(regime, tally, (0.7, 99.0, 4.0, 0.0), (0.3, 3.0, 4.0, 50.0))
    assert (regime.down, regime.birth, tally.drops) == (False, 0.0, 0.0)


def test_a_run_that_was_merged_into_another_is_no_change():
    regime, tally = Regime(96.0, 1.0), Tally()
    regime.renamed({0.0: 2.0})
    follow(regime, tally, (0.9, 94.0, 6.0, 2.0), (0.1, 1.0, 2.0, 50.0))
    assert (regime.down, tally.rises, tally.drops) == (False, 0.0, 0.0)


def test_nor_is_the_way_back_to_it():
    regime, tally = fallen()
    regime.renamed({0.0: 2.0})
    follow(regime, tally, (0.7, 97.0, 4.0, 2.0), (0.3, 3.0, 4.0, 50.0))
    assert (regime.down, regime.birth, tally.drops) == (False, 2.0, 0.0)


def test_the_chance_of_a_return_grows_with_the_gap_and_is_at_most_half():
    regime, tally = fallen()
    tally.returns = tally.drops
    tally.calls = 69.0
    chances = [regime.comeback(tally, gap, DEFAULTS).chance for gap in (1.0, 4.0, 19.0, 1e9)]
    assert chances[1] == pytest.approx(4 * chances[0])
    assert chances[1] == pytest.approx(
        DEFAULTS.return_rate * min(1.0, (DEFAULTS.return_doubt + 1) / 2) * 4 / 20
    )
    assert chances[3] == DEFAULTS.max_return
    assert regime.comeback(tally, 1.0, DEFAULTS)[1:] == regime.home


def test_a_return_is_doubted_until_outages_have_been_seen_to_end():
    regime, tally = fallen()
    tally.calls = 100.0
    doubted = regime.comeback(tally, 5.0, DEFAULTS).chance
    tally.returns = tally.drops
    assert regime.comeback(tally, 5.0, DEFAULTS).chance > 5 * doubted


def test_an_arm_that_is_up_has_no_return():
    assert Regime(3.0, 1.0).comeback(Tally(), 5.0, DEFAULTS) is None


def test_regimes_and_tallies_are_written_exactly():
    regime, tally = fallen()
    for each in (Regime(3.0, 1.0), regime):
        row = json.loads(json.dumps(each.state(tally.calls)))
        assert Regime.restored(row, calls=tally.calls).state(tally.calls) == row
    row = json.loads(json.dumps(tally.state()))
    assert Tally.restored(row).state() == row


def test_written_tallies_are_clamped():
    """More outages cannot have ended than there were."""
    nan = float("nan")
    assert Tally.restored([nan, -1.0, 3.0, 9.0]).state() == [0, 0, 3, 3]


@pytest.mark.parametrize("garbage", [None, [], [1.0], [1.0, 2.0, "3"], {"birth": 1.0}])
def test_what_is_no_regime_is_refused(garbage):
    with pytest.raises(ValueError):
        Regime.restored(garbage, calls=9.0)
