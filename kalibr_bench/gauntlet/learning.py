"""How a run's end teaches the Router: one outcome for each path that the run used.

Gate 1 passes nearly every step of a bad engineer: its tool calls are well formed. If each passed
step counted as a success, a path that fails every run of six steps would seem to succeed in six
cases of seven, the more the longer its runs are. So a step that passes is no evidence here, a step
that fails is, and the run's grade is what decides. For that to be anybody's grade, a run stays
with the path of its first step, unless that one fails on the way.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from kalibr_bench.gauntlet.records import ROUTED, UNIFORM, Call
from kalibr_core import Gate, Output, Policy, Request, Router, Verdict
from kalibr_core.bandit import RunLengthPolicy, UniformPolicy
from kalibr_core.gates.structural import StructuralGate
from kalibr_core.types import Arm, Context, Pull

GOAL = "resilience_gauntlet"


class StepGate:
    """Gate 1 for the steps of an agent: what fails is charged, what passes proves nothing yet."""

    def __init__(self, gate: Gate | None = None) -> None:
        self._gate = gate or StructuralGate("general")

    def check(self, request: Request, output: Output) -> Verdict:
        verdict = self._gate.check(request, output)
        return verdict if verdict.passed is False else Verdict(passed=None)


class RunPolicy(RunLengthPolicy):
    """The Router's policy, asked once for each run.

    The usual price of a switch does not hold a run together: it is small, and a path that is taken
    for failing is left at once, so that a probe of it would be judged by another path's work.
    """

    def pull(self, arms: Sequence[Arm], context: Context) -> Pull:
        """The run's path where it has one, else the policy's choice."""
        return stay(arms, context) or super().pull(arms, context)


class RandomRunPolicy(UniformPolicy):
    """Chance, asked once for each run."""

    def pull(self, arms: Sequence[Arm], context: Context) -> Pull:
        """The run's path where it has one, else any."""
        return stay(arms, context) or super().pull(arms, context)


def stay(arms: Sequence[Arm], context: Context) -> Pull | None:
    """The path that answered the conversation's last turn; None: it has none that is offered."""
    for arm in arms:
        if arm.id == context.previous:
            return Pull(arm=arm.id, rule="conversation", propensity=1.0)
    return None


def router_for(arm: str, paths: Sequence[Mapping[str, Any]], *, seed: int) -> Router:
    """An arm's Router, which remembers nothing of other arms.

    Args:
        arm: `ROUTED`, `UNIFORM`, or the name of the path to stay with.
        paths: As `Router` takes them, each with its `name`.
        seed: Of the policy's draws.
    """
    if arm not in (ROUTED, UNIFORM):
        paths = [path for path in paths if path["name"] == arm]
    names, rng = [str(path["name"]) for path in paths], random.Random(seed)
    policy: Policy = (RandomRunPolicy if arm == UNIFORM else RunPolicy)(names, rng)
    return Router(
        GOAL, paths=paths, policy=policy, gate=StepGate(), judge=None, ledger="memory", seed=seed
    )


def learn(router: Router, calls: Iterable[Call], *, passed: bool, score: float) -> int:
    """Report a run's end: one outcome and one score for each path that it used.

    Returns:
        How many paths there were.
    """
    last = {call.path: call.decision_id for call in calls}
    for decision_id in last.values():
        router.report(decision_id, success=passed, score=score)
    return len(last)
