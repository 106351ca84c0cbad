"""Rule 1: a mixture over how long the arm's level has lasted."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kalibr_core.bandit.beliefs import Belief, conditioned
from kalibr_core.bandit.constants import DEFAULTS


def learn(belief, gain, loss, *, at=1.0, hazard=0.01, comeback=None):
    belief.update(gain, loss, birth=at, hazard=hazard, comeback=comeback, constants=DEFAULTS)


def test_one_success_by_hand():
    """Old run: .99 * 3/4; new run: .01 * 1/2; each then learns the success."""
    belief = Belief(3.0, 1.0)
    learn(belief, 1.0, 0.0)
    old, new = belief.runs
    total = 0.99 * 0.75 + 0.01 * 0.5
    assert old == (pytest.approx(0.99 * 0.75 / total), 4.0, 1.0, 0.0, False)
    assert new == (pytest.approx(0.01 * 0.5 / total), 2.0, 1.0, 1.0, False)
    assert belief.mean == pytest.approx(old[0] * 4 / 5 + new[0] * 2 / 3)
    assert belief.count == pytest.approx(old[0] * 3 + new[0] * 1)


def test_one_failure_by_hand():
    belief = Belief(3.0, 1.0)
    learn(belief, 0.0, 1.0)
    total = 0.99 * 0.25 + 0.01 * 0.5
    assert belief.runs[0] == (pytest.approx(0.99 * 0.25 / total), 3.0, 2.0, 0.0, False)
    assert belief.runs[1] == (pytest.approx(0.01 * 0.5 / total), 1.0, 2.0, 1.0, False)


def test_a_comeback_opens_a_run_at_the_old_level():
    belief = Belief(2.0, 8.0)
    learn(belief, 1.0, 0.0, comeback=(0.3, 28.0, 2.0))
    home = next(run for run in belief.runs if run[4])
    total = 0.69 * 0.2 + 0.01 * 0.5 + 0.3 * 28 / 30
    assert home == (pytest.approx(0.3 * 28 / 30 / total), 29.0, 2.0, 0.5, True)


def test_a_batch_is_weighed_by_the_beta_function():
    """B(3 + 2, 1 + 1) / B(3, 1) = (1/30) / (1/3) and B(3, 2) / B(1, 1) = 1/12."""
    belief = Belief(3.0, 1.0)
    learn(belief, 2.0, 1.0)
    old, new = belief.runs
    assert old[0] / new[0] == pytest.approx(0.99 * 0.1 / (0.01 / 12))
    assert (old[1], old[2], new[1], new[2]) == (5.0, 2.0, 3.0, 2.0)


def test_a_batch_of_one_is_a_single_outcome():
    runs = [(0.7, 4.0, 1.5, 0.0, False), (0.3, 2.0, 2.0, 3.0, False)]
    single, batch = conditioned(runs, 1.0, 0.0), conditioned(runs, 1.0 - 1e-12, 0.0)
    assert batch[0][0] / batch[1][0] == pytest.approx(single[0][0] / single[1][0])


def test_a_collapse_after_10000_successes_is_believed_within_four_failures():
    belief = Belief(3.0, 1.0)
    for call in range(10_000):
        learn(belief, 1.0, 0.0, at=float(call), hazard=DEFAULTS.hazard)
    for call in range(4):
        learn(belief, 0.0, 1.0, at=10_000.0 + call, hazard=DEFAULTS.hazard)
    assert belief.mean < 0.4


def test_runs_are_few_and_the_heaviest_comes_first():
    belief = Belief(3.0, 1.0)
    for call in range(500):
        learn(belief, float(call % 2), float(1 - call % 2), at=float(call), hazard=0.2)
        assert len(belief.runs) <= DEFAULTS.max_runs
        assert belief.runs == sorted(belief.runs, reverse=True)
        assert sum(run[0] for run in belief.runs) == pytest.approx(1.0)


counts = st.floats(0.0, 1e6)


@given(st.lists(st.tuples(counts, counts), max_size=30))
def test_no_evidence_makes_a_belief_leave_its_bounds(batches):
    belief = Belief(3.0, 1.0)
    for at, (gain, loss) in enumerate(batches):
        learn(belief, gain, loss, at=float(at))
        assert 0.0 < belief.mean < 1.0
        assert math.isfinite(belief.count)
        assert all(run[1] > 0.0 < run[2] and 0.0 < run[0] <= 1.0 for run in belief.runs)
