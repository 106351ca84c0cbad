"""What became of an answer, told by the answer itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from llama_index.core.base.llms.types import ChatResponse, CompletionResponse

from kalibr_core.adapter import routers
from kalibr_core.adapter.ids import named_by_id
from kalibr_core.adapter.records import KEY
from kalibr_core.errors import ConfigError

RESPONSE = (
    "what the LLM gave, rather than its text, or its "
    f'additional_kwargs["{KEY}"]["decision_id"]; of a query engine, a chat engine or an agent, '
    "handler.runs()[-1].decision_ids[-1]"
)
"""What a decision is known by."""


def report(
    response: ChatResponse | CompletionResponse | str,
    *,
    success: bool | None = None,
    score: float | None = None,
    reason: str | None = None,
) -> bool:
    """Tell how an answer turned out later: an explicit outcome of the path that gave it.

    Args:
        response: what a `KalibrLLM` of this process gave, or its decision's id, which
            `KalibrEventHandler` knows for queries and agents.
        success: counts as one more outcome, beside gate 1's.
        score: how good the answer was, in [0, 1].
        reason: recorded as it is; do not put text of the conversation into it.

    Returns:
        False: this decision was reported before, and nothing has moved.

    Raises:
        ConfigError: the response is of another LLM; neither success nor score, or a bad one.
        UnknownDecision: no LLM of this process has it in its ledger, under its own goal.
    """
    record = record_in(response)
    goal = record.get("goal") if record is not None else None
    return routers.report(
        decision_id_of(response),
        goal=goal if isinstance(goal, str) else None,
        success=success,
        score=score,
        reason=reason,
        model="KalibrLLM",
    )


def report_action(response: ChatResponse | CompletionResponse | str, action: str) -> bool:
    """Tell what the user did with an answer; the strongest signal of gate 3.

    It speaks of this very answer: no session is needed. `KalibrEventHandler.action` speaks of a
    conversation's last answer.

    Args:
        response: what a `KalibrLLM` of this process gave, or its decision's id, which
            `KalibrEventHandler` knows for queries and agents. An id may be another model's, where
            an open `KalibrLLM` or `ChatKalibr` of this process has its ledger.
        action: one of `kalibr_core.feedback.ACTIONS`: `output_used_verbatim`, `output_copied`,
            `output_edited`, `output_discarded`.

    Returns:
        False: this was reported before of this answer, and nothing has moved.

    Raises:
        ConfigError: the response is of another LLM.
        UnknownAction: none of these.
        UnknownDecision: no LLM of this process has it in its ledger.
    """
    record = record_in(response)
    goal = record.get("goal") if record is not None else None
    return routers.act(
        decision_id_of(response),
        action,
        goal=goal if isinstance(goal, str) else None,
        model="KalibrLLM",
    )


def decision_id_of(response: Any) -> str:
    """The id of the decision that brought a response.

    Raises:
        ConfigError: it holds none.
    """
    if isinstance(response, str):
        return named_by_id(response, instead=f"give {RESPONSE}").decision_id
    record = record_in(response)
    found = record.get("decision_id") if record is not None else None
    if record is not None and set(record) == {"path"}:
        raise ConfigError("only a stream's last chunk holds its decision; report that one")
    if not isinstance(found, str):
        raise ConfigError(
            f"this {type(response).__name__} was not given by a KalibrLLM: there is no decision in "
            f'its additional_kwargs["{KEY}"]. For what a query engine, a chat engine or an agent '
            "gives, report a decision of the run: handler.runs()[-1].decision_ids[-1], with a "
            "handler that was made before, handler = KalibrEventHandler().attach()"
        )
    return found


def record_in(response: Any) -> Mapping[str, Any] | None:
    """The decision's record in a response."""
    held = getattr(response, "additional_kwargs", None)
    record = held.get(KEY) if isinstance(held, Mapping) else None
    return record if isinstance(record, Mapping) else None
