"""Judgements fade, and whether a provider answers is remembered for a short while only."""

from __future__ import annotations

import pytest

from kalibr_core.bandit.constants import DEFAULTS
from kalibr_core.bandit.ratings import Availability, Ratings
from kalibr_core.bandit.regime import Tally


def after(answers: int) -> tuple[Availability, Tally]:
    """An arm that gave so many answers, and then its provider's first failure."""
    tally = Tally()
    tally.calls = float(answers)
    availability = Availability(float(answers), DEFAULTS)
    outcome(availability, tally, 0.0)
    return availability, tally


def outcome(availability: Availability, tally: Tally, gain: float, *, gap: float = 1.0) -> None:
    tally.calls += gap
    availability.update(gain, 1.0 - gain, gap, tally, DEFAULTS)


def test_old_judgements_fade():
    ratings = Ratings(10.0)
    for _ in range(100):
        ratings.add(1.0, 0.0)
    for _ in range(20):
        ratings.add(0.0, 1.0)
    assert ratings.count == 10.0
    assert ratings.good < 2.0


def test_a_batch_of_judgements_counts_as_many_single_ones():
    single, batch = Ratings(500.0), Ratings(500.0)
    for _ in range(8):
        single.add(0.75, 0.25)
    batch.add(6.0, 2.0)
    assert (single.good, single.count) == (batch.good, batch.count)


@pytest.mark.parametrize(
    ("written", "read"),
    [([3, 5], (3.0, 5.0)), ([9, 5], (5.0, 5.0)), ([float("nan"), 1e9], (0.0, 500.0))],
)
def test_written_judgements_are_clamped(written, read):
    ratings = Ratings(500.0)
    ratings.restore(written)
    assert (ratings.good, ratings.count) == read


def test_three_failures_of_a_healthy_provider_are_an_outage():
    availability, tally = after(200)
    for _ in range(2):
        outcome(availability, tally, 0.0)
    assert availability.since is not None
    assert availability.factor < 0.6
    assert tally.drops == 1.0


def test_one_failure_is_forgiven_after_three_answers():
    availability, tally = after(200)
    assert availability.factor > 0.75
    for _ in range(3):
        outcome(availability, tally, 1.0)
    assert availability.since is None
    assert availability.factor > 0.95


def test_a_few_answers_end_an_outage_and_bring_the_whole_factor_back():
    availability, tally = after(200)
    for _ in range(30):
        outcome(availability, tally, 0.0)
    for _ in range(6):
        outcome(availability, tally, 1.0, gap=10.0)
    assert availability.since is None
    assert availability.factor > 0.95
    assert (tally.drops, tally.returns) == (1.0, 1.0)


def test_a_hundred_answers_more_take_nothing_off():
    availability, tally = after(200)
    for _ in range(300):
        outcome(availability, tally, 1.0)
    assert availability.factor == pytest.approx(1.0, abs=0.005)


def test_it_remembers_no_more_calls_than_so_many():
    """10,000 answers weigh no more than 50: three failures are an outage all the same."""
    availability, tally = after(50)
    for _ in range(10_000):
        outcome(availability, tally, 1.0)
    most = max(run.successes + run.failures for run in availability.belief)
    assert most <= DEFAULTS.availability_counts + 1.0
    for _ in range(3):
        outcome(availability, tally, 0.0)
    assert availability.since is not None


def test_what_is_taken_back_was_never_there():
    ratings = Ratings(500.0)
    ratings.add(0.85, 0.15)
    ratings.add(0.25, 0.75)
    ratings.take_back(0.85, 0.15)
    assert (ratings.good, ratings.count) == pytest.approx((0.25, 1.0))


def test_no_more_is_taken_back_than_there_is():
    ratings = Ratings(500.0)
    ratings.add(0.25, 0.75)
    ratings.take_back(1.0, 0.0)
    assert (ratings.good, ratings.count) == (0.0, 0.0)
    ratings.add(1.0, 1.0)
    ratings.take_back(0.0, 1.5)
    assert (ratings.good, ratings.count) == (0.5, 0.5), "good stays within the count"
