"""JSON inside an answer's text: does it look like JSON, does it parse, is it cut?"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import NamedTuple

LOOKS_LIKE_JSON = re.compile(r"""\{\s*(?:["']|\}\s*$)|\[\s*(?:[{"]|\]\s*$)""")
NUMBER_LIST_CUT = re.compile(r"\[[\s\d.,eE+-]*$")
MAX_NODES = 300


class Parsed(NamedTuple):
    """What became of a text that should be JSON."""

    ok: bool
    value: object = None
    cut: bool = False
    """It is JSON as far as it goes, and it ends too early."""


def parse(text: str) -> Parsed:
    """Parse all of `text`; whatever it holds, nothing is raised."""
    try:
        return Parsed(True, json.loads(text))
    except json.JSONDecodeError as error:
        return Parsed(False, cut=_is_cut(text, error))
    except (ValueError, RecursionError, MemoryError):
        return Parsed(False)


def parse_head(text: str) -> Parsed:
    """Parse the first JSON value of `text`; a remark may follow it."""
    whole = parse(text)
    if whole.ok or whole.cut:
        return whole
    try:
        return Parsed(True, json.JSONDecoder().raw_decode(text)[0])
    except (ValueError, RecursionError, MemoryError):
        return whole


def _is_cut(text: str, error: json.JSONDecodeError) -> bool:
    """The parser ran off the end; an unclosed string starts far before it."""
    if error.msg.startswith("Unterminated string"):
        return "\n" not in text[error.pos :].rstrip()
    return error.pos >= len(text.rstrip())


def looks_like_json(text: str) -> bool:
    """An object or array is begun: not `[Note]`, `{name}` or `[1] a citation`."""
    return bool(LOOKS_LIKE_JSON.match(text)) or bool(NUMBER_LIST_CUT.match(text[:2000]))


def unfenced(text: str) -> str:
    """The inside of a text that is one markdown fence, closed or not, else the text itself."""
    if not text.startswith(("```", "~~~")):
        return text
    inner = text.partition("\n")[2].rstrip()
    return inner.removesuffix(text[:3]).strip()


def leaves(value: object) -> Iterator[object]:
    """The scalar values of parsed JSON, at most `MAX_NODES` nodes deep and wide."""
    todo = [value]
    for _ in range(MAX_NODES):
        if not todo:
            return
        node = todo.pop()
        if isinstance(node, dict):
            todo.extend(list(node.values())[:MAX_NODES])
        elif isinstance(node, list):
            todo.extend(node[:MAX_NODES])
        else:
            yield node


def is_hollow(value: object) -> bool:
    """An object or array that holds nothing but empty strings, if that."""
    return all(isinstance(leaf, str) and not leaf.strip() for leaf in leaves(value))
