"""What callbacks get to see of a routed call beside its one start and one end."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import UUID

from langchain_core.callbacks import AsyncCallbackManager, CallbackManager, Callbacks
from langchain_core.runnables import RunnableConfig

from kalibr_core.adapter.records import failures_of
from kalibr_core.outputs import KEY
from kalibr_core.types import Decision

if TYPE_CHECKING:
    from langchain_core.callbacks.manager import AsyncRunManager, RunManager

log = logging.getLogger("kalibr")

ATTEMPT_FAILED = "kalibr_attempt_failed"
"""The custom event of an attempt that failed; its data are the attempt's record."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """The LangChain run that a routed call is."""

    config: RunnableConfig
    run_id: UUID
    callbacks: Callbacks = None
    """The model's own."""

    def __repr__(self) -> str:
        return "Run()"  # it travels among the call's arguments, and tells nothing of them


def decision_of(error: Exception) -> Decision | None:
    """The decision that an error tells of."""
    found = getattr(error, KEY, None)
    return found if isinstance(found, Decision) else None


def tell(decision: Decision | None, manager: RunManager | None, run: Run | None) -> None:
    """Send one custom event for each failed attempt, and tell tracers what became of the call."""
    handlers = _handlers(manager, run, CallbackManager)
    if decision is None or handlers is None:
        return
    found, run_id = handlers
    _tell_tracers(decision, found.handlers, run_id)
    for data in failures_of(decision.outcomes):
        found.on_custom_event(ATTEMPT_FAILED, _event(decision, data), run_id=run_id)


async def atell(
    decision: Decision | None, manager: AsyncRunManager | None, run: Run | None
) -> None:
    """`tell`, awaited."""
    handlers = _handlers(manager, run, AsyncCallbackManager)
    if decision is None or handlers is None:
        return
    found, run_id = handlers
    _tell_tracers(decision, found.handlers, run_id)
    for data in failures_of(decision.outcomes):
        await found.on_custom_event(ATTEMPT_FAILED, _event(decision, data), run_id=run_id)


def _event(decision: Decision, data: dict[str, Any]) -> dict[str, Any]:
    return {"decision_id": decision.id, "goal": decision.goal, **data}


def _handlers(manager: Any, run: Run | None, make: Any) -> tuple[Any, UUID] | None:
    """Whom to tell, and of which run; None: nobody listens."""
    if manager is not None:
        if not manager.handlers:
            return None
        found = make(manager.handlers, tags=manager.tags, metadata=manager.metadata)
        return found, manager.run_id
    if run is None:
        return None
    config = run.config
    found = make.configure(
        config.get("callbacks"),
        run.callbacks,
        inheritable_tags=config.get("tags"),
        inheritable_metadata=config.get("metadata"),
    )
    return (found, run.run_id) if found.handlers else None


def _tell_tracers(decision: Decision, handlers: Iterable[Any], run_id: UUID) -> None:
    """Put the decision among the run's metadata in LangSmith and other tracers."""
    for handler in handlers:
        traced = getattr(handler, "run_map", None)
        held = traced.get(str(run_id)) if isinstance(traced, dict) else None
        if held is None or not hasattr(held, "add_metadata"):
            continue
        try:
            held.add_metadata(_traced(decision))
        except Exception as error:  # noqa: BLE001  # no call fails for a tracer's sake
            log.debug("kalibr: a tracer took no metadata: %s", type(error).__name__)


def _traced(decision: Decision) -> dict[str, Any]:
    told: dict[str, Any] = {
        "kalibr_decision_id": decision.id,
        "kalibr_path": decision.path.id,
        "kalibr_attempts": decision.attempts,
        "kalibr_cost_usd": decision.cost_usd,
    }
    failed = failures_of(decision.outcomes)
    if failed:
        told["kalibr_failures"] = [f"{data['path']}: {data['failure']}" for data in failed]
    if decision.outcomes and (model := decision.outcomes[-1].model):
        told["ls_model_name"] = model
    return told
