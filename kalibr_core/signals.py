"""Gate 3 at work: events of conversations in, evidence of the paths that made their answers out.

The conversation is read from the ledger, folded and written back over the very version that was
read; where another process came first, this is done again. What it says of a path is booked before,
under an id that makes it count once.
"""

from __future__ import annotations

import inspect
import logging
from collections.abc import Callable, Sequence

from .conversations import Conversation, Made, Session, Signal
from .errors import ConfigError, LedgerError, UnknownSession
from .features import hash_of
from .gates.behaviour import ACTIONS, Turn, TurnKind, checked_action, kind_of
from .gates.remarks import language_of, remark_in, votes_in
from .gates.sketch import sketch_of
from .ports import Conversations
from .session_ids import checked_session, event_of, secret_of, unknown
from .silence import Silence
from .types import Entry, EvidenceKind

log = logging.getLogger("kalibr")

MOST_TRIES = 20

Classify = Callable[[str], str | None]
"""A user's message -> one of `TurnKind`'s values; None: leave it to the built-in reading."""


class Signals:
    """Books what users did; safe for threads and beside other processes.

    Args:
        keeper: where the conversations are kept.
        book: records an entry; False: it was there already.
        told: what is in the record of a decision, in its order.
        origin: who writes, for the record.
        wall: seconds since the epoch.
        scope: keeps conversations of the same id apart, where the keeper is not shared.
    """

    def __init__(
        self,
        *,
        keeper: Conversations,
        book: Callable[[Entry], bool],
        told: Callable[[str], Sequence[Entry]],
        origin: Callable[[], str],
        wall: Callable[[], float],
        scope: str = "",
    ) -> None:
        self._keeper = keeper
        self._book = book
        self._told = told
        self._origin = origin
        self._wall = wall
        self._scope = scope
        self._silence = Silence(keeper=keeper, emit=self._emit, wall=wall)
        self._warned: set[str] = set()

    @property
    def place(self) -> object:
        """Equal where the conversations are the same ones."""
        return getattr(self._keeper, "file", id(self._keeper)), self._scope

    def key_of(self, session_id: object) -> str:
        """What a conversation is kept under.

        Args:
            session_id: a text; numbers and UUIDs count as theirs.

        Raises:
            ConfigError: this is no session's id.
        """
        return hash_of(f"{self._scope}{checked_session(session_id)}")

    def pipeline(
        self, session_id: object, made: Sequence[Made], *, prompt: str, output: str, event_id: str
    ) -> bool:
        """An answer has been given; see `feedback.report_pipeline`.

        Args:
            made: whose work it is; a decision's id of "" is not known, and one is made up.
        """
        key, secret = self.key_of(session_id), secret_of(session_id)
        request = Turn(
            kind=TurnKind.ANEW,
            sketch=sketch_of(prompt, key=secret),
            words=remark_in(prompt, language=None).words,
        )
        event = event_of(event_id, secret)
        answer, votes = sketch_of(output, key=secret), votes_in(prompt)
        unnamed = f"{key}-{self._wall():.0f}-{event[:8]}"
        made = [one if one.decision_id else one._replace(decision_id=unnamed) for one in made]
        named = {(one.decision_id, one.last) for one in made if one.decision_id != unnamed}

        def fold(known: Conversation) -> list[Signal]:
            if not known.outputs:
                known.heard_of(votes)
            return known.answered(event, made, request=request, answer=answer)

        def repeats(known: Conversation) -> bool:
            if not known.has_seen(event):
                return False
            last = known.outputs[-1] if known.outputs else None
            if last is None or last.event != event:
                return True
            return named <= {(one.decision_id, one.last) for one in last.made}

        return self._change(key, fold, but=repeats, may_begin=True)

    def user_turn(
        self,
        session_id: object,
        message: str,
        *,
        event_id: str | None,
        classify: Classify | None,
    ) -> bool:
        """The user has said something; see `feedback.report_user_turn`.

        Raises:
            UnknownSession: no answer was reported in this conversation.
        """
        key, secret = self.key_of(session_id), secret_of(session_id)
        event = None if event_id is None else event_of(event_id, secret)
        sketch, votes = sketch_of(message, key=secret), votes_in(message)
        told: list[TurnKind | None] = []

        def fold(known: Conversation) -> list[Signal]:
            known.heard_of(votes)
            remark = remark_in(message, language=language_of(known.votes))
            answer = known.outputs[-1].answer if known.outputs else ""
            if classify is not None and not told:
                told.append(self._classified(classify, message))
            kind = next(iter(told), None) or kind_of(
                remark, sketch, before=known.turns, answer=answer
            )
            return known.said(event, Turn(kind=kind, sketch=sketch, words=remark.words))

        return self._change(
            key, fold, but=lambda known: known.has_seen(event), session_id=session_id
        )

    def session_end(self, session_id: object) -> bool:
        """The user has left; see `feedback.report_session_end`.

        Raises:
            UnknownSession: no answer was reported in this conversation.
        """
        return self._change(
            self.key_of(session_id),
            lambda known: known.left(ended=True),
            but=lambda known: known.ended,
            session_id=session_id,
        )

    def action(self, session_id: object, action: str) -> bool:
        """The user has done something with the conversation's last answer.

        Raises:
            UnknownAction: none of `ACTIONS`.
            UnknownSession: no answer was reported in this conversation.
        """
        checked_action(action)
        _, known = self._silence.settled(self.key_of(session_id))
        if not known.outputs:
            raise self.unknown(session_id)
        moved = self._act(known.acted(action))
        self.sweep()
        return moved

    def acted(self, made: Made, action: str) -> bool:
        """The user has done something with a decision's answer."""
        return self._act([Signal(made, action, ACTIONS[checked_action(action)])])

    def _act(self, signals: Sequence[Signal]) -> bool:
        """Book an action; of several with one answer, what was told before it counts no more.

        The same one twice running counts once; after another one it is taken up again.
        """
        moved = False
        for signal in signals:
            names = [entry.data.get("action") for entry in self._actions(signal.made)]
            if names[-1:] != [signal.name]:
                moved |= self._emit([signal], again=names.count(signal.name))
            # The record's order, also where others act at once.
            for entry in self._actions(signal.made)[:-1]:
                self._book(
                    entry._replace(
                        id=f"{entry.id}:replaced",
                        kind="replaced",
                        origin=self._origin(),
                        at=self._wall(),
                        evidence=EvidenceKind.TAKEN_BACK,
                    )
                )
        return moved

    def _actions(self, made: Made) -> list[Entry]:
        return [entry for entry in self._told(made.decision_id) if entry.kind == "action"]

    def session(self, session_id: object) -> Session:
        """What is known of this conversation.

        Raises:
            UnknownSession: no answer was reported in it.
        """
        key = self.key_of(session_id)
        _, known = self._silence.known(key)
        if not known.outputs:
            raise self.unknown(session_id)
        return known.told(made_up=f"{key}-")

    def number_of(self, session_id: object) -> int:
        """How many answers have been reported in this conversation."""
        return self._silence.known(self.key_of(session_id))[1].number

    def knows(self, session_id: object) -> bool:
        """Has an answer been reported in this conversation?"""
        _, known = self._silence.known(self.key_of(session_id))
        return bool(known.outputs) and not known.ended

    def unknown(self, session_id: object) -> UnknownSession:
        """The error for a conversation that nothing was reported of."""
        return unknown(session_id, ledger=self._keeper)

    def sweep(self, *, now: bool = False) -> None:
        """Take long silent conversations for left; forget those from long ago."""
        self._silence.sweep(now=now)

    def _change(
        self,
        key: str,
        fold: Callable[[Conversation], list[Signal]],
        *,
        but: Callable[[Conversation], bool],
        may_begin: bool = False,
        session_id: object = None,
    ) -> bool:
        """Fold an event in; False: `but` says that it was there already."""
        for _ in range(MOST_TRIES):
            version, known = self._silence.settled(key)
            if not known.outputs and not may_begin:
                raise self.unknown(session_id)
            if but(known):
                return False
            self._emit(fold(known))
            at, is_open = self._wall(), not known.ended
            if self._keeper.keep(key, version, known.state(), at=at, is_open=is_open):
                self.sweep()
                return True
        raise LedgerError("this conversation is being written to by too many at once; try again")

    def _classified(self, classify: Classify, message: str) -> TurnKind | None:
        """What the user's function says; None: it leaves the turn to the built-in reading."""
        try:
            told = classify(message)
        except Exception as error:  # noqa: BLE001  # the user's function must not lose the turn
            self._warn(f"raised {type(error).__name__}")
            return None
        if inspect.iscoroutine(told):
            told.close()
            raise ConfigError("classify must not be async: await it before, and give a function")
        try:
            return None if told is None else TurnKind(told)
        except Exception:  # noqa: BLE001  # whatever it is, it is no kind of turn
            self._warn(f"returned none of {', '.join(TurnKind)}")
            return None

    def _warn(self, what: str) -> None:
        if what not in self._warned:
            self._warned.add(what)
            log.warning("kalibr: classify %s; the built-in reading was taken (said once)", what)

    def _emit(self, signals: Sequence[Signal], *, again: int = 0) -> bool:
        moved = False
        for made, name, reward in signals:
            moved |= self._book(
                Entry(
                    f"{made.decision_id}:{name}{f':{again}' if again else ''}",
                    made.goal,
                    "momentum" if name == "momentum" else "action",
                    made.decision_id,
                    made.path_id,
                    self._origin(),
                    self._wall(),
                    EvidenceKind.BEHAVIOUR,
                    reward,
                    {} if name == "momentum" else {"action": name},
                )
            )
        return moved
