"""Plain extraction from a text: what it is about, who is in it, its tone, what is to be done."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice

from kalibr_bench.provider.answers.words import NEGATIVE, NO_NAMES, POSITIVE, STOP

READ_CHARS = 5_000
ENTITIES = 8
ACTIONS = 5
_SENTENCE = re.compile(r"[^.!?\n]+(?:[.!?](?=\w)[^.!?\n]*)*[.!?]?")
_NAME = re.compile(r"\b[A-Z][\w&'-]*(?:[ ](?:(?:of|de|van|and|&)[ ])?(?:[A-Z][\w&'-]*|\d{4}))*")
_MONEY = re.compile(r"[$€£]\s?\d[\d.,]*(?:\s?(?:million|billion|k|M|bn))?|\d+(?:\.\d+)?\s?%")
_WORD = re.compile(r"[^\W\d_]{4,}")
_ACTION = re.compile(
    r"\b(?:must|should|shall|needs? to|ha(?:s|ve) to|required to|please|action|to-?do|deadline"
    r"|follow up|by (?:monday|tuesday|wednesday|thursday|friday|next|the end|end of)"
    r"|will (?:be )?\w+|assigned|responsible for|next steps?|recommend\w*|plans? to|agreed to)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What a reader takes from a text.

    Attributes:
        summary: One or two of its sentences.
        entities: Names, sums and percentages, at least one.
        label: ``"positive"``, ``"negative"`` or ``"neutral"``.
        confidence: In [0.55, 0.97].
        actions: What is to be done, at least one.
        topics: Its most frequent words, at least one.
    """

    summary: str
    entities: tuple[str, ...]
    label: str
    confidence: float
    actions: tuple[str, ...]
    topics: tuple[str, ...]


@lru_cache(maxsize=2048)
def read(text: str) -> Reading:
    """Read a text, the first ``READ_CHARS`` of it; the same text gives the same reading.

    >>> reading = read("Acme Corp had a great year. Dana Hill must send the report by Friday.")
    >>> reading.entities, reading.label, reading.actions
    (('Acme Corp', 'Dana Hill'), 'positive', ('Dana Hill must send the report by Friday.',))
    """
    sentences = [
        s for raw in _SENTENCE.findall(text[:READ_CHARS]) if (s := raw.strip(" \t-*#>\"'"))
    ]
    sentences = [s for s in sentences if any(map(str.isalnum, s))] or [text.strip() or "(nothing)"]
    words = [word.lower() for word in _WORD.findall(text[:READ_CHARS])]
    topics = _topics(words)
    label, confidence = _tone(words)
    return Reading(
        summary=_summary(sentences, topics),
        entities=_entities(sentences, topics),
        label=label,
        confidence=confidence,
        actions=_actions(sentences, topics),
        topics=topics,
    )


def _topics(words: list[str]) -> tuple[str, ...]:
    counted = Counter(word for word in words if word not in STOP)
    return tuple(word for word, _ in counted.most_common(8)) or ("content",)


def _summary(sentences: list[str], topics: tuple[str, ...]) -> str:
    whole = [s for s in sentences if len(s.split()) > 4] or sentences
    first = whole[0]
    rest = whole[1:30]
    if not rest:
        return _finished(first)
    best = max(rest, key=lambda s: sum(topic in s.lower() for topic in topics))
    return f"{_finished(first)} {_finished(best)}"


def _finished(sentence: str) -> str:
    short = sentence[:300].rstrip()
    return short if short.endswith((".", "!", "?")) else f"{short}."


def _entities(sentences: list[str], topics: tuple[str, ...]) -> tuple[str, ...]:
    found: dict[str, None] = {}
    for sentence in sentences:
        if len(found) >= ENTITIES:
            break
        for match in _NAME.finditer(sentence):
            name = _trimmed(match.group(), at_start=match.start() == 0)
            if name:
                found.setdefault(name)
        for match in _MONEY.finditer(sentence):
            found.setdefault(match.group().rstrip(".,"))
    return tuple(found)[:ENTITIES] or topics[:3]


def _trimmed(name: str, *, at_start: bool) -> str:
    """Drop a capital that only the start of the sentence explains."""
    words = name.split()
    while words and words[0].lower() in NO_NAMES:
        words.pop(0)
        at_start = False
    if at_start and words[1:2] == ["of"]:
        words = words[2:]
        at_start = False
    if len(words) == 1 and at_start and not words[0].isupper():
        return ""
    telling = words and len(words[0]) > 1 and not words[0].isdigit()
    return " ".join(words) if telling else ""


def _tone(words: list[str]) -> tuple[str, float]:
    good = sum(word in POSITIVE for word in words)
    bad = sum(word in NEGATIVE for word in words)
    lead = abs(good - bad) / (good + bad + 1)
    label = "neutral" if lead < 0.2 else "positive" if good > bad else "negative"
    return label, round(0.55 + 0.42 * (lead if lead >= 0.2 else 0.5 - lead), 2)


def _actions(sentences: list[str], topics: tuple[str, ...]) -> tuple[str, ...]:
    asked = (_finished(s) for s in sentences if _ACTION.search(s))
    return tuple(dict.fromkeys(islice(asked, ACTIONS))) or (
        f"Review the points about {topics[0]}.",
    )
