"""Success, availability, scores and behaviour come together in one value."""

from __future__ import annotations

import random
from statistics import fmean

import pytest

from conftest import DAY, HOUR, NOON
from kalibr_core.bandit.arms import ArmState, value_at
from kalibr_core.bandit.constants import DEFAULTS
from kalibr_core.bandit.regime import Tally


def healthy(calls: int = 100, *, at: float = 0.0) -> tuple[ArmState, Tally]:
    state, tally = ArmState("a", DEFAULTS), Tally()
    for _ in range(calls):
        succeed(state, tally, at=at)
    return state, tally


def succeed(state: ArmState, tally: Tally, *, at: float = 0.0, gain: float = 1.0) -> None:
    tally.calls += 1.0
    state.learn(gain, 1.0 - gain, tally, 0.001, at, DEFAULTS)


def no_answer(state: ArmState, tally: Tally, *, at: float = 0.0) -> None:
    tally.calls += 1.0
    state.learn_availability(0.0, 1.0, tally, at, DEFAULTS)


def judge(state: ArmState, good: float, bad: float) -> None:
    state.score(good, bad, DEFAULTS)


def test_an_outage_is_seen_within_three_calls_and_leaves_quality_alone():
    state, tally = healthy()
    quality = list(state.quality)
    for _ in range(3):
        no_answer(state, tally)
    assert state.down
    assert state.mean < 0.55
    assert list(state.quality) == quality


def test_after_an_outage_a_few_answers_restore_the_value():
    state, tally = healthy()
    before = state.mean
    for _ in range(8):
        no_answer(state, tally)
    tally.calls += 40.0
    for _ in range(6):
        succeed(state, tally)
    assert not state.down
    assert state.mean == pytest.approx(before, abs=0.03)
    assert (tally.drops, tally.returns) == (1.0, 1.0)


def test_an_outage_is_forgotten_only_when_nothing_is_left_of_it():
    """One answer in the middle of it does not bring the value back; a hundred do, wholly."""
    state, tally = healthy()
    before = state.mean
    for _ in range(20):
        no_answer(state, tally)
    succeed(state, tally)
    assert state.mean < 0.7
    for _ in range(100):
        succeed(state, tally)
    assert state.mean >= before


def test_a_bad_answer_is_an_answer():
    state, tally = healthy()
    no_answer(state, tally)
    assert state.availability is not None
    before = state.availability.belief.mean
    succeed(state, tally, gain=0.0)
    assert state.availability.belief.mean > before


def test_value_with_scores_by_hand():
    """Beta(3 + 4 * 1.8, 1 + 4 * .2): Q = 10.2 / 12."""
    state = ArmState("a", DEFAULTS)
    judge(state, 1.8, 0.2)
    assert state.mean == pytest.approx(0.75 * (0.5 + 0.5 * 10.2 / 12))


def test_an_unjudged_arm_among_judged_ones_has_quality_three_quarters():
    state, _ = healthy()
    success = state.mean
    state.judged = True
    state.refresh(DEFAULTS)
    assert state.mean == pytest.approx(success * 0.875)


def test_what_is_not_known_of_a_score_widens_the_value_and_less_so_with_each_score():
    state, _ = healthy()
    known = sum(run.weight * (run.successes + run.failures) for run in state.quality)
    known /= sum(run.weight for run in state.quality)
    sizes = []
    for _ in range(3):
        judge(state, 0.9, 0.1)
        assert state.components is not None
        sizes.append(sum(w * (a + b) for w, a, b in state.components))
    assert sizes[0] < sizes[1] < sizes[2] < known


def test_components_keep_the_mean_of_the_value():
    state, tally = healthy()
    judge(state, 3.0, 1.0)
    no_answer(state, tally)
    assert state.components is not None
    mean = sum(w * a / (a + b) for w, a, b in state.components)
    assert mean == pytest.approx(state.mean, abs=1e-6)


def test_behaviour_counts_from_the_fifth_signal_on():
    state = ArmState("a", DEFAULTS)
    state.behave(0.0, 4.0, DEFAULTS)
    assert state.mean == 0.75
    state.behave(0.0, 1.0, DEFAULTS)
    assert state.mean == pytest.approx(0.8 * 0.75 + 0.2 * (5 * 0.75 + 0.0) / 10)


def test_the_worst_behaviour_takes_a_fifth_at_most_and_no_alarm_goes_off():
    """0.8 V + 0.2 (5 V + 0) / (5 + n) -> 0.8 V; the arm is not down, and success is untouched."""
    state, _ = healthy()
    value, quality = state.mean, list(state.quality)
    state.behave(0.0, 1e6, DEFAULTS)
    assert state.mean == pytest.approx(0.8 * value, abs=0.005)
    assert not state.down
    assert list(state.quality) == quality


def test_draws_are_optimistic_and_spread_like_the_posterior():
    """Never below the arm's level; above it half of the time, as far as logits of a Beta go."""
    state, _ = healthy(10)
    rng = random.Random(1)
    draws = [state.draw(-9.0, rng, DEFAULTS) for _ in range(2000)]
    assert min(draws) == state.level
    above = [draw for draw in draws if draw > state.level]
    assert 0.4 < len(above) / 2000 < 0.75
    assert 0.5 < fmean(above) - state.level < 1.5


def test_the_upper_bound_is_the_value_at_level_plus_doubt():
    state, tally = healthy(30)
    succeed(state, tally, gain=0.0)
    assert state.doubt > 0.0
    assert state.upper == pytest.approx(value_at(state.level + state.doubt))


def test_doubt_is_small_without_outcomes_and_shrinks_with_many():
    """An untested arm has hardly any benefit of it; at equal means, more outcomes leave less."""
    assert ArmState("a", DEFAULTS).upper < 0.85
    doubts = []
    for calls in (40, 200, 1000):
        state, tally = ArmState("a", DEFAULTS), Tally()
        for call in range(calls):
            succeed(state, tally, gain=float(call % 10 > 0))
        doubts.append(state.doubt)
    assert doubts[0] > doubts[1] > doubts[2]


@pytest.mark.parametrize("days", [14.0, 28.0])
def test_evidence_on_answers_halves_in_14_days_and_its_mean_stays(days):
    state, tally = healthy(300, at=NOON)
    for call in range(100):
        succeed(state, tally, at=NOON, gain=float(call % 10 > 0))
    mean, count = state.mean, state.quality.count
    succeed(state, tally, at=NOON + days * DAY)
    assert state.quality.count == pytest.approx(count * 0.5 ** (days / 14.0), rel=0.03)
    assert state.mean == pytest.approx(mean, abs=0.005)


def test_small_steps_of_time_fade_as_much_as_a_great_one():
    """To within 5 %: a call an hour for 14 days, 336 of them, against all of them at the end."""
    slow, slow_tally = healthy(1000, at=NOON)
    fast, fast_tally = healthy(1000, at=NOON)
    for hour in range(1, 337):
        succeed(slow, slow_tally, at=NOON + hour * HOUR)
    succeed(fast, fast_tally, at=NOON + 14 * DAY)
    old = slow.quality.count - 336 / (2 * 0.6931)  # what came in meanwhile has faded by itself
    assert old == pytest.approx(fast.quality.count, rel=0.05)


@pytest.mark.parametrize("minutes", [10.0, 20.0])
def test_evidence_on_the_provider_halves_in_10_minutes_and_its_mean_stays(minutes):
    state, tally = healthy(100, at=NOON)
    for _ in range(30):
        no_answer(state, tally, at=NOON)
    assert state.availability is not None
    belief = state.availability.belief
    mean, size = belief.mean, sum(belief.level)
    quality = state.quality.count
    no_answer(state, tally, at=NOON + minutes * 60.0)
    assert sum(belief.level) - 1.0 == pytest.approx(size * 0.5 ** (minutes / 10.0), abs=1.0)
    assert belief.mean == pytest.approx(mean, abs=0.05)
    assert state.quality.count == pytest.approx(quality, rel=0.01)


@pytest.mark.parametrize("jump_s", [-HOUR, -365 * DAY, 365 * DAY, 1e12])
def test_a_wall_clock_that_jumps_unlearns_no_mean(jump_s):
    state, tally = healthy(300, at=NOON)
    for _ in range(4):
        no_answer(state, tally, at=NOON)
    for _ in range(20):
        succeed(state, tally, at=NOON)
    mean = state.mean
    for at in (NOON + jump_s, NOON, NOON + 1.0):
        succeed(state, tally, at=max(0.0, at))
        assert state.mean == pytest.approx(mean, abs=0.02)


def test_signals_that_are_taken_back_leave_the_value_as_it_was():
    state, untouched = ArmState("a", DEFAULTS), ArmState("a", DEFAULTS)
    untouched.behave(3.0, 3.0, DEFAULTS)
    state.behave(3.0, 3.0, DEFAULTS)
    state.behave(0.0, 4.0, DEFAULTS)
    assert state.mean < untouched.mean
    state.take_back(0.0, 4.0, DEFAULTS)
    assert state.mean == pytest.approx(untouched.mean)
    assert state.behaviour.count == 6.0


def test_an_arm_that_nobody_was_heard_of_has_nothing_to_take_back():
    state = ArmState("a", DEFAULTS)
    state.take_back(1.0, 0.0, DEFAULTS)
    assert state.behaviour is None
