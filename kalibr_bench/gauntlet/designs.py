"""Ways to learn from an agent's runs, side by side: the true Router, played runs, no HTTP.

`python -m kalibr_bench.gauntlet.designs --seeds 60`, two minutes, prints docs/gauntlet.md's table.
"""

from __future__ import annotations

import argparse
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, median
from types import MappingProxyType

from kalibr_bench.gauntlet.engineers import ENGINEERS
from kalibr_bench.gauntlet.engineers import paths as engineers_paths
from kalibr_bench.gauntlet.learning import RunPolicy, StepGate
from kalibr_core import Output, Router, Usage
from kalibr_core.bandit import RunLengthPolicy
from kalibr_core.gates.structural import StructuralGate
from kalibr_core.types import Attempt, Features, Request

RUNS = 60
BAR = 0.85
PROMPT_TOKENS, STEP_TOKENS = 2000, 300
SCORES: Mapping[str, float] = MappingProxyType(
    {
        "tier-one": 0.52,
        "over-trimmer": 0.76,
        "unbounded": 0.82,
        "complete": 0.82,
        "cheat": 0.73,
        "no-guardrails": 0.78,
    }
)
"""Strict scores of runs that do not pass, about."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Design:
    """What is a lesson.

    Attributes:
        steps: Every step that passes gate 1 counts as a success.
        stays: A run stays with its first path; else a switch has its usual price.
        success: A run's end is reported as an outcome.
        score: A run's end is reported as a score.
    """

    steps: bool = False
    stays: bool = True
    success: bool = True
    score: bool = True


DESIGNS: Mapping[str, Design] = MappingProxyType(
    {
        "the run is the unit": Design(),
        "... by outcome alone": Design(score=False),
        "... by score alone": Design(success=False),
        "steps teach too": Design(steps=True),
        "runs wander": Design(stays=False),
        "steps teach, runs wander": Design(steps=True, stays=False),
    }
)


def passed_runs(
    design: Design, *, seed: int, longer: int = 1, skills: Mapping[str, float] | None = None
) -> list[bool]:
    """Which of `RUNS` runs passed, one after the other.

    Args:
        design: What is a lesson.
        seed: Of the policy's draws and of the engineers' luck.
        longer: Factor on the engineers' steps, >= 1.
        skills: By engineer the chance that a run passes; by default as strict mode grades.
    """
    known = skills or {name: engineer.skill for name, engineer in ENGINEERS.items()}
    luck, passed = random.Random(f"luck {seed}"), []
    with _router(design, seed) as router:
        for number in range(RUNS):
            decisions = _steps(router, f"run {number}", longer)
            path = decisions[-1][0]
            good = luck.random() < known[path]
            passed.append(good)
            for decision_id in dict(decisions).values():
                router.report(
                    decision_id,
                    success=good if design.success else None,
                    score=(1.0 if good else SCORES[path]) if design.score else None,
                )
    return passed


def _router(design: Design, seed: int) -> Router:
    paths = engineers_paths("http://127.0.0.1:9/v1")  # nobody is called
    names, rng = [path["name"] for path in paths], random.Random(seed)
    return Router(
        "designs",
        paths=paths,
        policy=(RunPolicy if design.stays else RunLengthPolicy)(names, rng),
        gate=StructuralGate("general") if design.steps else StepGate(),
        judge=None,
        ledger="memory",
    )


def _steps(router: Router, session: str, longer: int) -> list[tuple[str, str]]:
    """A run's calls: (path, decision). It has as many as the engineer takes who began it."""
    made: list[tuple[str, str]] = []
    while not made or len(made) < longer * (len(ENGINEERS[made[0][0]].probes) + 1):
        sent = PROMPT_TOKENS + STEP_TOKENS * len(made)
        usage = Usage(input_tokens=sent, output_tokens=STEP_TOKENS)
        said = Output(text="The next step is this.", usage=usage)
        features = Features(sent, len(made), 2, False, 0, "latin", session)
        decision = router.call(
            Request(features=features), _saying(said), read=lambda answer: answer
        ).decision
        made.append((decision.path.id, decision.id))
    return made


def _saying(said: Output) -> Callable[[Attempt], Output]:
    return lambda attempt: said


def late(passed: Sequence[bool]) -> float:
    """The share of passes in the second half."""
    half = passed[len(passed) // 2 :]
    return sum(half) / len(half)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=60)
    seeds = range(parser.parse_args().seeds)
    for longer in (1, 3):
        for name, design in DESIGNS.items():
            runs = [passed_runs(design, seed=seed, longer=longer) for seed in seeds]
            shares = [late(passed) for passed in runs]
            met = sum(share >= BAR for share in shares) / len(shares)
            print(
                f"steps x {longer} | {name:26} | {100 * median(shares):5.1f} | "
                f"{100 * min(shares):5.1f}-{100 * max(shares):5.1f} | {100 * met:4.0f} | "
                f"{100 * fmean(map(fmean, runs)):5.1f}"
            )


if __name__ == "__main__":
    main()
