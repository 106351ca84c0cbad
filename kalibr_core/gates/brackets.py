"""Code that breaks off: brackets that stay open under every reading of the quotes."""

from __future__ import annotations

import re

from .code import LONGEST

QUOTES = re.compile(
    r'"""(?:[^"\\]|\\.|"(?!""))*"""|"(?:[^"\\\n]|\\.)*"|\'(?:[^\'\\\n]|\\.)*\'|`[^`]*`|\\.',
    re.DOTALL,
)
CHARS = re.compile(r'"(?:[^"\\\n]|\\.)*"|\'(?:[^\'\\\n]|\\.[^\'\n]{0,8})\'|\\.', re.DOTALL)
COMMENTS = re.compile(r"//[^\n]*|/\*.*?\*/|(?:^|(?<=\s))#[^\n]*|(?:^|(?<=\s))--[^\n]*", re.DOTALL)
PAIRS = (("(", ")"), ("[", "]"), ("{", "}"))
DANGLING = re.compile(
    r"(?:[(\[{,+*/|&=<]|\\|->|=>|\b(?:def|function|class|return|import|from|where|and|or|in|new"
    r"|const|let|var|func|fn|select|join|on))$"
)
DIFF = re.compile(r"^(?:@@ |\+\+\+ |--- |diff )", re.MULTILINE)


def is_cut(source: str) -> bool:
    """Does this code end in the middle?"""
    source = source.rstrip()
    if not source or len(source) > LONGEST or DIFF.search(source):
        return False
    last = source[-200:].rpartition("\n")[2].strip()
    if "\n" not in source:
        return bool(DANGLING.search(last)) and _open(source) > 0
    return (
        _open(source) > 0
        and _open(_without(QUOTES, source)) > 0
        and _open(_without(CHARS, source)) > 0
    )


def _without(pattern: re.Pattern[str], source: str) -> str:
    return pattern.sub("", COMMENTS.sub("", source))


def _open(source: str) -> int:
    """Brackets of the kind most often left open."""
    return max(source.count(left) - source.count(right) for left, right in PAIRS)
