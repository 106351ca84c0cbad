"""What one call writes into the record, and the decision that it hands to the caller."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence

from .learner import Learner
from .paths import is_number
from .types import (
    JSON,
    Basis,
    Decision,
    Entry,
    Outcome,
    Path,
    Pull,
    Request,
)


def new_id(at: float) -> str:
    """An id of 32 hex digits that sorts by time: milliseconds, then 80 random bits."""
    return f"{int(at * 1000) & 0xFFFFFFFFFFFF:012x}{os.urandom(10).hex()}"


class Books:
    """One call's bookkeeping."""

    __slots__ = ("_learner", "_wall", "id", "unmarked")

    def __init__(self, learner: Learner, wall: Callable[[], float]) -> None:
        self._learner = learner
        self._wall = wall
        self.id = new_id(wall())
        self.unmarked = 0

    def attempt(self, outcome: Outcome, request: Request, pull: Pull | None) -> None:
        """Record a finished attempt; the first one carries what the decision was made from."""
        data = _attempt_data(outcome)
        if outcome.number == 1 and pull is not None:
            data.update(_decision_data(pull, request))
        entry = Entry(
            f"{self.id}:{outcome.number}",
            self._learner.goal,
            "attempt",
            self.id,
            outcome.path_id,
            self._learner.origin,
            self._wall(),
            outcome.evidence,
            outcome.reward,
            data,
        )
        if outcome.abandoned:
            self._learner.leave(entry)
        else:
            self._learner.book(entry)

    def decision(
        self, path: Path, pull: Pull, outcomes: Sequence[Outcome], *, verified: bool
    ) -> Decision:
        return Decision(
            id=self.id,
            goal=self._learner.goal,
            path=path,
            pull=pull,
            outcomes=tuple(outcomes),
            verified=verified,
        )

    def gate_failed(self, error: Exception) -> None:
        what = f"the gate failed with {type(error).__name__}; such answers pass unverified"
        self._learner.warn("gate", what)


def _attempt_data(outcome: Outcome) -> dict[str, JSON]:
    data: dict[str, JSON] = {"latency_s": round(outcome.latency_s, 6)}
    if outcome.failure is not None:
        data["failure"] = outcome.failure.kind.value
        data["reason"] = outcome.failure.reason
        if outcome.failure.status is not None:
            data["status"] = outcome.failure.status
        if outcome.failure.retry_after_s is not None:
            data["retry_after_s"] = outcome.failure.retry_after_s
    if outcome.abandoned:
        data["abandoned"] = True
    if outcome.usage is not None:
        data["input_tokens"] = outcome.usage.input_tokens
        data["output_tokens"] = outcome.usage.output_tokens
    for name in ("first_token_s", "cost_usd", "finish_reason", "model"):
        if (value := getattr(outcome, name)) is not None:
            data[name] = value
    return data


def _decision_data(pull: Pull, request: Request) -> dict[str, JSON]:
    data: dict[str, JSON] = {
        "rule": pull.rule,
        "chosen": pull.arm,
        "propensity": pull.propensity,
        "basis": [basis_data(b) for b in pull.basis],
        "features": list(request.features),
    }
    if pull.due is not None:
        data["due"] = pull.due
    if pull.previous is not None:
        data["previous"] = pull.previous
    return data


def basis_data(basis: Basis) -> JSON:
    """JSON as it stands: the policy has rounded it."""
    return list(basis)


def basis_from(data: object) -> tuple[Basis, ...]:
    """Read back what `basis_data` wrote; anything else gives none."""
    try:
        return tuple(
            Basis(str(arm), _cost(cost), bool(down), _runs(runs), _doubt(*rest))
            for arm, cost, down, runs, *rest in data  # type: ignore[attr-defined]  # untrusted JSON
        )
    except (TypeError, ValueError):
        return ()


def _cost(value: object) -> float | None:
    if value is not None and not is_number(value):
        raise ValueError
    return value


def _doubt(value: object = 0.0) -> float:
    if not is_number(value):
        raise ValueError
    return min(max(value, 0.0), 100.0)


def _runs(data: Sequence[Sequence[object]]) -> tuple[tuple[float, float, float], ...]:
    """A posterior's components; what no posterior can be is refused, not computed with."""
    runs: list[tuple[float, float, float]] = []
    for weight, alpha, beta in data:
        if not (is_number(weight) and is_number(alpha) and is_number(beta)):
            raise ValueError
        if weight < 0.0 or alpha <= 0.0 or beta <= 0.0:
            raise ValueError
        runs.append((weight, alpha, beta))
    if not any(weight > 0.0 for weight, _, _ in runs):
        raise ValueError
    return tuple(runs)
