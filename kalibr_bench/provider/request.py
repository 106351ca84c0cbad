"""A chat request that has been checked: what it asks and how long it is."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from kalibr_bench.provider.tokens import count_tokens

TOKENS_PER_MESSAGE = 3
TOKENS_OF_REPLY = 3
TOKENS_OF_IMAGE = {"low": 85, "high": 765, "auto": 765}


@dataclass(frozen=True, kw_only=True)
class ChatRequest:
    """A well-formed request to ``/chat/completions``; ``body`` is what the client sent."""

    body: Mapping[str, Any]
    model: str
    messages: tuple[Mapping[str, Any], ...]
    seed: int = 0
    n: int = 1
    stream: bool = False
    include_usage: bool = False
    max_tokens: int | None = None
    stop: tuple[str, ...] = ()
    tools: tuple[Mapping[str, Any], ...] = ()
    tool_choice: str | Mapping[str, Any] = "none"
    response_format: Mapping[str, Any] | None = None

    @cached_property
    def prompt_digest(self) -> bytes:
        """Sixteen bytes that name the messages: roles, texts, images, tool calls; not their ids."""
        essence = [[m["role"], text_of(m), images_of(m), _calls_of(m)] for m in self.messages]
        text = json.dumps(essence, separators=(",", ":"), sort_keys=True)
        return hashlib.blake2b(text.encode(), digest_size=16).digest()

    @cached_property
    def prompt_tokens(self) -> int:
        """Tokens of messages, images, tools and schema, >= 0."""
        total = TOKENS_OF_REPLY + sum(_message_tokens(message) for message in self.messages)
        for extra in (self.tools, self.response_format):
            if extra:
                total += count_tokens(json.dumps(extra, separators=(",", ":"), sort_keys=True))
        return total

    @property
    def last(self) -> Mapping[str, Any]:
        """The last message."""
        return self.messages[-1]

    @cached_property
    def user_text(self) -> str:
        """Text of the last user message, or of the last message if no user spoke."""
        spoken = [m for m in self.messages if m["role"] == "user"] or [self.last]
        return text_of(spoken[-1])

    @cached_property
    def attached(self) -> list[str]:
        """What the last message holds beside text: `file`, `image_url`, `input_audio`, ..."""
        kinds = (part.get("type") for part in _parts(self.last.get("content")))
        return [kind for kind in kinds if isinstance(kind, str) and kind != "text"]

    @cached_property
    def all_text(self) -> str:
        """All instructions: the system's and the user's texts, in order."""
        told = (m for m in self.messages if m["role"] in ("system", "developer", "user"))
        return "\n\n".join(text_of(message) for message in told)


def text_of(message: Mapping[str, Any]) -> str:
    """All text of a message, its parts joined by new lines."""
    content = message.get("content")
    if isinstance(content, str):
        return content
    parts = (p.get("text") or p.get("refusal") for p in _parts(content))
    return "\n".join(part for part in parts if isinstance(part, str))


def images_of(message: Mapping[str, Any]) -> list[Any]:
    """The image parts of a message."""
    return [p.get("image_url") for p in _parts(message.get("content")) if "image_url" in p]


def _parts(content: object) -> list[Mapping[str, Any]]:
    if not isinstance(content, list):
        return []
    return [part if isinstance(part, Mapping) else {"text": str(part)} for part in content]


def _calls_of(message: Mapping[str, Any]) -> list[list[str]]:
    functions = (call["function"] for call in message.get("tool_calls") or ())
    return [[f.get("name", ""), f.get("arguments", "")] for f in functions]


def _message_tokens(message: Mapping[str, Any]) -> int:
    total = TOKENS_PER_MESSAGE + count_tokens(text_of(message))
    for image in images_of(message):
        detail = image.get("detail", "auto") if isinstance(image, Mapping) else "auto"
        total += TOKENS_OF_IMAGE.get(detail, TOKENS_OF_IMAGE["high"])
    return total + sum(count_tokens(n) + count_tokens(a) for n, a in _calls_of(message))
