"""LlamaIndex's spans as `KalibrEventHandler` hears of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from llama_index.core.base.response.schema import AsyncStreamingResponse, StreamingResponse
from llama_index.core.bridge.pydantic import PrivateAttr
from llama_index.core.instrumentation.span_handlers import BaseSpanHandler
from llama_index.core.types import TokenAsyncGen, TokenGen
from llama_index_instrumentation.span import BaseSpan, active_span_id

from .runs import Runs
from .talks import Talks


class Spans(BaseSpanHandler[BaseSpan]):
    """Tells runs and talks of spans; it holds none itself."""

    _runs: Runs = PrivateAttr()
    _talks: Talks | None = PrivateAttr()

    def __init__(self, runs: Runs, talks: Talks | None = None) -> None:
        super().__init__(open_spans={}, completed_spans=[], dropped_spans=[], current_span_ids={})
        self._runs = runs
        self._talks = talks

    @classmethod
    def class_name(cls) -> str:
        return "KalibrSpanHandler"

    def span_enter(
        self,
        id_: str,
        bound_args: Any,
        instance: Any = None,
        parent_id: str | None = None,
        tags: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        is_root = self._runs.enter(id_, parent_id, tags)
        if self._talks is not None:
            arguments: Mapping[str, Any] = getattr(bound_args, "arguments", {})
            with self._talks.careful():
                self._talks.enter(id_, parent_id, arguments, instance, tags, is_root=is_root)

    def span_exit(
        self, id_: str, bound_args: Any, instance: Any = None, result: Any = None, **kwargs: Any
    ) -> None:
        self._runs.leave(id_)
        talks = self._talks
        if talks is not None and talks.is_talk(id_):
            _keep_span(result, id_, talks)
        elif self._runs.is_root(id_):
            _keep_span(result, id_, None)
        if talks is not None:
            with talks.careful():
                talks.leave(id_, instance, result)

    def span_drop(
        self,
        id_: str,
        bound_args: Any,
        instance: Any = None,
        err: BaseException | None = None,
        **kwargs: Any,
    ) -> None:
        self._runs.leave(id_, err)
        if self._talks is not None:
            with self._talks.careful():
                self._talks.drop(id_, instance)

    def new_span(self, id_: str, bound_args: Any, *args: Any, **kwargs: Any) -> BaseSpan | None:
        return None

    def prepare_to_exit_span(
        self, id_: str, bound_args: Any, *args: Any, **kwargs: Any
    ) -> BaseSpan | None:
        return None

    def prepare_to_drop_span(
        self, id_: str, bound_args: Any, *args: Any, **kwargs: Any
    ) -> BaseSpan | None:
        return None


def _keep_span(result: object, span_id: str, talks: Talks | None) -> None:
    """Have a streaming query's LLM calls stand below its span: LlamaIndex makes them when the
    answer is read, after the query's span has ended."""
    if isinstance(result, StreamingResponse) and result.response_gen is not None:
        result.response_gen = _under(_Reading(span_id, talks), result.response_gen)
    elif isinstance(result, AsyncStreamingResponse) and result.response_gen is not None:
        result.response_gen = _aunder(_Reading(span_id, talks), result.response_gen)


class _Reading:
    """A stream that is read: its text is told at its end."""

    def __init__(self, span_id: str, talks: Talks | None) -> None:
        self.span_id = span_id
        self._talks = talks
        self._said: list[str] = []

    def takes(self, said: str) -> str:
        if self._talks is not None:
            self._said.append(said)
        return said

    def ends(self) -> None:
        if self._talks is not None:
            with self._talks.careful():
                self._talks.done(self.span_id, "".join(self._said))
            self._talks = None

    def stops(self) -> None:
        """Where it has not ended, it has failed, or nobody wants more of it."""
        if self._talks is not None:
            with self._talks.careful():
                self._talks.fail(self.span_id)


def _under(reading: _Reading, tokens: TokenGen) -> TokenGen:
    rest = iter(tokens)
    try:
        while True:
            token = active_span_id.set(reading.span_id)
            try:
                said = next(rest, None)
            finally:
                active_span_id.reset(token)
            if said is None:
                reading.ends()
                return
            yield reading.takes(said)
    finally:
        reading.stops()


async def _aunder(reading: _Reading, tokens: TokenAsyncGen) -> TokenAsyncGen:
    rest = aiter(tokens)
    try:
        while True:
            token = active_span_id.set(reading.span_id)
            try:
                said = await anext(rest, None)
            finally:
                active_span_id.reset(token)
            if said is None:
                reading.ends()
                return
            yield reading.takes(said)
    finally:
        reading.stops()
