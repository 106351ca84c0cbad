"""One routed call, written once: every decision, no I/O.

`plan_call` asks for attempts and waits, and is told how they went. The drivers in `drive.py` do
what it asks, sync or async, whole answers or streams. Latency is measured here: the clock runs
while the generator waits.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Generic, TypeAlias, TypeVar

from .booking import Books
from .choice import Choice, Limits
from .errors import AllPathsFailed, BadResponse, KalibrError, OutputRejected
from .failures import RULES, classify
from .ports import Gate
from .types import (
    Attempt,
    Decision,
    EvidenceKind,
    Failed,
    Failure,
    FailureKind,
    FirstChunk,
    Outcome,
    Output,
    Path,
    Pull,
    Request,
    Succeeded,
    Usage,
    Wait,
    Waited,
)
from .verdicts import verdict_on

T = TypeVar("T")

Order: TypeAlias = "Attempt | Wait"
Event: TypeAlias = "FirstChunk | Succeeded[T] | Failed | Waited"
Plan: TypeAlias = "Generator[Order, Event[T], Done[T]]"

UNSENT = (FailureKind.CALLER, FailureKind.UNSUPPORTED)
"""Failures before anything was sent, or of servers without the thing that was asked for."""
POOREST = ("empty", "refusal", "error_text")
"""Refused outputs that `on_exhausted="best"` gives out only where there is no other."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Done(Generic[T]):
    """The end of a plan: the answer that the caller gets, and how it came about."""

    answer: T
    output: Output
    """The answer as the gates saw it."""
    decision: Decision


@dataclass(frozen=True, slots=True, kw_only=True)
class Call(Generic[T]):
    """All that one routed call needs."""

    choice: Choice
    """Which paths may be tried now, and the policy's pull among them."""
    books: Books
    gate: Gate
    request: Request
    read: Callable[[T], Output]
    """An answer as the gates see it."""
    limits: Limits
    live: bool
    """True: chunks reach the caller as they come, so after the first there is no way back."""
    clock: Callable[[], float]
    """Monotonic, seconds."""
    wall: Callable[[], float]
    """Seconds since the epoch."""


def plan_call(call: Call[T]) -> Plan[T]:
    """Yield attempts until one passes the gate.

    Raises:
        AllPathsFailed: every path that could be tried failed; from the first attempt's error.
        NoEligiblePath, BudgetExceeded, PathsBlocked: nothing was called.
        Exception: the provider's own error, where it is the caller's to mend, or where a live
            stream broke off.
    """
    return _Run(call).run()


class _Run(Generic[T]):
    """The state of one call."""

    def __init__(self, call: Call[T]) -> None:
        self.call = call
        self.outcomes: list[Outcome] = []
        self.errors: list[Exception] = []
        self.best: tuple[T, Output, Path] | None = None
        self.best_reason = ""
        self.first_pull: Pull | None = None

    def run(self) -> Plan[T]:
        choice = self.call.choice
        choice.open(self.call.clock())
        while True:
            step = choice.next(self.call.clock(), wall=self.call.wall())
            if isinstance(step, Wait):
                yield step
                continue
            if isinstance(step, str):
                return self._exhausted(step)
            attempt, pull = step
            self.first_pull = self.first_pull or pull
            done = yield from self._attempt(attempt)
            if done is not None:
                return done

    def _attempt(self, attempt: Attempt) -> Generator[Order, Event[T], Done[T] | None]:
        clock = self.call.clock
        started, first_token_s = clock(), None
        try:
            event = yield attempt
            if isinstance(event, FirstChunk):
                first_token_s = clock() - started
                event = yield attempt
        except GeneratorExit:
            # The caller left: that says nothing about the path, and must not move the posterior.
            self._book(attempt, clock() - started, first_token_s, None, None, abandoned=True)
            raise
        latency_s = clock() - started
        in_hands = self.call.live and first_token_s is not None
        if isinstance(event, Succeeded):
            return self._answered(attempt, event.answer, latency_s, first_token_s, in_hands)
        assert isinstance(event, Failed)
        self._failed(attempt, event.error, latency_s, first_token_s, output=None)
        if in_hands:
            raise self._marked(event.error)
        return None

    def _answered(
        self, attempt: Attempt, answer: T, latency_s: float, first_s: float | None, in_hands: bool
    ) -> Done[T] | None:
        try:
            output = self.call.read(answer)
        except Exception as error:  # noqa: BLE001  # whatever reading raises: it is no answer
            unread = _unread(error)
            self._failed(attempt, unread, latency_s, first_s, output=None)
            if in_hands:
                raise self._marked(unread) from None
            return None
        call = self.call
        verdict = verdict_on(output, call.request, gate=call.gate, broken=call.books.gate_failed)
        if verdict.passed is False:
            rejected = OutputRejected(verdict.reason or "refused", verdict.detail)
            self._failed(attempt, rejected, latency_s, first_s, output=output)
            self._keep(answer, output, attempt.path, rejected.reason)
            return self._done(answer, output, attempt.path, verified=False) if in_hands else None
        evidence = EvidenceKind.NONE if verdict.passed is None else EvidenceKind.QUALITY
        self.call.choice.passed(attempt.path, now=self.call.clock())
        self._book(attempt, latency_s, first_s, output, None, evidence)
        return self._done(answer, output, attempt.path, verified=bool(verdict.passed))

    def _failed(
        self,
        attempt: Attempt,
        error: Exception,
        latency_s: float,
        first_s: float | None,
        *,
        output: Output | None,
    ) -> None:
        """Book a failure, and raise what is the caller's to mend."""
        failure = classify(error, now=self.call.wall)
        self.errors.append(error)
        evidence = self.call.choice.failed(attempt.path, failure, now=self.call.clock())
        self._book(attempt, latency_s, first_s, output, failure, evidence)
        if RULES[failure.kind].then == "raise":
            raise self._marked(error)

    def _book(
        self,
        attempt: Attempt,
        latency_s: float,
        first_s: float | None,
        output: Output | None,
        failure: Failure | None,
        evidence: EvidenceKind = EvidenceKind.NONE,
        *,
        abandoned: bool = False,
    ) -> None:
        usage = output.usage if output else None
        outcome = Outcome(
            path_id=attempt.path.id,
            number=attempt.number,
            reward=None if evidence is EvidenceKind.NONE else float(failure is None),
            evidence=evidence,
            failure=failure,
            latency_s=latency_s,
            first_token_s=first_s,
            usage=usage,
            cost_usd=self._cost(attempt, usage, failure),
            finish_reason=output.finish_reason if output else None,
            model=output.model if output else None,
            abandoned=abandoned,
        )
        self.outcomes.append(outcome)
        self.call.choice.spent(outcome)
        self.call.books.attempt(outcome, self.call.request, self.first_pull)

    def _cost(self, attempt: Attempt, usage: Usage | None, failure: Failure | None) -> float | None:
        # A provider that refused to answer does not bill; one that was cut off may.
        if usage is None and failure is not None and failure.status is not None:
            return 0.0
        if failure is not None and failure.kind in UNSENT:
            return 0.0
        return self.call.choice.cost_usd(attempt.path, usage)

    def _keep(self, answer: T, output: Output, path: Path, reason: str) -> None:
        if self.best is None or self.best_reason in POOREST:
            self.best, self.best_reason = (answer, output, path), reason

    def _exhausted(self, stopped: str) -> Done[T]:
        best = self.call.limits.on_exhausted == "best"
        if self.best is not None and (best or self.best_reason in self.call.request.tolerates):
            return self._done(*self.best, verified=False)
        if not self.errors:
            raise self.call.choice.nothing_tried(stopped)
        failed = AllPathsFailed(
            [o for o in self.outcomes if not o.abandoned], self.errors, stopped=stopped
        )
        # No path is large enough: the request's own fault, and told as the provider told it.
        if all(o.failure and o.failure.kind is FailureKind.CONTEXT_OVERFLOW for o in self.outcomes):
            raise self._marked(self.errors[0])
        raise self._marked(failed) from self.errors[0]

    def _done(self, answer: T, output: Output, path: Path, *, verified: bool) -> Done[T]:
        decision = self._decision(path, verified=verified)
        self.call.choice.answered(path, wall=self.call.wall())
        return Done(answer=answer, output=output, decision=decision)

    def _decision(self, path: Path, *, verified: bool) -> Decision:
        assert self.first_pull is not None
        return self.call.books.decision(path, self.first_pull, self.outcomes, verified=verified)

    def _marked(self, error: Exception) -> Exception:
        """Hang the call's record on an error, so that the caller sees what was tried."""
        last = self.call.choice.path(self.outcomes[-1].path_id)
        decision = self._decision(last, verified=False)
        if isinstance(error, KalibrError):
            error.kalibr = decision
        else:
            try:
                error.kalibr = decision  # type: ignore[attr-defined]  # a provider's own exception
            except AttributeError:
                self.call.books.unmarked += 1
        return error


def _unread(error: Exception) -> Exception:
    """A provider's odd answer must not pass for a bug of the caller's."""
    if isinstance(error, BadResponse):
        return error
    unread = BadResponse(f"the answer cannot be read: {type(error).__name__}")
    unread.__cause__ = error
    return unread
