"""The two ends of a text, which are what is read of it."""

from __future__ import annotations

MOST_CHARACTERS = 8_000
"""Of a text that is held while its run is under way."""


def short(text: str) -> str:
    """A text's two ends; all of it where it is no longer than they."""
    text = text.strip()
    if len(text) <= MOST_CHARACTERS:
        return text
    return f"{text[: MOST_CHARACTERS // 2]} {text[-MOST_CHARACTERS // 2 :]}"
