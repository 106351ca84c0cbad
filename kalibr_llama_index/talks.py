"""Runs that answer a person, and what of them is told to gate 3."""

from __future__ import annotations

import logging
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import Any

from llama_index.core.instrumentation.events import BaseEvent
from llama_index.core.instrumentation.events.exception import ExceptionEvent
from llama_index.core.workflow import Context

from kalibr_core.adapter.behaviour import Behaviour, Decided
from kalibr_core.adapter.ends import short

from .events import CHUNKS, ENDS, DecisionEvent
from .judge import judging
from .routed import RoutedLLM
from .runs import MOST_SPANS, Runs, put
from .said import is_stream, tells_its_end, text_in
from .session import NAMELESS, Sessions
from .speaking import Beginning, beginning, ends_conversation, is_flow, writes_itself
from .talk import Talk

log = logging.getLogger("kalibr")

MOST_TALKS = 10_000
"""Runs that are followed; the ones from longest ago are let go ..."""
MOST_AGE_S = 3_600.0
"""... and those that have gone on for longer: the user is taken to have left. A stream that nobody
has begun to read never ends."""


class Talks:
    """Follows runs from their spans and events; safe for threads.

    Args:
        clock: seconds.
    """

    def __init__(
        self,
        behaviour: Behaviour,
        sessions: Sessions,
        runs: Runs,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._clock = clock
        self._behaviour = behaviour
        self._sessions = sessions
        self._runs = runs
        self._lock = threading.RLock()
        self._talks: OrderedDict[str, Talk] = OrderedDict()
        self._of: OrderedDict[str, str] = OrderedDict()
        """Spans -> the talks they stand in."""
        self._newest: OrderedDict[str, str] = OrderedDict()
        """Conversations -> their last talks."""
        self._warned = False
        self.careful = behaviour.careful
        """LlamaIndex loses what its handlers raise."""

    def enter(
        self,
        span_id: str,
        parent_id: str | None,
        arguments: Mapping[str, Any],
        instance: object,
        tags: Mapping[str, Any] | None,
        *,
        is_root: bool,
    ) -> None:
        """A span begins."""
        talk = self._talk_of(parent_id)
        if talk is None:
            begun = beginning(span_id, arguments, instance, is_root=is_root)
            if begun is not None:
                session_id = self._sessions.of_call(arguments, instance, tags)
                self._begin(span_id, begun, session_id, instance)
            return
        with self._lock:
            put(self._of, span_id, talk.id, most=MOST_SPANS)
        talk.is_routed |= isinstance(instance, RoutedLLM)
        if not talk.is_marked:
            found = next((a for a in arguments.values() if isinstance(a, Context)), None)
            if found is not None:
                self._meet(talk, found)

    def hear(self, event: BaseEvent) -> None:
        """An event has come; most are of no account."""
        if isinstance(event, DecisionEvent):
            self.decided(event)
        elif isinstance(event, CHUNKS):
            self.writes(event.span_id)
        elif isinstance(event, ENDS):
            self.wrote(event.span_id, event.response)
        elif isinstance(event, ExceptionEvent):
            self.broke(event.span_id)

    def decided(self, event: DecisionEvent) -> None:
        """A routed call has ended."""
        talk = self._talk_of(event.span_id)
        if talk is None:
            if self._runs.session_of(event.span_id) is None and not judging.get():
                self._warn()
            return
        self._ask(talk)
        if event.answered:
            with self._lock:
                talk.decided(Decided(event.decision_id, event.goal), event.span_id)
            self._tell(talk)

    def writes(self, span_id: str | None) -> None:
        """An LLM's stream has a chunk; one that is left may be closed when more has been said."""
        talk = self._talk_of(span_id)
        if talk is not None and talk.is_routed and not talk.asked:
            self._ask(talk)

    def wrote(self, span_id: str | None, answer: object) -> None:
        """An LLM has ended its answer: it is a stream's text, where nothing else tells that."""
        talk = self._talk_of(span_id)
        if talk is None:
            return
        with self._lock:
            talk.wrote(span_id, text_in(answer))
        if talk.ended and talk.output is None and not talk.is_written:
            self.done(talk.id, text_in(answer))

    def broke(self, span_id: str | None) -> None:
        """An LLM's stream has failed, or nobody wants more of it."""
        talk = self._talk_of(span_id)
        if talk is not None and talk.ended and talk.output is None and not talk.is_written:
            self.fail(talk.id)

    def leave(self, span_id: str, instance: object, result: object) -> None:
        """A span has ended well."""
        talk = self._talk_of(span_id)
        if talk is None:
            if ends_conversation(span_id, instance):
                self._end(instance)
            return
        if (written := writes_itself(instance)) is not None:
            self.done(talk.id, written)
        elif talk.id == span_id:
            self._leave(talk, instance, result)

    def drop(self, span_id: str, instance: object) -> None:
        """A span has ended with an error, or was cancelled."""
        talk = self._talk_of(span_id)
        if talk is None:
            return
        if talk.id == span_id:
            self.fail(span_id)
        elif writes_itself(instance) is not None:
            talk.broken = True
            if talk.ended:
                self.fail(talk.id)

    def done(self, talk_id: str, text: str) -> None:
        """A stream's text is whole."""
        talk = self._talk_of(talk_id)
        if talk is not None:
            talk.output = short(text)
            self._tell(talk)

    def fail(self, talk_id: str) -> None:
        """No answer has come; what was said stays said."""
        talk = self._talk_of(talk_id)
        if talk is None or talk.failed:
            return
        talk.failed = True
        self._pass(talk)
        with self._lock:
            talk.forget()

    def is_talk(self, span_id: str) -> bool:
        return span_id in self._talks

    def _end(self, engine: object) -> None:
        session_id = self._sessions.of_call({}, engine, None)
        if session_id is not None:
            self._behaviour.left(session_id)

    def _talk_of(self, span_id: str | None) -> Talk | None:
        with self._lock:
            return self._talks.get(self._of.get(span_id or "", span_id or ""))

    def _begin(self, span_id: str, begun: Beginning, session_id: str | None, whose: object) -> None:
        if session_id is None and not begun.has_context:
            return
        said = begun.said
        now = self._clock()
        talk = Talk(
            id=span_id,
            began=now,
            session_id=session_id,
            said=None if said is None else said._replace(text=short(said.text)),
            is_marked=not begun.has_context,
            is_routed=isinstance(whose, RoutedLLM),
        )
        with self._lock:
            put(self._of, span_id, span_id, most=MOST_SPANS)
            put(self._talks, span_id, talk, most=MOST_TALKS)
            while now - next(iter(self._talks.values())).began > MOST_AGE_S:
                self._talks.popitem(last=False)
        if session_id is not None:
            self._runs.belongs(span_id, session_id)
        if begun.is_sure:
            self._ask(talk)

    def _meet(self, talk: Talk, context: Context) -> None:
        """The agent's context holds the conversation's id, or is given it."""
        talk.is_marked = True
        if talk.session_id is None:
            talk.session_id = self._sessions.of_context(context)
            if talk.session_id is not None:
                self._runs.belongs(talk.id, talk.session_id)
                self._ask(talk)
        else:
            self._sessions.mark(context, talk.session_id)

    def _ask(self, talk: Talk) -> None:
        """Tell the person's turn, once; where an answer is yet to come, it is about none."""
        with self._lock:
            said, session_id = talk.said, talk.session_id
            if talk.asked or said is None or session_id is None:
                return
            talk.asked = True
            before = self._talks.get(self._newest.get(session_id, ""))
        if before is not None and before.ended and before.output is None:
            self._pass(before)
        with self._lock:
            put(self._newest, session_id, talk.id, most=MOST_TALKS)
        self._behaviour.turn(session_id, said.text, event_id=said.message_id)

    def _leave(self, talk: Talk, instance: object, result: object) -> None:
        if result is None and is_flow(instance):  # the user has cancelled it
            self.fail(talk.id)
            return
        with self._lock:
            talk.ended = True
            if not is_stream(result):
                talk.output = short(text_in(result))
            else:
                talk.is_written = tells_its_end(result)
        if talk.broken and talk.is_written:
            self.fail(talk.id)
        self._tell(talk)
        if not talk.answered and not is_stream(result):
            with self._lock:
                talk.forget()

    def _pass(self, talk: Talk) -> None:
        """Nothing was routed, or it failed: what comes next is not about the answer before."""
        if talk.is_routed:  # cancelled before its first chunk, there is no other sign of the call
            self._ask(talk)
        with self._lock:
            session_id = talk.session_id
            if talk.told or talk.passed or not talk.asked or session_id is None:
                return
            if self._newest.get(session_id, talk.id) != talk.id:
                return  # what came next has come before this
            talk.passed = True
            prompt, output = "" if talk.said is None else talk.said.text, talk.output or ""
        self._behaviour.unrouted(session_id, prompt=prompt, output=output)

    def _tell(self, talk: Talk) -> None:
        """Tell the answer, as soon as its text and its calls are there; again with further calls,
        while nothing has been said since."""
        with self._lock:
            session_id, number = talk.session_id, len(talk.answered)
            if talk.failed or not talk.ended or session_id is None or talk.output is None:
                return
            if number and (number == talk.told or self._is_over(talk, session_id)):
                return
            prompt, output = "" if talk.said is None else talk.said.text, talk.output
            if number:
                talk.told, credited = number, talk.credited()
                talk.forget()
        if not number:
            return self._pass(talk)
        self._behaviour.pipeline(
            session_id, credited, prompt=prompt, output=output, event_id=f"run {talk.id}"
        )

    def _is_over(self, talk: Talk, session_id: str) -> bool:
        """It was told, and the person has said something since."""
        if talk.told:
            return self._newest.get(session_id) != talk.id
        if talk.said is None:
            put(self._newest, session_id, talk.id, most=MOST_TALKS)
        return False

    def _warn(self) -> None:
        with self._lock:
            first, self._warned = not self._warned, True
        if first:
            log.warning(NAMELESS)
