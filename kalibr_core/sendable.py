"""Requests with half a surrogate pair in their text, which is no character and cannot be encoded.

JSON has a way to write such a half (`"\\ud800"`). So a model can put one into what it says or into
a tool's arguments, and its framework sends that back with every later request.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any


def sendable(value: Any) -> Any:
    """The same JSON value with U+FFFD in the place of halves that stand alone.

    Two halves that belong together (a stream may cut between them) become their character. What is
    no text, list or mapping is left as it is.

    >>> ascii(sendable({"a\\ud800": ["half \\udc00", "\\ud83d\\ude00", 1]}))
    "{'a\\\\ufffd': ['half \\\\ufffd', '\\\\U0001f600', 1]}"
    """
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, Mapping):
        return {sendable(key): sendable(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [sendable(entry) for entry in value]
    return value


def resending(post: Callable[..., Any]) -> Callable[..., Any]:
    """A client's `post` that sends what can be sent, where it could not send what it was given."""

    def sending(*args: Any, **kwargs: Any) -> Any:
        try:
            return post(*args, **kwargs)
        except UnicodeEncodeError as error:
            return post(*args, **_mended(kwargs, error))

    return sending


def aresending(post: Callable[..., Any]) -> Callable[..., Any]:
    """`resending`, awaited."""

    async def sending(*args: Any, **kwargs: Any) -> Any:
        try:
            return await post(*args, **kwargs)
        except UnicodeEncodeError as error:
            return await post(*args, **_mended(kwargs, error))

    return sending


def _mended(kwargs: dict[str, Any], error: UnicodeEncodeError) -> dict[str, Any]:
    """The arguments of a post that cannot have been sent, with a body that can be.

    Raises:
        UnicodeEncodeError: the body is not at fault.
    """
    body = sendable(kwargs.get("body"))
    if body == kwargs.get("body"):
        raise error
    return {**kwargs, "body": body}
