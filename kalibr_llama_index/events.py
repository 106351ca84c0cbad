"""What instrumentation gets to see of a routed call beside LlamaIndex's own start and end."""

from __future__ import annotations

from typing import Any

from llama_index.core.instrumentation.event_handlers import NullEventHandler
from llama_index.core.instrumentation.events import BaseEvent
from llama_index.core.instrumentation.events.llm import (
    LLMChatEndEvent,
    LLMChatInProgressEvent,
    LLMCompletionEndEvent,
    LLMCompletionInProgressEvent,
    LLMStructuredPredictEndEvent,
    LLMStructuredPredictStartEvent,
)
from llama_index_instrumentation import get_dispatcher

from kalibr_core.adapter.records import failures_of
from kalibr_core.outputs import KEY
from kalibr_core.types import Decision

dispatcher = get_dispatcher(__name__)

CHUNKS = LLMChatInProgressEvent | LLMCompletionInProgressEvent
ENDS = LLMChatEndEvent | LLMCompletionEndEvent
"""LlamaIndex's own, of LLMs."""


class AttemptFailedEvent(BaseEvent):
    """An attempt of a routed call failed.

    Args:
        decision_id: of the call.
        goal: of the call.
        attempt: the attempt's record: `path`, `failure`, `reason`, `status`, `latency_s`, ...
    """

    decision_id: str
    goal: str
    attempt: dict[str, Any]

    @classmethod
    def class_name(cls) -> str:
        """LlamaIndex's name for it."""
        return "KalibrAttemptFailedEvent"


class DecisionEvent(BaseEvent):
    """A routed call has ended.

    Args:
        decision_id: of the call; what `report` takes.
        goal: of the call.
        path: the id of the path that answered, or of the last that failed.
        attempts: how many there were.
        verified: has the answer passed gate 1? False: none did.
        answered: has the caller got an answer? False: an error.
    """

    decision_id: str
    goal: str
    path: str
    attempts: int
    verified: bool
    cost_usd: float | None
    answered: bool = True

    @classmethod
    def class_name(cls) -> str:
        """LlamaIndex's name for it."""
        return "KalibrDecisionEvent"


def decision_of(error: Exception) -> Decision | None:
    """The decision that an error tells of."""
    found = getattr(error, KEY, None)
    return found if isinstance(found, Decision) else None


def tell(decision: Decision | None, span_id: str | None, *, answered: bool = True) -> None:
    """Send one event for each failed attempt, and one for the decision."""
    if decision is None or not _is_heard():
        return
    for data in failures_of(decision.outcomes):
        dispatcher.event(
            AttemptFailedEvent(
                decision_id=decision.id, goal=decision.goal, attempt=data, span_id=span_id
            )
        )
    dispatcher.event(
        DecisionEvent(
            decision_id=decision.id,
            goal=decision.goal,
            path=decision.path.id,
            attempts=decision.attempts,
            verified=decision.verified,
            cost_usd=decision.cost_usd,
            answered=answered,
            span_id=span_id,
        )
    )


def tell_prediction(output_cls: Any, prompt: Any, args: dict[str, Any]) -> None:
    """A structured prediction begins; the event is LlamaIndex's own."""
    dispatcher.event(
        LLMStructuredPredictStartEvent(output_cls=output_cls, template=prompt, template_args=args)
    )


def tell_predicted(value: Any) -> None:
    """A structured prediction has ended well."""
    dispatcher.event(LLMStructuredPredictEndEvent(output=value))


def _is_heard() -> bool:
    found = dispatcher
    while True:
        if any(not isinstance(handler, NullEventHandler) for handler in found.event_handlers):
            return True
        if not found.propagate:
            return False
        found = found.parent
