"""Rules 3 and 4: optimistic draws, then the cheapest arm that is good enough."""

from __future__ import annotations

import random
from dataclasses import dataclass

import pytest

from kalibr_core.bandit.choosing import (
    divergence,
    drawn_leader,
    good_enough,
    rising_cost,
    within_doubt,
)
from kalibr_core.bandit.constants import DEFAULTS


@dataclass
class Known:
    mean: float
    count: float
    components: tuple[tuple[float, ...], ...] = ()
    ceiling: float = 1.0


def sure(mean: float) -> Known:
    return Known(mean, 1e6, ((1.0, mean * 1e6, (1 - mean) * 1e6),), mean + 0.002)


def choose(arms, costs, *, leader, target):
    return good_enough(arms, rising_cost(costs), leader, target, DEFAULTS)


def test_a_nearly_free_arm_may_be_two_points_worse():
    assert choose([sure(0.99), sure(0.9702)], [1.0, 0.001], leader=0, target=0.99) == 1
    assert choose([sure(0.99), sure(0.965)], [1.0, 0.001], leader=0, target=0.99) == 0


def test_a_smaller_saving_buys_less():
    """At half the price the margin is one point."""
    assert choose([sure(0.99), sure(0.9815)], [1.0, 0.5], leader=0, target=0.99) == 1
    assert choose([sure(0.99), sure(0.975)], [1.0, 0.5], leader=0, target=0.99) == 0


def test_the_cheapest_of_several_good_ones_is_taken():
    arms = [sure(0.99), sure(0.985), sure(0.984)]
    assert choose(arms, [1.0, 0.5, 0.1], leader=0, target=0.99) == 2


def test_a_dearer_arm_never_stands_in_for_the_leader():
    assert choose([sure(0.9), sure(0.95)], [1.0, 2.0], leader=0, target=0.9) == 0


@pytest.mark.parametrize("costs", [[None, 1.0], [1.0, None], [None, None], [0.0, 0.0], [1.0, 1.0]])
def test_unknown_equal_and_zero_costs_have_no_margin(costs):
    assert choose([sure(0.99), sure(0.985)], costs, leader=0, target=0.99) == 0


def test_a_free_arm_has_the_whole_margin():
    assert choose([sure(0.99), sure(0.971)], [1.0, 0.0], leader=0, target=0.99) == 1


def test_evidence_against_a_cheap_arm_must_be_strong():
    """23:2 is no proof against .97 yet, 45:15 is."""
    assert within_doubt(26 / 29, 27.0, 0.92, DEFAULTS)
    assert not within_doubt(48 / 64, 62.0, 0.92, DEFAULTS)


def test_an_arm_that_never_failed_has_nothing_against_it():
    assert within_doubt(8 / 9, 7.0, 0.97, DEFAULTS)


def test_an_untested_arm_has_no_benefit():
    assert not within_doubt(0.75, 2.0, 0.81, DEFAULTS)


def test_an_arm_that_saves_nothing_has_no_benefit():
    assert choose([Known(8 / 9, 7.0), sure(0.98)], [1.0, 1.0], leader=1, target=0.98) == 1
    assert choose([Known(8 / 9, 7.0), sure(0.99)], [0.5, 1.0], leader=1, target=0.99) == 0


def test_pinskers_bound_decides_nothing_by_itself():
    """It never exceeds the divergence, so that it only spares work."""
    for p in (0.01, 0.3, 0.5, 0.9, 0.99):
        for q in (0.02, 0.4, 0.7, 0.95, 0.999):
            assert 2 * (p - q) ** 2 <= divergence(p, q) + 1e-12


def test_unknown_costs_come_last():
    assert rising_cost([None, 2.0, 1.0]) == [(2, 1.0), (1, 2.0), (0, None)]


def test_the_leader_is_drawn_optimistically():
    """A draw counts only where it is above the mean."""
    arms = [Known(0.9, 8.0, ((1.0, 9.0, 1.0),)), Known(0.5, 2.0, ((1.0, 2.0, 2.0),))]
    rng = random.Random(1)
    drawn = [drawn_leader(arms, 0.9, rng, DEFAULTS) for _ in range(4000)]
    assert all(target >= 0.9 for _, target in drawn)
    rate = sum(leader == 1 for leader, _ in drawn) / 4000
    assert 0.002 < rate < 0.06


def test_arms_that_cannot_win_are_not_drawn_from():
    rng = random.Random(1)
    arms = [sure(0.9), sure(0.5)]
    assert all(drawn_leader(arms, 0.9, rng, DEFAULTS)[0] == 0 for _ in range(1000))
