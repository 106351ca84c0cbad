"""What a run teaches: its end, once for each path; and that routing finds who can do it."""

from __future__ import annotations

import random
from typing import Any

import pytest

from kalibr_bench.gauntlet.learning import (
    RandomRunPolicy,
    RunPolicy,
    StepGate,
    learn,
    router_for,
)
from kalibr_bench.gauntlet.many import benchmark
from kalibr_bench.gauntlet.records import ROUTED, UNIFORM, Call, Settings
from kalibr_core import Output, Request, Router, ToolCall, Usage, Verdict
from kalibr_core.bandit import RunLengthPolicy
from kalibr_core.types import Arm, Context, Evidence, EvidenceKind, Features

from .agents import graded, quick

PATHS = [
    {"model": name, "name": name, "base_url": "http://127.0.0.1:9", "api_key": "k"}
    | {"input_usd_per_mtok": price, "output_usd_per_mtok": price}
    for name, price in (("a", 1.0), ("b", 2.0), ("c", 3.0))
]


def step(router: Router, session: str, output: Output | None = None) -> Call:
    """One routed call of a conversation, which no provider is asked for."""
    said = output or Output(text="fine", usage=Usage(input_tokens=1000, output_tokens=100))
    features = Features(1000, turns=1, tools=2, schema=False, images=0, script="", session=session)
    done = router.call(Request(features=features), lambda attempt: said, read=lambda answer: answer)
    return Call(decision_id=done.decision.id, path=done.decision.path.id, cost_usd=0.0, attempts=1)


def evidence(router: Router) -> list[tuple[str, float]]:
    """What the policy has learned from: (kind, reward)."""
    entries = (entry for _, entry in router._learner.ledger.entries())
    return [(entry.kind, entry.reward) for entry in entries if entry.reward is not None]


def test_a_step_that_passes_is_no_evidence_and_one_that_fails_is() -> None:
    gate, tools = StepGate(), Request(tools=({"function": {"name": "f", "parameters": {}}},))
    good = Output(text="", tool_calls=(ToolCall(name="f", arguments="{}"),))
    bad = Output(text="", tool_calls=(ToolCall(name="g", arguments="{}"),))
    assert gate.check(tools, good) == Verdict(passed=None)
    assert gate.check(tools, bad).passed is False
    assert gate.check(Request(), Output(text="")).passed is False


def test_a_run_is_one_outcome_however_long_it_was() -> None:
    with router_for(ROUTED, PATHS[:1], seed=0) as router:
        calls = [step(router, "one") for _ in range(12)]
        assert evidence(router) == [], "steps that pass teach nothing"
        for _ in range(2):
            assert learn(router, calls, passed=False, score=0.5) == 1
            assert evidence(router) == [("report", 0.0), ("score", 0.5)], "it counts once"


def test_each_path_that_a_run_used_is_told() -> None:
    with router_for(ROUTED, PATHS, seed=0) as router:
        calls = [step(router, "one"), step(router, "one")]
        other = next(path for path in "abc" if path != calls[0].path)
        router._roster.sessions.answered("two", other, at=1e12)
        router._wall = lambda: 1e12
        calls.append(step(router, "two"))
        assert learn(router, calls, passed=True, score=1.0) == 2


@pytest.mark.parametrize("arm", [ROUTED, UNIFORM])
def test_a_run_stays_with_its_first_path(arm: str) -> None:
    """Also while nothing is known, when each call alone would be drawn anew."""
    with router_for(arm, PATHS, seed=3) as router:
        firsts = []
        for number in range(30):
            used = [step(router, f"run {number}").path for _ in range(4)]
            assert len(set(used)) == 1, used
            firsts.append(used[0])
        assert len(set(firsts)) > 1


def test_by_default_a_conversation_is_left_for_a_promising_path() -> None:
    """The usual price of a switch does not hold a run together."""
    arms = [Arm(name, cost) for name, cost in (("a", 1.0), ("b", 2.0), ("c", 3.0))]
    turn = Context(previous="a")
    usual, ours = RunLengthPolicy("abc", random.Random(0)), RunPolicy("abc", random.Random(0))
    assert {usual.pull(arms, turn).arm for _ in range(50)} == {"a", "b", "c"}
    assert {ours.pull(arms, turn).arm for _ in range(50)} == {"a"}


def test_a_run_that_tries_a_path_that_is_down_is_that_paths_own() -> None:
    """Else a probe would be judged by another path's work, and nobody would ever come back."""
    arms = [Arm("a", 1.0), Arm("b", 1.0)]
    usual, ours = RunLengthPolicy("ab", random.Random(0)), RunPolicy("ab", random.Random(0))
    for policy in (usual, ours):
        for gain in (*[1.0] * 30, *[0.0] * 6):
            policy.update("a", Evidence(kind=EvidenceKind.QUALITY, gain=gain, loss=1.0 - gain))
        assert policy.is_down("a")
    assert usual.pull(arms, Context(previous="a")).arm == "b"
    assert ours.pull(arms, Context(previous="a")).arm == "a"


def test_a_path_that_is_not_offered_cannot_be_stayed_with() -> None:
    policy = RandomRunPolicy("ab", random.Random(0))
    assert policy.pull([Arm("b", None)], Context(previous="a")).arm == "b"


def test_a_paths_name_is_an_arm_that_has_no_other() -> None:
    with router_for("b", PATHS, seed=0) as router:
        assert [path.id for path in router.paths] == ["b"]


def test_it_does_so_over_http() -> None:
    """Thirty runs of one seed, by the plain rubric, which two of the six engineers pass."""
    settings = Settings(runs=30, seed=6, at_once=1, latency_scale=0.0)
    runs = benchmark(settings, grade=_graded, evaluate=quick).runs[ROUTED]
    assert {run.path for run in runs[:10]} > {run.path for run in runs[-15:] if run.passed}
    assert sum(run.passed for run in runs[-15:]) >= 13
    assert not any(run.ended == "crashed" for run in runs)


def _graded(source: str, *, strict: bool, seed: int) -> Any:
    return graded(source)
