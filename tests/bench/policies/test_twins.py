"""The numpy twins do what their papers say."""

from __future__ import annotations

import math

import numpy as np
import pytest

from kalibr_bench.policies.arrays import Choices
from kalibr_bench.policies.batch import Batch, batch_of
from kalibr_bench.policies.bounds import KlUCB, TrackAndStop
from kalibr_bench.policies.chance import generator
from kalibr_bench.policies.changes import ChangePoint, GlrKlUCB
from kalibr_bench.policies.contenders import CONTENDERS
from kalibr_bench.policies.divergence import divergence, upper
from kalibr_bench.policies.drive import MakeTwin, play_twin
from kalibr_bench.policies.simple import Oracle
from kalibr_bench.policies.tally import tally
from kalibr_bench.policies.thompson import WINDOW, DiscountedWindow, Thompson, Windowed, subsidised

NONE, ONE = np.zeros(1), np.ones(1)
TWINS = {name: c.twin for name, c in CONTENDERS.items() if c.twin is not None}


def played(make: MakeTwin, batch: Batch) -> Choices:
    return play_twin(make, batch, generator("test"))


@pytest.mark.parametrize("name", TWINS)
def test_a_twin_chooses_open_arms_and_can_be_repeated(name: str) -> None:
    batch = batch_of("S11", range(4))
    first = played(TWINS[name], batch)
    assert first.shape == (4, 200)
    assert first.max() < 20
    assert np.array_equal(first, played(TWINS[name], batch))


@pytest.mark.parametrize("name", ["random", "S7", "S3"])
def test_the_oracle_loses_nothing(name: str) -> None:
    batch = batch_of(name, range(3))
    sums = tally(batch, played(Oracle, batch))
    assert sums.loss.max() == 0.0
    assert np.allclose(sums.success, sums.oracle_success)
    assert np.allclose(sums.cost, sums.oracle_cost)


@pytest.mark.parametrize(
    ("make", "name", "low", "high"),
    [
        (KlUCB, "PB1", 190, 350),  # published: 270
        (GlrKlUCB, "PB1", 50, 180),  # published: 74; a tenth of the runs has more than 240
        (GlrKlUCB, "PB2", 50, 150),  # published: 113
        (TrackAndStop, "PB1", 1000, 1500),  # it never comes back
    ],
)
def test_published_regrets_are_met_roughly(
    make: MakeTwin, name: str, low: float, high: float
) -> None:
    """Besson & Kaufmann 2019; the margins are wide, since parameters differ."""
    batch = batch_of(name, range(100))
    assert low < tally(batch, played(make, batch)).regret.mean() < high


def test_change_points_are_found_where_plain_thompson_stays() -> None:
    batch = batch_of("PB2", range(8))
    plain, found = (tally(batch, played(m, batch)).regret.mean() for m in (Thompson, ChangePoint))
    assert found < plain / 3


def test_newtons_bound_is_bisections() -> None:
    p, allowed = np.meshgrid(np.linspace(0.0, 1.0, 101), np.geomspace(1e-5, 20.0, 60))
    low, high = p.copy(), np.ones_like(p)
    for _ in range(50):
        middle = (low + high) / 2.0
        inside = divergence(p, middle) <= allowed
        low, high = np.where(inside, middle, low), np.where(inside, high, middle)
    assert np.abs(upper(p, allowed) - low).max() < 1e-3


def test_discounting_forgets_every_arm_at_every_outcome() -> None:
    twin = Thompson(batch_of("S1", [0]), generator("t"), gamma=0.5)
    twin.learn(np.array([0]), ONE, NONE)
    twin.learn(np.array([1]), NONE, ONE)
    assert twin.good.tolist() == [[0.5, 0.0, 0.0]]
    assert twin.bad.tolist() == [[0.0, 1.0, 0.0]]


def test_a_window_holds_the_last_calls_and_no_more() -> None:
    twin = Windowed(batch_of("S1", [0]), generator("t"))
    twin.learn(np.array([2]), ONE, NONE)
    for _ in range(WINDOW - 1):
        twin.learn(np.array([0]), ONE, NONE)
    assert twin.good.tolist() == [[WINDOW - 1.0, 0.0, 1.0]]
    twin.learn(np.array([0]), NONE, ONE)
    assert twin.good.tolist() == [[WINDOW - 1.0, 0.0, 0.0]]


def test_the_hot_window_is_an_arms_own_and_a_silent_call_moves_nothing() -> None:
    twin = DiscountedWindow(batch_of("S1", [0]), generator("t"))
    for _ in range(40):
        twin.learn(np.array([1]), ONE, NONE)
        twin.learn(np.array([1]), NONE, NONE)
        twin.learn(np.array([0]), NONE, ONE)
    assert twin._hot[0].tolist() == [[0.0, 30.0, 0.0]]
    assert twin._hot[1].tolist() == [[30.0, 0.0, 0.0]]


def test_a_bad_hot_window_outweighs_a_good_history_and_the_other_way_round() -> None:
    twin = DiscountedWindow(batch_of("S1", [0]), generator("t"))
    for good in [True] * 300 + [False] * 30:
        twin.learn(np.array([0]), ONE * good, ONE * (not good))
    for good in [False] * 300 + [True] * 30:
        twin.learn(np.array([1]), ONE * good, ONE * (not good))
    draws = np.array([twin.draws()[0] for _ in range(50)])
    assert draws[:, 0].mean() < 0.1
    assert draws[:, 1].mean() < 0.2


def test_best_arm_identification_stays_when_it_is_sure() -> None:
    """Also when the arm has fallen to .1."""
    chosen = played(TrackAndStop, batch_of("PB1", range(10)))
    assert (chosen[:, 1000:] == 0).all()
    assert (chosen[:, :50] != 0).any()


def test_a_subsidy_takes_the_cheapest_within_its_margin() -> None:
    batch = batch_of("S1", [0, 1, 2])  # costs 1, .06, .2
    draws = np.array([[0.99, 0.972, 0.975], [0.99, 0.971, 0.975], [0.90, 0.99, 0.99]])
    assert subsidised(draws, draws.argmax(axis=1), batch).tolist() == [1, 2, 1]


def test_a_generalised_likelihood_ratio_restarts_the_arm_that_changed_alone() -> None:
    twin = GlrKlUCB(batch_of("S8", [0]), generator("t"))
    for t in range(200):
        good = t < 160 or t % 2 == 0
        twin.learn(np.array([0]), ONE * good, ONE * (not good))
        twin.learn(np.array([1]), ONE, NONE)
        twin._test()
    assert twin._start[0, 0] > 160
    assert twin._start[0, 1] == 0


def test_run_lengths_are_weighed_by_what_they_foretold() -> None:
    """After a fall the newest runs hold nearly all the weight, and their mean is the new one."""
    twin = ChangePoint(batch_of("S1", [0]), generator("t"))
    for good in [True] * 300 + [False] * 12:
        twin.learn(np.array([0]), ONE * good, ONE * (not good))
    weights, a, b, below = twin._runs[0]
    assert math.isclose(weights.sum(), 1.0)
    assert math.isclose(below[-1], 1.0)
    assert (weights * a / (a + b)).sum() < 0.15
    assert twin._runs[1, 0].tolist() == [1.0] + [0.0] * 15
