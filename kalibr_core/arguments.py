"""What the caller asked for and what a path adds -> the arguments that its provider takes."""

from __future__ import annotations

import inspect
import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from .providers import Endpoint
from .types import Path

# These models of OpenAI's refuse `max_tokens`; other providers know no other name.
_NEW_LIMIT = re.compile(r"^(o\d|gpt-5|chatgpt-5)")


_LIMITS = ("max_tokens", "max_completion_tokens")


def arguments_of(path: Path, endpoint: Endpoint, asked: Mapping[str, object]) -> dict[str, Any]:
    """The call's arguments and the path's; the path's win, since they are what it is."""
    name = _limit_name(endpoint)
    call, own = _one_limit(asked, name), _one_limit(path.params, name)
    if any(limit in own for limit in _LIMITS):
        call = {key: value for key, value in call.items() if key not in _LIMITS}
    return {**call, **own, "model": endpoint.model}


def for_create(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments for the client's `create`, which refuses names that it does not know.

    Providers have parameters of their own (`top_k`, `thinking`), which it takes in `extra_body`;
    what the caller put there by hand wins.
    """
    known = create_names()
    unknown = {name: value for name, value in arguments.items() if name not in known}
    if not unknown:
        return dict(arguments)
    body = {**unknown, **(arguments.get("extra_body") or {})}
    return {n: v for n, v in arguments.items() if n in known} | {"extra_body": body}


def with_one_limit(arguments: Mapping[str, object], endpoint: Endpoint) -> dict[str, Any]:
    """The arguments with the limit of tokens under the one name that the server knows."""
    return _one_limit(arguments, _limit_name(endpoint))


def has_new_limit(endpoint: Endpoint) -> bool:
    """Is it one of OpenAI's models that think first, and refuse `max_tokens` and a temperature?"""
    return endpoint.provider == "openai" and bool(_NEW_LIMIT.match(endpoint.model))


@lru_cache(maxsize=1)
def create_names() -> frozenset[str]:
    """The names that the installed client's `create` takes; the client is slow to import."""
    from openai.resources.chat.completions import Completions

    return frozenset(inspect.signature(Completions.create).parameters) - {"self"}


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


def _limit_name(endpoint: Endpoint) -> str | None:
    """The only name that the server knows the token limit by; None: it may take either."""
    if endpoint.provider == "openai":
        return "max_completion_tokens" if has_new_limit(endpoint) else None
    return None if endpoint.provider is None else "max_tokens"


def _one_limit(params: Mapping[str, object], name: str | None) -> dict[str, Any]:
    """The parameters with one limit of tokens, by that name: servers refuse two."""
    given = [limit for limit in _LIMITS if limit in params]
    given = [limit for limit in given if params[limit] is not None] or given
    if not given:
        return dict(params)
    chosen = name if name in given else given[-1]  # of two, the newer name is what is meant
    rest = {key: value for key, value in params.items() if key not in _LIMITS}
    return {**rest, name or chosen: params[chosen]}
