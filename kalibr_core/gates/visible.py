"""The part of an answer that a reader sees."""

from __future__ import annotations

import re

THINKING = re.compile(r"\s*<(think|thinking|reasoning)>")
INVISIBLE = "\u200b\u200c\u200d\u2060\ufeff\u00ad\u200e\u200f\x00"
TRIMMED = INVISIBLE + " \t\r\n\v\f\u00a0\u3000"


def visible(text: str) -> str:
    """`text` without its reasoning block and without blank or invisible edges."""
    if "<" in text[:200]:
        text = _after_thinking(text)
    return text.strip().strip(TRIMMED)


def _after_thinking(text: str) -> str:
    opened = THINKING.match(text)
    if opened is None:
        return text
    return text[opened.end() :].partition(f"</{opened.group(1)}>")[2]


def is_thinking_cut(text: str) -> bool:
    """A reasoning block was opened and never closed."""
    opened = THINKING.match(text)
    return opened is not None and f"</{opened.group(1)}>" not in text
