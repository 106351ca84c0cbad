"""One level of an arm: what is left of it when time passes, or when it must not last longer."""

from __future__ import annotations

import math

import pytest

from kalibr_core.bandit.runs import Run, faded, log_beta, shortened


def test_the_beta_function_of_whole_numbers() -> None:
    """B(3, 2) = 2! 1! / 4!"""
    assert log_beta(3.0, 2.0) == pytest.approx(math.log(2 / 24))


def test_a_return_is_told_by_its_birth_between_two_calls() -> None:
    assert Run(1.0, 1.0, 1.0, 4.5).is_home
    assert not Run(1.0, 1.0, 1.0, 4.0).is_home


def test_what_fades_keeps_its_mean_and_two_outcomes_at_least() -> None:
    run = Run(5.0, 30.0, 10.0, 2.0)
    assert faded(run, 0.5) == Run(5.0, 15.0, 5.0, 2.0)
    assert faded(run, 0.0) == Run(5.0, 1.5, 0.5, 2.0)
    assert faded(Run(5.0, 1000.0, 0.01, 2.0), 0.0).failures == 0.01, "neither side ends in nothing"
    assert faded(Run(5.0, 1.0, 0.5, 2.0), 0.1) == Run(5.0, 1.0, 0.5, 2.0), "too short to fade"


def test_what_is_shortened_counts_for_so_many_at_most() -> None:
    run = Run(5.0, 90.0, 10.0, 2.0)
    assert shortened(run, 50.0, 0.5) == Run(5.0, 45.0, 5.0, 2.0)
    assert shortened(run, 200.0, 0.5) == run
    assert shortened(Run(5.0, 100.0, 0.01, 2.0), 50.0, 0.5).failures == 0.5
