"""What became of an answer, told by the answer itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from llama_index.core.base.llms.types import ChatMessage

from kalibr_core.adapter import routers
from kalibr_core.adapter.ids import named_by_id
from kalibr_core.errors import ConfigError
from kalibr_core.outputs import KEY, Named, named_in

RESPONSE = (
    "what the LLM gave, rather than its text, or its "
    f'additional_kwargs["{KEY}"]["decision_id"]; of a query engine, a chat engine or an agent, '
    "handler.runs()[-1].decision_ids[-1]"
)
"""What a decision is known by."""


def report(
    response: object,
    *,
    success: bool | None = None,
    score: float | None = None,
    reason: str | None = None,
) -> bool:
    """Tell how an answer turned out later: an explicit outcome of the path that gave it.

    Args:
        response: what a `KalibrLLM` of this process gave, any answer that holds its decision (a
            Router's, a `ChatKalibr`'s), or a decision's id, which `KalibrEventHandler` knows for
            queries and agents. An open `KalibrLLM` or `ChatKalibr` of this process must have its
            ledger.
        success: counts as one more outcome, beside gate 1's.
        score: how good the answer was, in [0, 1].
        reason: recorded as it is; do not put text of the conversation into it.

    Returns:
        False: this decision was reported before, and nothing has moved.

    Raises:
        ConfigError: the response is of another LLM; neither success nor score, or a bad one.
        UnknownDecision: no LLM of this process has it in its ledger, under its own goal.
    """
    decision_id, goal = named(response)
    return routers.report(
        decision_id,
        goal=goal,
        success=success,
        score=score,
        reason=reason,
        model="KalibrLLM",
    )


def report_action(response: object, action: str) -> bool:
    """Tell what the user did with an answer; the strongest signal of gate 3.

    It speaks of this very answer: no session is needed. `KalibrEventHandler.action` speaks of a
    conversation's last answer.

    Args:
        response: as `report`'s.
        action: one of `kalibr_core.feedback.ACTIONS`: `output_used_verbatim`, `output_copied`,
            `output_edited`, `output_discarded`.

    Returns:
        False: this was reported before of this answer, and nothing has moved.

    Raises:
        ConfigError: the response is of another LLM.
        UnknownAction: none of these.
        UnknownDecision: no LLM of this process has it in its ledger.
    """
    decision_id, goal = named(response)
    return routers.act(decision_id, action, goal=goal, model="KalibrLLM")


def decision_id_of(response: object) -> str:
    """The id of the decision that brought a response.

    Raises:
        ConfigError: it holds none.
    """
    return named(response).decision_id


def named(response: object) -> Named:
    """The decision that brought a response; errors as `decision_id_of`'s."""
    if isinstance(response, str):
        return named_by_id(response, instead=f"give {RESPONSE}")
    if (found := named_in(response)) is not None:
        return found
    record = record_in(response)
    if record is not None and set(record) == {"path"}:
        raise ConfigError("only a stream's last chunk holds its decision; report that one")
    if isinstance(response, ChatMessage):
        raise ConfigError("a ChatMessage holds no decision; give the ChatResponse that it came in")
    raise ConfigError(
        f"this {type(response).__name__} was not given by a KalibrLLM: there is no decision in "
        f'its additional_kwargs["{KEY}"]. For what a query engine, a chat engine or an agent '
        "gives, report a decision of the run: handler.runs()[-1].decision_ids[-1], with a "
        "handler that was made before, handler = KalibrEventHandler().attach()"
    )


def record_in(response: Any) -> Mapping[str, Any] | None:
    """The decision's record in a response."""
    held = getattr(response, "additional_kwargs", None)
    record = held.get(KEY) if isinstance(held, Mapping) else None
    return record if isinstance(record, Mapping) else None
