"""What `Router.stream` and `Router.astream` hand out."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Callable, Generator, Iterator
from typing import TYPE_CHECKING, Generic, TypeAlias, TypeVar

from .plan import Done
from .types import Decision

if TYPE_CHECKING:
    from typing import Self

C = TypeVar("C")
Finish: TypeAlias = "Callable[[Done[tuple[C, ...]]], object]"


class RoutedStream(Generic[C]):
    """An iterator over the answer's chunks; `kalibr` is the decision once it has ended.

    Leave it early with `close()` or `with`: the connection is closed, and nothing is learned.
    """

    def __init__(
        self,
        start: Callable[[Finish[C]], Generator[C, None, None]],
        *,
        shows: Callable[[C], bool],
    ) -> None:
        self.kalibr: Decision | None = None
        self._shows = shows
        self._chunks = start(self._finish)

    def __iter__(self) -> Iterator[C]:
        return self

    def __next__(self) -> C:
        while True:
            chunk = next(self._chunks)
            if self._shows(chunk):
                return chunk

    def close(self) -> None:
        self._chunks.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def _finish(self, done: Done[tuple[C, ...]]) -> None:
        self.kalibr = done.decision


class AsyncRoutedStream(Generic[C]):
    """`RoutedStream` for `async for` and `async with`."""

    def __init__(
        self,
        start: Callable[[Finish[C]], AsyncGenerator[C, None]],
        *,
        shows: Callable[[C], bool],
    ) -> None:
        self.kalibr: Decision | None = None
        self._shows = shows
        self._chunks = start(self._finish)

    def __aiter__(self) -> AsyncIterator[C]:
        return self

    async def __anext__(self) -> C:
        while True:
            chunk = await anext(self._chunks)
            if self._shows(chunk):
                return chunk

    async def aclose(self) -> None:
        await self._chunks.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.aclose()

    def _finish(self, done: Done[tuple[C, ...]]) -> None:
        self.kalibr = done.decision
