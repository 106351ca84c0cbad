"""What the caller asked for and what a path adds -> the arguments that its provider takes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from .providers import Endpoint
from .types import Path

# These models of OpenAI's refuse `max_tokens`; other providers know no other name.
_NEW_LIMIT = re.compile(r"^(o\d|gpt-5|chatgpt-5)")


def arguments_of(path: Path, endpoint: Endpoint, asked: Mapping[str, object]) -> dict[str, Any]:
    """The call's arguments and the path's; the path's win, since they are what it is."""
    arguments: dict[str, Any] = {**asked, **path.params, "model": endpoint.model}
    if endpoint.provider == "openai":
        if "max_tokens" in arguments and _NEW_LIMIT.match(endpoint.model):
            _rename(arguments, "max_tokens", "max_completion_tokens")
    elif endpoint.provider is not None and "max_completion_tokens" in arguments:
        _rename(arguments, "max_completion_tokens", "max_tokens")
    return arguments


def is_plain(arguments: Mapping[str, object]) -> bool:
    """Is this JSON as it stands? Only what can be told at a glance counts.

    The client's `create` walks through all messages to translate what is no JSON yet, which costs
    it a sixth of a whole call; a conversation of plain texts can be posted as it is.
    """
    for name, value in arguments.items():
        if name == "messages":
            if type(value) is not list or not all(map(_is_text, value)):
                return False
        elif name != "response_format" and type(value) not in (str, int, float, bool):
            return False
    return type(arguments.get("response_format", {})) is dict


def _is_text(message: object) -> bool:
    return (
        type(message) is dict
        and len(message) == 2
        and type(message.get("role")) is str
        and type(message.get("content")) is str
    )


def _rename(arguments: dict[str, Any], old: str, new: str) -> None:
    arguments.setdefault(new, arguments[old])
    del arguments[old]
