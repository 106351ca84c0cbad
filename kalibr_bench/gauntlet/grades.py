"""What a grader says: checks, and the grade that they make."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from kalibr_bench.gauntlet.sandbox import Verdict


class Tier(StrEnum):
    """The rubric's six rows."""

    INTEGRITY = "tier1"
    FLAT = "tier2_flat"
    HEAVY_TAIL = "tier2_heavy_tail"
    RESILIENCE = "tier3"
    OUTPUT = "output"
    GUARDRAILS = "guardrails"


WEIGHTS: dict[Tier, float] = {
    Tier.INTEGRITY: 0.2,
    Tier.FLAT: 0.1,
    Tier.HEAVY_TAIL: 0.1,
    Tier.RESILIENCE: 0.2,
    Tier.OUTPUT: 0.2,
    Tier.GUARDRAILS: 0.2,
}
FEEDBACK: dict[Tier, str] = {
    Tier.INTEGRITY: "Tier1 cascade unresolved",
    Tier.FLAT: "Tier2 flat segment broken",
    Tier.HEAVY_TAIL: "Tier2 balance broken",
    Tier.RESILIENCE: "Tier3 resilience missing",
    Tier.OUTPUT: "Output validity broken",
    Tier.GUARDRAILS: "Guardrail evidence missing",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One thing that was looked at.

    Attributes:
        name: Its row of the rubric, and for a strict check also what it looked at.
        weight: What it adds to the score, in [0, 1].
        passed: Whether it holds.
        feedback: What the agent is told if it does not; empty if it does.
        detail: What was wrong, for whoever looks into it.
    """

    name: str
    weight: float
    passed: bool
    feedback: str = ""
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Grade:
    """What a submission is worth.

    Attributes:
        score: Sum of the passed checks' weights, in [0, 1].
        passed: Whether every check holds: full credit, nothing less.
        checks: In the rubric's order.
        feedback: Of the failed checks, in order, each once.
        verdict: How it behaved in the sandbox: the worst that was seen.
        detail: That verdict in words; empty for OK.
        notes: Layers of the sandbox that this machine did not give.
    """

    score: float
    passed: bool
    checks: tuple[Check, ...]
    feedback: tuple[str, ...]
    verdict: Verdict
    detail: str = ""
    notes: tuple[str, ...] = ()


def grade_of(
    checks: list[Check], verdict: Verdict, detail: str = "", notes: tuple[str, ...] = ()
) -> Grade:
    """The checks' sum; the score is rounded so that all six tenths and fifths make exactly 1."""
    failed = dict.fromkeys(check.feedback for check in checks if not check.passed)
    return Grade(
        score=round(sum((check.weight for check in checks if check.passed), 0.0), 6),
        passed=all(check.passed for check in checks),
        checks=tuple(checks),
        feedback=tuple(failed),
        verdict=verdict,
        detail=detail,
        notes=notes,
    )
