"""What has to be a lesson for a router to find who can do it; four seeds of 60 runs each."""

from __future__ import annotations

from statistics import median

import pytest

from kalibr_bench.gauntlet.designs import BAR, DESIGNS, RUNS, Design, late, passed_runs
from kalibr_bench.gauntlet.engineers import ENGINEERS

SEEDS = range(4)


def shares(name: str, *, longer: int = 1) -> list[float]:
    return [late(passed_runs(DESIGNS[name], seed=seed, longer=longer)) for seed in SEEDS]


def test_the_run_as_the_unit_meets_the_bar() -> None:
    found = shares("the run is the unit")
    assert median(found) >= BAR
    assert sum(share >= BAR for share in found) >= 3


@pytest.mark.parametrize("name", ["... by score alone", "runs wander"])
def test_what_falls_short_of_it(name: str) -> None:
    """With runs of six to eighteen steps, as real agents have them."""
    assert median(shares(name, longer=3)) < 0.6


def test_a_design_is_what_it_says() -> None:
    everybody = dict.fromkeys(ENGINEERS, 1.0)
    assert passed_runs(Design(), seed=0, skills=everybody) == [True] * RUNS
    assert passed_runs(Design(), seed=1) == passed_runs(Design(), seed=1)
    assert late([False] * 30 + [True] * 15 + [False] * 15) == 0.5
