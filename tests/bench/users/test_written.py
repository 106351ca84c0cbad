"""Sessions written one by one."""

from __future__ import annotations

from kalibr_bench.users import written


def test_each_session_is_in_one_half_and_has_its_sign_at_its_end() -> None:
    halves = [list(written(held_out=held_out)) for held_out in (False, True)]
    assert [len(half) for half in halves] == [136, 137]
    said = [{tuple(turn.user_message for turn in s.turns) for s in half} for half in halves]
    assert not said[0] & said[1]
    for session in halves[0] + halves[1]:
        assert all(turn.user_message.strip() for turn in session.turns)
        assert all(turn.sign is None for turn in session.turns[:-1])
    assert {s.sign for s in halves[1]} == {1, -1, None}


def test_half_of_them_are_in_english_and_the_others_in_many_languages() -> None:
    languages = [s.language for held_out in (False, True) for s in written(held_out=held_out)]
    assert 0.45 < languages.count("en") / len(languages) < 0.6
    assert len(set(languages)) == 13, "twelve and the mixed"
