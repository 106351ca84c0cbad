"""What became of an answer, told by the message itself."""

from __future__ import annotations

from collections.abc import Mapping

from langchain_core.messages import BaseMessage

from kalibr_core.adapter import routers
from kalibr_core.adapter.behaviour import Decided
from kalibr_core.adapter.records import KEY
from kalibr_core.errors import ConfigError


def report(
    message: BaseMessage | str,
    *,
    success: bool | None = None,
    score: float | None = None,
    reason: str | None = None,
) -> bool:
    """Tell how an answer turned out later: an explicit outcome of the path that gave it.

    Args:
        message: the `AIMessage` that a `ChatKalibr` of this process gave, or its decision's id.
        success: counts as one more outcome, beside gate 1's.
        score: how good the answer was, in [0, 1].
        reason: recorded as it is; do not put text of the conversation into it.

    Returns:
        False: this decision was reported before, and nothing has moved.

    Raises:
        ConfigError: the message is of another model; neither success nor score, or a bad one.
        UnknownDecision: no model of this process has it in its ledger.
    """
    return routers.report(
        decision_id_of(message),
        goal=_goal_of(message),
        success=success,
        score=score,
        reason=reason,
        model="ChatKalibr",
    )


def report_action(message: BaseMessage | str, action: str) -> bool:
    """Tell what the user did with an answer; the strongest signal of gate 3.

    It speaks of this very answer: no session is needed.

    Args:
        message: the `AIMessage` that a `ChatKalibr` of this process gave, or its decision's id.
        action: one of `kalibr_core.feedback.ACTIONS`: `output_used_verbatim`, `output_copied`,
            `output_edited`, `output_discarded`.

    Returns:
        False: this was reported before of this answer, and nothing has moved.

    Raises:
        ConfigError: the message is of another model.
        UnknownAction: none of these.
        UnknownDecision: no model of this process has it in its ledger.
    """
    return routers.act(decision_id_of(message), action, goal=_goal_of(message), model="ChatKalibr")


def decision_id_of(message: BaseMessage | str) -> str:
    """The id of the decision that brought a message.

    Raises:
        ConfigError: it holds none.
    """
    if isinstance(message, str):
        return message
    record = _record_of(message)
    found = record.get("decision_id") if record is not None else None
    if not isinstance(found, str):
        raise ConfigError(
            f"this {type(message).__name__} was not given by a ChatKalibr: there is no decision in "
            f'its response_metadata["{KEY}"]'
        )
    return found


def decided_in(message: object) -> Decided | None:
    """The decision that brought a message; None: it holds none."""
    record = _record_of(message)
    found = record.get("decision_id") if record is not None else None
    goal = record.get("goal") if record is not None else None
    if not isinstance(found, str):
        return None
    return Decided(found, goal if isinstance(goal, str) else None)


def _record_of(message: object) -> Mapping[str, object] | None:
    metadata = getattr(message, "response_metadata", None)
    record = metadata.get(KEY) if isinstance(metadata, Mapping) else None
    return record if isinstance(record, Mapping) else None


def _goal_of(message: BaseMessage | str) -> str | None:
    record = None if isinstance(message, str) else _record_of(message)
    goal = record.get("goal") if record is not None else None
    return goal if isinstance(goal, str) else None
