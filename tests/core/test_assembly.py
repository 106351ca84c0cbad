"""What a Router's arguments make of its parts."""

from __future__ import annotations

from typing import Any

import pytest

from kalibr_core import ConfigError, Router
from kalibr_core.testing import FixedGate

from .scene import Scene, named


def test_the_goal_picks_the_check_where_it_is_a_known_task() -> None:
    def verified(goal: str, task: str | None, text: str) -> bool:
        scene = Scene({"a": text}, gate=None, on_exhausted="best", max_attempts=1)
        router = Router(
            goal,
            task=task,
            paths=named("a"),
            ledger="memory",
            on_exhausted="best",
            max_attempts=1,
        )
        return scene.provider.route(router).decision.verified

    prose = "There is no code in this sentence."
    assert verified("my own goal", None, prose)
    assert not verified("code_generation", None, prose)
    assert not verified("my own goal", "code_generation", prose)
    assert verified("code_generation", "general", prose)


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({"success_when": bool, "gate": FixedGate(lambda text: True)}, "not both"),
        ({"gate": object()}, "must have a method check"),
        ({"task": "no_such_task"}, "task"),
    ],
)
def test_what_is_no_gate_is_refused(given: dict[str, Any], why: str) -> None:
    with pytest.raises(ConfigError, match=why):
        Router("g", paths=named("a"), ledger="memory", **given)


def test_score_when_takes_the_default_judges_place() -> None:
    made = Router("research", paths=named("a"), ledger="memory", score_when=len)
    assert made._judging is None
    made.close()


def test_two_that_score_the_same_answers_are_refused() -> None:
    with pytest.raises(ConfigError, match="score_when or judge, not both"):
        Router("g", paths=named("a"), ledger="memory", score_when=len, judge=lambda q, a: 1.0)


def test_what_users_do_is_learned_by_the_router_of_its_goal() -> None:
    scene = Scene({"a": "good"})
    decision = scene.run().decision
    scene.router.report_pipeline("s", prompt="p", output="good", decision_id=decision.id)
    assert scene.router.report_action("s", "output_copied")
    assert [e.kind for e in scene.entries][-1] == "action"
    assert {e.goal for e in scene.entries} == {"scene"}
