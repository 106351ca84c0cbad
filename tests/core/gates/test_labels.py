"""A classifier's answer: short or structured, decided, and of the labels that were offered."""

from __future__ import annotations

import pytest

from kalibr_core.gates.structural import Reason, StructuralGate
from kalibr_core.types import Output, Request

PROMPT = "Classify the review (positive/negative/neutral): 'The staff were rude.'"
REASON = "The reviewer is upset about the wait, the cold food and the rude waiter. " * 6


def check(text: str, prompt: str = PROMPT):
    return StructuralGate("classification").check(Request(prompt=prompt), Output(text=text))


@pytest.mark.parametrize(
    "text",
    [
        *("negative", "Negative.", "**Negative**", "n", "neg", "2", "😠", "消极", "not negative"),
        *("Label: negative", '{"label": "negative"}', "negative, neutral"),
        "The sentiment is negative because the staff were rude.",
        f"Negative. {REASON}",
        f"{REASON}\nNegative",
        f"{REASON} Overall: negative",
    ],
)
def test_a_label_passes_alone_or_with_reasons(text):
    assert check(text).passed is True


def test_an_essay_is_no_label():
    assert check(REASON).reason == Reason.OFF_TASK


@pytest.mark.parametrize("text", ["I'm not sure.", "It depends on the reader."])
def test_indecision_is_no_label(text):
    assert check(text).reason == Reason.NON_ANSWER


@pytest.mark.parametrize(
    ("prompt", "text"),
    [
        (PROMPT, "banana"),
        ("Answer with one of: bug, feature, question. 'please add dark mode'", "Greeting"),
        ("bug / feature / question: 'please add dark mode'", "invoice"),
    ],
)
def test_a_label_that_was_not_offered_is_off_task(prompt, text):
    assert check(text, prompt).reason == Reason.OFF_TASK


@pytest.mark.parametrize(
    ("prompt", "text"),
    [
        ("Classify the CI/CD ticket", "deployment"),
        ("What is the topic of 'the match'?", "sports"),
        ("Classe : (positif/négatif/neutre)", "positive"),
        ("Is it spam (yes/no)? 'hi'", "No"),
    ],
)
def test_labels_that_were_not_plainly_offered_are_not_judged(prompt, text):
    assert check(text, prompt).passed is True
