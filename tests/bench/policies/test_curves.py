"""When a share passes a level."""

from __future__ import annotations

import math

import numpy as np

from kalibr_bench.policies import curves
from kalibr_bench.policies.arrays import Ints
from kalibr_bench.policies.scenarios import Event

RUNS = 1000


def counts(*shares: float) -> Ints:
    """Two arms, the first with these shares."""
    first = np.array([round(RUNS * share) for share in shares])
    return np.stack([first, RUNS - first], axis=1)


FALL, RISE = Event(0, 30), Event(0, 40)
STORY = counts(*[0.8] * 30, 0.8, 0.5, 0.2, 0.09, *[0.08] * 6, *[0.08] * 5, 0.3, 0.45, 0.7, 0.8)


def test_a_share_has_left_at_a_tenth_of_what_it_was() -> None:
    assert curves.left(STORY, RUNS, FALL, 40) == 4.0
    assert curves.left(counts(*[0.8] * 50), RUNS, FALL, 50) == math.inf
    assert curves.left(counts(*[0.04] * 50), RUNS, FALL, 50) is None


def test_a_share_is_back_at_a_part_of_what_it_was() -> None:
    assert curves.back(STORY, RUNS, FALL, RISE, 0.5) == 6.0
    assert curves.back(STORY, RUNS, FALL, RISE, 0.9) == 8.0
    assert curves.back(STORY[:44], RUNS, FALL, RISE, 0.5) == math.inf


def test_an_arm_that_was_never_up_is_to_get_a_part_of_all_calls() -> None:
    assert curves.back(STORY, RUNS, None, RISE, 0.5) == 7.0


def test_few_runs_are_averaged_over_the_next_calls() -> None:
    assert (curves.window(200), curves.window(199), curves.window(10)) == (1, 2, 20)
    assert curves.ahead(np.array([1.0, 0.0, 0.0, 1.0]), 2).tolist() == [0.5, 0.0, 0.5, 1.0]


def test_a_good_arm_is_found_with_ninety_percent_of_twenty_calls() -> None:
    late = counts(*[0.3] * 10, *[0.95] * 40)
    assert curves.found(late, RUNS, 0) == 29.0  # two old calls are left in the last twenty
    assert curves.found(counts(*[0.3] * 50), RUNS, 0) == math.inf
