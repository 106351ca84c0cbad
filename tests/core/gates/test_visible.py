"""What a reader sees of an answer."""

from __future__ import annotations

from kalibr_core.gates.visible import is_thinking_cut, visible


def test_reasoning_and_invisible_edges_are_taken_off():
    assert visible("<think>hm</think>\n\nParis.") == "Paris."
    assert visible("\ufeff \u200bParis.\u3000\n") == "Paris."
    assert visible("a < b") == "a < b"


def test_reasoning_that_never_ends_leaves_nothing():
    assert visible("<think>hm") == ""
    assert is_thinking_cut("<think>hm")
    assert not is_thinking_cut("<think>hm</think>")
