"""Runs that answer a person, and what of them is told to gate 3."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from langchain_core.messages import BaseMessage
from langchain_core.runnables.config import var_child_runnable_config

from kalibr_core.adapter.behaviour import Behaviour
from kalibr_core.adapter.ends import short

from .feedback import decided_in
from .runs import Answer, Last, Root, Runs
from .said import NO_ANSWER, NOTHING, asked_in, heard_in, missed, resumes, written_in
from .session import NAMES, session_of

log = logging.getLogger("kalibr")

BELOW = (
    "a handler on a model below a chain or a graph hears prompts, not what the user said: its "
    "answers count, and no turn; give it to the whole chain instead: "
    'chain.invoke(input, config={"callbacks": [handler], ...})'
)


class Talks:
    """Follows root runs from their beginning to their end.

    Args:
        behaviour: whom turns and answers are told to.
        runs: the open ones.
        input_key: where the user's message stands in a chain's input, if in no usual place.
    """

    def __init__(self, behaviour: Behaviour, runs: Runs, *, input_key: str | None) -> None:
        self._behaviour = behaviour
        self._runs = runs
        self._input_key = input_key
        self._has_warned = False

    def begin(
        self,
        run_id: UUID,
        parent_id: UUID | None,
        metadata: dict[str, Any] | None,
        inputs: Any,
        *,
        is_chain: bool = False,
    ) -> None:
        """A run begins: it belongs to the root run above it, or is one.

        LangChain tells a run its `metadata`, and `configurable` only to what runs below it, by a
        context variable. So a root run's session may become known at its first step. A session of a
        run's own, below a root run without any, makes it a root run.
        """
        self._behaviour.hears = True
        own = session_of({"metadata": metadata or {}})
        root = self._runs.below(parent_id)
        if root is None and (around := self._runs.below(_around())) is not None:
            root = around if own in (None, around.session) else None
        if root is not None and root.session is not None:
            self._runs.join(run_id, root)
            return
        inherited = session_of(var_child_runnable_config.get())
        if root is not None and (inherited is not None or own is None):
            root.session = inherited
            self._runs.join(run_id, root)
        else:
            key = self._input_key if is_chain else None
            heard = self._behaviour.read(lambda: heard_in(inputs, key=key), NOTHING)
            is_below = root is None and _is_chains(parent_id)
            root = Root(run_id, own or inherited, *heard, resumes(inputs))
            if is_below:
                root.is_below, root.said = True, None
            self._runs.open(root)
        self._tell_turn(root)

    def call(
        self,
        run_id: UUID,
        parent_id: UUID | None,
        metadata: dict[str, Any] | None,
        asked: Sequence[BaseMessage],
    ) -> None:
        """A model is called; until it has answered, its root run has no answer."""
        self.begin(run_id, parent_id, metadata, asked)
        if (root := self._runs.of(run_id)) is not None:
            root.calls.add(run_id)

    def answered(self, run_id: UUID, answer: Answer | None) -> None:
        """A model has answered; None: it was not routed."""
        if (root := self._runs.of(run_id)) is None:
            return
        root.calls.discard(run_id)
        if answer is not None:
            root.answers.append(answer)
        if self._runs.leave(run_id) is not None:
            self._tell_answer(root, answer.text if answer is not None else "")

    def unanswered(self, run_id: UUID) -> None:
        """A model has failed."""
        if (root := self._runs.of(run_id)) is None:
            return
        root.calls.discard(run_id)
        if self._runs.leave(run_id) is not None:
            self._tell_unrouted(root, "")

    def end(self, run_id: UUID, inputs: Any, outputs: Any) -> None:
        """A run has ended well.

        Args:
            inputs: what is known of them now; None: nothing new.
        """
        if (root := self._ended(run_id, inputs)) is not None:
            self._tell_answer(root, outputs)

    def fail(self, run_id: UUID, inputs: Any) -> None:
        """A run has ended without an answer; what the user said stays said."""
        if (root := self._ended(run_id, inputs)) is not None:
            self._tell_unrouted(root, "")

    def _ended(self, run_id: UUID, inputs: Any) -> Root | None:
        """The root run, if it is one that has ended."""
        root = self._runs.leave(run_id)
        if root is None:
            return None
        if root.said is None and inputs is not None and not root.is_below:
            heard = self._behaviour.read(lambda: heard_in(inputs, key=self._input_key), NOTHING)
            root.said, root.held = heard
        self._tell_turn(root)
        return root

    def _tell_turn(self, root: Root) -> None:
        if root.is_told or root.said is None:
            return
        said, root.said = root.said, root.said._replace(text=short(root.said.text))
        if root.session is None:
            return
        root.is_told = True
        if self._runs.is_late(root.session, root.number, begun=False):
            return  # a stream's, which is known at its end: it speaks of no answer since
        self._runs.heard(root.session, root.number)
        self._behaviour.turn(root.session, said.text, event_id=said.message_id)

    def _tell_unrouted(self, root: Root, outputs: Any) -> None:
        """Nothing was routed, it failed, or a stream was left before its end: what the user says or
        does next is not about the answer before. It is about a newer run's, where there is one."""
        is_asked = root.said is not None or (bool(root.held) and not root.is_below)
        if root.session is None or not is_asked:
            return
        if self._runs.is_late(root.session, root.number, begun=True):
            return
        text = self._behaviour.read(lambda: written_in(outputs), NO_ANSWER).text
        said = "" if root.said is None else root.said.text
        self._behaviour.unrouted(root.session, prompt=said, output=text)

    def _tell_answer(self, root: Root, outputs: Any) -> None:
        if not root.answers or (root.calls and not self._shows(root, outputs)):
            self._tell_unrouted(root, "" if root.calls else outputs)
            return
        if root.session is None:
            self._warn()
            return
        if root.is_below:
            self._behaviour.failed("BelowChain", BELOW)
        elif root.held:
            self._behaviour.failed("NoMessage", missed(root.held, key=self._input_key))
        text, message, parts = self._behaviour.read(lambda: written_in(outputs), NO_ANSWER)
        decided = root.decided(decided_in(message), text, parts)
        event_id = str(root.run_id)
        if root.resumes and root.said is None and (last := self._runs.last(root.session)):
            event_id, decided = last.event_id, last.with_further(decided)
        said = root.said or self._behaviour.read(lambda: asked_in(outputs), None)
        self._behaviour.pipeline(
            root.session,
            decided,
            prompt=said.text if said is not None else "",
            output=text or root.answers[-1].text,
            event_id=event_id,
        )
        self._runs.answered(root.session, Last(event_id, decided), root.number)

    def _shows(self, root: Root, outputs: Any) -> bool:
        """Is a routed answer in the output? Then a model's call that is still open, such as one
        that lost a race, or a title that nobody waits for, has not written it."""
        text, message, parts = self._behaviour.read(lambda: written_in(outputs), NO_ANSWER)
        return bool(root.wrote(decided_in(message), text, parts))

    def _warn(self) -> None:
        if not self._has_warned:
            self._has_warned = True
            log.warning(
                "kalibr: a run has no session, so that nothing is learned from what its user does; "
                "give one of %s in config['configurable'] or config['metadata'] (said once)",
                ", ".join(NAMES),
            )


def _around() -> UUID | None:
    """The run that calls this one, where a config's own callbacks hide it, as a graph's node that
    calls `model.invoke(messages, {"callbacks": [handler]})` does, or LangSmith's `@traceable`
    stands between them."""
    callbacks = (var_child_runnable_config.get() or {}).get("callbacks")
    return getattr(callbacks, "parent_run_id", None)


def _is_chains(parent_id: UUID | None) -> bool:
    """Is it a run of LangChain's, above one whose handler has not seen it begin?

    LangSmith's `@traceable` functions are parents too, above chains that a user's message begins.
    """
    if parent_id is None:
        return False
    from langsmith.run_helpers import get_current_run_tree  # slow to import, and seldom needed

    traced = get_current_run_tree()
    if traced is None or traced.id != parent_id:
        return True
    return _around() == parent_id
