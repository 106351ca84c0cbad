"""What gate 3 reads of a population that was written apart from it."""

from __future__ import annotations

from kalibr_bench.behaviour import read
from kalibr_bench.behaviour.reading import read_written, rewards_of
from kalibr_bench.users import KNOWN, UNKNOWN, Exchange, UserSession, sessions


def test_signals_are_right_in_nine_of_ten_sessions_and_six_of_ten_get_one() -> None:
    """Seed 1000 and on are for reports; a smaller sample here leaves two points of margin."""
    for held_out in (False, True):
        total = read(600, seed=2000, languages=KNOWN, held_out=held_out).sessions.total
        assert (total.share or 0.0) > 0.6
        assert (total.accuracy or 0.0) > 0.88


def test_a_language_that_is_not_known_gets_few_signals_rather_than_wrong_ones() -> None:
    total = read(400, seed=2000, languages=UNKNOWN, held_out=False).sessions.total
    assert (total.accuracy or 0.0) > 0.8
    assert (total.share or 0.0) < 0.5


def test_nobody_speaks_for_the_silent() -> None:
    silent = [s for s in sessions(500, seed=2000) if s.behaviour == "silent"]
    assert silent
    assert not any(map(rewards_of, silent))


def test_a_complaint_speaks_of_the_answer_before_it() -> None:
    turns = (
        Exchange(user_message="Write a short poem about the sea.", output="O sea!", sign=-1),
        Exchange(user_message="You ignored what I asked for.", output="O blue sea!", sign=None),
    )
    session = UserSession(language="en", behaviour="repeats", turns=turns)
    assert rewards_of(session) == [(0, 0.25)]


def test_sessions_that_were_written_one_by_one_are_read_right() -> None:
    """Those kept back from tuning; they are few, and always the same."""
    total = read_written(held_out=True).total
    assert total.sessions > 130
    assert (total.accuracy_known or 0.0) > 0.9
    assert (total.share or 0.0) > 0.6
