"""Chance as a pure function, so that every router meets the same luck (common random numbers)."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import TypeVar

T = TypeVar("T")
_NORMAL = NormalDist()


@dataclass(frozen=True, slots=True, kw_only=True)
class Draws:
    """All the chance of one answer, keyed; no draw disturbs another.

    The key is a hash of the provider's seed, the request's ``seed`` (0 if it has none), the
    requested model, the prompt, how often this API token has sent this prompt with this seed to
    this model before, and the index of the choice. The API token itself is not in it: two clients
    with different keys that send the same prompts see the same draws, whatever the order.

    >>> a = Draws(key=key_of("seed", 1, "gpt-4o"))
    >>> a.uniform("quality") == Draws(key=key_of("seed", 1, "gpt-4o")).uniform("quality")
    True
    """

    key: bytes

    def integer(self, purpose: str) -> int:
        """Uniform integer in [0, 2**64), one per purpose."""
        digest = hashlib.blake2b(purpose.encode(), key=self.key, digest_size=8).digest()
        return int.from_bytes(digest, "big")

    def uniform(self, purpose: str) -> float:
        """Uniform float in [0, 1)."""
        return (self.integer(purpose) >> 11) / (1 << 53)

    def pick(self, purpose: str, options: Sequence[T]) -> T:
        """One of the options, each equally likely; options must not be empty."""
        return options[self.integer(purpose) % len(options)]

    def jitter(self, purpose: str, *, sigma: float) -> float:
        """Log-normal factor with median 1, > 0."""
        centred = min(max(self.uniform(purpose), 1e-9), 1 - 1e-9)
        return math.exp(sigma * _NORMAL.inv_cdf(centred))

    def within(self, *parts: object) -> Draws:
        """Draws of a part of this answer (a choice, a field), independent of this one's."""
        return Draws(key=key_of(self.key.hex(), *parts))

    def hexadecimal(self, purpose: str) -> str:
        """Sixteen hexadecimal digits, for ids."""
        return f"{self.integer(purpose):016x}"


def key_of(*parts: object) -> bytes:
    """Hash parts into a 32-byte key; the parts' boundaries count."""
    text = "\x1f".join(map(str, parts))
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=32).digest()
