"""Python in an answer: does it parse? The only language whose grammar is at hand."""

from __future__ import annotations

import re
import textwrap

from .code import Block

LANGUAGES = ("python", "py", "python3", "py3")
LONGEST = 24_000
"""Characters; parsing more would take longer than a caller should wait."""
LONGEST_LINE = 2000
"""Characters; what is longer may nest deeper than the parser's stack."""
NEWER = re.compile(
    r"^[ \t]*(?:type \w+|(?:async )?def \w+\[|class \w+\[)|\bexcept \w+, \w|\bt[\"']", re.MULTILINE
)
"""Grammar younger than the oldest Python that runs this."""
SESSION = re.compile(r"^[ \t]*(?:>>>|In \[\d+\]:|\.\.\. )", re.MULTILINE)
MAGIC = re.compile(r"^[ \t]*[!%?][^\n]*$", re.MULTILINE)
ESCAPE = re.compile(r"\\(\\|['\"\r\n])|\\")
OLD = re.compile(r"python ?2", re.IGNORECASE)
UNFENCED = re.compile(
    r"(?:@[\w.]+(?:\(.*\))?\s*\n)*(?:async )?(?:def \w+\(.*\)(?: ->[^\n]+)?:"
    r"|class \w+(?:\([\w., =\[\]]*\))?:)[ \t]*(?:#.*)?$|from [\w.]+ import \w"
    r"|import \w+(?: as \w+)?\n",
    re.MULTILINE,
)
PROSE_LINE = re.compile(r"^[A-Z][\w'’,;()`-]*(?: [\w'’,;()`./-]+){4,}[.:!?]$", re.MULTILINE)


def python_source(text: str, fenced: list[Block], prompt: str) -> str | None:
    """The Python to check: the largest fenced block, or a text that is nothing else."""
    if OLD.search(prompt):
        return None
    if fenced:
        found = [block.source for block in fenced if block.language in LANGUAGES]
        return max(found, key=len, default=None)
    if UNFENCED.match(text) and not PROSE_LINE.search(text):
        return text
    return None


def parses(source: str) -> bool:
    """False only where this is surely no Python of any version."""
    if "\0" in source:
        return False
    if _is_out_of_reach(source):
        return True
    import ast

    try:
        ast.parse(_mended(source))
    except SyntaxError as error:
        return _is_newer(source, error)
    except (ValueError, RecursionError, MemoryError):
        return True
    return True


def _is_out_of_reach(source: str) -> bool:
    """Too large or too deep to parse here, or a session with prompts and output in it."""
    if len(source) > LONGEST or SESSION.search(source):
        return True
    return max(map(len, source.split("\n"))) > LONGEST_LINE


def _mended(source: str) -> str:
    """The source as a module: not indented, without notebook magic and unknown escapes."""
    if "\\" in source:
        source = ESCAPE.sub(_silenced, source)
    if source[:1] in " \t\n":
        source = textwrap.dedent(source)
    if "\n!" in source or "\n%" in source or source[:1] in "!%":
        source = MAGIC.sub("pass", source)
    return source


def _silenced(match: re.Match[str]) -> str:
    """Double a backslash that the parser would warn of; warnings are the process's, not ours."""
    return match.group() if match.group(1) else "\\\\"


def _is_newer(source: str, error: SyntaxError) -> bool:
    message = str(error.msg)
    return bool(NEWER.search(source)) or "f-string" in message or "invalid escape" in message
