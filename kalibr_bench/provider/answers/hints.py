"""Values for named fields, taken from the text where it has them."""

from __future__ import annotations

import re
from functools import cached_property

from kalibr_bench.provider.answers.reading import Reading, read

_NUMBER = re.compile(r"(?<![\w.])-?\d+(?:\.\d+)?(?![\w])")
_EMAIL = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
_URL = re.compile(r"https?://[^\s)>\"']+")
_DATE = re.compile(r"\b\d{4}-\d{2}-\d{2}\b")
_CODE = re.compile(r"\b[A-Z]{1,5}-?\d{2,}\b")
_NAMED = re.compile(r"\b(?:named|called)\s+['\"“‘]([^'\"”’]+)['\"”’]")
_PLACE = r"\s+((?:[A-Z][\w'-]*)(?:\s[A-Z][\w'-]*)*)"


class Hints:
    """What a text offers to fill fields with.

    Args:
        text: The text, e.g. the user's message.
    """

    def __init__(self, text: str) -> None:
        self.text = text

    @cached_property
    def reading(self) -> Reading:
        """What the text says."""
        return read(self.text)

    @cached_property
    def numbers(self) -> list[float]:
        """Numbers in the text, in order."""
        return [float(number) for number in _NUMBER.findall(self.text)]

    def number_for(self, name: str) -> float:
        """A number for a field; it may be outside the field's range."""
        if re.search(r"confiden|score|probab|certain|relevan", name):
            return self.reading.confidence
        return self.numbers[0] if self.numbers else 1.0

    def list_for(self, name: str) -> tuple[str, ...]:
        """Texts for a list field; empty if the text has none of the kind."""
        if re.search(r"action|todo|task|step|recommend", name):
            return self.reading.actions
        if re.search(r"entit|names|people|organi|compan|mention", name):
            return self.reading.entities
        if re.search(r"keyword|topic|tag|theme", name):
            return self.reading.topics[:5]
        if re.search(r"point|finding|sentence|highlight|fact", name):
            return tuple(self.reading.summary.split(". "))
        return ()

    def text_for(self, name: str) -> str:
        """A text for a field; never empty."""
        for pattern, make in _FIELDS:
            if re.search(pattern, name):
                return make(self)
        return self.reading.topics[0]

    def entity(self, at: int = 0) -> str:
        """A name in the text."""
        return self.reading.entities[min(at, len(self.reading.entities) - 1)]

    def named(self) -> str:
        """What the text names in quotes, else a name in it."""
        match = _NAMED.search(self.text)
        return match.group(1) if match else self.entity()

    def found(self, pattern: re.Pattern[str], otherwise: str) -> str:
        """The first match, else a stand-in."""
        match = pattern.search(self.text)
        return match.group() if match else otherwise

    def after(self, words: str) -> str:
        """The name that stands after one of the words, else the first name in the text."""
        match = re.search(rf"\b(?:{words}){_PLACE}", self.text)
        return match.group(1) if match else self.entity()


_FIELDS = (
    (r"summary|abstract|overview|synopsis", lambda h: h.reading.summary),
    (r"sentiment|label|polarity|tone|mood", lambda h: h.reading.label),
    (r"e.?mail", lambda h: h.found(_EMAIL, "alex@example.com")),
    (r"url|link|website", lambda h: h.found(_URL, "https://example.com/")),
    (r"date|deadline|due|day", lambda h: h.found(_DATE, "2025-06-30")),
    (r"origin|from|depart|source_city", lambda h: h.after("from|From")),
    (r"destin|to_|arriv", lambda h: h.after("to|To")),
    (r"city|place|locat|country|address|region", lambda h: h.after("in|In|for|at|to|of")),
    (r"(^|_)(id|code|number|sku|ref)s?$|Id$", lambda h: h.found(_CODE, h.found(_NUMBER, "A-100"))),
    (r"currency", lambda h: "USD"),
    (r"unit", lambda h: "celsius"),
    (r"lang|locale", lambda h: "en"),
    (r"action|todo|task|step", lambda h: h.reading.actions[0]),
    (r"query|question|prompt|search|input", lambda h: " ".join(h.text.split())[:200] or "query"),
    (r"name|person|customer|company|entity|title|subject|author", lambda h: h.named()),
    (r"type|kind|categor", lambda h: "general"),
    (
        r"reason|explan|rational|descr|text|content|message|body|answer|comment|note|respon",
        lambda h: h.reading.summary,
    ),
)
