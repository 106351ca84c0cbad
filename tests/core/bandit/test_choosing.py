"""Rules 3 and 4: optimistic draws, then the cheapest arm that may be good enough."""

from __future__ import annotations

import random

import pytest

from kalibr_core.bandit.arms import ArmState
from kalibr_core.bandit.choosing import drawn_leader, good_enough, level_of, rising_cost, settled
from kalibr_core.bandit.constants import DEFAULTS
from kalibr_core.bandit.regime import Tally


def known(passed: int, failed: int) -> ArmState:
    """An arm after so many outcomes, evenly mixed, at a level that never changed."""
    state, tally = ArmState("a", DEFAULTS), Tally()
    for call in range(passed + failed):
        bad = (call + 1) * failed // (passed + failed) > call * failed // (passed + failed)
        tally.calls += 1.0
        state.learn(float(not bad), float(bad), tally, 1e-7, 0.0, DEFAULTS)
    return state


class Sure:
    """Known beyond doubt."""

    def __init__(self, mean: float, *, down: bool = False) -> None:
        self.mean = self.upper = mean
        self.level, self.doubt, self.down = level_of(mean), 0.0, down


def choose(arms, costs, *, leader, target):
    return good_enough(arms, costs, rising_cost(costs), leader, target, DEFAULTS)


def test_a_nearly_free_arm_may_be_two_points_worse():
    assert choose([Sure(0.99), Sure(0.9702)], [1.0, 0.001], leader=0, target=0.99) == 1
    assert choose([Sure(0.99), Sure(0.965)], [1.0, 0.001], leader=0, target=0.99) == 0


def test_a_smaller_saving_buys_less():
    """At half the price the margin is one point."""
    assert choose([Sure(0.99), Sure(0.9815)], [1.0, 0.5], leader=0, target=0.99) == 1
    assert choose([Sure(0.99), Sure(0.975)], [1.0, 0.5], leader=0, target=0.99) == 0


def test_the_cheapest_of_several_good_ones_is_taken():
    arms = [Sure(0.99), Sure(0.985), Sure(0.984)]
    assert choose(arms, [1.0, 0.5, 0.1], leader=0, target=0.99) == 2


def test_a_dearer_arm_never_stands_in_for_the_leader():
    assert choose([Sure(0.9), Sure(0.95)], [1.0, 2.0], leader=0, target=0.9) == 0


@pytest.mark.parametrize("costs", [[None, 1.0], [1.0, None], [None, None], [0.0, 0.0], [1.0, 1.0]])
def test_unknown_equal_and_zero_costs_have_no_margin(costs):
    """Unknown is not free: neither side of the comparison saves anything."""
    assert choose([Sure(0.99), Sure(0.985)], costs, leader=0, target=0.99) == 0


def test_a_free_arm_has_the_whole_margin():
    assert choose([Sure(0.99), Sure(0.971)], [1.0, 0.0], leader=0, target=0.99) == 1


def test_evidence_against_a_cheap_arm_must_be_strong():
    """23:2 is no proof against .95 yet, 45:15 is."""
    arms = [known(23, 2), known(45, 15), Sure(0.95)]
    assert choose(arms, [0.1, None, 1.0], leader=2, target=0.95) == 0
    assert choose(arms, [None, 0.1, 1.0], leader=2, target=0.95) == 2


def test_the_less_an_arm_saves_the_weaker_the_evidence_that_sends_it_away():
    arms = [known(23, 2), Sure(0.95)]
    chosen = [choose(arms, [cost, 1.0], leader=1, target=0.95) for cost in (0.05, 0.9)]
    assert chosen == [0, 1]


def test_an_arm_that_has_not_failed_in_ten_calls_has_nothing_against_it():
    assert choose([known(10, 0), Sure(0.97)], [0.05, 1.0], leader=1, target=0.97) == 0


def test_an_untested_arm_has_hardly_any_benefit():
    assert choose([ArmState("a", DEFAULTS), Sure(0.9)], [0.0, 1.0], leader=1, target=0.9) == 1


def test_unknown_costs_come_last():
    assert rising_cost([None, 2.0, 1.0]) == [(2, 1.0), (1, 2.0), (0, None)]


def test_the_leader_is_drawn_optimistically():
    """Its value is never below the best mean; an arm of 7:1 beats one of 97:4 now and then."""
    arms = [known(97, 4), known(7, 1)]
    best, rng = arms[0].level, random.Random(1)
    drawn = [drawn_leader(arms, best, rng, DEFAULTS) for _ in range(4000)]
    assert all(target >= arms[0].mean - 1e-9 for _, target in drawn)
    assert 0.003 < sum(leader == 1 for leader, _ in drawn) / 4000 < 0.1


def test_arms_that_cannot_win_do_not_lead():
    arms, rng = [known(900, 100), known(500, 500)], random.Random(1)
    drawn = [drawn_leader(arms, arms[0].level, rng, DEFAULTS)[0] for _ in range(1000)]
    assert drawn == [0] * 1000


def stay(arms, costs, *, chosen, previous, target):
    return settled(arms, costs, chosen, previous, target, DEFAULTS) == previous


def test_a_conversation_stays_unless_the_choice_is_better_by_the_price_of_a_switch():
    price = DEFAULTS.switch_price
    close, far = [Sure(0.9 - price + 0.01), Sure(0.9)], [Sure(0.9 - price - 0.01), Sure(0.9)]
    assert stay(close, [1.0, 1.0], chosen=1, previous=0, target=0.9)
    assert not stay(far, [1.0, 1.0], chosen=1, previous=0, target=0.9)


def test_a_conversation_leaves_an_arm_that_is_down():
    arms = [Sure(0.9, down=True), Sure(0.9)]
    assert not stay(arms, [1.0, 1.0], chosen=1, previous=0, target=0.9)


def test_a_conversation_leaves_for_an_arm_that_saves_enough():
    arms = [Sure(0.9), Sure(0.9)]
    assert not stay(arms, [1.0, 0.4], chosen=1, previous=0, target=0.9)
    assert stay(arms, [1.0, 0.6], chosen=1, previous=0, target=0.9)
    assert stay(arms, [1.0, None], chosen=1, previous=0, target=0.9)
    assert stay(arms, [None, 0.1], chosen=1, previous=0, target=0.9)


def test_without_a_previous_turn_the_choice_stands():
    assert settled([Sure(0.9), Sure(0.9)], [1.0, 1.0], 1, None, 0.9, DEFAULTS) == 1
