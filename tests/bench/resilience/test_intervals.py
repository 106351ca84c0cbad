"""Intervals against numbers computed by hand."""

from __future__ import annotations

import pytest

from kalibr_bench.resilience.intervals import Share, over_runs, quantile, wilson


@pytest.mark.parametrize(
    ("successes", "trials", "low", "high"),
    [
        # z = 1.96, z^2 = 3.8415. 0 of 10: centre = half = (z^2/20)/(1 + z^2/10); high is twice.
        (0, 10, 0.0, 0.27753),
        (10, 10, 0.72247, 1.0),
        # 1 of 2: centre .5, half = z sqrt(.125 + z^2/16) / (1 + z^2/2) = .40547.
        (1, 2, 0.09453, 0.90547),
        # 81 of 263, a textbook's example: 0.2553 to 0.3662 (Newcombe 1998, method 3).
        (81, 263, 0.2553, 0.3662),
        # 15 of 148, the same paper's second example: 0.0624 to 0.1605.
        (15, 148, 0.0624, 0.1605),
    ],
)
def test_wilson(successes: int, trials: int, low: float, high: float) -> None:
    assert wilson(successes, trials) == pytest.approx((low, high), abs=6e-5)


def test_where_nothing_was_tried_everything_is_possible() -> None:
    assert wilson(0, 0) == (0.0, 1.0)
    assert Share(0, 0).value is None


def test_the_mean_over_runs() -> None:
    found = over_runs([0.9, 1.0, 0.8, 0.9])
    assert found is not None
    assert found.mean == pytest.approx(0.9)
    assert found.half_width == pytest.approx(1.959964 * (0.02 / 3) ** 0.5 / 2)
    assert found.worst == 0.8
    assert over_runs([]) is None
    single = over_runs([0.5])
    assert single is not None
    assert single.half_width is None


def test_quantiles() -> None:
    assert quantile([4.0, 1.0, 3.0, 2.0], 0.5) == 2.5
    assert quantile([1.0, 2.0], 0.95) == pytest.approx(1.95)
    assert quantile([7.0], 0.95) == 7.0
    assert quantile([], 0.5) is None
