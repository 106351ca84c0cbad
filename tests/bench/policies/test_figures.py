"""Figures and their errors."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from kalibr_bench.policies.batch import batch_of
from kalibr_bench.policies.chance import generator
from kalibr_bench.policies.drive import play_twin
from kalibr_bench.policies.figures import (
    Estimate,
    Figures,
    best_published,
    by_seed,
    estimate,
    figures,
    suite,
)
from kalibr_bench.policies.scenarios import SCENARIOS, SUITE
from kalibr_bench.policies.simple import Uniform
from kalibr_bench.policies.tally import tally


def found(name: str) -> Figures:
    batch = batch_of(name, range(3))
    return figures(SCENARIOS[name], tally(batch, play_twin(Uniform, batch, generator("x"))))


def test_an_error_is_that_of_a_mean() -> None:
    assert estimate(np.array([1.0, 2.0, 3.0])) == Estimate(2.0, pytest.approx(1 / 3**0.5))
    assert math.isnan(estimate(np.array([1.0])).error)


def test_runs_of_one_seed_count_once() -> None:
    """Else runs in the same world would make the error look smaller than it is."""
    values, seeds = np.array([1.0, 3.0, 5.0, 5.0]), np.array([7, 7, 9, 9])
    assert by_seed(values, seeds).tolist() == [2.0, 5.0]
    batch = batch_of("random", range(3))
    sums = tally(batch, play_twin(Uniform, batch, generator("x")))
    loss = figures(batch.scenario, sums).loss
    assert loss == estimate(by_seed(sums.loss, sums.seeds)) != estimate(sums.loss)


def test_there_are_only_figures_that_mean_something() -> None:
    assert found("S2").back50 is not None
    assert found("S2").bad is not None
    plain = found("S8")
    assert (plain.leave, plain.back50, plain.bad, plain.found) == (None,) * 4
    assert plain.cheapest == pytest.approx(100 / 3, abs=2.0)
    assert found("random").cheapest is None
    assert found("S10").found == math.inf
    assert found("S10").success.mean < 97 * 0.925  # a call is worth p (1 + q) / 2


def test_the_suite_is_measured_by_the_best_published_policy_of_this_run() -> None:
    base = found("S8")

    def with_loss(loss: float) -> Figures:
        return replace(base, loss=Estimate(loss, 0.0))

    table = {
        (name, policy): with_loss(loss)
        for name in SUITE
        for policy, loss in {"kalibr": 2.0, "thompson": 4.0, "ucb1": 8.0, "oracle": 0.0}.items()
    }
    everyone = ("kalibr", "thompson", "ucb1", "oracle")
    assert best_published(table, "S2", everyone) == 4.0
    assert suite(table, "kalibr", everyone) == (pytest.approx(0.5), 0.5, "S1")
    table["S6", "kalibr"] = with_loss(8.0)
    ours = suite(table, "kalibr", everyone)
    assert ours is not None
    assert (ours.worst, ours.where) == (2.0, "S6")
    assert ours.geomean == pytest.approx(0.5 * 4 ** (1 / 14))
    del table["S6", "kalibr"]
    assert suite(table, "kalibr", everyone) is None
