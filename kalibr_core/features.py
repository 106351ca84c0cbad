"""A request -> features that hold none of its text, for the record and for later policies."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from .types import Features, Transcript

SCRIPTS: tuple[tuple[int, int, str], ...] = (
    (0x0041, 0x024F, "latin"),
    (0x0370, 0x03FF, "greek"),
    (0x0400, 0x052F, "cyrillic"),
    (0x0590, 0x05FF, "hebrew"),
    (0x0600, 0x06FF, "arabic"),
    (0x0900, 0x097F, "devanagari"),
    (0x0E00, 0x0E7F, "thai"),
    (0x3040, 0x30FF, "kana"),
    (0x4E00, 0x9FFF, "han"),
    (0xAC00, 0xD7AF, "hangul"),
)
LOOK = 200
"""Characters of the last message that are looked at for its script."""


def last_text(messages: Sequence[object]) -> str:
    """The text of the last user message, or "" where there is none."""
    for message in reversed(messages):
        if _field(message, "role") == "user":
            return text_of(_field(message, "content"))
    return ""


def besides(messages: Sequence[object]) -> Transcript:
    """All but the last user message: what else is said in it, with the tools that it calls."""
    last = next(
        (n for n in reversed(range(len(messages))) if _field(messages[n], "role") == "user"), -1
    )
    rest = [message for n, message in enumerate(messages) if n != last]
    return [{"role": str(_field(one, "role")), "content": _said(one)} for one in rest]


def _said(message: object) -> str:
    calls = _field(message, "tool_calls")
    functions = [_field(call, "function") for call in calls] if isinstance(calls, list) else []
    called = [f"{_field(one, 'name')}({_field(one, 'arguments')})" for one in functions]
    return "\n".join(filter(None, [text_of(_field(message, "content")), *called]))


def text_of(content: object) -> str:
    """The text of a message's content: a string, or a list of parts."""
    if isinstance(content, str):
        return content
    if isinstance(content, Sequence):
        parts = (part.get("text") for part in content if isinstance(part, Mapping))
        return "\n".join(part for part in parts if isinstance(part, str))
    return ""


def features_of(
    messages: Sequence[object], *, tools: int, schema: bool, session: str | None
) -> Features:
    """Count what can be counted; linear in the number of messages, not in their length."""
    tokens = images = 0
    for message in messages:
        content = _field(message, "content")
        tokens += 4 + estimate_tokens(text_of(content))
        if isinstance(content, list):
            images += sum(input_of(part) == "images" for part in content)
    return Features(
        input_tokens=tokens,
        turns=len(messages),
        tools=tools,
        schema=schema,
        images=images,
        script=script_of(last_text(messages)),
        session=hash_of(session) if session is not None else None,
    )


def estimate_tokens(text: str) -> int:
    """About a token for four characters; where the text is not ASCII, for two.

    >>> estimate_tokens("a small text")
    3
    """
    return len(text) // (4 if text.isascii() else 2)


def script_of(text: str) -> str | None:
    """The script of most letters at the text's beginning: a guess at its language."""
    head = text[:LOOK]
    if head.isascii():
        return "latin" if any(map(str.isalpha, head)) else None
    counts: dict[str, int] = {}
    for character in head:
        point = ord(character)
        for low, high, name in SCRIPTS:
            if low <= point <= high:
                counts[name] = counts.get(name, 0) + 1
                break
    return max(counts, key=counts.__getitem__) if counts else None


def hash_of(session: str) -> str:
    """A session's id as the record keeps it."""
    import hashlib  # slow to import

    return hashlib.sha256(session.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def _field(message: object, name: str) -> object:
    """Of a dict, or of one of the client's own message objects."""
    return message.get(name) if isinstance(message, Mapping) else getattr(message, name, None)


KINDS = {
    "image": "images",
    "image_url": "images",
    "input_image": "images",
    "audio": "audio",
    "input_audio": "audio",
    "file": "files",
    "input_file": "files",
    "document": "files",
    "video": "video",
    "video_url": "video",
}
"""The types of content parts, in the words of several providers, that are no text."""


MEDIA = {"image": "images", "audio": "audio", "video": "video"}


def input_of(part: object) -> str | None:
    """What a part of a message's content holds, of `INPUTS`; None: text, or unknown."""
    if not isinstance(part, Mapping):
        return None
    kind = part.get("type")
    if kind == "media":  # Google's word for all of them
        family = str(part.get("mime_type", "")).partition("/")[0]
        return MEDIA.get(family, "files")
    return KINDS.get(kind) if isinstance(kind, str) else None


def inputs_of(contents: Iterable[object]) -> frozenset[str]:
    """What the messages with these contents hold beside text."""
    parts = (part for content in contents if isinstance(content, list) for part in content)
    return frozenset(kind for part in parts if (kind := input_of(part)) is not None)


def contents_of(messages: Sequence[object]) -> Iterator[object]:
    return (_field(message, "content") for message in messages)
