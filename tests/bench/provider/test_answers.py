"""The models do the tasks: their answers come from the prompt."""

from __future__ import annotations

import ast
import json
import re

import pytest

from kalibr_bench.provider import LoopbackProvider, Model
from kalibr_bench.provider.answers.document import document_in
from kalibr_bench.provider.answers.reading import read

from .conftest import Ask
from .tasks import document, is_valid, prompt_of


@pytest.fixture
def ask_perfect() -> object:
    """A client whose default model never errs."""
    perfect = Model(
        name="gpt-4o",
        quality=1.0,
        latency_s=0.0,
        tokens_per_s=100.0,
        input_usd_per_mtok=1.0,
        output_usd_per_mtok=1.0,
    )
    with LoopbackProvider([perfect]) as provider:
        yield Ask(provider)


def test_an_analysis_comes_from_its_document(ask_perfect: Ask) -> None:
    for number in range(20):
        text = document(number)
        answer = ask_perfect.text(prompt_of(text))
        assert is_valid(answer)
        value = json.loads(answer)
        assert all(entity in text for entity in value["key_entities"])
        assert all(item in text for item in value["action_items"])
        assert value["summary"].split(".")[0] in text
        expected = ("positive", "negative", "neutral")[number % 3]
        assert value["sentiment"]["label"] == expected


def test_analyses_of_different_documents_differ(ask_perfect: Ask) -> None:
    assert len({ask_perfect.text(prompt_of(document(i))) for i in range(20)}) == 20


@pytest.mark.parametrize(
    "prompt",
    [
        'Give summary, entities, sentiment, action items as JSON like {"summary": "...",'
        ' "entities": ["..."], "sentiment": {"label": "neutral", "confidence": 0.5},'
        ' "actions": ["..."]}'
        "\n<document>%s</document>",
        "Return JSON with `summary`, `entities`, `sentiment` and `actions`.\n\n---\n%s\n---",
        'Fields: summary, entities, sentiment (label, confidence), actions.\nText: """%s"""',
    ],
)
def test_field_names_and_document_are_found_in_other_prompts(ask_perfect: Ask, prompt: str) -> None:
    text = document(3)
    value = json.loads(ask_perfect.text(prompt % text))
    assert list(value) == ["summary", "entities", "sentiment", "actions"]
    assert value["summary"].split(".")[0] in text
    assert value["actions"]
    assert all(item in text for item in value["actions"])
    assert set(value["sentiment"]) == {"label", "confidence"}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x",
        "😀",
        "no names here at all",
        "会社は利益を発表した。",
        "A" * 10_000,
        "\n\n\n",
        "? ! .",
    ],
)
def test_odd_documents_still_get_a_whole_analysis(ask_perfect: Ask, text: str) -> None:
    value = json.loads(ask_perfect.text(prompt_of(text)))
    assert value["summary"]
    assert value["key_entities"]
    assert value["action_items"]


@pytest.mark.parametrize("language", ["Python", "JavaScript", "Go", "Rust", "SQL", "Java", "bash"])
def test_code_is_asked_for_and_given_in_the_language(ask_perfect: Ask, language: str) -> None:
    answer = ask_perfect.text(f"Write a {language} function that removes duplicates")
    fence = re.search(r"```(\w+)\n(.*?)\n```", answer, re.S)
    assert fence is not None
    assert fence.group(1) == language.lower()
    if language == "Python":
        ast.parse(fence.group(2))
        assert "def " in fence.group(2)


def test_the_function_bears_the_name_that_was_asked_for(ask_perfect: Ask) -> None:
    answer = ask_perfect.text("Write a Python function called `dedupe_rows` for a table.")
    assert "def dedupe_rows(" in answer


@pytest.mark.parametrize(
    ("prompt", "label"),
    [
        (
            "Classify the sentiment as positive, negative or neutral: I love this wonderful phone",
            "positive",
        ),
        (
            "Classify as one of: billing, shipping, other.\n\nText: the shipping label never came",
            "shipping",
        ),
        (
            "Classify this ticket. Labels: bug, feature\nText: please add a feature to export data",
            "feature",
        ),
    ],
)
def test_classification_answers_with_one_of_the_labels(
    ask_perfect: Ask, prompt: str, label: str
) -> None:
    assert ask_perfect.text(prompt) == label


def test_extraction_answers_with_what_is_in_the_text(ask_perfect: Ask) -> None:
    prompt = "Extract the email address from: write to jo.doe+x@mail.example.org by noon."
    assert ask_perfect.text(prompt) == "jo.doe+x@mail.example.org"


def test_a_summary_is_shorter_than_its_text(ask_perfect: Ask) -> None:
    text = " ".join(document(i) for i in range(10))
    answer = ask_perfect.text(f"Summarize the following text:\n\n{text}")
    assert 20 < len(answer) < len(text) / 3


def test_a_letter_has_a_subject_and_no_blanks_to_fill_in(ask_perfect: Ask) -> None:
    answer = ask_perfect.text("Write a cold outreach email to Dana Hill about solar panels")
    assert answer.startswith("Subject: ")
    assert "[" not in answer


def test_other_questions_get_an_answer_about_their_subject(ask_perfect: Ask) -> None:
    answer = ask_perfect.text("How do tides depend on the moon?")
    assert "tides" in answer
    assert len(answer) > 200


def test_reading_a_long_text_takes_no_time() -> None:
    """Linear patterns only: 200 KB in a fraction of the time that a quadratic one needs."""
    import time

    started = time.process_time()
    read("Word and " * 25_000)
    document_in("document " * 25_000)
    assert time.process_time() - started < 5.0


def test_the_document_is_the_marked_part() -> None:
    body = "The quarter went well for Acme Corp."
    for prompt in (
        f"Do it.\n<text>{body}</text>",
        f"Do it.\n\nDocument:\n{body}",
        f'Do """{body}"""',
    ):
        assert document_in(prompt) == body
    assert document_in("no marks here") == "no marks here"


@pytest.mark.parametrize(
    "prompt",
    [
        "Return a JSON object with the fields name and age. Text: Dana Hill is 41 years old.",
        'Answer as JSON like {"name": "...", "age": 0}. Text: Dana Hill is 41 years old.',
        "Extract to JSON with keys `name` (string), `age` (integer).\nText: Dana Hill is 41.",
    ],
)
def test_json_described_in_words_or_by_example_is_answered(ask_perfect: Ask, prompt: str) -> None:
    expected = {"name": "Dana Hill", "age": 41}
    assert json.loads(ask_perfect.text(prompt)) == expected
    wanted = {"type": "json_object"}
    assert json.loads(ask_perfect.text(prompt, response_format=wanted)) == expected


def test_days_and_imperatives_are_no_entities() -> None:
    reading = read("Book a room by Friday. Return JSON. On Monday Dana Hill met Apple in March.")
    assert reading.entities == ("Dana Hill", "Apple")
