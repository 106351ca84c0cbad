"""Signals are counted by behaviour and language, and those nobody could give both ways."""

from __future__ import annotations

import math
import re

import pytest

from kalibr_bench.users import Exchange, UserSession, evaluate, sessions, table


def session(sign: int | None, *, behaviour: str = "terse", language: str = "en") -> UserSession:
    turn = Exchange(user_message="hello", output="Hi!", sign=sign)
    return UserSession(language=language, behaviour=behaviour, turns=(turn,))


@pytest.mark.parametrize(
    ("sign", "reward", "right"),
    [(1, 0.9, 1), (1, 0.1, 0), (-1, 0.1, 1), (-1, 0.9, 0), (1, 0.5, 0), (-1, 0.5, 0), (-1, 0.0, 1)],
)
def test_a_reward_is_right_on_its_side_of_one_half(sign: int, reward: float, right: int) -> None:
    total = evaluate([session(sign)], lambda _: reward).total
    assert (total.signalled, total.signalled_known, total.right) == (1, 1, right)


def test_no_signal_lowers_the_share_and_not_the_accuracy() -> None:
    rewards = iter([0.9, None, None, 0.2])
    total = evaluate(map(session, (1, 1, None, -1)), lambda _: next(rewards)).total
    assert total.share == 0.5
    assert total.share_known == pytest.approx(2 / 3)
    assert total.accuracy == total.accuracy_known == 1.0


def test_a_signal_that_nobody_could_give_is_wrong_or_left_out() -> None:
    total = evaluate(map(session, (1, None)), lambda _: 0.9).total
    assert (total.accuracy, total.accuracy_known) == (0.5, 1.0)
    assert (total.share, total.share_known) == (1.0, 1.0)


def test_shares_of_nothing_are_unknown() -> None:
    nothing = evaluate([], lambda _: None)
    assert nothing.total.share is None
    assert nothing.total.accuracy is None
    assert "-" in table(nothing)


@pytest.mark.parametrize("reward", [-0.1, 1.1, math.nan, math.inf])
def test_impossible_rewards_are_refused(reward: float) -> None:
    with pytest.raises(ValueError, match="in \\[0, 1\\]"):
        evaluate([session(1)], lambda _: reward)


def test_cells_sum_up_to_behaviours_languages_and_the_total() -> None:
    found = evaluate(sessions(300, seed=5), lambda s: 0.8 if len(s.turns) > 1 else None)
    names, codes = zip(*found.cells, strict=True)
    by_behaviour = [found.behaviour(name) for name in set(names)]
    by_language = [found.language(code) for code in set(codes)]
    for parts in (by_behaviour, by_language):
        for count in ("sessions", "known", "signalled", "signalled_known", "right"):
            assert sum(getattr(p, count) for p in parts) == getattr(found.total, count)
    assert found.total.sessions == 300


def test_the_truth_is_judged_right_always() -> None:
    def knows(user: UserSession) -> float | None:
        return None if user.sign is None else (user.sign + 1) / 2

    total = evaluate(sessions(300, seed=5), knows).total
    assert total.share_known == total.accuracy == 1.0


def test_the_table_has_a_row_for_each_behaviour_and_the_shares_below() -> None:
    users = [session(1), session(-1, language="de"), session(None, behaviour="silent")]
    lines = table(evaluate(users, lambda _: 0.9)).splitlines()
    assert [re.split(r"\s{2,}", line) for line in lines[:4]] == [
        ["right/signalled of all", "en", "de", "all"],
        ["terse", "1/1 of 1", "0/1 of 1", "1/2 of 2"],
        ["silent", "0/1 of 1", "0/0 of 0", "0/1 of 1"],
        ["all", "1/2 of 2", "0/1 of 1", "1/3 of 3"],
    ]
    assert [line.split()[-1] for line in lines[5:]] == ["100.0%", "100.0%", "33.3%", "50.0%"]
