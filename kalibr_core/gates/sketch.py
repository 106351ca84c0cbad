"""How alike two texts are, told by sketches rather than by the texts.

A sketch adds up signed, keyed hashes of a text's parts of words in few counters (a count sketch).
Without the key it says nothing; with the key, words that are guessed can be tested, and most of a
short text's words found. The cosine of two
sketches estimates that of the texts' sets of parts; its error is about 1 / sqrt(`SIZE`).

Source: Charikar, Chen, Farach-Colton, "Finding frequent items in data streams", 2002.
"""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Iterator
from hashlib import blake2b
from unicodedata import normalize

from .turn_words import LANGUAGES

SIZE = 256
GRAM = 4
"""Characters of a part of a word, its ends marked: inflected words still share most parts."""
SHORT = 3
"""Words up to this length, such as articles, say nothing of what a text is about."""
COMMON = frozenset[str]().union(*(language.common for language in LANGUAGES.values()))
"""Function words, which say no more."""
LONGEST = 2_000
"""Characters that are read, from both ends; a pasted document is told by less."""
MOST = 7
"""Of a counter, so that it is one hex digit."""
DIGITS = {value: f"{value & 15:x}" for value in range(-MOST, MOST + 1)}
VALUES = {digit: value for value, digit in DIGITS.items()}
MARK = 4
"""Hex digits that a text's numbers are told by, after the counters: a sketch of letters alone takes
"convert 5 miles" and "convert 9 miles" for the same."""
FRAME = 2 * MARK
"""Hex digits, after these, of a request that is made of a frame and what stands in it, as
"translate: good morning" is: the frame's, and the filling's."""
LENGTHS = frozenset({SIZE, SIZE + MARK, SIZE + FRAME, SIZE + MARK + FRAME})
HEADED = re.compile(r"\s*([^\n:：]{2,60})(?:：|:(?=\s))\s*(\S.*)", re.DOTALL)
HEAD = 8
"""Words that the head of "head: what it is about" may have."""
GIVEN = re.compile(
    r"(?<!\w)'([^'\n]+)'(?!\w)|\"([^\"\n]+)\"|“([^“”]+)”|„([^„“”]+)[“”]|«([^«»]+)»|「([^「」]+)」"
)
FEW = range(3, 6)
"""Words of a request whose first two may be a frame: "capital of Peru"."""

WORD = re.compile(r"[^\W_]+")
UNSPACED = re.compile("([\u0e00-\u0e7f\u3040-\u30ff\u3400-\u9fff]+)")
"""Scripts without spaces between words."""


def sketch_of(text: str, *, key: bytes) -> str:
    """`SIZE` hex digits, a counter in [-7, 7] each, from a text's set of parts; "": it has none.
    Where it has numbers, `MARK` more of their set; where it has a frame, `FRAME` more of that.

    Args:
        key: up to 64 bytes; only sketches of one key can be compared.
    """
    counters = [0] * SIZE
    grams = set(_grams(text))
    if not grams:
        return ""
    for gram in grams:
        digest = blake2b(gram.encode("utf-8", "surrogatepass"), digest_size=4, key=key).digest()
        hashed = int.from_bytes(digest)
        counters[hashed % SIZE] += 1 if hashed & 0x8000_0000 else -1
    sketch = "".join(DIGITS[max(-MOST, min(MOST, counter))] for counter in counters)
    numbers = sorted({word for word in words_of(text) if any(map(str.isdigit, word))})
    return "".join([sketch, *(_mark(told, key) for told in (" ".join(numbers), *frame_of(text)))])


def _mark(told: str, key: bytes) -> str:
    """`MARK` hex digits; none where nothing is told."""
    data = told.encode("utf-8", "surrogatepass")
    return blake2b(data, digest_size=MARK // 2, key=key).hexdigest() if told else ""


def frame_of(text: str) -> tuple[str, str]:
    """What a request has for its form, and what stands in it; two empty texts: no such form.

    >>> frame_of("Translate: good morning"), frame_of("capital of Peru?")
    (('translate:', 'good morning'), ('capital of 3', 'peru'))
    >>> frame_of("How do you say 'good morning' in Hindi?")
    ('how do " in hindi', 'good morning')
    """
    text = legible(text)
    if (headed := HEADED.match(text)) and len(words_of(headed[1])) <= HEAD:
        frame, filling = f"{_first_two(headed[1])}:", headed[2]
    elif given := GIVEN.search(text):
        before, after = _first_two(text[: given.start()]), _first_two(text[given.end() :])
        frame, filling = f'{before} " {after}', given[0]
    else:
        few = len(words := words_of(text)) in FEW and UNSPACED.search(text) is None
        first, second, *rest = words if few else ("", "")
        frame, filling = f"{first} {second} {len(words)}", " ".join(rest)
    filled = " ".join(words_of(filling))
    return (frame, filled) if filled and frame[0].isalnum() else ("", "")


def _first_two(text: str) -> str:
    return " ".join(words_of(text)[:2])


def similarity(one: str, other: str) -> float:
    """Cosine in [0, 1] of two sketches of the same key; 0 where one is empty or no sketch."""
    if not {len(one), len(other)} <= LENGTHS:
        return 0.0
    a, b = _counters(one[:SIZE]), _counters(other[:SIZE])
    product: int = sum(map(operator.mul, a, b))
    if product <= 0:
        return 0.0
    squares: int = sum(map(operator.mul, a, a)) * sum(map(operator.mul, b, b))
    return min(1.0, product / math.sqrt(squares))


def counts_otherwise(one: str, other: str) -> bool:
    """Do both sketches' texts have numbers, and not the same ones?"""
    a, b = _numbers(one), _numbers(other)
    return bool(a and b) and a != b


def fills_otherwise(one: str, other: str) -> bool:
    """Are both sketches' texts of the same frame, with something else in it?"""
    a, b = _frame(one), _frame(other)
    return bool(a and b) and a[:MARK] == b[:MARK] and a != b


def _numbers(sketch: str) -> str:
    return sketch[SIZE : SIZE + MARK] if len(sketch) in (SIZE + MARK, SIZE + MARK + FRAME) else ""


def _frame(sketch: str) -> str:
    return sketch[-FRAME:] if len(sketch) in (SIZE + FRAME, SIZE + MARK + FRAME) else ""


def _counters(sketch: str) -> list[int]:
    return [VALUES.get(digit, 0) for digit in sketch]


def words_of(text: str) -> list[str]:
    """A text's words, in lower case; in scripts without spaces, its runs of characters."""
    return WORD.findall(legible(text).casefold())


def _grams(text: str) -> Iterator[str]:
    words = words_of(text)
    telling = [word for word in words if _is_telling(word)]
    for word in telling or words:
        for piece in UNSPACED.split(word):
            if UNSPACED.match(piece):
                yield from (piece[at : at + 2] for at in range(max(1, len(piece) - 1)))
            elif piece:
                marked = f"^{piece}$"
                yield from (marked[at : at + GRAM] for at in range(max(1, len(marked) - GRAM + 1)))


def _is_telling(word: str) -> bool:
    return (len(word) > SHORT or not word.isascii()) and word not in COMMON


def legible(text: str) -> str:
    """A text's two ends, where it is longer than `LONGEST`; letters in two parts (NFD) made one."""
    half = LONGEST // 2
    return normalize("NFC", text if len(text) <= LONGEST else f"{text[:half]} {text[-half:]}")
