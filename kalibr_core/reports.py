"""What is learned of a decision after its call: explicit outcomes and scores."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from .errors import ConfigError, LedgerError, UnknownDecision
from .learner import Learner
from .outputs import id_of
from .places import where_from, where_raised
from .plan import POOREST
from .scores import no_score, score_of
from .types import JSON, Decision, Entry, EvidenceKind, FailureKind

log = logging.getLogger("kalibr")


class Record(Protocol):
    """What is read of a ledger."""

    @property
    def place(self) -> str:
        """Where it is, for errors."""

    def entries(self, decision_id: str, /) -> list[Entry]: ...

    def recent(self, goal: str, most: int) -> Sequence[Entry]: ...

    def goals(self) -> Sequence[str]: ...

    def newest(self, goal: str) -> Sequence[str]:
        """A few decisions of a goal, the newest first, as far as that is quickly told."""


class Reports:
    """Books late evidence about the decisions of one goal; each kind counts once per decision."""

    def __init__(self, learner: Learner, wall: Callable[[], float]) -> None:
        self._learner = learner
        self._wall = wall
        self._has_warned = False

    def report(
        self,
        decision: object,
        *,
        success: bool | None,
        score: float | None,
        reason: str | None,
    ) -> bool:
        """See `Router.report`."""
        _check_report(success, score, reason)
        decision_id = id_of(decision)
        entries = self._learner.entries(decision_id)
        path_id = answered_by(self._learner, decision_id, entries, goal=self._learner.goal).path_id
        told = {entry.kind for entry in entries}
        moved = False
        if success is not None and "report" not in told:
            moved |= self._book(str(decision_id), path_id, "report", success, reason)
        if score is not None and "score" not in told:
            moved |= self._book(str(decision_id), path_id, "score", score, reason)
        return moved

    def scored(self, score_when: Callable[[str], float], text: str, decision: Decision) -> None:
        """Let the user's function score an answer; whatever it does, the call goes on."""
        score, why = None, ""
        try:
            said = score_when(text)
            score, why = score_of(said), f"returned no number in [0, 1] ({no_score(said)})"
        except Exception as error:  # noqa: BLE001  # the user's function must not break the call
            why = f"raised {where_raised(error, score_when)}"
            log.debug("kalibr: score_when raised %s", "; ".join(where_from(error)))
        if score is not None:
            self._book(decision.id, decision.path.id, "score", score, None)
        elif not self._has_warned:
            self._has_warned = True
            log.warning(
                "kalibr: goal %r: score_when %s; such answers count as not scored",
                self._learner.goal,
                why,
            )

    def judged(
        self, decision_id: str, path_id: str, score: float, beside: Mapping[str, JSON]
    ) -> bool:
        """Book a judge's score; what the user reports counts beside it.

        Returns:
            Has it moved anything? False: this decision was judged before.
        """
        return self._book(decision_id, path_id, "judge", score, None, beside)

    def _book(
        self,
        decision_id: str,
        path_id: str,
        kind: str,
        reward: float,
        reason: str | None,
        beside: Mapping[str, JSON] | None = None,
    ) -> bool:
        return self._learner.book(
            Entry(
                f"{decision_id}:{kind}",
                self._learner.goal,
                kind,
                decision_id,
                path_id,
                self._learner.origin,
                self._wall(),
                EvidenceKind.QUALITY if kind == "report" else EvidenceKind.SCORE,
                float(reward),
                {**(beside or {}), **({} if reason is None else {"reason": reason})},
            )
        )


def answered_by(
    record: Record, decision_id: object, entries: Sequence[Entry], *, goal: str | None
) -> Entry:
    """The attempt whose answer the caller got.

    Args:
        record: the ledger that they are from, for the error.
        entries: the decision's.
        goal: that the decision must be of; None: any.

    Raises:
        UnknownDecision: there are no attempts, or they are of another goal.
    """
    found = answer_in(entries)
    if found is None:
        raise unknown_decision(record, decision_id, goal=goal)
    if goal is not None and found.goal != goal:
        hint = f" under goal {goal!r}; it is of {found.goal!r}"
        raise UnknownDecision(decision_id, hint=hint, place=record.place)
    return found


def unknown_decision(record: Record, decision_id: object, *, goal: str | None) -> UnknownDecision:
    """The error for a decision that is not in the record; it lists the goal's newest."""
    known: Sequence[str] = ()
    with contextlib.suppress(LedgerError):  # this error says more than that one
        known = () if goal is None else record.newest(goal)
    hint = "" if isinstance(decision_id, str) else "; give `result.kalibr.id`, or the answer itself"
    return UnknownDecision(decision_id, hint=hint, place=record.place, known=known)


def answer_in(entries: Sequence[Entry]) -> Entry | None:
    """Of a decision's entries, the attempt whose answer the caller got: the last one, or the best
    that was refused; None: there are no attempts."""
    attempts = [entry for entry in entries if entry.kind == "attempt"]
    if not attempts:
        return None
    last = attempts[-1]
    refused = [e for e in attempts if e.data.get("failure") == FailureKind.BAD_OUTPUT]
    if "failure" not in last.data or not refused:
        return last
    better = [e for e in refused if e.data.get("reason") not in POOREST]
    return (better or refused[-1:])[0]


def _check_report(success: object, score: object, reason: object) -> None:
    if success is None and score is None:
        raise ConfigError("report needs success=True, success=False, or score=")
    if success is not None and not isinstance(success, bool):
        raise ConfigError(f"success must be True or False, got {success!r}")
    if score is not None and score_of(score) is None:
        raise ConfigError(f"score must be a number in [0, 1], got {score!r}")
    if reason is not None and not isinstance(reason, str):
        raise ConfigError(f"reason must be a string, got {type(reason).__name__}")
