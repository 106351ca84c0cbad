"""What is measured: attempts, executions, runs. Plain records that pickle and compare."""

from __future__ import annotations

from dataclasses import dataclass, field

from kalibr_bench.resilience.scenario import Scenario


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One provider call.

    Attributes:
        path: The model that was requested, whatever the answer's own name for it.
        valid: Whether its answer was valid.
        cost_usd: Tokens x list prices; None if the provider told no tokens.
    """

    path: str
    valid: bool
    cost_usd: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Execution:
    """One document, analysed by one arm.

    Attributes:
        calls: In order; empty if nothing could be called.
        valid: Whether the arm gave out a valid answer.
        latency_s: Until the arm gave it out or gave up, seconds.
    """

    calls: tuple[Call, ...]
    valid: bool
    latency_s: float

    @property
    def first(self) -> str | None:
        """The path of the first call."""
        return self.calls[0].path if self.calls else None

    @property
    def first_valid(self) -> bool:
        """Whether the first call's answer was valid."""
        return bool(self.calls) and self.calls[0].valid

    @property
    def cost_usd(self) -> float:
        """All calls together, as far as their cost is known."""
        return sum(call.cost_usd or 0.0 for call in self.calls)


@dataclass(slots=True, kw_only=True)
class RunResult:
    """One run: by arm its executions, as many for each arm."""

    seed: int
    executions: dict[str, list[Execution]] = field(default_factory=dict)

    def add(self, row: dict[str, Execution]) -> None:
        """Add one document's executions, one per arm."""
        for arm, execution in row.items():
            self.executions.setdefault(arm, []).append(execution)

    @property
    def length(self) -> int:
        """Documents done."""
        return min(map(len, self.executions.values()), default=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What is to be run.

    Attributes:
        scenario: The story.
        arms: Names of `arms.ARMS`, in the tables' order.
        latency_scale: Factor on the models' latencies in the loopback provider, >= 0.
    """

    scenario: Scenario
    arms: tuple[str, ...]
    latency_scale: float = 0.0


@dataclass(slots=True, kw_only=True)
class Results:
    """All runs.

    Attributes:
        settings: What was to be run.
        runs: By seed; the last ones are shorter if the user stopped.
        stopped: Whether the user stopped.
        live: Whether the models were real.
    """

    settings: Settings
    runs: list[RunResult]
    stopped: bool = False
    live: bool = False
