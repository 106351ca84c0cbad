"""Code in an answer: is there any, in whatever language?"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

FENCE = re.compile(r"[ \t>]{0,12}(`{3,}|~{3,})[ \t]*([\w+#.-]*)[^`\n]*$")
FENCE_MARK = re.compile(r"```|~~~")
LONGEST = 64_000
"""Characters of code that are looked at closely."""
MOST_LINES = 60
LONGEST_LINE = 300

MARKS = re.compile(r"[=<>{}\[\];$|\\&^~#@_`+*]|\)[:.(]|\w:\w|\S/\S|(?<!\S)-{1,2}\w|\(\"|\('")
"""What prose seldom holds."""
INLINE = re.compile(r"`[^`\n]+`")
KEYWORD = re.compile(
    r"(?:def|class|function|func|fn|fun|sub|import|from|package|using|namespace|const|let|var|val"
    r"|public|private|static|struct"
    r"|enum|impl|module|require|type|interface|if|elif|for|while|switch|case|return|print|echo"
    r"|export|async|local|begin|end|do|proc"
    r"|select|insert into|update|delete from|create|alter|drop|with|grant|explain|run|copy|cmd"
    r"|entrypoint|workdir|env)\b",
    re.IGNORECASE,
)
BULLET = re.compile(r"\s*(?:[-*•>#]+|\d{1,2}[.)])\s+")
SENTENCE = re.compile(r"[\"'“(*]*[^\W\d_][^=<>{}\[\];$|\\&^~#@]*[.!?:…。！？।؟][\"'”)*]*$")
WORDY = re.compile(r"[^\W\d_][\w'’-]*[,.:;!?]?(?: [\"'“(]?[\w'’(),./-]+[,.:;!?)\"'”]*){3,}$")
SPOKEN = re.compile(
    r"[\u0900-\u0dff\u0e00-\u0e7f\u0600-\u06ff\u3040-\u30ff\u4e00-\u9fff\uac00-\ud7a3]"
)
CHATTER_WORDS = (
    "ok okay sure done yes no hello hi none null undefined nothing maybe error sorry n/a na nan"
    " todo tbd code"
)
CHATTER = frozenset(CHATTER_WORDS.split())
STUB = re.compile(
    r"(?:#|//|--|/\*|<!--|;;|%)[ \t]*(?:\.\.\.[ \t]*)?(?:todo[: -]*)?(?:(?:put|write|add|insert"
    r"|place)[ \t]+)?(?:your|the)?[ \t]*"
    r"(?:own[ \t]+)?(?:code|logic|implementation|function body|solution)[ \t]+(?:goes[ \t]+)?here"
    r"|(?:#|//|--)[ \t]*todo:?[ \t]*(?:implement|add|write|complete)",
    re.IGNORECASE,
)
WANTS_STUB = re.compile(
    r"stub|skeleton|template|boilerplate|scaffold|todo|placeholder|signature|interface|exercise",
    re.IGNORECASE,
)


class Block(NamedTuple):
    """One fenced block."""

    language: str
    source: str


def blocks(text: str) -> list[Block]:
    """The fenced blocks of a text; an unclosed one runs to the end."""
    if "```" not in text and "~~~" not in text:
        return []
    shown, found = text[:LONGEST], []
    opened: tuple[re.Match[str], int] | None = None
    for fence, start, end in _fences(shown):
        if opened is None:
            opened = fence, end + 1
        elif _closes(fence, opened[0]):
            found.append(Block(opened[0][2].casefold(), shown[opened[1] : start]))
            opened = None
    if opened is not None:
        found.append(Block(opened[0][2].casefold(), shown[opened[1] :]))
    return found


def _fences(shown: str) -> Iterator[tuple[re.Match[str], int, int]]:
    """The fences of a text with their lines' bounds; only lines that hold a mark are looked at."""
    end = -1
    for mark in FENCE_MARK.finditer(shown):
        if mark.start() <= end:
            continue
        start = shown.rfind("\n", 0, mark.start()) + 1
        end = shown.find("\n", mark.end())
        end = len(shown) if end < 0 else end
        if (fence := FENCE.match(shown[start:end])) is not None:
            yield fence, start, end


def _closes(fence: re.Match[str], opened: re.Match[str]) -> bool:
    return not fence[2] and fence[1].startswith(opened[1])


def has_code(text: str, fenced: list[Block]) -> bool:
    """Does the text hold code, in any language, fenced or not?

    Sentences are easier to know than the grammar of every language: a text holds code where
    some line has the marks of code, or where no line reads as a sentence.
    """
    if fenced:
        return any(block.source.strip() for block in fenced)
    if text.casefold().strip(".! ") in CHATTER:
        return False
    spoken = False
    for line in _lines(text):
        if _reads_as_prose(line):
            spoken = True
        elif MARKS.search(line) or KEYWORD.match(line.lstrip()):
            return True
    return not spoken or bool(INLINE.search(text[:LONGEST]))


def _lines(text: str) -> list[str]:
    lines = (line[:LONGEST_LINE] for line in text[:LONGEST].split("\n"))
    return [line for line in lines if line.strip()][:MOST_LINES]


def _reads_as_prose(line: str) -> bool:
    """A sentence of any language; a line of code may hold words, but with marks among them."""
    plain = BULLET.sub("", line, count=1).strip()
    if SPOKEN.search(plain):
        return len(SPOKEN.findall(plain)) * 2 >= len(plain) and not plain.endswith((";", "{", "}"))
    if (
        plain.count(" ") >= 5
        and len(MARKS.findall(plain)) * 30 <= len(plain)
        and not plain.endswith((";", "{", "}", ",", "("))
    ):
        return not _is_statement(plain)
    return bool(
        (SENTENCE.match(plain) and " " in plain) or WORDY.match(plain)
    ) and not _is_statement(plain)


def _is_statement(plain: str) -> bool:
    """Code that is written in words: SQL, a loop, a command."""
    first = KEYWORD.match(plain)
    if first is None:
        return plain[:1].islower() and plain[-1:] not in ".!?:" and plain.count(" ") < 8
    upper = first.group().isupper() and len(first.group()) > 1
    return upper or (first.group().islower() and plain[-1:] not in ".!?")


def is_stub(text: str, prompt: str) -> bool:
    """Code whose body is left to the reader, though no stub was asked for."""
    lines = text[:LONGEST].casefold().split("\n")
    stubs = (line for line in lines if "here" in line or "todo" in line)
    return any(map(STUB.search, stubs)) and not WANTS_STUB.search(prompt)
