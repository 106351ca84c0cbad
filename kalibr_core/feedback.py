"""Gate 3: tell what users did with an answer.

The four functions write to the default ledger, where the Routers of this host find it within a
second; `Router` has them as methods, which its own ledger learns from at once.

    report_pipeline("chat-1", goal="outreach_generation", prompt=asked, output=text, model="gpt-4o")
    report_user_turn("chat-1", user_message="make it shorter, too formal")
    report_action("chat-1", "output_edited")
    report_session_end("chat-1")

No text is kept: a message is read when it is reported, and what stays is what kind of turn it was,
and until the session ends a sketch that likeness is told by. Session ids are kept as hashes; who
has the file and knows an id can guess words from the sketch.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager

from .conversations import Session
from .errors import ConfigError, LedgerError
from .gates.behaviour import ACTIONS, TurnKind
from .learner import MOST_NEWEST
from .ledger.sqlite import SQLiteLedger
from .ledger.where import default_location, place_of
from .reporter import Reporter
from .signals import Classify, Signals
from .types import Entry

__all__ = [
    "ACTIONS",
    "Classify",
    "Session",
    "TurnKind",
    "report_action",
    "report_pipeline",
    "report_session_end",
    "report_user_turn",
]

LOOKED_AT = 20
"""Entries of a goal in which its newest decisions are looked for, for an error."""
Place = str | os.PathLike[str] | SQLiteLedger


def report_pipeline(
    session_id: str,
    *,
    goal: str | None = None,
    prompt: str,
    output: object,
    model: str | None = None,
    decision_id: object = None,
    event_id: str | None = None,
    ledger: Place | None = None,
) -> bool:
    """An answer has been given: what users do from now on in this session speaks of it.

    Args:
        session_id: names the conversation, across processes and restarts.
        goal: what the answer was for; not needed where its decision is known.
        prompt: what was asked.
        output: the answer's text; or the answer itself, as `Router.completion`, `ChatKalibr` or
            `KalibrLLM` gave it, which knows its decision.
        model: the model or the path that gave it, where the decision is not known: the last one
            there of the calls made with `completion(session_id=)`, else that path of the goal, is
            credited. None: the last one of those calls, on any path.
        decision_id: `result.kalibr.id`, or the answer itself.
        event_id: names this event; the same again counts once. By default made of the decision, or
            of prompt and output.
        ledger: a file or a `SQLiteLedger`; by default `KALIBR_LEDGER` or `.kalibr/kalibr.db`.

    Returns:
        False: this was reported before, and nothing has moved.

    Raises:
        UnknownDecision, UnknownGoal, UnknownPath: the ledger holds no such thing.
        ConfigError: several paths have this model, or nothing tells whose answer or of what goal
            it is.
        LedgerError: there is no such file, or it cannot be used.
    """
    with _opened(ledger) as reporter:
        return reporter.pipeline(
            session_id,
            goal=goal,
            prompt=prompt,
            output=output,
            model=model,
            decision_id=decision_id,
            event_id=event_id,
        )


def report_user_turn(
    session_id: str,
    *,
    user_message: str,
    event_id: str | None = None,
    classify: Classify | None = None,
    ledger: Place | None = None,
) -> bool:
    """The user has said something: is the conversation converging or diverging?

    Args:
        user_message: its text; not kept.
        event_id: names this event; the same again counts once. None: each call is one.
        classify: judges the message instead of the built-in reading: returns one of `TurnKind`'s
            values, or None to leave it to that. It is called here and now.

    Returns:
        False: this event was reported before, and nothing has moved.

    Raises:
        UnknownSession: no answer was reported in this session.
        LedgerError: there is no such file, or it cannot be used.
    """
    with _opened(ledger) as reporter:
        return reporter.user_turn(
            session_id, user_message=user_message, event_id=event_id, classify=classify
        )


def report_session_end(session_id: str, *, ledger: Place | None = None) -> bool:
    """The user has left: a weak positive, a weak negative, or nothing for the last answer.

    A session that nothing has happened in for an hour counts as left; after a week it is forgotten.

    Returns:
        False: it had ended before.

    Raises:
        UnknownSession: no answer was reported in this session.
        LedgerError: there is no such file, or it cannot be used.
    """
    with _opened(ledger) as reporter:
        return reporter.session_end(session_id)


def report_action(
    session_id: str,
    action: str,
    *,
    decision_id: object = None,
    ledger: Place | None = None,
) -> bool:
    """The user has done something with an answer; the strongest signal.

    Of several actions with one answer, the one that was told last counts.

    Args:
        session_id: whose last answer is meant.
        action: one of `ACTIONS`: `output_used_verbatim`, `output_copied`, `output_edited`,
            `output_discarded`.
        decision_id: the answer's, or the answer itself, where it is not the session's last.

    Returns:
        False: this was reported before of this answer, and nothing has moved.

    Raises:
        UnknownAction: none of `ACTIONS`.
        UnknownSession: no answer was reported in this session; and the decision, where one is
            given, was not made with `completion(session_id=)` either.
        UnknownDecision: the ledger holds no such decision.
        LedgerError: there is no such file, or it cannot be used.
    """
    with _opened(ledger) as reporter:
        return reporter.action(session_id, action, decision_id=decision_id)


class _File:
    """What is read of a ledger's file."""

    def __init__(self, ledger: SQLiteLedger) -> None:
        self._ledger = ledger
        self.place = place_of(ledger)
        self.goals = ledger.goals
        self.recent = ledger.recent

    def newest(self, goal: str) -> list[str]:
        attempts = [e for e in self.recent(goal, LOOKED_AT) if e.kind == "attempt"]
        return list(dict.fromkeys(entry.decision_id for entry in attempts))[:MOST_NEWEST]

    def entries(self, decision_id: str) -> list[Entry]:
        return [entry for _, entry in self._ledger.entries(decision_id=decision_id)]


@contextmanager
def _opened(ledger: Place | None) -> Iterator[Reporter]:
    """The four reports on a file, opened for one of them where it was not."""
    found = ledger if isinstance(ledger, SQLiteLedger) else SQLiteLedger(_existing(_file(ledger)))
    try:
        record = _File(found)
        signals = Signals(
            keeper=found,
            book=found.append,
            told=record.entries,
            origin=lambda: "feedback",
            wall=time.time,
        )
        yield Reporter(signals, record)
    finally:
        if found is not ledger:
            found.close()


def _file(ledger: str | os.PathLike[str] | None) -> str:
    place = default_location() if ledger is None else ledger
    if not isinstance(place, str | os.PathLike) or not os.fspath(place).strip():
        raise ConfigError(
            f"ledger must be a file or a SQLiteLedger, got {ledger!r}; for any other, use the "
            "Router's own methods"
        )
    if place == "memory" or str(place).startswith(("postgresql://", "postgres://")):
        raise ConfigError(
            f"ledger {place!r}: these functions write to a file; use the Router's methods of the "
            "same names"
        )
    return os.path.expanduser(os.fspath(place))


def _existing(file: str) -> str:
    """Nothing can be told of what a Router has not written: no file is made for that."""
    if not os.path.exists(file):
        raise LedgerError(
            f"there is no ledger {os.path.abspath(file)}; it is made by the first Router that runs "
            "there, or name another one with ledger= or KALIBR_LEDGER"
        )
    return file
