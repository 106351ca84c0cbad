"""Python in an answer: does it parse? The only language whose grammar is at hand."""

from __future__ import annotations

import keyword
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
PAIRS = (("(", ")"), ("[", "]"), ("{", "}"))
HEADER = re.compile(
    r"\n([ \t]*)(?:async |def |class |if |elif |else|for |while |try|except|finally|with )([^\n]*)"
    r"(?=\n([ \t]*)(\S?))"
)
"""A block's header: its indent and rest, and the next line's indent and first character."""
WORDS = re.compile(r"\n[ \t]*([A-Za-z_]\w*) [A-Za-z_]")
OPENERS = frozenset((*keyword.kwlist, "match", "case", "type"))
"""What may stand at a line's beginning before another word."""
DANGLING = re.compile(
    r"(?:[-+*/%&|^~<=.@]|(?<![\w.])(?:and|or|not|in|is|if|else|for|import|from|lambda|as|await|del"
    r"|assert|async|def|class))$"
)
FOREIGN = ("&&", "||", ";\n")
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
    if not is_suspect(source) or _is_out_of_reach(source):
        return True
    # Not `ast`: up to Python 3.11 its parse is not safe for threads (SystemError, also in others).
    import symtable

    try:
        symtable.symtable(_mended(source), "output", "exec")
    except SyntaxError as error:
        return _is_newer(source, error)
    except (ValueError, RecursionError, MemoryError):
        return True
    return True


def is_suspect(source: str) -> bool:
    """Is this worth parsing? That takes ten times as long as looking for what is often wrong.

    What is looked for: brackets and quotes without partners, block headers without a colon or a
    body, words side by side that are no statement, an end in the middle of an expression, and
    what other languages write. Fluent nonsense that has none of these passes.
    """
    code = "".join(source.split('"""')[::2]) if '"""' in source else source
    code = code.rstrip()
    lines = f"\n{code}\n~"  # a line that closes every block
    return (
        any(code.count(left) != code.count(right) for left, right in PAIRS)
        or bool(code.count('"') % 2 or code.count("'") % 2 or source.count('"""') % 2)
        or any(_is_bad_header(*found) for found in HEADER.findall(lines))
        or DANGLING.search(code[-80:]) is not None
        or not OPENERS.issuperset(WORDS.findall(lines))
        or any(mark in lines for mark in FOREIGN)
    )


def _is_bad_header(indent: str, rest: str, next_indent: str, next_mark: str) -> bool:
    """A block without a colon, or without a body."""
    rest = rest.rstrip()
    if rest[-1:] == ":":
        return next_mark not in ("", "#") and len(next_indent) <= len(indent)
    return ":" not in rest and rest[-1:] not in (",", "(", "[", "{", "\\")


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
