"""What is measured: runs of an arm. Plain records that compare."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

WINDOW = 100
"""Calls that are looked at together ..."""
ENOUGH = 90
"""... and how many of them have to go to the best path."""
SAMPLINGS = ("informative", "uniform")
POLICIES: Mapping[str, str] = MappingProxyType(
    {
        "kalibr": "Kalibr",
        "thompson": "Thompson, one Beta of gate 1 and scores",
        "scores": "Thompson, one Beta of scores alone",
    }
)
"""Who routes, under the same judge: name and title."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What is to be run.

    Attributes:
        calls: Of each run, >= WINDOW.
        rate: Share of the answers that are judged, in (0, 1].
        samplings: Some of SAMPLINGS.
        policies: Some of POLICIES.
        behind: Judgements that may be under way when the next call begins; 0: calls come further
            apart than a judgement takes. None: the next call waits for nothing.
        evenness: Of the answers' quality, as in the provider's ``Model``.
        noise: Standard deviation of the judge's error.
    """

    calls: int = 600
    rate: float = 0.2
    samplings: tuple[str, ...] = SAMPLINGS
    policies: tuple[str, ...] = tuple(POLICIES)
    behind: int | None = 0
    evenness: float = 8.0
    noise: float = 0.1

    @property
    def arms(self) -> tuple[tuple[str, str], ...]:
        """Policy and sampling of each arm."""
        return tuple((policy, way) for policy in self.policies for way in self.samplings)


@dataclass(frozen=True, slots=True, kw_only=True)
class RunResult:
    """One run of one arm.

    Attributes:
        to_best: Of each call, whether it went to the best path.
        passed: Calls whose first answer passed gate 1.
        judged: What became of what was to be judged, as in `Router.judgements`.
        scores: Sum and number of the judge's scores: of the best path, and of the others.
    """

    seed: int
    policy: str
    sampling: str
    to_best: tuple[bool, ...]
    passed: int
    judged: Mapping[str, int]
    scores: tuple[tuple[float, int], tuple[float, int]]

    @property
    def settled(self) -> int | None:
        """Calls until at least ENOUGH of the next WINDOW go to the best path; None: never."""
        windows = range(len(self.to_best) - WINDOW + 1)
        return next((n for n in windows if sum(self.to_best[n : n + WINDOW]) >= ENOUGH), None)

    @property
    def settled_for_good(self) -> int | None:
        """Calls until that holds of every later WINDOW too; None: not even of the last one."""
        found = None
        for n in range(len(self.to_best) - WINDOW, -1, -1):
            if sum(self.to_best[n : n + WINDOW]) < ENOUGH:
                break
            found = n
        return found


@dataclass(slots=True, kw_only=True)
class Results:
    """All runs; fewer than asked for where it was stopped."""

    settings: Settings
    runs: list[RunResult] = field(default_factory=list)
    stopped: bool = False
