"""Gate 3 at work: events of conversations in, evidence of the paths that made their answers out.

The conversation is read from the ledger, folded and written back over the very version that was
read; where another process came first, this is done again. What it says of a path is booked before,
under an id that makes it count once.
"""

from __future__ import annotations

import hashlib
import inspect
import logging
from collections.abc import Callable, Sequence

from .conversations import Conversation, Made, Signal, restored
from .errors import ConfigError, LedgerError, UnknownAction, UnknownSession
from .features import hash_of
from .gates.behaviour import ACTIONS, Turn, TurnKind, kind_of
from .gates.remarks import language_of, remark_in, votes_in
from .gates.sketch import sketch_of
from .ports import Conversations
from .types import Entry, EvidenceKind

log = logging.getLogger("kalibr")

SILENT_S = 3_600.0
"""A user who has said nothing for so long is taken to have left."""
GONE_S = 7 * 86_400.0
"""After so long a conversation is forgotten."""
SWEEP_EVERY_S = 60.0
MOST_SWEPT = 100
"""Conversations that one sweep takes for left."""
MOST_TRIES = 20

Classify = Callable[[str], str | None]
"""A user's message -> one of `TurnKind`'s values; None: leave it to the built-in reading."""


class Signals:
    """Books what users did; safe for threads and beside other processes.

    Args:
        keeper: where the conversations are kept.
        book: records an entry; False: it was there already.
        origin: who writes, for the record.
        wall: seconds since the epoch.
        scope: keeps conversations of the same id apart, where the keeper is not shared.
    """

    def __init__(
        self,
        *,
        keeper: Conversations,
        book: Callable[[Entry], bool],
        origin: Callable[[], str],
        wall: Callable[[], float],
        scope: str = "",
    ) -> None:
        self._keeper = keeper
        self._book = book
        self._origin = origin
        self._wall = wall
        self._scope = scope
        self._sweep_at = 0.0

    @property
    def place(self) -> object:
        """Equal where the conversations are the same ones."""
        return getattr(self._keeper, "file", id(self._keeper)), self._scope

    def key_of(self, session_id: object) -> str:
        """What a conversation is kept under.

        Raises:
            ConfigError: this is no session's id.
        """
        if isinstance(session_id, bool) or not str(session_id or "").strip():
            raise ConfigError(f"session_id must be a text that is not empty, got {session_id!r}")
        return hash_of(f"{self._scope}{session_id}")

    def pipeline(
        self, session_id: object, made: Sequence[Made], *, prompt: str, output: str, event_id: str
    ) -> bool:
        """An answer has been given; see `feedback.report_pipeline`."""
        key, secret = self.key_of(session_id), _secret(session_id)
        request = Turn(
            kind=TurnKind.ANEW,
            sketch=sketch_of(prompt, key=secret),
            words=remark_in(prompt, language=None).words,
        )
        answer, votes, event = (
            sketch_of(output, key=secret),
            votes_in(prompt),
            _digest(event_id, secret),
        )

        def fold(known: Conversation) -> list[Signal]:
            if not known.outputs:
                known.heard_of(votes)
            return known.answered(event, made, request=request, answer=answer)

        def repeats(known: Conversation) -> bool:
            again = {(one.decision_id, one.last) for output in known.outputs for one in output.made}
            named = {
                (one.decision_id, one.last)
                for one in made
                if not one.decision_id.startswith(f"{key}-")
            }
            return known.has_seen(event) and named <= again

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
        key, secret = self.key_of(session_id), _secret(session_id)
        event = None if event_id is None else _digest(event_id, secret)
        sketch, votes = sketch_of(message, key=secret), votes_in(message)
        told = None if classify is None else _classified(classify, message)

        def fold(known: Conversation) -> list[Signal]:
            known.heard_of(votes)
            remark = remark_in(message, language=language_of(known.votes))
            answer = known.outputs[-1].answer if known.outputs else ""
            kind = told or kind_of(remark, sketch, before=known.turns, answer=answer)
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
        found = self._keeper.conversation(self.key_of(session_id))
        known = Conversation() if found is None else restored(found[2])
        if not known.outputs:
            raise unknown(session_id)
        moved = self._emit(known.acted(action))
        self.sweep()
        return moved

    def acted(self, made: Made, action: str) -> bool:
        """The user has done something with a decision's answer."""
        return self._emit([Signal(made, action, ACTIONS[checked_action(action)])])

    def number_of(self, session_id: object) -> int:
        """How many answers have been reported in this conversation."""
        found = self._keeper.conversation(self.key_of(session_id))
        return 0 if found is None else restored(found[2]).number

    def knows(self, session_id: object) -> bool:
        """Has an answer been reported in this conversation?"""
        found = self._keeper.conversation(self.key_of(session_id))
        return found is not None and not restored(found[2]).ended

    def sweep(self, *, now: bool = False) -> None:
        """Take long silent conversations for left; forget those from long ago."""
        at = self._wall()
        if not now and at < self._sweep_at:
            return
        self._sweep_at = at + SWEEP_EVERY_S
        try:
            for key in self._keeper.sweep(silent=at - SILENT_S, gone=at - GONE_S, most=MOST_SWEPT):
                self._settle(key, before=at - SILENT_S)
        except LedgerError as error:  # what was asked for has been done: this can wait
            log.warning("kalibr: conversations cannot be looked through: %s", error)

    def _settle(self, key: str, *, before: float) -> None:
        found = self._keeper.conversation(key)
        if found is None or found[1] >= before:
            return
        version, at, state = found
        known = restored(state)
        self._emit(known.left(ended=False))
        self._keeper.keep(key, version, known.state(), at=at, is_open=False)

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
            found = self._keeper.conversation(key)
            known = Conversation() if found is None else restored(found[2])
            if not known.outputs and not may_begin:
                raise unknown(session_id)
            if but(known):
                return False
            self._emit(fold(known))
            version = 0 if found is None else found[0]
            at, is_open = self._wall(), not known.ended
            if self._keeper.keep(key, version, known.state(), at=at, is_open=is_open):
                self.sweep()
                return True
        raise LedgerError("this conversation is being written to by too many at once; try again")

    def _emit(self, signals: Sequence[Signal]) -> bool:
        moved = False
        for made, name, reward in signals:
            moved |= self._book(
                Entry(
                    f"{made.decision_id}:{name}",
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


def checked_action(action: object) -> str:
    """
    Raises:
        UnknownAction: none of `ACTIONS`.
    """
    if not isinstance(action, str) or action not in ACTIONS:
        raise UnknownAction(action, known=tuple(ACTIONS))
    return action


def unknown(session_id: object) -> UnknownSession:
    """The error for a conversation that nothing was reported of."""
    shown = repr(session_id)
    shown = shown if len(shown) <= 64 else f"{shown[:20]}..."
    return UnknownSession(
        f"no session {shown} in this ledger: report_pipeline begins one, with the same session_id; "
        f"it is forgotten {GONE_S / 86_400:.0f} days after its last event"
    )


def _classified(classify: Classify, message: str) -> TurnKind | None:
    """What the user's function says; whatever goes wrong there, the built-in reading is taken."""
    try:
        told = classify(message)
        if inspect.iscoroutine(told):
            told.close()
            raise ConfigError("classify must not be async: await it before, and give a function")
        return None if told is None else TurnKind(told)
    except ConfigError:
        raise
    except ValueError:
        what = f"returned none of {', '.join(TurnKind)}"
    except Exception as error:  # noqa: BLE001  # the user's function must not lose the turn
        what = f"raised {type(error).__name__}"
    log.warning("kalibr: classify %s; the built-in reading was taken", what)
    return None


def _secret(session_id: object) -> bytes:
    """Keys a conversation's sketches: not to be told from the hash that it is kept under."""
    return hashlib.sha256(f"sketch:{session_id}".encode("utf-8", "surrogatepass")).digest()


def _digest(event_id: str, secret: bytes) -> str:
    told = event_id.encode("utf-8", "surrogatepass")
    return hashlib.blake2b(told, digest_size=8, key=secret).hexdigest()
