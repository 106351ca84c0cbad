"""Of a long text the two ends are held."""

from __future__ import annotations

from kalibr_core.adapter.ends import MOST_CHARACTERS, short


def test_a_short_text_is_whole_and_of_a_long_one_both_ends_are_there() -> None:
    assert short("  hello there\n") == "hello there"
    assert short("x" * MOST_CHARACTERS) == "x" * MOST_CHARACTERS
    long = short("begin" + "x" * MOST_CHARACTERS + "finis")
    assert (len(long), long[:5], long[-5:]) == (MOST_CHARACTERS + 1, "begin", "finis")
