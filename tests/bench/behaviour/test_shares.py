"""Users' behaviour moves the routing, and gate 1 moves it more."""

from __future__ import annotations

from kalibr_bench.behaviour import CASES, shares


def test_the_path_that_users_like_gains_where_gate_1_is_equal_and_only_there() -> None:
    liked, _, against = CASES
    assert shares(liked, calls=500, seeds=[2000, 2001]).fifths[-1] > 0.7
    assert shares(against, calls=250, seeds=[2000]).fifths[-1] < 0.2
