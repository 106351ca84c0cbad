"""Loops and echoes are no answers; repetition that was asked for is."""

from __future__ import annotations

import pytest

from kalibr_core.gates.garbage import is_echo, is_garbage


@pytest.mark.parametrize(
    "text",
    [
        "the city " * 20,
        "Microplastics are found in the environment" + " and in the environment" * 12,
        "flour, " * 27 + "flour,",
        "哈" * 80,
        "!" * 30,
        "<div><span key={n}" + " key={n}" * 30 + " key=",
        "\ufffd\ufffd\ufffd\ufffd a \ufffd\ufffd\ufffd\ufffd",
    ],
)
def test_a_loop_that_fills_the_text_is_garbage(text):
    assert is_garbage(text, "Explain microplastics")


@pytest.mark.parametrize(
    ("prompt", "text"),
    [
        ("Write 'I will not talk.' 20 times", "I will not talk.\n" * 20),
        ("Say ha 50 times", "ha " * 50),
        ("A 10x10 matrix of zeros", "0 0 0 0 0 0 0 0 0 0\n" * 10),
        ("A line", "A title\n" + "-" * 70),
        ("A table", "| a | b |\n" + "|---|---|\n" + "| 1 | 2 |\n" * 3),
        ("Sing", "La la la la la, the sun is out, and all the birds are singing in the old tree."),
        ("Count", ", ".join(str(i) for i in range(100))),
        ("x", "ok"),
    ],
)
def test_repetition_may_be_right(prompt, text):
    assert not is_garbage(text, prompt)


def test_the_prompt_given_back_is_an_echo():
    prompt = "What is the difference between yeast and baking powder?"
    assert is_echo(prompt, prompt, "general")
    assert is_echo(f'"{prompt}"', prompt, "research")


def test_a_bare_sentence_may_come_back_as_it_is():
    """Its instruction (correct the grammar, translate) may stand in the system prompt."""
    assert not is_echo("I love this town in spring.", "I love this town in spring.", "general")


def test_a_summary_must_be_shorter_than_its_text():
    text = "Workers at the port ended their strike after agreeing to a 9% raise over two years."
    assert is_echo(text, f"Summarize: {text}", "summarization")
    assert not is_echo(text, f"Correct: {text}", "general")
    assert not is_echo("Port strike ends with a 9% raise.", f"Summarize: {text}", "summarization")


def test_a_short_value_from_the_prompt_is_no_echo():
    assert not is_echo("a@b.co", "a@b.co", "extraction")
