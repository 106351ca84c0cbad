"""Root spans, and the routed calls made for each; ids alone are kept."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from .session import session_in, session_of_tags

T = TypeVar("T")

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
        session_id: the conversation: from `instrument_tags`, else its memory's, its chat engine's
            or its agent's context's; None: it names none.
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


class Runs:
    """Root spans, and which spans stand below them."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._lock = threading.RLock()  # spans may end in the garbage collector
        self._roots: OrderedDict[str, str] = OrderedDict()
        self._runs: OrderedDict[str, _Open] = OrderedDict()
        self._empty: OrderedDict[str, _Open] = OrderedDict()
        """Roots that no routed call was made for yet."""
        self._of: dict[str, str] = {}
        """Decisions -> their root spans."""

    def enter(self, span_id: str, parent_id: str | None, tags: dict[str, Any] | None) -> bool:
        """A span begins; True: it is a root."""
        with self._lock:
            root = self._roots.get(parent_id or "", span_id)
            self._roots[span_id] = root
            if len(self._roots) > MOST_SPANS:
                self._roots.popitem(last=False)
            if root == span_id:
                self._open(span_id, tags)
            return root == span_id

    def leave(self, span_id: str, error: BaseException | None = None) -> None:
        """A span has ended."""
        with self._lock:
            run = self._runs.get(span_id) or self._empty.get(span_id)
            if run is not None:
                run.duration_s = self._clock() - run.began
                run.error = None if error is None else type(error).__name__

    def is_root(self, span_id: str) -> bool:
        with self._lock:
            return span_id in self._runs or span_id in self._empty

    def belongs(self, span_id: str, session_id: str) -> None:
        """A run turns out to be of a conversation; the first one named is its own."""
        with self._lock:
            root = self._roots.get(span_id, span_id)
            run = self._runs.get(root) or self._empty.get(root)
            if run is not None and run.session_id is None:
                run.session_id = session_id

    def session_of(self, span_id: str | None) -> str | None:
        """The conversation of the run that a span stands in; None: it names none."""
        with self._lock:
            root = self._roots.get(span_id or "", span_id or "")
            run = self._runs.get(root) or self._empty.get(root)
            return None if run is None else run.session_id

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
        # a workflow's span comes without its tags
        session = session_of_tags() if tags is None else session_in(tags)
        self._empty[span_id] = _Open(session, self._clock())
        if len(self._empty) > MOST_EMPTY:
            self._empty.popitem(last=False)


def put(held: OrderedDict[str, T], key: str, value: T, *, most: int) -> None:
    """Hold a value as the newest; what is more than `most`, the oldest one, is let go."""
    held[key] = value
    held.move_to_end(key)
    if len(held) > most:
        held.popitem(last=False)
