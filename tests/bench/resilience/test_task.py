"""What counts as a valid answer."""

from __future__ import annotations

import json
from typing import Any

import pytest

from kalibr_bench.resilience import documents, is_valid, messages_for, problems

GOOD: dict[str, Any] = {
    "summary": "The parcel is late.",
    "key_entities": ["Lyon"],
    "sentiment": {"label": "negative", "confidence": 0.8},
    "action_items": ["Send a replacement."],
}


def but(**changed: Any) -> str:
    return json.dumps(GOOD | changed)


def test_a_whole_answer_is_valid() -> None:
    assert is_valid(json.dumps(GOOD))
    assert is_valid(but(sentiment={"label": "mixed", "confidence": 1}))
    assert is_valid("\n" + but(extra="a further field does no harm") + "\n")


@pytest.mark.parametrize("field", sorted(GOOD))
def test_every_field_is_required(field: str) -> None:
    assert not is_valid(json.dumps({name: v for name, v in GOOD.items() if name != field}))


@pytest.mark.parametrize(
    "text",
    [
        None,
        "",
        "   ",
        "null",
        "[]",
        "3",
        json.dumps([GOOD]),
        json.dumps(GOOD)[:-1],
        repr(GOOD),
        f"```json\n{json.dumps(GOOD)}\n```",
        f"Here it is: {json.dumps(GOOD)}",
        but(summary=""),
        but(summary=" \n"),
        but(summary=["a", "b"]),
        but(key_entities=[]),
        but(key_entities=["Lyon", ""]),
        but(key_entities=["Lyon", 3]),
        but(key_entities="Lyon, Porto"),
        but(key_entities={"Lyon": 1}),
        but(action_items=None),
        but(action_items=[]),
        but(sentiment="negative"),
        but(sentiment={}),
        but(sentiment={"label": "bad", "confidence": 0.5}),
        but(sentiment={"label": ["negative"], "confidence": 0.5}),
        but(sentiment={"label": "negative"}),
        but(sentiment={"label": "negative", "confidence": "0.5"}),
        but(sentiment={"label": "negative", "confidence": True}),
        but(sentiment={"label": "negative", "confidence": 1.01}),
        but(sentiment={"label": "negative", "confidence": -0.1}),
        but(sentiment={"label": "negative", "confidence": float("nan")}),
        but(sentiment={"label": "negative", "confidence": float("inf")}),
        "[" * 100_000,
    ],
)
def test_anything_else_is_not(text: str | None) -> None:
    assert not is_valid(text)


def test_all_problems_are_told() -> None:
    assert problems('{"sentiment": {"label": "so so", "confidence": 2}}') == [
        "summary is not a text",
        "key_entities is not a list of texts",
        "action_items is not a list of texts",
        "sentiment.label is not one of the labels",
        "sentiment.confidence is not a number from 0 to 1",
    ]


def test_the_prompt_names_every_field_and_holds_the_document() -> None:
    document = documents(0, 1)[0]
    system, user = messages_for(document)
    assert all(field in system["content"] for field in (*GOOD, "label", "confidence"))
    assert document in user["content"]
