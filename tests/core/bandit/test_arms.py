"""Success, availability, scores and behaviour come together in one value."""

from __future__ import annotations

import pytest

from kalibr_core.bandit.arms import ArmState, Ratings
from kalibr_core.bandit.constants import DEFAULTS
from kalibr_core.bandit.regime import Tally


def healthy(calls: int = 100) -> tuple[ArmState, Tally]:
    state, tally = ArmState("a", DEFAULTS), Tally()
    for _ in range(calls):
        succeed(state, tally)
    return state, tally


def succeed(state: ArmState, tally: Tally) -> None:
    tally.calls += 1.0
    state.learn(1.0, 0.0, tally, 0.001, DEFAULTS)


def no_answer(state: ArmState, tally: Tally) -> None:
    tally.calls += 1.0
    state.learn_availability(0.0, 1.0, tally, DEFAULTS)


def test_an_outage_is_seen_within_three_calls_and_leaves_quality_alone():
    state, tally = healthy()
    quality = state.quality.runs
    for _ in range(3):
        no_answer(state, tally)
    assert state.down
    assert state.mean < 0.5
    assert state.quality.runs == quality


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


def test_a_bad_answer_is_an_answer():
    state, tally = healthy()
    no_answer(state, tally)
    before = state.availability.belief.mean
    tally.calls += 1.0
    state.learn(0.0, 1.0, tally, 0.001, DEFAULTS)
    assert state.availability.belief.mean > before


def test_availability_has_a_short_memory():
    """10,000 answers weigh no more than 50: the second failure still counts."""
    state, tally = healthy()
    no_answer(state, tally)
    for _ in range(2000):
        succeed(state, tally)
    assert max(a + b for _, a, b, _, _ in state.availability.belief.runs) <= 51.0


def test_value_with_scores_by_hand():
    """Beta(3 + 4 * 1.8, 1 + 4 * .2): Q = 10.2 / 12."""
    state = ArmState("a", DEFAULTS)
    state.judged = True
    state.scores.add(1.8, 0.2)
    state.refresh(DEFAULTS)
    assert state.mean == pytest.approx(0.75 * (0.5 + 0.5 * 10.2 / 12))


def test_an_unjudged_arm_among_judged_ones_has_quality_three_quarters():
    state, _ = healthy()
    success, count = state.mean, state.count
    state.judged = True
    state.refresh(DEFAULTS)
    assert state.mean == pytest.approx(success * 0.875)
    assert state.count == count  # what is known of its success stays known


def test_what_is_not_known_of_a_score_widens_the_value_and_less_so_with_each_score():
    state, _ = healthy()
    state.judged = True
    state.refresh(DEFAULTS)
    sizes = []
    for _ in range(3):
        state.scores.add(0.9, 0.1)
        state.refresh(DEFAULTS)
        sizes.append(sum(w * (a + b) for w, a, b in state.components))
    known = sum(w * (a + b) for w, a, b, *_ in state.quality.runs)
    assert sizes[0] < sizes[1] < sizes[2] < known


def test_components_keep_the_mean_of_the_value():
    state, tally = healthy()
    state.judged = True
    state.scores.add(3.0, 1.0)
    no_answer(state, tally)
    mean = sum(w * a / (a + b) for w, a, b in state.components)
    assert mean == pytest.approx(state.mean)


def test_behaviour_counts_from_the_fifth_signal_on():
    state = ArmState("a", DEFAULTS)
    state.behaviour.add(0.0, 4.0)
    state.refresh(DEFAULTS)
    assert state.mean == 0.75
    state.behaviour.add(0.0, 1.0)
    state.refresh(DEFAULTS)
    assert state.mean == pytest.approx(0.8 * 0.75 + 0.2 * (5 * 0.75 + 0.0) / 10)


def test_old_judgements_fade():
    ratings = Ratings(10.0)
    for _ in range(100):
        ratings.add(1.0, 0.0)
    for _ in range(20):
        ratings.add(0.0, 1.0)
    assert ratings.count == 10.0
    assert ratings.good < 2.0
