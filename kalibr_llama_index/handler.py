"""KalibrEventHandler: which run a routed call was made for, and what users did with its answer."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any, Self

from llama_index.core.bridge.pydantic import PrivateAttr
from llama_index.core.instrumentation.event_handlers import BaseEventHandler
from llama_index.core.instrumentation.events import BaseEvent
from llama_index_instrumentation import get_dispatcher
from llama_index_instrumentation.dispatcher import Dispatcher

from kalibr_core.adapter.behaviour import FLUSH_S, Behaviour
from kalibr_core.feedback import Classify

from .events import DecisionEvent
from .runs import Run, Runs
from .session import Sessions
from .spans import Spans
from .talks import Talks

__all__ = ["KalibrEventHandler", "Run"]

DEAF = "this handler is not attached (call its attach() before the first question)"
GUARDED = (Runs.__module__, Sessions.__module__, Talks.__module__)


class KalibrEventHandler(BaseEventHandler):
    """Knows which query, chat or agent run each routed call of this process was made for, and tells
    gate 3 what the user did with its answer.

    A run that answers a person, in a session that has an id, is a pipeline; what the person says
    next in that session is a user turn. The id is that of `instrument_tags`
    (`session_id`, `thread_id` or `conversation_id`), else of the memory, the chat engine or the
    agent's context. No text is kept beyond the run.

        handler = KalibrEventHandler().attach()
        engine = index.as_chat_engine()
        engine.chat("...")
        handler.action(engine, "output_copied")

    Args:
        signals: tell gate 3; False: only know which run a call was made for.
        classify: judges what a person says in the place of the built-in reading; it is called on a
            thread of its own. See `kalibr_core.feedback.report_user_turn`.
        clock: seconds, for durations.

    Raises:
        ConfigError: classify is no function, or async.
    """

    _runs: Runs = PrivateAttr()
    _sessions: Sessions = PrivateAttr()
    _behaviour: Behaviour = PrivateAttr()
    _talks: Talks | None = PrivateAttr()
    _spans: Spans = PrivateAttr()

    def __init__(
        self,
        *,
        signals: bool = True,
        classify: Classify | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__()
        self._runs = Runs(clock)
        self._sessions = Sessions()
        self._behaviour = Behaviour(
            model="KalibrLLM", classify=classify, deaf=DEAF, guarded=GUARDED
        )
        talks = Talks(self._behaviour, self._sessions, self._runs, clock)
        self._talks = talks if signals else None
        self._spans = Spans(self._runs, self._talks)

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
        self._behaviour.hears = True
        return self

    def detach(self, dispatcher: Dispatcher | None = None) -> None:
        """Listen no more."""
        found = dispatcher or get_dispatcher()
        found.event_handlers = [h for h in found.event_handlers if h is not self]
        found.span_handlers = [h for h in found.span_handlers if h is not self._spans]
        self._behaviour.hears = False

    def handle(self, event: BaseEvent, **kwargs: Any) -> None:
        """Take an event in; LlamaIndex calls it."""
        if isinstance(event, DecisionEvent):
            self._runs.decided(event.decision_id, event.span_id)
        if self._talks is not None:
            with self._talks.careful():
                self._talks.hear(event)

    def runs(self) -> tuple[Run, ...]:
        """The last thousand root spans that routed calls were made for, oldest first."""
        return self._runs.all()

    def run_of(self, decision_id: str) -> Run | None:
        """The root span that a decision was made for; None: it is unknown or long ago."""
        return self._runs.of(decision_id)

    def action(self, conversation: object, action: str) -> bool:
        """The user has done something with a session's last answer; the strongest signal.

        It speaks of the answer that was the last one when this is called. Where events still wait
        to be told (see `flush`), it is told after them; this call waits .1 s for that at most.

        Args:
            conversation: the session's id, or the `Run`, the chat engine, the `Memory` or the
                agent's `Context` that it was led with.
            action: one of `kalibr_core.feedback.ACTIONS`: `output_used_verbatim`, `output_copied`,
                `output_edited`, `output_discarded`.

        Returns:
            False: this was reported before of this answer, or the session's last answer came from
            no KalibrLLM: nothing has moved. True also where it still waits; what goes wrong then is
            in `failures`.

        Raises:
            UnknownAction: none of `ACTIONS`.
            UnknownSession: no open KalibrLLM of this process has answered there; from another
                process, use `kalibr_core.feedback.report_action`.
            ConfigError: this names no session.
            LedgerError: the ledger cannot be used.
        """
        return self._behaviour.action(self._named(conversation), action)

    def end(self, conversation: object) -> bool:
        """The user has left; see `kalibr_core.feedback.report_session_end`.

        Args, Returns, Raises: as `action`; False: it had ended before. It is told in its order too.
        """
        return self._behaviour.end(self._named(conversation))

    def flush(self, *, timeout_s: float = FLUSH_S) -> bool:
        """Wait until all is told; False: that took too long.

        There is something to wait for with `classify`, where another process held the ledger
        locked, and where the garbage collector has ended a stream that was left: then events are
        told in the background. The interpreter's exit waits for it too.

        Args:
            timeout_s: seconds, from 0 on.

        Raises:
            ConfigError: it is none such.
        """
        return self._behaviour.flush(timeout_s=timeout_s)

    @property
    def failures(self) -> Mapping[str, int]:
        """What could not be told to gate 3, by the class of the error."""
        return dict(self._behaviour.failures)

    def __str__(self) -> str:
        return f"KalibrEventHandler: {len(self.runs())} runs, failures {dict(self.failures)}"

    def _named(self, conversation: object) -> str:
        found = conversation.session_id if isinstance(conversation, Run) else conversation
        return self._sessions.named(found)
