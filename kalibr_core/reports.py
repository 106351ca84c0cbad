"""What is learned of a decision after its call: explicit outcomes and scores."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence

from .errors import ConfigError, UnknownDecision
from .learner import Learner
from .options import score_of
from .plan import POOREST
from .types import JSON, Decision, Entry, EvidenceKind, FailureKind

log = logging.getLogger("kalibr")


class Reports:
    """Books late evidence about the decisions of one goal; each kind counts once per decision."""

    def __init__(self, learner: Learner, wall: Callable[[], float]) -> None:
        self._learner = learner
        self._wall = wall
        self._has_warned = False

    def report(
        self,
        decision_id: str,
        *,
        success: bool | None,
        score: float | None,
        reason: str | None,
    ) -> bool:
        """See `Router.report`."""
        _check_report(success, score, reason)
        entries = self._learner.entries(decision_id)
        path_id = self._answered_by(decision_id, entries)
        told = {entry.kind for entry in entries}
        moved = False
        if success is not None and "report" not in told:
            moved |= self._book(decision_id, path_id, "report", success, reason)
        if score is not None and "score" not in told:
            moved |= self._book(decision_id, path_id, "score", score, reason)
        return moved

    def scored(self, score_when: Callable[[str], float], text: str, decision: Decision) -> None:
        """Let the user's function score an answer; whatever it does, the call goes on."""
        why = "returned no number in [0, 1]"
        try:
            score = score_of(score_when(text))
        except Exception as error:  # noqa: BLE001  # the user's function must not break the call
            score, why = None, f"raised {type(error).__name__}"
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

    def _answered_by(self, decision_id: str, entries: Sequence[Entry]) -> str:
        return answered_by(decision_id, entries, goal=self._learner.goal).path_id


def answered_by(decision_id: str, entries: Sequence[Entry], *, goal: str | None) -> Entry:
    """The attempt whose answer the caller got: the last one, or the best that was refused.

    Args:
        goal: that the decision must be of; None: any.

    Raises:
        UnknownDecision: there are no attempts, or they are of another goal.
    """
    attempts = [entry for entry in entries if entry.kind == "attempt"]
    if not attempts:
        raise UnknownDecision(decision_id)
    last = attempts[-1]
    if goal is not None and last.goal != goal:
        raise UnknownDecision(decision_id, hint=f" under goal {goal!r}; it is of {last.goal!r}")
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
