"""A routed call around a stub that answers at once: what the Router itself takes, and where."""

from __future__ import annotations

import random
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from kalibr_bench.overhead.callers import GOAL, MESSAGES
from kalibr_bench.overhead.peers import failures
from kalibr_bench.overhead.timing import Times, times_of, turns
from kalibr_bench.resilience import MODELS
from kalibr_core import Gate, Ledger, Output, Policy, Request, Router, SQLiteLedger, Verdict
from kalibr_core.answers import read_completion
from kalibr_core.bandit import RunLengthPolicy
from kalibr_core.features import features_of, last_text
from kalibr_core.gates.structural import StructuralGate
from kalibr_core.types import Arm, Context, Entry, Evidence, Pull

WARM_UP = 200
ANSWER = (
    '{"summary": "The provider reports that the outage in Lyon is over and that '
    + ", ".join(f"line {n} runs at full speed" for n in range(12))
    + '.", "key_entities": ["Northwind Foods", "Lyon"], '
    '"sentiment": {"label": "neutral", "confidence": 0.8}, '
    '"action_items": ["Chen Haddad publishes the report by Friday"]}'
)


@dataclass(frozen=True, slots=True, kw_only=True)
class InProcess:
    """Times in seconds.

    Attributes:
        added: A whole routed call less the stub's own call.
        parts: By part its time within a call: pull, gate, update, append, and the rest.
    """

    added: Times
    parts: dict[str, Times]


def measure_in_process(calls: int) -> InProcess:
    """Time routed calls with gate 1 on and a SQLite ledger in a temporary folder."""
    request, answer = _request(), _answer()
    with TemporaryDirectory() as folder:
        with _router(SQLiteLedger(Path(folder) / "plain.db")) as router:
            things: dict[str, Callable[[], object]] = {
                "routed": lambda: router.call(
                    request, lambda attempt: answer, read=read_completion
                ),
                "stub": lambda: read_completion(answer),
            }
            taken = turns(things, rounds=calls, warm_up=WARM_UP)
        failures(taken.failed, own=things)
        stub = times_of(taken.times["stub"]).p50
        parts = _parts(Path(folder) / "timed.db", request, answer, calls)
    return InProcess(added=times_of([time - stub for time in taken.times["routed"]]), parts=parts)


def _router(ledger: Ledger, *, policy: Policy | None = None, gate: Gate | None = None) -> Router:
    return Router(
        GOAL,
        paths=list(MODELS),
        base_url="http://127.0.0.1:9/v1",
        api_key="none",
        ledger=ledger,
        policy=policy,
        gate=gate,
        seed=0,
    )


def _request() -> Request:
    features = features_of(MESSAGES, tools=0, schema=False, session=None)
    return Request(prompt=last_text(MESSAGES), features=features)


def _answer() -> Any:
    from openai.types.chat import ChatCompletion

    return ChatCompletion.model_validate(
        {
            "id": "chatcmpl-1",
            "object": "chat.completion",
            "created": 0,
            "model": "gpt-4o-mini-2024-07-18",
            "choices": [
                {
                    "index": 0,
                    "finish_reason": "stop",
                    "message": {"role": "assistant", "content": ANSWER},
                }
            ],
            "usage": {"prompt_tokens": 300, "completion_tokens": 150, "total_tokens": 450},
        }
    )


class Stopwatch:
    """Sums times by part within one call."""

    def __init__(self) -> None:
        self.now: defaultdict[str, float] = defaultdict(float)
        self.calls: list[dict[str, float]] = []

    def of(self, part: str, work: Callable[[], Any]) -> Any:
        """Do the work and take its time."""
        started = time.perf_counter()
        try:
            return work()
        finally:
            self.now[part] += time.perf_counter() - started

    def lap(self, whole: float) -> None:
        """End a call that took so long."""
        parts = dict(self.now)
        self.calls.append(parts | {"rest": whole - sum(parts.values()), "whole": whole})
        self.now.clear()


class TimedPolicy(RunLengthPolicy):
    """The Router's own policy under a stopwatch."""

    watch: Stopwatch

    def pull(self, arms: Sequence[Arm], context: Context) -> Pull:
        found: Pull = self.watch.of("pull", lambda: super(TimedPolicy, self).pull(arms, context))
        return found

    def update(self, arm: str, evidence: Evidence) -> None:
        self.watch.of("update", lambda: super(TimedPolicy, self).update(arm, evidence))


class TimedLedger(SQLiteLedger):
    """The default ledger under a stopwatch."""

    watch: Stopwatch

    def append(self, entry: Entry) -> bool:
        return bool(self.watch.of("append", lambda: super(TimedLedger, self).append(entry)))


@dataclass(frozen=True, slots=True)
class TimedGate:
    """The built-in gate under a stopwatch."""

    watch: Stopwatch
    gate: StructuralGate

    def check(self, request: Request, output: Output) -> Verdict:
        """Judge an output."""
        found: Verdict = self.watch.of("gate", lambda: self.gate.check(request, output))
        return found


def _parts(file: Path, request: Request, answer: Any, calls: int) -> dict[str, Times]:
    watch = Stopwatch()
    policy = TimedPolicy(list(MODELS), random.Random(0))
    ledger = TimedLedger(file)
    policy.watch = ledger.watch = watch
    gate = TimedGate(watch, StructuralGate("general"))
    with _router(ledger, policy=policy, gate=gate) as router:
        for _ in range(WARM_UP + calls):
            started = time.perf_counter()
            router.call(request, lambda attempt: answer, read=read_completion)
            watch.lap(time.perf_counter() - started)
    laps = watch.calls[WARM_UP:]
    names = ("pull", "gate", "update", "append", "rest", "whole")
    return {name: times_of([lap.get(name, 0.0) for lap in laps]) for name in names}
