"""The document-analysis task of the resilience benchmark."""

from __future__ import annotations

import json
import re
from functools import lru_cache
from typing import Any

from kalibr_bench.provider.answers.hints import Hints
from kalibr_bench.provider.answers.objects import example_in, filled
from kalibr_bench.provider.answers.reading import Reading, read
from kalibr_bench.provider.request import ChatRequest

_TASK = ("summar", "entit", "sentiment", "action")
_MARKED = (
    re.compile(r"<(document|text|doc|content)\b[^>]*>(.*?)</\1>", re.S | re.I),
    re.compile(r'(""")(.*?)"""', re.S),
    re.compile(
        r"^(-{3,}|={3,}|#{3,} ?document.*?)\n(.*?)(?:\n-{3,}|\n={3,}|\Z)", re.S | re.M | re.I
    ),
    re.compile(r"\b(document|text|content|input)(?: to analy[sz]e)?\s*:\s*\n?(.+)\Z", re.S | re.I),
)
_NAMES = {
    "summary": ("summary",),
    "entities": ("key_entities", "keyEntities", "entities"),
    "sentiment": ("sentiment",),
    "label": ("label", "polarity"),
    "confidence": ("confidence", "score"),
    "actions": ("action_items", "actionItems", "actions"),
}


def is_analysis(text: str) -> bool:
    """Whether instructions ask for summary, entities, sentiment and action items."""
    told = text.lower()
    return all(word in told for word in _TASK)


def document_of(chat: ChatRequest) -> str:
    """The text that a prompt is about: the marked part, else all of the last user message."""
    return document_in(chat.user_text)


@lru_cache(maxsize=2048)
def document_in(text: str) -> str:
    """The marked part of a text: in tags or fences, or after ``Document:``; else all of it."""
    for pattern in _MARKED:
        found = [match.group(2).strip() for match in pattern.finditer(text)]
        if found and max(map(len, found)) > 20:
            return max(found, key=len)
    return text


def analysis(chat: ChatRequest) -> str:
    """The answer: JSON with the field names that the prompt uses."""
    return _analysis(chat.all_text, document_of(chat))


@lru_cache(maxsize=2048)
def _analysis(told: str, document: str) -> str:
    shape = example_in(told, needs="summary")
    found = _default(told, read(document)) if shape is None else filled(shape, Hints(document), "")
    return json.dumps(found, ensure_ascii=False)


def _default(told: str, reading: Reading) -> dict[str, Any]:
    name = {field: _named(told, names) for field, names in _NAMES.items()}
    tone: dict[str, Any] = {name["label"]: reading.label, name["confidence"]: reading.confidence}
    return {
        name["summary"]: reading.summary,
        name["entities"]: list(reading.entities),
        name["sentiment"]: tone,
        name["actions"]: list(reading.actions),
    }


def _named(told: str, names: tuple[str, ...]) -> str:
    return next((name for name in names if re.search(rf"\b{name}\b", told)), names[0])
