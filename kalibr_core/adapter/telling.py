"""What users did, told to each Router of this process that it concerns."""

from __future__ import annotations

import functools
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import AbstractContextManager
from typing import NamedTuple

from ..conversations import MOST_MADE, Made
from ..errors import LedgerError, RouterClosed, UnknownSession
from ..features import hash_of
from ..reporter import Reporter
from ..router import Router
from ..session_ids import shown
from ..signals import Classify
from . import routers


class Decided(NamedTuple):
    """A decision that had a part in an answer."""

    decision_id: str
    goal: str | None
    """None: unknown."""


class Telling:
    """Finds the Routers and tells them; those of one ledger share its conversations.

    Args:
        model: what the adapter calls its routed models, for errors.
        careful: counts what goes wrong within, and raises nothing.
    """

    def __init__(self, *, model: str, careful: Callable[[], AbstractContextManager[None]]) -> None:
        self._model = model
        self._careful = careful

    def turn(
        self, session_id: str, text: str, event_id: str | None, classify: Classify | None
    ) -> None:
        """A turn, to all ledgers that know the conversation."""
        # Asked once, however many of them there are.
        classify = None if classify is None else functools.cache(classify)
        for feedback in self._knowing(session_id):
            with self._careful():
                feedback.user_turn(
                    session_id,
                    user_message=text,
                    # No text in it, which an error would show.
                    event_id=event_id or f"{_number(feedback, session_id)} {hash_of(text)}",
                    classify=classify,
                )

    def pipeline(
        self,
        session_id: str,
        decided: Sequence[Decided],
        prompt: str,
        output: str,
        event_id: str,
    ) -> None:
        """An answer, to the Routers whose decisions made it; to other ledgers, that it is there."""
        credited: dict[int, tuple[Router, list[Made]]] = {}
        places: set[object] = set()
        for decision_id, goal in decided[-MOST_MADE:]:
            with self._careful():
                router, made = routers.made(decision_id, goal=goal, model=self._model)
                made = made._replace(last=decision_id == decided[-1].decision_id)
                credited.setdefault(id(router), (router, []))[1].append(made)
                places.add(router.feedback.signals.place)
        for router, several in credited.values():
            with self._careful():
                router.feedback.signals.pipeline(
                    session_id, several, prompt=prompt, output=output, event_id=event_id
                )
        self.unrouted(session_id, prompt=prompt, output=output, but=places)

    def unrouted(
        self, session_id: str, *, prompt: str, output: str, but: Collection[object] = ()
    ) -> None:
        """An answer of nobody's, or a failure, in the place of the one before it, also after the
        conversation's end; told once until there is an answer of a Router's.

        Args:
            but: where they know better.
        """
        for feedback in self._knowing(session_id, but=but, ended=True):
            with self._careful():
                feedback.signals.pipeline(
                    session_id,
                    (),
                    prompt=prompt,
                    output=output,
                    event_id=f"{_number(feedback, session_id)} unrouted",
                )

    def action(self, session_id: str, action: str, *, deaf: str = "") -> bool:
        """An action on the last answer.

        Args:
            deaf: why nothing may be known.

        Returns:
            False: nothing has moved.

        Raises:
            UnknownSession: no Router of this process has answered in this conversation.
            LedgerError: no ledger that may know it can be used.
        """
        return self._each(
            session_id,
            lambda feedback: feedback.action(session_id, action, decision_id=None),
            deaf=deaf,
        )

    def end(self, session_id: str, *, deaf: str = "") -> bool:
        """The user has left; Args, Returns, Raises: as `action`'s."""
        return self._each(session_id, lambda feedback: feedback.session_end(session_id), deaf=deaf)

    def _knowing(
        self, session_id: str, *, but: Collection[object] = (), ended: bool = False
    ) -> Iterator[Reporter]:
        """One Router's for each ledger that knows the conversation.

        Args:
            ended: those too where it has ended, since its last answer can still be acted on.
        """
        asked = set(but)
        for routing in routers.live():
            if routing.router.is_closed:
                continue
            knows = False
            with self._careful():
                feedback = routing.router.feedback
                if feedback.signals.place not in asked:
                    told = feedback.signals
                    knows = told.number_of(session_id) > 0 if ended else told.knows(session_id)
                    asked.add(feedback.signals.place)
            if knows:
                yield feedback

    def _each(self, session_id: str, tell: Callable[[Reporter], bool], *, deaf: str) -> bool:
        known = moved = False
        unread: LedgerError | None = None
        for routing in routers.live():
            try:
                moved |= tell(routing.router.feedback)
                known = True
            except (UnknownSession, RouterClosed):
                continue
            except LedgerError as error:  # another may know it
                unread = error
        if not known:
            raise unread or UnknownSession(self._unknown(session_id, deaf))
        return moved

    def _unknown(self, session_id: str, deaf: str) -> str:
        return (
            f"{f'{deaf}: ' if deaf else ''}no open {self._model} of this process (one that is "
            f"closed is not told) has answered in session {shown(session_id)}; from another "
            "process use kalibr_core.feedback.report_action or report_session_end"
        )


def _number(feedback: Reporter, session_id: str) -> int:
    return feedback.signals.number_of(session_id)
