"""Values as text between parent and child: JSON in which every container carries its kind.

Scalars stand for themselves; `["l", [...]]` is a list, `["t", [...]]` a tuple, `["d", [[k, v],
...]]` a dict, `["q", maxlen, [...]]` a deque, `["f", "nan"]` a float that JSON has no word for, and
`["o", "name"]` whatever is no plain data, sets included: only its type's name travels.

The encoder trusts no method of what it encodes. It looks at exact types and calls the built-in
types' own iterators, so that a subclass with a made-up `__iter__` or `__float__` says nothing.
"""

from __future__ import annotations

from collections import Counter, OrderedDict, defaultdict, deque
from collections.abc import Callable, Iterable
from json.decoder import JSONDecoder
from json.encoder import encode_basestring_ascii
from sys import maxsize
from typing import Any, TypeAlias

Value: TypeAlias = Any
"""Plain data, or `Opaque`: what it is shows only when it is looked at."""

DEPTH = 30
"""Deepest nesting that travels."""
LONGEST_INT = 1000
"""Bits of the longest whole number that comes back; it fits a float."""
KEY_BITS = 60
"""The same for one that is a key: from there on, numbers can be made that share one hash."""
DICTS = (dict, OrderedDict, defaultdict, Counter)
LISTS: dict[type, str] = {list: "l", tuple: "t"}
CONTAINERS = frozenset({*DICTS, *LISTS, deque})


class Opaque:
    """Stands for a value that is no plain data. Equal to nothing but itself."""

    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        self.name = name

    def __repr__(self) -> str:
        return f"<{self.name}>"


class TooMuch(Exception):
    """More, or deeper, than may travel."""


class WireError(ValueError):
    """The text is not what `encode` makes."""


def encode(value: Value, *, most: int, int_bits: int = LONGEST_INT) -> str:
    """The value's text; values that are no plain data become their type's name.

    Args:
        most: Longest text, in characters.
        int_bits: Longest whole number that is sent as one.

    Raises:
        TooMuch: It would be longer, or deeper than `DEPTH` (a value that holds itself is).

    >>> encode({"a": (1, float("nan"))}, most=100)
    '["d",[["a",["t",[1,["f","nan"]]]]]]'
    """
    pieces: list[str] = []
    left = most

    def out(piece: str) -> None:
        nonlocal left
        left -= len(piece) + 1
        if left < 0:
            raise TooMuch(f"more than {most} characters")
        pieces.append(piece)

    _encode(value, out, int_bits, 0)
    return "".join(pieces)


def _encode(value: Value, out: Callable[[str], None], int_bits: int, depth: int) -> None:
    if depth > DEPTH:
        raise TooMuch(f"nested deeper than {DEPTH}")
    kind = type(value)
    if kind in DICTS:
        out('["d",[')
        _row(list(dict.items(value)), out, int_bits, depth, pairs=True)
    elif kind in LISTS:
        out(f'["{LISTS[kind]}",[')
        _row(kind.__iter__(value), out, int_bits, depth)
    elif kind is deque:
        most = value.maxlen
        out(f'["q",{"null" if most is None else most},[')
        _row(deque.__iter__(value), out, int_bits, depth)
    else:
        out(_scalar(value, kind, int_bits))
        return
    out("]]")


def _row(
    items: Iterable[Value],
    out: Callable[[str], None],
    int_bits: int,
    depth: int,
    *,
    pairs: bool = False,
) -> None:
    comma = ""
    for item in items:
        head, tail, value = comma, "", item
        if pairs:
            key, value = item
            head, tail = f"{comma}[{_scalar(key, type(key), KEY_BITS)},", "]"
        comma = ","
        kind = type(value)
        if kind in CONTAINERS:
            out(head)
            _encode(value, out, int_bits, depth + 1)
            out(tail)
        else:
            out(f"{head}{_scalar(value, kind, int_bits)}{tail}")


def _scalar(value: Value, kind: type, int_bits: int) -> str:
    if value is None:
        return "null"
    if kind is bool:
        return "true" if value else "false"
    if kind is int and value.bit_length() <= int_bits:
        return int.__repr__(value)
    if kind is float:
        text = float.__repr__(value)
        return f'["f","{text}"]' if text in ("nan", "inf", "-inf") else text
    if kind is str:
        return encode_basestring_ascii(value)
    return f'["o",{encode_basestring_ascii(_name(kind))}]'


def _name(kind: type) -> str:
    """A type's name by the slot of `type`, past what its metaclass may say."""
    name = type.__dict__["__name__"].__get__(kind)
    return name[:60] if type(name) is str else "object"


def _no_constant(name: str) -> Value:
    raise WireError(f"{name} is no JSON")


_DECODER = JSONDecoder(parse_constant=_no_constant)
scan: Callable[[str, int], tuple[Value, int]] = vars(_DECODER)["scan_once"]
"""The C scanner itself: nothing that is later set on the json module's classes reaches it."""


def parse(text: str) -> Value:
    """One JSON value that is the whole text; raises `WireError`."""
    try:
        value, end = scan(text, 0)
    except (StopIteration, ValueError, RecursionError) as error:
        raise WireError(f"no JSON: {type(error).__name__}") from None
    if end != len(text):
        raise WireError("more than one value")
    return value


def decode(value: Value, depth: int = 0) -> Value:
    """What `encode` was given, from parsed JSON; raises `WireError` on any other shape."""
    if depth > DEPTH + 1:
        raise WireError("nested too deep")
    if type(value) is not list:
        if type(value) is dict:
            raise WireError("a bare object")
        return value
    match value:
        case ["l", list() as rows]:
            return [decode(row, depth + 1) for row in rows]
        case ["t", list() as rows]:
            return tuple(decode(row, depth + 1) for row in rows)
        case ["d", list() as rows]:
            return {_key(k): decode(v, depth + 1) for k, v in map(_pair, rows)}
        case ["q", int() | None as most, list() as rows] if most is None or 0 <= most <= maxsize:
            return deque((decode(row, depth + 1) for row in rows), most)
        case ["f", "nan" | "inf" | "-inf" as text]:
            return float(text)
        case ["o", str() as name]:
            return Opaque(name)
    raise WireError("an unknown kind of value")


def _pair(row: Value) -> list[Value]:
    if type(row) is not list or len(row) != 2:
        raise WireError("a dict's entry is no pair")
    return row


def _key(value: Value) -> Value:
    key = decode(value)
    if type(key) in (list, tuple, dict, deque):
        raise WireError("a container as a key")
    if type(key) is int and key.bit_length() > KEY_BITS:
        raise WireError("a key that is too long")
    return key
