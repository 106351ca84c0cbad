"""The benchmark's task, for tests: documents, a prompt, and what a valid answer is."""

from __future__ import annotations

import json

PEOPLE = ("Dana Hill", "Omar Reyes", "Ling Zhao", "Priya Nair", "Tom Becker")
FIRMS = ("Acme Corp", "Nordwind GmbH", "Blue Harbor Logistics", "Tanaka Foods")
TONES = (
    "revenue increased by 12% and customers were pleased with the strong launch",
    "the outage caused delays, complaints and a loss of $2.4 million",
    "the plan was presented and the minutes were kept",
)


def document(number: int) -> str:
    """A short report; each number has its own."""
    who, firm = PEOPLE[number % 5], FIRMS[number % 4]
    tone = TONES[number % 3]
    return (
        f"{firm} met on day {number} to review the quarter. According to {who}, {tone}. "
        f"The board discussed the budget for 2025 in detail. {who} must send the revised forecast"
        f" by Friday. Legal should review contract {1000 + number} before the renewal."
    )


def prompt_of(text: str) -> str:
    """The task as a prompt."""
    return (
        "Analyze the document and answer with JSON only. Fields: summary (string), key_entities"
        " (list of strings), sentiment (object with label: positive, negative or neutral, and"
        " confidence between 0 and 1), action_items (list of strings).\n\nDocument:\n" + text
    )


def is_valid(answer: str) -> bool:
    """The benchmark's structural validation."""
    try:
        value = json.loads(answer)
    except ValueError:
        return False
    if not isinstance(value, dict):
        return False
    tone = value.get("sentiment")
    return (
        _text(value.get("summary"))
        and _texts(value.get("key_entities"))
        and _texts(value.get("action_items"))
        and isinstance(tone, dict)
        and tone.get("label") in ("positive", "negative", "neutral")
        and isinstance(tone.get("confidence"), float | int)
        and 0 < tone["confidence"] <= 1
    )


def _text(value: object) -> bool:
    return isinstance(value, str) and len(value) > 10


def _texts(value: object) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(v, str) and v for v in value)
