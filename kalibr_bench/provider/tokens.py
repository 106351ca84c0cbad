"""Tokens: a deterministic splitter close to OpenAI's cl100k, with no file to download.

The pattern is cl100k's pre-tokenizer (contractions, a word with its leading space, up to three
digits, runs of punctuation, white space). Where cl100k then merges bytes by a learned table, this
one cuts: a word into parts of at most ten letters, a run of other scripts into parts of two. What
matters here holds exactly: the same text always gives the same tokens, and the joined tokens are
the text.
"""

from __future__ import annotations

import re
from functools import lru_cache

_TOKEN = re.compile(
    r"'(?:[sdmtSDMT]|ll|ve|re)(?![A-Za-z])"
    r"|[^\r\n\w]?[A-Za-z]{1,10}"
    r"|\d{1,3}"
    r"|[^\W\d_A-Za-z]{1,2}"
    r"| ?[^\s\w]{1,8}[\r\n]*"
    r"|_+"
    r"|\s*[\r\n]+"
    r"|\s+(?!\S)"
    r"|\s+"
    r"|."
)


def tokens(text: str) -> list[str]:
    """Split text into tokens; joined again they are the text.

    >>> tokens("The answer is 1234.")
    ['The', ' answer', ' is', ' ', '123', '4', '.']
    """
    return _TOKEN.findall(text)


@lru_cache(maxsize=8192)
def count_tokens(text: str) -> int:
    """Number of tokens of a text, >= 0; remembered, as benchmarks repeat their prompts."""
    return len(_TOKEN.findall(text))
