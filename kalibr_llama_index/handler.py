"""KalibrEventHandler: which query, chat or agent run a routed call was made for."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Self

from llama_index.core.base.response.schema import AsyncStreamingResponse, StreamingResponse
from llama_index.core.bridge.pydantic import PrivateAttr
from llama_index.core.instrumentation.event_handlers import BaseEventHandler
from llama_index.core.instrumentation.events import BaseEvent
from llama_index.core.instrumentation.span_handlers import BaseSpanHandler
from llama_index.core.types import TokenAsyncGen, TokenGen
from llama_index_instrumentation import get_dispatcher
from llama_index_instrumentation.dispatcher import Dispatcher
from llama_index_instrumentation.span import BaseSpan, active_span_id

from .events import DecisionEvent
from .session import session_in

MOST_RUNS = 1_000
MOST_EMPTY = 1_000
"""Root spans without a routed call, such as embeddings': one may come yet."""
MOST_SPANS = 20_000
"""Remembered; the ones from longest ago are let go."""
UUID_LENGTH = 37
"""Of what a span's id ends with, after the name of its method."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """A root span, such as a query or an agent's run, and the routed calls made for it.

    Args:
        span_id: the root span's id.
        name: class and method, such as `RetrieverQueryEngine.query`.
        session_id: the conversation, from `instrument_tags`; None: it names none.
        decision_ids: of the routed calls, in the order of their ends.
        duration_s: seconds; None: it is under way.
        error: the class of the exception that ended it; None: none did.
    """

    span_id: str
    name: str
    session_id: str | None
    decision_ids: tuple[str, ...]
    duration_s: float | None
    error: str | None


@dataclass(slots=True)
class _Open:
    """A run as it grows."""

    session_id: str | None
    began: float
    decision_ids: list[str] = field(default_factory=list)
    duration_s: float | None = None
    error: str | None = None

    def frozen(self, span_id: str) -> Run:
        return Run(
            span_id=span_id,
            name=span_id[:-UUID_LENGTH] or span_id,
            session_id=self.session_id,
            decision_ids=tuple(self.decision_ids),
            duration_s=self.duration_s,
            error=self.error,
        )


class _Runs:
    """Root spans, and which spans stand below them."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._roots: OrderedDict[str, str] = OrderedDict()
        self._runs: OrderedDict[str, _Open] = OrderedDict()
        self._empty: OrderedDict[str, _Open] = OrderedDict()
        """Roots that no routed call was made for yet."""
        self._of: dict[str, str] = {}
        """Decisions -> their root spans."""

    def enter(self, span_id: str, parent_id: str | None, tags: dict[str, Any] | None) -> None:
        with self._lock:
            root = self._roots.get(parent_id or "", span_id)
            self._roots[span_id] = root
            if len(self._roots) > MOST_SPANS:
                self._roots.popitem(last=False)
            if root == span_id:
                self._open(span_id, tags)

    def leave(self, span_id: str, error: BaseException | None = None) -> None:
        with self._lock:
            run = self._runs.get(span_id) or self._empty.get(span_id)
            if run is not None:
                run.duration_s = self._clock() - run.began
                run.error = None if error is None else type(error).__name__

    def is_root(self, span_id: str) -> bool:
        with self._lock:
            return span_id in self._runs or span_id in self._empty

    def decided(self, decision_id: str, span_id: str | None) -> None:
        """A stream's decision may come after its root span has ended."""
        with self._lock:
            root = self._roots.get(span_id or "", span_id or decision_id)
            run = self._runs.get(root)
            if run is None:
                run = self._empty.pop(root, None) or _Open(None, self._clock())
                self._runs[root] = run
                if len(self._runs) > MOST_RUNS:
                    for gone in self._runs.popitem(last=False)[1].decision_ids:
                        self._of.pop(gone, None)
            run.decision_ids.append(decision_id)
            self._of[decision_id] = root

    def all(self) -> tuple[Run, ...]:
        with self._lock:
            return tuple(run.frozen(span_id) for span_id, run in self._runs.items())

    def of(self, decision_id: str) -> Run | None:
        with self._lock:
            root = self._of.get(decision_id)
            return None if root is None else self._runs[root].frozen(root)

    def _open(self, span_id: str, tags: dict[str, Any] | None) -> None:
        self._empty[span_id] = _Open(session_in(tags or {}), self._clock())
        if len(self._empty) > MOST_EMPTY:
            self._empty.popitem(last=False)


class _Spans(BaseSpanHandler[BaseSpan]):
    """Tells the runs of spans; it holds none itself."""

    _runs: _Runs = PrivateAttr()

    def __init__(self, runs: _Runs) -> None:
        super().__init__(open_spans={}, completed_spans=[], dropped_spans=[], current_span_ids={})
        self._runs = runs

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
        self._runs.enter(id_, parent_id, tags)

    def span_exit(
        self, id_: str, bound_args: Any, instance: Any = None, result: Any = None, **kwargs: Any
    ) -> None:
        self._runs.leave(id_)
        if self._runs.is_root(id_):
            _keep_span(result, id_)

    def span_drop(
        self,
        id_: str,
        bound_args: Any,
        instance: Any = None,
        err: BaseException | None = None,
        **kwargs: Any,
    ) -> None:
        self._runs.leave(id_, err)

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


def _keep_span(result: object, span_id: str) -> None:
    """Have a streaming query's LLM calls stand below its span: LlamaIndex makes them when the
    answer is read, after the query's span has ended."""
    if isinstance(result, StreamingResponse) and result.response_gen is not None:
        result.response_gen = _under(span_id, result.response_gen)
    elif isinstance(result, AsyncStreamingResponse) and result.response_gen is not None:
        result.response_gen = _aunder(span_id, result.response_gen)


def _under(span_id: str, tokens: TokenGen) -> TokenGen:
    rest = iter(tokens)
    while True:
        token = active_span_id.set(span_id)
        try:
            said = next(rest, None)
        finally:
            active_span_id.reset(token)
        if said is None:
            return
        yield said


async def _aunder(span_id: str, tokens: TokenAsyncGen) -> TokenAsyncGen:
    rest = aiter(tokens)
    while True:
        token = active_span_id.set(span_id)
        try:
            said = await anext(rest, None)
        finally:
            active_span_id.reset(token)
        if said is None:
            return
        yield said


class KalibrEventHandler(BaseEventHandler):
    """Knows which query, chat or agent run each routed call of this process was made for.

    No text of the conversation is kept: ids, names of methods and durations only.

        handler = KalibrEventHandler().attach()
        answer = index.as_query_engine().query("...")
        run = handler.runs()[-1]
        report(run.decision_ids[-1], success=False)
    """

    _runs: _Runs = PrivateAttr()
    _spans: _Spans = PrivateAttr()

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._runs = _Runs(clock)
        self._spans = _Spans(self._runs)

    @classmethod
    def class_name(cls) -> str:
        """LlamaIndex's name for it."""
        return "KalibrEventHandler"

    def attach(self, dispatcher: Dispatcher | None = None) -> Self:
        """Listen to a dispatcher's events and spans; by default to all of LlamaIndex's."""
        found = dispatcher or get_dispatcher()
        if not any(handler is self for handler in found.event_handlers):
            found.add_event_handler(self)
            found.add_span_handler(self._spans)
        return self

    def detach(self, dispatcher: Dispatcher | None = None) -> None:
        """Listen no more."""
        found = dispatcher or get_dispatcher()
        found.event_handlers = [h for h in found.event_handlers if h is not self]
        found.span_handlers = [h for h in found.span_handlers if h is not self._spans]

    def handle(self, event: BaseEvent, **kwargs: Any) -> None:
        """Take an event in; LlamaIndex calls it."""
        if isinstance(event, DecisionEvent):
            self._runs.decided(event.decision_id, event.span_id)

    def runs(self) -> tuple[Run, ...]:
        """The last thousand root spans that routed calls were made for, oldest first."""
        return self._runs.all()

    def run_of(self, decision_id: str) -> Run | None:
        """The root span that a decision was made for; None: it is unknown or long ago."""
        return self._runs.of(decision_id)
