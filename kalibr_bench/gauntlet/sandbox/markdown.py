"""Code as models hand it over: in a fence of Markdown, perhaps with words around it."""

from __future__ import annotations

import re
from textwrap import dedent

OPENING = re.compile(r"(?P<indent>[ \t]*)(?P<mark>`{3,}|~{3,})[^`]*")
LONGEST = 100_000
"""Characters; what is longer is refused unread, and would take long to be dedented."""
CLOSING = re.compile(r"(`{3,}|~{3,})\s*")


def unwrapped(text: str, *, wanted: str = "") -> str:
    """The code without a byte order mark, the fence that it is in, and an indentation of the whole.

    Of several fences the last one that holds `wanted` is taken, where it is nowhere outside of
    them. A text whose fences do not tell is left as it is.

    >>> unwrapped("```python\\nx = 1\\n```\\n")
    'x = 1\\n'
    >>> unwrapped("Do this:\\n```py\\ndef f(): pass\\n```\\nas ever.", wanted="def f")
    'def f(): pass\\n'
    """
    text = text.removeprefix("\ufeff")
    blocks, outside = _fences(text)
    holding = [block for block in blocks if wanted and wanted in block]
    if len(blocks) == 1 and not outside.strip():
        text = blocks[0]
    elif holding and wanted not in outside:
        text = holding[-1]
    indented = len(text) <= LONGEST and text.lstrip("\r\n")[:1] in (" ", "\t")
    return dedent(text) if indented else text


def _fences(text: str) -> tuple[list[str], str]:
    """What is in fences that are closed, and what is not; in time that grows with the text."""
    blocks: list[str] = []
    outside: list[str] = []
    inside: list[str] = []
    indent = mark = ""
    for line in text.splitlines(keepends=True):
        if not mark:
            found = OPENING.fullmatch(line.rstrip())
            indent, mark = (found["indent"], found["mark"]) if found else ("", "")
            outside += [] if found else [line]
        elif line.startswith(indent + mark) and CLOSING.fullmatch(line.strip()):
            blocks.append("".join(inside))
            inside, mark = [], ""
        else:
            inside.append(line)
    if inside and inside[-1].rstrip().endswith(mark):  # closed on the code's last line
        inside[-1] = inside[-1].rstrip().removesuffix(mark)
        return [*blocks, "".join(inside)], "".join(outside)
    return blocks, "".join([*outside, *inside])
