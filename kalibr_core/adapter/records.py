"""What the caller gets to see of a decision: plain JSON, without any text of the conversation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..bandit import propensity
from ..types import Decision, Outcome

NODES = 8
"""Steps of the integral for the propensity that goes with each answer; `explain` takes more."""


def record_of(decision: Decision) -> dict[str, Any]:
    """`response_metadata["kalibr"]`."""
    outcomes = decision.outcomes
    return {
        "decision_id": decision.id,
        "goal": decision.goal,
        "path": decision.path.id,
        "verified": decision.verified,
        "rule": decision.pull.rule,
        "propensity": propensity_of(decision),
        "cost_usd": decision.cost_usd,
        "input_tokens": _sum(o.usage and o.usage.input_tokens for o in outcomes),
        "output_tokens": _sum(o.usage and o.usage.output_tokens for o in outcomes),
        "attempts": [attempt_of(outcome) for outcome in outcomes],
    }


def attempt_of(outcome: Outcome) -> dict[str, Any]:
    """One attempt, as far as it is known."""
    told: dict[str, Any] = {
        "path": outcome.path_id,
        "number": outcome.number,
        "latency_s": round(outcome.latency_s, 6),
        "cost_usd": outcome.cost_usd,
    }
    for name in ("first_token_s", "model", "finish_reason"):
        if (value := getattr(outcome, name)) is not None:
            told[name] = value
    if outcome.usage is not None:
        told["input_tokens"] = outcome.usage.input_tokens
        told["output_tokens"] = outcome.usage.output_tokens
        if outcome.usage.cached_input_tokens is not None:
            told["cached_input_tokens"] = outcome.usage.cached_input_tokens
        if outcome.usage.reasoning_tokens is not None:
            told["reasoning_tokens"] = outcome.usage.reasoning_tokens
    if outcome.failure is not None:
        told["failure"] = outcome.failure.kind.value
        told["reason"] = outcome.failure.reason and str(outcome.failure.reason)
        if outcome.failure.status is not None:
            told["status"] = outcome.failure.status
    if outcome.abandoned:
        told["abandoned"] = True
    return told


def failures_of(outcomes: Sequence[Outcome]) -> list[dict[str, Any]]:
    """The attempts that failed."""
    return [attempt_of(outcome) for outcome in outcomes if outcome.failure is not None]


def propensity_of(decision: Decision) -> float | None:
    """The first choice's probability; None: the policy tells nothing that it follows from."""
    try:
        return round(propensity(decision.pull, nodes=NODES), 3)
    except (ValueError, ArithmeticError, LookupError):
        return None


def _sum(counts: Any) -> int | None:
    """All attempts together, as far as their providers told."""
    known = [count for count in counts if count is not None]
    return sum(known) if known else None
