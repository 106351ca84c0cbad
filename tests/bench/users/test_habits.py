"""Each habit changes how a text is typed, and nothing else does."""

from __future__ import annotations

from random import Random

import pytest

from kalibr_bench.users.habits import EMOJI, Habits, slip, typed

NONE = {"lower": False, "stopless": False, "slips": False, "emoji": False}


def all_typed(text: str, *, mood: int = 0, **habits: bool) -> set[str]:
    by = Habits(**NONE | habits)
    return {typed(text, by=by, mood=mood, rng=Random(seed)) for seed in range(40)}


def test_without_habits_the_text_is_as_written() -> None:
    assert all_typed("Write it shorter, please.") == {"Write it shorter, please."}


@pytest.mark.parametrize(
    ("text", "lower"),
    [("Make IT so!", "make it so!"), ("İyi \uff01", "iyi !"), ("OK\uff0c好", "ok,好")],
)
def test_lower_case_is_of_every_script(text: str, lower: str) -> None:
    assert all_typed(text, lower=True) == {lower}


@pytest.mark.parametrize(
    ("text", "without"),
    [("Stop.", "Stop"), ("好\u3002", "好"), ("Merci !", "Merci"), ("!!!", "!!!")],
)
def test_the_last_stop_is_left_out_but_never_the_whole_text(text: str, without: str) -> None:
    assert all_typed(text, stopless=True) == {without}


def test_some_words_slip_and_keep_their_letters() -> None:
    found = all_typed("another version", slips=True)
    assert len(found) > 3
    assert {tuple(sorted(text)) for text in found} == {tuple(sorted("another version"))}
    assert slip("好的 ok", rng=Random(0)) == "好的 ok"


@pytest.mark.parametrize("mood", [-1, 0, 1])
def test_emoji_are_of_the_mood(mood: int) -> None:
    added = {text.removeprefix("So").strip() for text in all_typed("So", mood=mood, emoji=True)}
    assert added == {"", *EMOJI[mood]}
