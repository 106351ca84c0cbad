"""Requests with half a surrogate pair in their text, which is no character and cannot be encoded.

JSON has a way to write such a half (`"\\ud800"`). So a model can put one into what it says or into
a tool's arguments, and its framework sends that back with every later request.
"""

from __future__ import annotations

from collections.abc import Mapping
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
