"""One routed call: the plan's orders, what becomes of them, and the decision in the end."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import Generic, TypeVar

from .evidence import EvidenceKind, Pull
from .exchange import Usage
from .path import Path

T = TypeVar("T")


class FailureKind(enum.StrEnum):
    """Why an attempt failed. What follows from each kind stands in one table, `failures.RULES`."""

    BAD_OUTPUT = "bad_output"
    """The provider answered, and gate 1 refused the answer."""
    SERVER_ERROR = "server_error"
    TIMEOUT = "timeout"
    CONNECTION = "connection"
    INTERRUPTED = "interrupted"
    """A stream that ended before it was finished."""
    BAD_RESPONSE = "bad_response"
    """A response that is not the provider's format: HTML, or JSON that is cut."""
    RATE_LIMIT = "rate_limit"
    AUTH = "auth"
    NOT_FOUND = "not_found"
    CONTEXT_OVERFLOW = "context_overflow"
    CONTENT_FILTER = "content_filter"
    UNSUPPORTED = "unsupported"
    """The path does not take one of the request's parameters; another one may."""
    INVALID_REQUEST = "invalid_request"
    CALLER = "caller"
    """A bug in the caller's own code, raised while the call was made."""
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """A failed attempt, classified."""

    kind: FailureKind
    status: int | None = None
    retry_after_s: float | None = None
    reason: str | None = None
    """A short code; the error's own text may hold a prompt or a key and is not kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """An order from the plan: make this one provider call."""

    path: Path
    number: int
    timeout_s: float
    first_token_s: float | None = None
    ends_at: float | None = None
    """When the call's deadline is over, on the Router's clock; drivers of held streams keep it."""


@dataclass(frozen=True, slots=True)
class Wait:
    """An order from the plan: wait, then send `Waited`."""

    seconds: float


@dataclass(frozen=True, slots=True)
class FirstChunk:
    """A stream's first content has arrived."""


@dataclass(frozen=True, slots=True)
class Succeeded(Generic[T]):
    """The provider answered; whether the answer is any good is the gate's to say."""

    answer: T


@dataclass(frozen=True, slots=True)
class Failed:
    error: Exception


@dataclass(frozen=True, slots=True)
class Waited:
    """The wait that the plan asked for is over."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What is recorded of one finished attempt."""

    path_id: str
    number: int
    reward: float | None
    """1.0 passed, 0.0 failed, None: it says nothing about the path."""
    evidence: EvidenceKind
    """What the reward speaks about."""
    failure: Failure | None
    latency_s: float
    first_token_s: float | None
    usage: Usage | None
    cost_usd: float | None
    finish_reason: str | None
    model: str | None
    abandoned: bool = False
    """The caller left before the end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """One routed call: which path answered, what was tried, at what cost."""

    id: str
    goal: str
    path: Path
    """The path whose answer the caller got."""
    pull: Pull
    """The first choice, made before anything was tried."""
    outcomes: tuple[Outcome, ...]
    verified: bool
    """True: the answer passed gate 1."""

    @property
    def attempts(self) -> int:
        return len(self.outcomes)

    @property
    def cost_usd(self) -> float | None:
        """All attempts together; None where one of them is of unknown price."""
        costs = [outcome.cost_usd for outcome in self.outcomes]
        return None if any(cost is None for cost in costs) else sum(c for c in costs if c)

    @property
    def latency_s(self) -> float:
        return sum(outcome.latency_s for outcome in self.outcomes)
