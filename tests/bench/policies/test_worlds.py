"""What a world is worth, and what the oracle chooses in it."""

from __future__ import annotations

import numpy as np
import pytest

from kalibr_bench.policies.worlds import lexicographic, world


@pytest.mark.parametrize(
    ("values", "costs", "chosen"),
    [
        ((0.97, 0.99, 0.93), (1.0, 0.06, 0.2), 1),  # the best is cheap
        ((0.99, 0.975, 0.93), (1.0, 0.06, 0.2), 1),  # .015 below, and allowed .0188
        ((0.99, 0.970, 0.93), (1.0, 0.06, 0.2), 0),  # .02 below
        ((0.99, 0.985, 0.93), (1.0, 0.9, 0.2), 0),  # saves a tenth: allowed .002
        ((0.97, 0.97, 0.97), (1.0, 0.5, 0.1), 2),  # equal: the cheapest
        ((0.90, 0.90, 0.80), (1.0, 1.0, 1.0), 0),  # equal in both: the first
    ],
)
def test_success_comes_first_and_then_cost(
    values: tuple[float, ...], costs: tuple[float, ...], chosen: int
) -> None:
    assert lexicographic(np.array([values]), np.array(costs)).tolist() == [chosen]


def test_the_oracle_loses_nothing_and_no_loss_is_negative() -> None:
    made = world((1.0, 0.06, 0.2), (0, (0.97, 0.99, 0.93)), (5, (0.97, 0.3, 0.93)))
    assert made.losses[np.arange(2), made.oracle].tolist() == [0.0, 0.0]
    assert (made.losses >= 0.0).all()
    assert made.losses[0, 0] == pytest.approx(0.02 + 0.02 * 0.94)
    assert made.regrets[0].tolist() == pytest.approx([0.02, 0.0, 0.06])


def test_segments_begin_at_their_call() -> None:
    made = world((1.0, 1.0), (0, (0.1, 0.2)), (3, (0.3, 0.4)), (5, (0.5, 0.6)))
    assert made.segments(1, 7).tolist() == [0, 0, 1, 1, 2, 2]


def test_scores_scale_a_calls_worth() -> None:
    made = world((1.0, 1.0), (0, (0.9, 0.9)), quality=(1.0, 0.5))
    assert made.values[0].tolist() == pytest.approx([0.9, 0.675])
