"""What a judge is shown of one answer: the request, what was said besides, and the output."""

from __future__ import annotations

from dataclasses import dataclass

from ..types import Transcript

CONVERSATION = 8_000
"""Characters of a conversation that a judge is shown."""
MESSAGE = 2_000
"""Characters of one message of it, from both its ends."""


@dataclass(frozen=True, slots=True)
class Shown:
    """One answer, as a judge gets it."""

    request: str
    output: str
    conversation: Transcript = ()
    """What else the model was told; cut."""


def cut_to_fit(conversation: Transcript) -> Transcript:
    """The system's message, and the newest of the others for which there is room.

    >>> long = [{"role": "user", "content": "?" * MESSAGE} for _ in range(9)]
    >>> [message["content"][:29] for message in cut_to_fit(long)][:2]
    ['[... 5 messages left out ...]', '?????????????????????????????']
    """
    said = [_message(message["role"], message["content"]) for message in conversation]
    said = [message for message in said if message["content"]]
    first = said[:1] if said and said[0]["role"] in ("system", "developer") else []
    room = CONVERSATION - sum(len(message["content"]) for message in first)
    newest: list[dict[str, str]] = []
    for message in reversed(said[len(first) :]):
        room -= len(message["content"])
        if room < 0:
            break
        newest.insert(0, message)
    missing = len(said) - len(first) - len(newest)
    gap = [_message("note", f"[... {missing} messages left out ...]")] if missing else []
    return [*first, *gap, *newest]


def cut(text: str, longest: int) -> str:
    """A text, or as much of both its ends as makes the longest, with what is missing told."""
    if len(text) <= longest:
        return text
    half = (longest - len(_left_out(len(text)))) // 2
    return f"{text[:half]}{_left_out(len(text) - 2 * half)}{text[-half:]}"


def _left_out(count: int) -> str:
    return f"\n[... {count} characters left out ...]\n"


def _message(role: str, text: str) -> dict[str, str]:
    return {"role": role, "content": cut(text, MESSAGE)}
