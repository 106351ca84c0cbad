"""One run over real HTTP, on both frameworks: how it goes, how it ends, what is learned."""

from __future__ import annotations

import pytest

from kalibr_bench.gauntlet import engineers
from kalibr_bench.gauntlet.desk import Desk
from kalibr_bench.gauntlet.learning import GOAL, router_for
from kalibr_bench.gauntlet.problem import MAX_STEPS
from kalibr_bench.gauntlet.records import FRAMEWORKS
from kalibr_bench.gauntlet.run import reason_of
from kalibr_bench.provider import Answer, Conversation, Fault

from .agents import call, endless, hasty, playing, runs_of, silent
from .test_engineers import USUAL

frameworks = pytest.mark.parametrize("framework", FRAMEWORKS)


@frameworks
def test_six_engineers_each_get_their_grade(framework: str) -> None:
    with playing() as provider:
        for name, engineer in engineers.ENGINEERS.items():
            run = runs_of(provider, framework, name)[0]
            assert run.ended == "submitted", run
            lucky = run.submission != engineer.usual()
            assert (run.score, run.passed) == (
                (1.0, True) if lucky else (USUAL[name][0], not USUAL[name][1])
            )
            mended = engineers.MISTYPED in engineer.probes
            assert len(run.calls) == len(engineer.probes) + mended + 1
            assert {call.path for call in run.calls} == {run.path} == {name}
            assert run.cost_usd > 0.0


@frameworks
def test_an_agent_has_so_many_steps_and_no_more(framework: str) -> None:
    with playing({"cheat": endless}) as provider:
        run = runs_of(provider, framework, "cheat")[0]
        assert (run.ended, run.grade, run.score) == ("steps", None, 0.0)
        assert len(run.calls) == MAX_STEPS == len(provider.requests("cheat"))


@frameworks
def test_an_agent_that_stops_without_a_submission_has_failed(framework: str) -> None:
    with playing({"cheat": silent}) as provider:
        run = runs_of(provider, framework, "cheat")[0]
        assert (run.ended, run.passed, len(run.calls)) == ("stopped", False, 1)


@frameworks
def test_a_submission_ends_the_run_also_beside_another_tools_call(framework: str) -> None:
    with playing({"cheat": hasty}) as provider:
        run = runs_of(provider, framework, "cheat")[0]
        assert (run.ended, run.passed, len(run.calls)) == ("submitted", True, 1)
        assert len(provider.requests("cheat")) == 1


@frameworks
def test_a_run_that_crashes_says_why_and_the_next_one_goes_on(framework: str) -> None:
    with playing() as provider:
        provider.fault("cheat", Fault(kind="bad_request", times=None, when=(1, 2)))
        provider.fault("cheat", Fault(kind="empty_content", times=None, when=(2, 3)))
        runs = runs_of(provider, framework, "cheat", count=4)
    assert [run.ended for run in runs] == ["submitted", "crashed", "crashed", "submitted"]
    assert "BadRequestError" in str(runs[1].error) or "InvalidRequest" in str(runs[1].error)
    assert "cheat: bad_output" in str(runs[2].error)
    assert [run.passed for run in runs] == [True, False, False, True]


@frameworks
def test_the_grade_goes_back_once_for_each_path_that_a_run_used(framework: str) -> None:
    """A path that fails at its second step is left for the other, which the run then stays with."""
    stumbles = iter([Fault(kind="server_error")])

    def stumbling(conversation: Conversation) -> Answer | Fault | None:
        fault = next(stumbles, None) if conversation.turn == 1 else None
        return fault or engineers.ENGINEERS[conversation.request.model](conversation)

    with playing({"complete": stumbling, "cheat": stumbling}) as provider:
        paths = engineers.paths(provider.base_url)[3:5]
        with router_for("kalibr", paths, seed=1) as router:
            run = runs_of(provider, framework, "kalibr", router=router)[0]
            told = [
                (entry.path_id, entry.kind, entry.reward)
                for _, entry in router._learner.ledger.entries(goal=GOAL)
                if entry.kind in ("report", "score")
            ]
    first, *rest = (call.path for call in run.calls)
    assert set(rest) == {"complete", "cheat"} - {first}
    expected = [(path, "report", float(run.passed)) for path in (first, rest[0])]
    expected += [(path, "score", run.score) for path in (first, rest[0])]
    assert sorted(told) == sorted(expected)


@frameworks
def test_half_a_surrogate_pair_that_a_model_writes_ends_no_run(framework: str) -> None:
    """It is no character and cannot be sent, and the framework sends all that was said again."""
    half = Answer(text=None, tool_calls=(call("python_expression", expression="'\ud800'"),))

    def muddled(conversation: Conversation) -> Answer | Fault | None:
        return half if conversation.turn == 0 else engineers.ENGINEERS["complete"](conversation)

    with playing({"complete": muddled}) as provider:
        run = runs_of(provider, framework, "complete")[0]
    assert (run.ended, run.error, run.passed) == ("submitted", None, True)


def test_an_error_is_told_by_its_class_alone() -> None:
    assert reason_of(ValueError("secret text of a model")) == "ValueError"


def test_an_empty_submission_is_none_and_the_first_counts() -> None:
    desk = Desk(lambda expression: expression)
    desk.submit_code("  \n")
    assert desk.submission is None
    for code in ("one", "two"):
        desk.submit_code(code)
    assert desk.submission == "one"
