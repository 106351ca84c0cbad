"""Rule 1: a mixture over how long the arm's level has lasted."""

from __future__ import annotations

import json
import math
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kalibr_core.bandit.beliefs import Belief
from kalibr_core.bandit.constants import DEFAULTS
from kalibr_core.bandit.runs import UNITS, Return

NEW = DEFAULTS.new_run


def learn(belief, gain, loss, *, at=1.0, hazard=0.01, comeback=None):
    belief.update(gain, loss, birth=at, hazard=hazard, comeback=comeback, constants=DEFAULTS)
    if len(belief.weights) > DEFAULTS.max_runs:
        belief.prune(DEFAULTS)


def test_one_success_by_hand():
    """Old run: .99 * 3/4; new run: .01 * 1/2; each then learns the success."""
    belief = Belief(3.0, 1.0)
    learn(belief, 1.0, 0.0)
    old, new = belief
    total = 0.99 * 0.75 + 0.01 * 0.5
    assert old[1:] == (4.0, 1.0, 0.0)
    assert new[1:] == (NEW + 1.0, NEW, 1.0)
    weights = [0.99 * 0.75 / total, 0.01 * 0.5 / total]
    assert [old.weight / UNITS, new.weight / UNITS] == pytest.approx(weights, abs=1e-7)
    mean = weights[0] * 4 / 5 + weights[1] * (NEW + 1) / (2 * NEW + 1)
    assert belief.mean == pytest.approx(mean, abs=1e-7)
    assert belief.count == pytest.approx(weights[0] * 5 + weights[1] * 2 - 2, abs=1e-6)


def test_one_failure_by_hand():
    belief = Belief(3.0, 1.0)
    learn(belief, 0.0, 1.0)
    old, new = belief
    total = 0.99 * 0.25 + 0.01 * 0.5
    assert old[1:] == (3.0, 2.0, 0.0)
    assert new[1:] == (NEW, NEW + 1.0, 1.0)
    assert old.weight / UNITS == pytest.approx(0.99 * 0.25 / total, abs=1e-7)


def test_a_comeback_opens_a_run_at_the_old_level():
    belief = Belief(2.0, 8.0)
    learn(belief, 1.0, 0.0, comeback=Return(0.3, 28.0, 2.0))
    (home,) = [run for run in belief if run.is_home]
    total = 0.69 * 0.2 + 0.01 * 0.5 + 0.3 * 28 / 30
    assert home[1:] == (29.0, 2.0, 0.5)
    assert home.weight / UNITS == pytest.approx(0.3 * 28 / 30 / total, abs=1e-7)


def test_a_batch_is_weighed_by_the_beta_function():
    """B(3 + 2, 1 + 1) / B(3, 1) = (1/30) / (1/3) and B(2.5, 1.5) / B(.5, .5) = 1/16."""
    belief = Belief(3.0, 1.0)
    learn(belief, 2.0, 1.0)
    old, new = belief
    assert old.weight / new.weight == pytest.approx(0.99 * 0.1 / (0.01 / 16), rel=1e-5)
    assert (old[1:3], new[1:3]) == ((5.0, 2.0), (NEW + 2.0, NEW + 1.0))


@pytest.mark.parametrize("gain", [0.0, 1.0])
def test_a_batch_of_one_is_a_single_outcome(gain):
    single, batch = Belief(4.0, 1.5), Belief(4.0, 1.5)
    for at in range(1, 30):
        learn(single, gain, 1.0 - gain, at=float(at))
        learn(batch, abs(gain - 1e-12), abs(1.0 - gain - 1e-12), at=float(at))
        gain = 1.0 - gain
    assert batch.mean == pytest.approx(single.mean, abs=1e-6)


def test_a_level_begins_where_outcomes_turn():
    belief = Belief(3.0, 1.0)
    for at, gain in enumerate([1.0, 1.0, 1.0, 0.0, 0.0, 1.0], start=1):
        belief.update(
            gain, 1.0 - gain, birth=float(at), hazard=0.01, comeback=None, constants=DEFAULTS
        )
    assert [run.birth for run in belief] == [0.0, 1.0, 4.0, 6.0]
    belief.update(3.0, 0.0, birth=9.0, hazard=0.01, comeback=None, constants=DEFAULTS)
    assert belief.run(-1).birth == 9.0, "within a batch outcomes may have turned"


def runs_after(*batches: tuple[float, float]) -> list[int]:
    """How many runs there are after each of these."""
    belief, found = Belief(3.0, 1.0), []
    for at, (gain, loss) in enumerate(batches):
        learn(belief, gain, loss, at=at + 1.0)
        found.append(len(belief.weights))
    return found


def test_a_new_level_begins_with_another_outcome_than_the_last():
    """Within a series of equal outcomes it would say the same as one from the series' start."""
    win, loss = (1.0, 0.0), (0.0, 1.0)
    assert runs_after(win, win, win, loss, loss, win) == [2, 2, 2, 3, 3, 4]


def test_and_with_any_batch_and_the_first_outcome_after_it():
    win, batch = (1.0, 0.0), (3.0, 1.0)
    assert runs_after(win, batch, batch, win, win) == [2, 3, 4, 5, 5]


def test_a_collapse_after_10000_successes_is_believed_within_four_failures():
    belief = Belief(3.0, 1.0)
    for call in range(10_000):
        learn(belief, 1.0, 0.0, at=float(call), hazard=DEFAULTS.hazard)
    for call in range(4):
        learn(belief, 0.0, 1.0, at=10_000.0 + call, hazard=DEFAULTS.hazard)
    assert belief.mean < 0.4


def test_runs_stay_few_and_their_weights_sum_to_one():
    world, belief = random.Random(1), Belief(3.0, 1.0)
    for call in range(5000):
        rate = 0.9 if call // 400 % 2 else 0.5
        gain = float(world.random() < rate)
        learn(belief, gain, 1.0 - gain, at=float(call), hazard=0.01)
        assert len(belief.weights) <= DEFAULTS.max_runs
        assert sum(belief.weights) == pytest.approx(UNITS, rel=1e-3)
        assert belief.weights[belief.top] == max(belief.weights)


def test_thinning_the_runs_out_hardly_moves_the_mean():
    """On the mean by .003 at most, and never by .1: what goes says nearly the same, or little."""
    world, moved = random.Random(2), []
    for _ in range(40):
        belief = Belief(3.0, 1.0)
        for call in range(300):
            gain = float(world.random() < (0.9 if call < 200 else 0.6))
            belief.update(
                gain, 1.0 - gain, birth=float(call), hazard=0.002, comeback=None, constants=DEFAULTS
            )
            if len(belief.weights) > DEFAULTS.max_runs:
                before = belief.mean
                belief.prune(DEFAULTS)
                moved.append(abs(belief.mean - before))
    assert sum(moved) / len(moved) < 0.003
    assert max(moved) < 0.1


def test_a_run_that_was_merged_names_the_one_that_it_went_into():
    belief = Belief(3.0, 1.0)
    for call in range(1, DEFAULTS.max_runs + 6):
        gain = float(call % 3 > 0)
        belief.update(
            gain, 1.0 - gain, birth=float(call), hazard=0.3, comeback=None, constants=DEFAULTS
        )
    before = {run.birth for run in belief}
    taken = belief.prune(DEFAULTS)
    left = {run.birth for run in belief}
    assert left < before
    assert len(set(taken.values())) < len(taken)
    assert {birth for birth, into in taken.items() if into != birth} <= before - left
    assert left.issuperset(taken.values())


def test_what_fades_keeps_its_mean_and_half_its_outcomes():
    belief = Belief(3.0, 1.0)
    for call in range(200):
        learn(belief, float(call % 10 > 0), float(call % 10 == 0), at=float(call), hazard=0.001)
    mean, count = belief.mean, belief.count
    belief.fade(0.5)
    assert belief.mean == pytest.approx(mean, abs=0.005)
    assert belief.count == pytest.approx(count / 2, abs=2.0)


def test_fading_never_ends_in_nothing():
    belief = Belief(3.0, 1.0)
    for call in range(100):
        learn(belief, 1.0, 0.0, at=float(call))
    for _ in range(50):
        belief.fade(1e-9)
    assert all(run.successes + run.failures >= 1.99 for run in belief)
    assert 0.97 < belief.mean < 1.0


def test_shortening_keeps_at_most_the_limit_and_at_least_the_floor():
    belief = Belief(3.0, 1.0)
    for call in range(500):
        learn(belief, 1.0, 0.0, at=float(call))
    belief.shorten(50.0, 0.5)
    assert all(run.successes + run.failures <= 50.5 for run in belief)
    assert all(run.failures >= 0.5 for run in belief)


counts = st.floats(0.0, 1e6)


@given(st.lists(st.tuples(counts, counts), max_size=30), st.floats(0.0, 1.0))
def test_no_evidence_makes_a_belief_leave_its_bounds(batches, keep):
    belief = Belief(3.0, 1.0)
    for at, (gain, loss) in enumerate(batches):
        learn(belief, gain, loss, at=float(at))
        if at % 5 == 4:
            belief.fade(keep)
        assert 0.0 < belief.mean < 1.0
        assert math.isfinite(belief.count)
        assert all(run.successes > 0.0 < run.failures for run in belief)
        assert all(0 <= run.weight <= UNITS for run in belief)


@given(st.lists(st.sampled_from([0.0, 1.0, 1.0, 1.0, 0.7, 1 / 3]), max_size=60))
@settings(deadline=None)
def test_a_written_belief_is_read_back_exactly(outcomes):
    belief = Belief(3.0, 1.0)
    for at, gain in enumerate(outcomes):
        learn(belief, gain, 1.0 - gain, at=float(at), comeback=Return(0.1, 9.3, 0.7))
        if at % 20 == 19:
            belief.fade(0.9)
    calls = float(len(outcomes))
    row = json.loads(json.dumps(belief.state(calls)))
    copy = Belief.restored(row, calls=calls)
    assert copy.state(calls) == row
    assert (list(copy), copy.mean, copy.joint) == (list(belief), belief.mean, belief.joint)


@pytest.mark.parametrize("garbage", [None, "runs", [], [1.0, 2.0], [1.0, 2.0, 3.0], {"runs": []}])
def test_what_is_no_belief_is_refused(garbage):
    with pytest.raises(ValueError):
        Belief.restored(garbage, calls=10.0)
