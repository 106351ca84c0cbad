"""Gate 3's four reports on one ledger: behind `feedback`'s functions and a Router's methods."""

from __future__ import annotations

from collections.abc import Sequence

from .conversations import Made, Session
from .crediting import entries_of, of_decision, of_model, was_asked_in
from .errors import ConfigError
from .gates.behaviour import checked_action
from .outputs import id_of, read_output
from .reports import Record
from .session_ids import checked_session
from .signals import Classify, Signals
from .types import Path


class Reporter:
    """The four reports on one ledger.

    Args:
        goal: the only one whose decisions may be named; None: any.
        paths: the goal's; None: those in the record.
    """

    def __init__(
        self,
        signals: Signals,
        record: Record,
        *,
        goal: str | None = None,
        paths: Sequence[Path] | None = None,
    ) -> None:
        self.signals = signals
        self._record = record
        self._goal = goal
        self._paths = paths

    def pipeline(
        self,
        session_id: str,
        *,
        goal: str | None,
        prompt: str,
        output: object,
        model: str | None,
        decision_id: object,
        event_id: str | None,
    ) -> bool:
        """See `report_pipeline`."""
        _check_text("prompt", prompt)
        for name, optional in (("goal", goal), ("model", model), ("event_id", event_id)):
            if optional is not None:
                _check_text(name, optional)
        checked_session(session_id)
        goal = self._checked_goal(goal)
        text, told = read_output(output)
        decision_id = told if decision_id is None else id_of(decision_id)
        if decision_id is not None:
            made = of_decision(self._record, decision_id, goal=goal)
        elif goal is None:
            raise ConfigError("give goal=, or decision_id=, or the answer itself as output=")
        else:
            made = of_model(
                self._record,
                goal=goal,
                model=model,
                session_id=checked_session(session_id),
                paths=self._paths,
            )
        shown = (
            str(decision_id) if decision_id is not None else f"{goal}\n{model}\n{prompt}\n{text}"
        )
        event = event_id or shown
        return self.signals.pipeline(session_id, [made], prompt=prompt, output=text, event_id=event)

    def _checked_goal(self, goal: str | None) -> str | None:
        if None not in (goal, self._goal) and goal != self._goal:
            raise ConfigError(
                f"goal must be this Router's, {self._goal!r}, or left out, got {goal!r}; the "
                "functions of kalibr_core.feedback take any"
            )
        return goal if self._goal is None else self._goal

    def made(self, decision_ids: Sequence[str]) -> list[Made]:
        """Whose work these decisions were, the last one's above all.

        Raises:
            UnknownDecision: one is not in the record, or of another goal.
        """
        return [
            of_decision(self._record, decision_id, goal=self._goal)._replace(
                last=decision_id == decision_ids[-1]
            )
            for decision_id in decision_ids
        ]

    def made_of_any_goal(self, decision_id: str) -> Made:
        """Whose work a decision was that the record holds; errors as `made`'s."""
        return of_decision(self._record, decision_id, goal=None)

    def user_turn(
        self,
        session_id: str,
        *,
        user_message: str,
        event_id: str | None,
        classify: Classify | None,
    ) -> bool:
        """See `report_user_turn`."""
        _check_text("user_message", user_message)
        if event_id is not None:
            _check_text("event_id", event_id)
        if classify is not None and not callable(classify):
            raise ConfigError(f"classify must be a function, got {type(classify).__name__}")
        return self.signals.user_turn(
            session_id, user_message, event_id=event_id, classify=classify
        )

    def session_end(self, session_id: str) -> bool:
        """See `report_session_end`."""
        return self.signals.session_end(session_id)

    def action(self, session_id: str, action: str, *, decision_id: object) -> bool:
        """See `report_action`."""
        checked_action(action)
        told = checked_session(session_id)
        if decision_id is None:
            return self.signals.action(session_id, action)
        made = of_decision(self._record, decision_id, goal=self._goal)
        known = self.signals.number_of(session_id) > 0
        if not known and not was_asked_in(told, entries_of(self._record, decision_id)):
            raise self.signals.unknown(session_id)
        return self.signals.acted(made, action)

    def session(self, session_id: str) -> Session:
        """See `Router.session`."""
        return self.signals.session(session_id)


def _check_text(name: str, value: object) -> None:
    if not isinstance(value, str):
        raise ConfigError(f"{name} must be a text, got {type(value).__name__}")
    if name not in ("goal", "model", "event_id"):
        return
    if not value.strip():
        raise ConfigError(f"{name} must not be empty")
    if any(0xD800 <= ord(character) <= 0xDFFF for character in value):
        # Not shown: it may be what a user said.
        raise ConfigError(f"{name} holds half of a character (a lone surrogate)")
