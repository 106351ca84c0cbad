"""The agent's task: read a document, answer in JSON, and what counts as an answer."""

from __future__ import annotations

import json
import math

LABELS = frozenset({"positive", "negative", "neutral", "mixed"})
MAX_TOKENS = 700
"""Longest answer, in tokens; a good one has about 200."""

SYSTEM = """You analyse documents for a workflow that reads your answer with a JSON parser.
Answer with one JSON object and nothing else: no code fence, no comment, no text around it.

{
  "summary": "one or two sentences",
  "key_entities": ["people, organisations, products, places, sums"],
  "sentiment": {"label": "positive | negative | neutral | mixed", "confidence": 0.9},
  "action_items": ["who does what until when"]
}

All four fields are required. The confidence is a number from 0 to 1. Both lists have at least one
entry; every document names somebody, and leaves somebody with something to do."""


def messages_for(document: str) -> list[dict[str, str]]:
    """The conversation that asks for one document's analysis."""
    return [
        {"role": "system", "content": SYSTEM},
        {"role": "user", "content": f"<document>\n{document}\n</document>"},
    ]


def is_valid(text: str | None) -> bool:
    """Whether an answer can be used: it parses, has all fields, and each is well formed.

    >>> is_valid('{"summary": "", "key_entities": [], "sentiment": {}, "action_items": []}')
    False
    """
    return not problems(text)


def problems(text: str | None) -> list[str]:
    """What is wrong with an answer; empty for a valid one."""
    try:
        value = json.loads(text or "", parse_constant=_no_constant)
    except (ValueError, RecursionError):
        return ["it is not JSON"]
    if not isinstance(value, dict):
        return ["it is not a JSON object"]
    found = [] if _is_text(value.get("summary")) else ["summary is not a text"]
    for name in ("key_entities", "action_items"):
        if not _is_texts(value.get(name)):
            found.append(f"{name} is not a list of texts")
    return found + _tone_problems(value.get("sentiment"))


def _tone_problems(tone: object) -> list[str]:
    if not isinstance(tone, dict):
        return ["sentiment is not an object"]
    found = [] if _is_label(tone.get("label")) else ["sentiment.label is not one of the labels"]
    confidence = tone.get("confidence")
    if not _is_share(confidence):
        found.append("sentiment.confidence is not a number from 0 to 1")
    return found


def _is_text(value: object) -> bool:
    return isinstance(value, str) and bool(value.strip())


def _is_texts(value: object) -> bool:
    return isinstance(value, list) and bool(value) and all(_is_text(item) for item in value)


def _is_label(value: object) -> bool:
    return isinstance(value, str) and value in LABELS


def _is_share(value: object) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return math.isfinite(value) and 0.0 <= value <= 1.0


def _no_constant(name: str) -> float:
    raise ValueError(f"{name} is not JSON")
