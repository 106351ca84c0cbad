"""Sketches tell how alike two texts are."""

from __future__ import annotations

from unicodedata import normalize

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kalibr_core.gates.sketch import (
    LENGTHS,
    LONGEST,
    SIZE,
    counts_otherwise,
    fills_otherwise,
    frame_of,
    similarity,
    sketch_of,
    words_of,
)

KEY = b"conversation"
LETTER = "Write an outreach email to the head of logistics about our routing product."


def alike(one: str, other: str) -> float:
    return similarity(sketch_of(one, key=KEY), sketch_of(other, key=KEY))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (LETTER, "Write an outreach mail to the heads of logistics about the routing products"),
        ("Übersetze den Vertrag ins Englische", "Übersetzung des Vertrags ins Englische, bitte"),
        ("写一封关于路线规划产品的邮件", "请写一封关于路线规划产品的短邮件"),
        ("ルート計画の製品についてメールを書いて", "ルート計画の製品についてメールを書き直して"),
    ],
)
def test_texts_about_the_same_are_alike(one: str, other: str) -> None:
    assert alike(one, other) > 0.4


@pytest.mark.parametrize(
    "other",
    [
        "What is the capital of Australia, and how many people live there?",
        "Erkläre mir den Unterschied zwischen Zellkern und Mitochondrien.",
        "写一首关于秋天的诗",
    ],
)
def test_texts_about_something_else_are_not(other: str) -> None:
    assert alike(LETTER, other) < 0.2


def test_order_case_and_short_words_do_not_matter() -> None:
    assert alike(LETTER, " ".join(reversed(LETTER.upper().split()))) == pytest.approx(1.0)


def test_letters_in_two_parts_are_the_same_letters() -> None:
    """macOS programs send them so."""
    text = "Schönere Grüße für den Geschäftsführer, kürzer"
    assert sketch_of(normalize("NFD", text), key=KEY) == sketch_of(text, key=KEY)


def test_sketches_of_two_keys_cannot_be_compared() -> None:
    assert similarity(sketch_of(LETTER, key=b"a"), sketch_of(LETTER, key=b"b")) < 0.3


def test_a_text_without_words_has_no_sketch_and_is_like_nothing() -> None:
    for empty in ("", " \n", "?!…", "👍", "_"):
        assert sketch_of(empty, key=KEY) == ""
        assert alike(empty, empty) == 0.0


@pytest.mark.parametrize("odd", ["", "x" * SIZE, "1" * (SIZE - 1), "0" * SIZE, "8" * SIZE])
def test_what_is_no_sketch_is_like_nothing(odd: str) -> None:
    assert similarity(odd, sketch_of(LETTER, key=KEY)) == 0.0


@pytest.mark.parametrize(
    ("other", "differs"),
    [
        ("Convert 9 miles to kilometres.", True),
        ("Convert 5 miles to kilometres, please!", False),
        ("Convert miles to kilometres.", False),
        ("Convert miles, 5 of them.", False),
    ],
)
def test_numbers_are_told_apart_where_both_have_some(other: str, differs: bool) -> None:
    one, another = (sketch_of(t, key=KEY) for t in ("Convert 5 miles to kilometres.", other))
    assert counts_otherwise(one, another) is counts_otherwise(another, one) is differs
    assert similarity(one, another) > 0.5, "they are as alike as before"


@pytest.mark.parametrize(
    ("one", "other", "differs"),
    [
        ("Translate: good morning", "translate: how much is this", True),
        ("翻译：早上好", "翻译：多少钱", True),
        ("Sum this up:\n\nOne report", "Sum this up:\n\nAnother report", True),
        ("How do you say 'yes' in Hindi?", "How do you say 'no' in Hindi?", True),
        ("capital of Peru?", "capital of Chile", True),
        ("Translate: good morning", "Translate: Good morning!", False),
        ("Translate: good morning", "Correct: good evening", False),
        ("capital of Peru", "capital of the old Peru", False),
        ("Translate: good morning", "Translate it", False),
        ("The lesson begins at 9:30", "The lesson begins at 9:45", False),
        ("谢谢 可是 周三", "谢谢 可是 周四", False),
        ("It isn't what I'd asked of you", "It isn't what I'd seen of you", False),
    ],
)
def test_requests_of_one_frame_are_told_apart_by_what_stands_in_it(
    one: str, other: str, differs: bool
) -> None:
    a, b = (sketch_of(text, key=KEY) for text in (one, other))
    assert fills_otherwise(a, b) is fills_otherwise(b, a) is differs


def test_numbers_are_told_apart_in_frames_too() -> None:
    one, other = (sketch_of(f"Sum up: ticket {n}", key=KEY) for n in (5, 9))
    assert counts_otherwise(one, other)
    assert fills_otherwise(one, other)
    assert alike("Sum up: ticket 5", "Sum up: ticket 9") == pytest.approx(1.0)


@pytest.mark.parametrize("text", ["", "a:", ": b", "a: ?!", "'b' a", "?? 'b'", "go", "a " * 40])
def test_other_texts_have_no_frame(text: str) -> None:
    assert frame_of(text) == ("", "")


def test_function_words_make_no_texts_alike() -> None:
    assert alike("Explain what a semaphore is", "What is the tallest mountain in Africa?") < 0.1
    assert alike("what which about", "what which about") == pytest.approx(1.0), "all there is"


def test_a_long_text_is_told_by_both_its_ends() -> None:
    beginning, end = "begin " + "a " * LONGEST, "b " * LONGEST + " finish"
    middle = beginning + "middle " + end
    assert words_of(middle)[0] == "begin"
    assert words_of(middle)[-1] == "finish"
    assert "middle" not in words_of(middle)


@settings(max_examples=60, deadline=None)
@given(st.text(st.characters(exclude_categories=()), max_size=300), st.text(max_size=300))
def test_any_texts_have_a_similarity(one: str, other: str) -> None:
    sketch = sketch_of(one, key=KEY)
    assert len(sketch) in {0, *LENGTHS}
    assert not fills_otherwise(sketch, sketch)
    assert not set(sketch) - set("0123456789abcdef")
    assert 0.0 <= alike(one, other) == alike(other, one) <= 1.0
    if sketch.strip("0"):
        assert alike(one, one) == pytest.approx(1.0)
