"""Each engineer's usual work has its own fault, and no other."""

from __future__ import annotations

import json

import pytest

from kalibr_bench.gauntlet.engineers import ENGINEERS, models
from kalibr_bench.provider import LoopbackProvider
from kalibr_bench.provider.conversation import conversation_of
from kalibr_bench.provider.request import ChatRequest

from ..provider.conftest import Ask
from .agents import graded

USUAL = {
    "tier-one": (
        0.5,
        ("Tier2 balance broken", "Tier3 resilience missing", "Guardrail evidence missing"),
    ),
    "over-trimmer": (0.9, ("Tier2 balance broken",)),
    "unbounded": (0.8, ("Tier3 resilience missing",)),
    "complete": (0.8, ("Tier3 resilience missing",)),
    "cheat": (1.0, ()),
    "no-guardrails": (0.8, ("Guardrail evidence missing",)),
}
DRAWS = 400


@pytest.mark.parametrize("name", ENGINEERS)
def test_usual_work_gets_the_grade_of_its_fault(name: str) -> None:
    score, feedback = USUAL[name]
    grade = graded(ENGINEERS[name].usual())
    assert (grade.score, grade.feedback) == (score, feedback)
    assert grade.verdict == "ok"


@pytest.mark.parametrize("strict", [False, True], ids=["plain", "strict"])
def test_the_whole_solution_passes(strict: bool) -> None:
    grade = graded(ENGINEERS["complete"].other(), strict=strict, seed=3)
    assert grade.passed, [check for check in grade.checks if not check.passed]
    assert grade.score == 1.0


def test_strict_mode_fails_the_cheat() -> None:
    assert not graded(ENGINEERS["cheat"].usual(), strict=True, seed=3).passed


def test_skill_is_a_share_of_runs() -> None:
    """Within four standard errors."""
    engineer = ENGINEERS["complete"]
    skill = engineer.skill
    tools = ({"name": "submit_code"}, {"name": "python_expression"})
    messages = ({"role": "user", "content": "Go"}, *({"role": "assistant"},) * 4)
    good = 0
    for seed in range(DRAWS):
        chat = ChatRequest(body={}, model="complete", messages=messages, seed=seed, tools=tools)
        said = engineer(conversation_of(chat, engineer.model, seed=0))
        assert said is not None
        good += json.loads(said.tool_calls[0].arguments)["code"] == engineer.other()
    assert good / DRAWS == pytest.approx(skill, abs=4 * (skill * (1 - skill) / DRAWS) ** 0.5)


def test_without_the_tasks_tools_an_engineer_is_any_model() -> None:
    with LoopbackProvider(models(), players=dict(ENGINEERS)) as provider:
        answer = Ask(provider)("Explain gravity", "complete").choices[0].message
        assert answer.content
        assert not answer.tool_calls


def test_prices_say_nothing_of_skill() -> None:
    """From the cheapest to the dearest; the best is at neither end."""
    prices = [model.output_usd_per_mtok for model in models()]
    assert prices == sorted(prices)
    assert len(set(prices)) == len(prices)
    assert "complete" not in (*list(ENGINEERS)[:1], *list(ENGINEERS)[-1:])
