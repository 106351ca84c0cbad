"""Loops of the same tokens, text that is no text, and the prompt given back."""

from __future__ import annotations

import re

from .refusals import folded, weight

TAIL = 1200
KEY = 16
LEAST = 60
"""Characters from which a loop counts."""
REPEATS = 6
LETTER = re.compile(r"[^\W\d_]")
INSTRUCTS = re.compile(r"[?？؟:：]")


def is_garbage(text: str, prompt: str) -> bool:
    """A loop that fills most of the text, or mostly undecodable characters."""
    if len(text) < 10:
        return False
    if "\ufffd" in text and text.count("\ufffd") * 8 > len(text):
        return True
    unit = _looping_unit(text)
    if unit is None:
        return False
    core = unit.strip(" .,;!\n").casefold()
    return not core or core not in prompt.casefold()


def _looping_unit(text: str) -> str | None:
    """What the text's tail repeats; None where the tail is no loop or only a part of it."""
    tail = text[-TAIL:]
    size = min(KEY, len(tail) // 3)
    at = tail.rfind(tail[-size:], 0, len(tail) - 1)
    period = len(tail) - size - at
    if _is_one_mark(tail):
        return tail
    if at < 0 or not LETTER.search(tail[-period:]) or period * REPEATS > len(tail):
        return None
    length = _loop_length(tail, period)
    if length < max(LEAST, period * REPEATS, len(tail) / 2):
        return None
    return tail[-period:]


def _loop_length(tail: str, period: int) -> int:
    """How far back from its end the tail repeats with this period."""
    for start in range(0, len(tail) - period, max(1, len(tail) // 24)):
        if tail[start + period :] == tail[start : len(tail) - period]:
            return len(tail) - start
    return 0


def _is_one_mark(tail: str) -> bool:
    """All of it is one mark: `!!!!!!!!!!!!`."""
    return len(tail) >= 16 and tail.count(tail[0]) == len(tail)


def is_echo(text: str, prompt: str, task: str) -> bool:
    """The prompt word for word, or for a summary most of the text to summarize."""
    if abs(len(prompt) - len(text)) > len(prompt) * 0.7 or len(prompt) > 50_000:
        return False
    size = weight(text[:200])
    if size < 15 or (text[:8].casefold() not in prompt.casefold() and text[:1] not in "\"'“«"):
        return False
    said, asked = folded(text, 50_000), folded(prompt, 50_000)
    if said.rstrip("\"'”. ") == asked.rstrip("\"'”. "):
        return task not in ("general", "extraction") or bool(INSTRUCTS.search(prompt))
    return task == "summarization" and (asked.endswith(said) if size < 100 else said in asked)
