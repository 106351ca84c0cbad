"""What is measured: calls, runs, arms. Plain records that pickle and compare."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from kalibr_bench.gauntlet.grades import Grade

MOST_AT_ONCE = 10
"""Runs that are under way at the same time, at most."""
FRAMEWORKS = ("langchain", "llama-index")
ROUTED, UNIFORM = "kalibr", "uniform"
"""Arms: the Router's policy, and chance; every other arm is a path's name, and stays with it."""

End: TypeAlias = Literal["submitted", "stopped", "steps", "crashed"]
"""How a run ended: with a submission; the agent stopped without one; out of steps; by an error."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One routed call of an agent, which is one step.

    Attributes:
        decision_id: What an outcome is reported for.
        path: The path that answered.
        cost_usd: Of all attempts; None where it is not known.
        attempts: Provider calls, >= 1.
    """

    decision_id: str
    path: str
    cost_usd: float | None
    attempts: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One episode: an agent's work on the task, and its grade.

    Attributes:
        number: From 0, in the order in which runs began.
        seed: The request's seed of all its calls; None with real models.
        calls: In order.
        ended: How.
        grade: Of the submission; None where there is none.
        error: Of a run that crashed: the error's class and kind, without any text of the models'.
        latency_s: From the first call to the end of grading, seconds.
        submission: The submitted code, where it was asked to be kept.
    """

    number: int
    seed: int | None
    calls: tuple[Call, ...]
    ended: End
    grade: Grade | None
    error: str | None
    latency_s: float
    submission: str | None = None

    @property
    def path(self) -> str | None:
        """The path of the last call, whose work the submission is."""
        return self.calls[-1].path if self.calls else None

    @property
    def passed(self) -> bool:
        """Whether the submission passed every check."""
        return self.grade is not None and self.grade.passed

    @property
    def score(self) -> float:
        """In [0, 1]; 0 without a submission."""
        return 0.0 if self.grade is None else self.grade.score

    @property
    def cost_usd(self) -> float:
        """All calls together, as far as their cost is known."""
        return sum(call.cost_usd or 0.0 for call in self.calls)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What is to be run.

    Attributes:
        runs: Episodes of each arm, >= 1.
        seed: Of the engineers' luck, the policy's draws, and strict mode's inputs.
        at_once: Runs under way at the same time; 1: one after the other.
        strict: Whether strict mode grades.
        framework: One of `FRAMEWORKS`.
        arms: `ROUTED`, `UNIFORM`, names of paths.
        latency_scale: Factor on the engineers' latencies, >= 0.
        keep_submissions: Whether the submitted code stays in the results.
    """

    runs: int = 10
    seed: int = 0
    at_once: int = MOST_AT_ONCE
    strict: bool = False
    framework: str = "langchain"
    arms: tuple[str, ...] = (ROUTED,)
    latency_scale: float = 0.01
    keep_submissions: bool = False


@dataclass(slots=True, kw_only=True)
class Results:
    """All runs.

    Attributes:
        settings: What was to be run.
        paths: By path its list price in USD per million tokens, (prompt, completion), from the
            cheapest to the dearest; the prices are None where they are not known.
        runs: By arm, in the order of their numbers; the last ones are missing if the user stopped.
        stopped: Whether the user stopped.
        live: Whether the models were real.
        elapsed_s: By arm the wall time of all its runs, seconds.
    """

    settings: Settings
    paths: Mapping[str, tuple[float | None, float | None]]
    runs: dict[str, list[Run]] = field(default_factory=dict)
    stopped: bool = False
    live: bool = False
    elapsed_s: dict[str, float] = field(default_factory=dict)
