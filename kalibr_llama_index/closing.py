"""Streams whose closing closes what is inside LlamaIndex's wrapping of them.

LlamaIndex's callbacks wrap a stream in a generator that does not close it: the connection stays
open as long as somebody holds on to the closed stream.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Generator, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, TypeVar

G = TypeVar("G")

_made: ContextVar[list[Any] | None] = ContextVar("kalibr_streams", default=None)


@contextmanager
def inside() -> Iterator[list[Any]]:
    """The streams that are `noted` within."""
    made: list[Any] = []
    before = _made.get()
    _made.set(made)
    try:
        yield made
    finally:
        _made.set(before)


def noted(stream: G) -> G:
    """Note a stream as it is made, before LlamaIndex wraps it."""
    made = _made.get()
    if made is not None:
        made.append(stream)
    return stream


def closed_with(wrapped: Any, made: list[Any]) -> Generator[Any, None, None]:
    """A wrapped stream; closing it closes the ones inside."""
    try:
        yield from wrapped
    finally:
        for stream in (wrapped, *made):
            stream.close()


async def aclosed_with(wrapped: Any, made: list[Any]) -> AsyncGenerator[Any, None]:
    """`closed_with`, awaited."""
    try:
        async for chunk in wrapped:
            yield chunk
    finally:
        for stream in (wrapped, *made):
            await stream.aclose()
