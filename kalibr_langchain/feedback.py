"""What became of an answer, told by the message itself."""

from __future__ import annotations

from collections.abc import Mapping

from langchain_core.messages import BaseMessage, BaseMessageChunk

from kalibr_core.adapter import routers
from kalibr_core.adapter.behaviour import Decided
from kalibr_core.adapter.ids import named_by_id
from kalibr_core.errors import ConfigError
from kalibr_core.outputs import KEY, Named, named_in

MESSAGE = (
    "the AIMessage that the model gave, before any StrOutputParser, or its "
    f'response_metadata["{KEY}"]["decision_id"]'
)
"""What a decision is known by."""


def report(
    message: object,
    *,
    success: bool | None = None,
    score: float | None = None,
    reason: str | None = None,
) -> bool:
    """Tell how an answer turned out later: an explicit outcome of the path that gave it.

    Args:
        message: the `AIMessage` that a `ChatKalibr` of this process gave, an answer of a
            `KalibrLLM` of this process, or a decision's id of either.
        success: counts as one more outcome, beside gate 1's.
        score: how good the answer was, in [0, 1].
        reason: recorded as it is; do not put text of the conversation into it.

    Returns:
        False: this decision was reported before, and nothing has moved.

    Raises:
        ConfigError: the message is of another model; neither success nor score, or a bad one.
        UnknownDecision: no model of this process has it in its ledger, under its own goal.
    """
    decision_id, goal = named(message)
    return routers.report(
        decision_id,
        goal=goal,
        success=success,
        score=score,
        reason=reason,
        model="ChatKalibr",
    )


def report_action(message: object, action: str) -> bool:
    """Tell what the user did with an answer; the strongest signal of gate 3.

    It speaks of this very answer: no session is needed.

    Args:
        message: the `AIMessage` that a `ChatKalibr` of this process gave, or any answer that holds
            its decision (a `KalibrLLM`'s, a Router's), or a decision's id. An open `ChatKalibr` or
            `KalibrLLM` of this process must have its ledger.
        action: one of `kalibr_core.feedback.ACTIONS`: `output_used_verbatim`, `output_copied`,
            `output_edited`, `output_discarded`.

    Returns:
        False: this was reported before of this answer, and nothing has moved.

    Raises:
        ConfigError: the message is of another model.
        UnknownAction: none of these.
        UnknownDecision: no model of this process has it in its ledger.
    """
    decision_id, goal = named(message)
    return routers.act(decision_id, action, goal=goal, model="ChatKalibr")


def decision_id_of(message: object) -> str:
    """The id of the decision that brought a message.

    Raises:
        ConfigError: it holds none.
    """
    return named(message).decision_id


def named(message: object) -> Named:
    """The decision that brought a message; errors as `decision_id_of`'s."""
    if isinstance(message, str):
        return named_by_id(message, instead=f"give {MESSAGE}")
    if (found := named_in(message)) is not None:
        return found
    raise ConfigError(
        f"this {type(message).__name__} was not given by a ChatKalibr: there is no decision in it; "
        + _instead(message)
    )


def _instead(message: object) -> str:
    """What to give in place of an object without a decision."""
    if isinstance(message, BaseMessageChunk):
        return "of a stream, give the sum of its chunks: all but the last hold none"
    if isinstance(message, BaseMessage):
        return f'it would be in its response_metadata["{KEY}"]'
    if isinstance(message, Mapping) and "raw" in message:
        return 'give its message: result["raw"]'
    if isinstance(message, Mapping) and "messages" in message:
        return 'of an agent or a graph, give the last message: result["messages"][-1]'
    if isinstance(message, list | tuple):
        return "give one of its messages"
    return (
        f'give {MESSAGE}; for structured output, ask with include_raw=True and give result["raw"]'
    )


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
