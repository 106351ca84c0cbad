"""Tokens are deterministic, lose nothing, and come near to the real ones."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from kalibr_bench.provider import count_tokens, tokens


@given(st.text())
def test_joined_tokens_are_the_text(text: str) -> None:
    assert "".join(tokens(text)) == text
    assert count_tokens(text) == len(tokens(text))
    assert all(tokens(text))


def test_counts_are_near_the_real_ones() -> None:
    """cl100k's counts: 10, 12 and 17, as published or counted with tiktoken elsewhere."""
    assert abs(count_tokens("The quick brown fox jumps over the lazy dog.") - 10) <= 1
    assert abs(count_tokens("tiktoken is great! It counts tokens for you.") - 12) <= 3
    code = "def add(a, b):\n    return a + b\n"
    assert abs(count_tokens(code) - 14) <= 3


def test_long_words_and_other_scripts_are_many_tokens() -> None:
    assert count_tokens("a" * 1000) == 100
    assert count_tokens("会社は利益を発表した") >= 5
    assert count_tokens("") == 0
