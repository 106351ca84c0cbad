"""The core's four drivers, as LlamaIndex's forms of a call go through them."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Generator
from contextlib import aclosing, closing
from typing import Any, NoReturn

from llama_index.core.instrumentation.span import active_span_id

from kalibr_core.adapter.asking import checked_exhaustion
from kalibr_core.plan import Done

from . import calls
from .answers import chunk_of, last_chunk, response_of
from .asked import Asked
from .closing import noted
from .configured import ConfiguredLLM
from .errors import raised
from .events import decision_of, tell
from .reading import Piece, opens, shows
from .session import session_of_tags
from .structured import Structured
from .tools import Tools, as_tools

SESSION, EXHAUSTED = "session_id", "on_exhausted"
"""Arguments of a call that are for the routed LLM, and go to no path."""


class RoutedLLM(ConfiguredLLM):
    """How `KalibrLLM` makes its calls."""

    def _call(self, messages: Any, kwargs: dict[str, Any], *, formatted: bool = False) -> Any:
        asked, routing = self._asked(messages, kwargs, formatted=formatted), self._routing
        span_id = active_span_id.get()
        try:
            done = routing.router.call(
                asked.request,
                lambda attempt: calls.whole(routing.models[attempt.path.id], asked, attempt),
                read=asked.read,
                on_exhausted=asked.on_exhausted,
            )
        except Exception as error:  # noqa: BLE001  # it is raised again
            _failed(error, asked, span_id)
        tell(done.decision, span_id)
        return response_of(done)

    async def _acall(
        self, messages: Any, kwargs: dict[str, Any], *, formatted: bool = False
    ) -> Any:
        asked, routing = self._asked(messages, kwargs, formatted=formatted), self._routing
        span_id = active_span_id.get()
        try:
            done = await routing.router.acall(
                asked.request,
                lambda attempt: calls.awhole(routing.models[attempt.path.id], asked, attempt),
                read=asked.read,
                on_exhausted=asked.on_exhausted,
            )
        except Exception as error:  # noqa: BLE001  # it is raised again
            _failed(error, asked, span_id)
        tell(done.decision, span_id)
        return response_of(done)

    def _stream(self, asked: Asked) -> Generator[Any, None, None]:
        return noted(self._chunks(asked, active_span_id.get()))

    def _astream(self, asked: Asked) -> AsyncGenerator[Any, None]:
        return noted(self._achunks(asked, active_span_id.get()))

    def _chunks(self, asked: Asked, span_id: str | None) -> Generator[Any, None, None]:
        """A stream's chunks; the ones that the caller has got let go of their text."""
        routing, before = self._routing, None
        ends: list[Done[tuple[Piece, ...]]] = []
        try:
            with closing(
                routing.router.call_stream(
                    asked.request,
                    lambda attempt: calls.stream(routing.models[attempt.path.id], asked, attempt),
                    read=asked.read_all,
                    opens=self._opens,
                    finish=ends.append,
                    on_exhausted=asked.on_exhausted,
                    hold=self._holds(asked),
                )
            ) as pieces:
                for piece in pieces:
                    if before is not None and not ends:
                        before.release()
                    before = piece
                    yield chunk_of(piece)
        except Exception as error:  # noqa: BLE001  # it is raised again
            _failed(error, asked, span_id)
        tell(ends[0].decision, span_id)
        yield last_chunk(ends[0])

    async def _achunks(self, asked: Asked, span_id: str | None) -> AsyncGenerator[Any, None]:
        """`_chunks`, awaited."""
        routing, before = self._routing, None
        ends: list[Done[tuple[Piece, ...]]] = []
        try:
            async with aclosing(
                routing.router.acall_stream(
                    asked.request,
                    lambda attempt: calls.astream(routing.models[attempt.path.id], asked, attempt),
                    read=asked.read_all,
                    opens=self._opens,
                    finish=ends.append,
                    on_exhausted=asked.on_exhausted,
                    hold=self._holds(asked),
                )
            ) as pieces:
                async for piece in pieces:
                    if before is not None and not ends:
                        before.release()
                    before = piece
                    yield chunk_of(piece)
        except Exception as error:  # noqa: BLE001  # it is raised again
            _failed(error, asked, span_id)
        tell(ends[0].decision, span_id)
        yield last_chunk(ends[0])

    def _asked(self, messages: Any, kwargs: dict[str, Any], *, formatted: bool = False) -> Asked:
        """The call as it was asked for."""
        session = kwargs.pop(SESSION, None)
        exhausted = checked_exhaustion(kwargs.pop(EXHAUSTED, None))
        if kwargs.get("tools") and not isinstance(kwargs["tools"], Tools):
            as_tools(kwargs["tools"])
        if isinstance(kwargs.get("response_format"), Structured):
            exhausted = "raise"  # an answer that does not fit is no best one
        asked = Asked(
            messages=messages,
            formatted=formatted,
            arguments=kwargs,
            defaults=self._defaults,
            session=session if session is not None else session_of_tags(),
            on_exhausted=exhausted,
            most_tokens=self._routing.most_tokens,
        )
        asked.check()
        return asked

    def _opens(self, piece: Piece) -> bool:
        """May a stream not be left for another path any more, since the caller gets this chunk?

        A tool call is of no use before it is whole; so it is held, unless "live" is asked for.
        """
        return shows(piece) if self.stream_mode == "live" else opens(piece)

    def _holds(self, asked: Asked) -> bool:
        """A structured answer is held until it is understood, unless "live" is asked for."""
        return asked.structured is not None and self.stream_mode != "live"


def _failed(error: Exception, asked: Asked, span_id: str | None) -> NoReturn:
    tell(decision_of(error), span_id, answered=False)
    demands = isinstance(asked.tools, Tools) and asked.tools.required
    raised(error, structured=demands or asked.structured is not None)
