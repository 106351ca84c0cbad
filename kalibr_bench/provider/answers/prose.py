"""Plain answers: a label, an extract, a summary, a letter, an explanation."""

from __future__ import annotations

import re

from kalibr_bench.provider.answers.code import asks_for_code, program
from kalibr_bench.provider.answers.document import document_in
from kalibr_bench.provider.answers.hints import Hints
from kalibr_bench.provider.answers.reading import read
from kalibr_bench.provider.request import ChatRequest

_LABELS = re.compile(
    r"\b(?:one of|labels?|categor(?:y|ies)|classes|options|either|as|into)\b\s*(?:are|is)?"
    r"\s*[:(\[]?\s*"
    r"((?:[`'\"]?[\w -]{2,30}[`'\"]?\s*(?:,|/|\||\bor\b)\s*(?:or\s+)?)+[`'\"]?[\w-]{2,30})",
    re.I,
)
_GREETING = re.compile(r"\s*(?:hi|hello|hey|good (?:morning|evening|day))\b[\s!.,]*\Z", re.I)
_CLASSIFY = re.compile(r"\b(?:classif|categori[sz]|label|sentiment of|is this spam)", re.I)
_EXTRACT = re.compile(r"\bextract\b", re.I)
_SUMMARISE = re.compile(r"\b(?:summar|tl;?dr|condense|in short)", re.I)
_LETTER = re.compile(
    r"\b(?:outreach|cold e?mail|write .{0,30}(?:e-?mail|message|letter)|draft)", re.I
)
_PATTERNS = (
    (r"e-?mail", re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")),
    (r"phone|telephone", re.compile(r"\+?\d[\d\s().-]{6,}\d")),
    (r"url|link|website", re.compile(r"https?://[^\s)>\"']+")),
    (r"date", re.compile(r"\b\d{4}-\d{2}-\d{2}\b|\b\w{3,9} \d{1,2},? \d{4}\b")),
    (r"price|amount|total|cost", re.compile(r"[$€£]\s?\d[\d.,]*\d|[$€£]\s?\d")),
    (r"number", re.compile(r"\d+(?:\.\d+)?")),
)


def prose(chat: ChatRequest) -> str:
    """A good plain answer to a prompt."""
    told, asked = chat.all_text, chat.user_text
    if chat.attached:
        what = chat.attached[0].removeprefix("input_").removesuffix("_url")
        return f"The attached {what} has one main subject, and a few details that belong to it."
    if _GREETING.match(asked):
        return "Hello! How can I help you today?"
    if _CLASSIFY.search(told):
        return _label(told, asked)
    if _EXTRACT.search(told):
        return _extract(told, asked)
    if asks_for_code(asked):
        return program(asked)
    if _LETTER.search(told):
        return _letter(asked)
    if _SUMMARISE.search(told):
        return read(document_in(asked)).summary
    return _explanation(asked)


def from_tools(chat: ChatRequest, results: list[tuple[str, str]]) -> str:
    """An answer that rests on what the tools returned: pairs of tool name and result."""
    found = "; ".join(f"{name}: {' '.join(result.split())[:400]}" for name, result in results)
    return f"Here is what I found. {found}"


def _label(told: str, asked: str) -> str:
    match = _LABELS.search(told)
    if match is None:
        return read(document_in(asked)).label
    options = [o for o in re.split(r",|/|\||\bor\b", match.group(1)) if o.strip(" `'\"")]
    labels = [option.strip(" `'\"") for option in options]
    tone = read(document_in(asked)).label
    text = document_in(asked).replace(match.group(1), "").lower()
    named = [label for label in labels if label.lower() in text]
    by_tone = [label for label in labels if label.lower().startswith(tone[:3])]
    return (by_tone or named or labels)[0]


def _extract(told: str, asked: str) -> str:
    text = document_in(asked)
    for word, pattern in _PATTERNS:
        if re.search(rf"\b{word}", told, re.I):
            found = list(dict.fromkeys(pattern.findall(text)))
            if found:
                return "\n".join(found)
    return "\n".join(read(text).entities)


def _letter(asked: str) -> str:
    hints = Hints(asked)
    topic = " and ".join(hints.reading.topics[:2])
    return (
        f"Subject: A quick idea about {topic}\n\nHi {hints.after('to|for|at').split()[0]},\n\n"
        f"I noticed your work on {topic} and thought of a way to save your team time with it."
        " Teams like yours usually see results in the first two weeks.\n\n"
        "Would you be open to a 15-minute call on Tuesday or Thursday?\n\n"
        "Best regards,\nAlex Morgan"
    )


def _explanation(asked: str) -> str:
    reading = read(asked)
    topics = [*reading.topics, "context", "results"]
    return (
        f"In short, {topics[0]} is best understood together with {topics[1]}: the first sets the"
        " goal and the second decides how far it can be reached in practice.\n\n"
        f"1. Start from what is known about {topics[0]}, and note what is assumed.\n"
        f"2. Compare the main options for {topics[1]} by cost, risk and time.\n"
        f"3. Test the best one on a small case before relying on it.\n\n"
        f"Overall, a careful look at {topics[0]} pays off early, and the remaining questions about"
        f" {topics[1]} can be settled with a first experiment."
    )
