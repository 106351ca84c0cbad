"""Users' behaviour moves the routing, and gate 1 moves it more."""

from __future__ import annotations

from kalibr_bench.behaviour import CASES, Case, shares
from kalibr_bench.behaviour.shares import LIKED, OTHER

EQUAL = {OTHER: 0.95, LIKED: 0.95}


def test_the_path_that_users_like_gains_where_gate_1_is_equal() -> None:
    case = Case(name="liked", content={OTHER: 0.1, LIKED: 0.95}, passes=EQUAL)
    assert shares(case, calls=500, seeds=[2001, 2002]).fifths[-1] > 0.7


def test_it_does_not_win_against_gate_1() -> None:
    assert shares(CASES[-1], calls=250, seeds=[2000]).fifths[-1] < 0.2
