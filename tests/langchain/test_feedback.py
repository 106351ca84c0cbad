"""Late outcomes find the decision that a message came from."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from langchain_core.messages import AIMessage, AIMessageChunk, HumanMessage

from kalibr_bench.provider import LoopbackProvider
from kalibr_core import ConfigError, Router, UnknownDecision
from kalibr_langchain import ChatKalibr, report, report_action
from kalibr_langchain.feedback import decision_id_of


@pytest.fixture(autouse=True)
def _at(shared_server: LoopbackProvider, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KALIBR_BASE_URL", shared_server.base_url)


def model(goal: str = "feedback", **settings: Any) -> ChatKalibr:
    return ChatKalibr(goal=goal, paths=["gpt-4o"], ledger="memory", **settings)


def reported(one: ChatKalibr, message: AIMessage, **outcome: Any) -> bool:
    """Has this decision had its outcome? Then another one moves nothing."""
    return not one.core.report(decision_id_of(message), **(outcome or {"success": True}))


@pytest.mark.parametrize("by", ["message", "id"])
@pytest.mark.parametrize("outcome", [{"success": False}, {"success": True}, {"score": 0.5}])
def test_an_answer_may_be_reported_by_itself_or_by_its_id(by: str, outcome: Any) -> None:
    one = model()
    answer = one.invoke("Hi")
    assert report(answer if by == "message" else decision_id_of(answer), **outcome)
    assert reported(one, answer, **outcome)


def test_the_model_itself_takes_reports() -> None:
    one = model()
    answer = one.invoke("Hi")
    assert one.report(answer, success=False, reason="rejected")
    assert reported(one, answer)


def test_what_was_streamed_may_be_reported() -> None:
    one = model()
    chunks = list(one.stream("Hi"))
    assert report(chunks[-1], success=True)
    whole = chunks[0]
    for chunk in chunks[1:]:
        whole += chunk
    assert not report(whole, success=True)


def test_a_second_report_moves_nothing() -> None:
    answer = model().invoke("Hi")
    with pytest.raises(UnknownDecision):
        report(answer, success=True)  # its model is gone, and its ledger with it
    kept = model()
    answer = kept.invoke("Hi")
    assert [report(answer, success=False) for _ in range(2)] == [True, False]
    assert kept.report(answer, success=False) is False


def test_each_goal_gets_its_own() -> None:
    one, other = model("one"), model("other")
    first, second = one.invoke("Hi"), other.invoke("Hi")
    assert report(second, success=False)
    assert reported(other, second)
    assert not reported(one, first)
    with pytest.raises(UnknownDecision):
        one.report(second, success=False)


def test_two_models_of_one_goal_are_told_apart() -> None:
    one, other = model(), model()
    for asked in (one, other):
        answer = asked.invoke("Hi")
        assert report(answer, success=False)
        assert reported(asked, answer)


@pytest.mark.parametrize(
    "message",
    [
        AIMessage("Hi"),
        HumanMessage("Hi"),
        AIMessage("Hi", response_metadata={"kalibr": {"goal": "feedback"}}),
        AIMessage("Hi", response_metadata={"kalibr": "x"}),
        AIMessage("Hi", response_metadata={"kalibr": {"decision_id": 5}}),
    ],
)
def test_a_message_of_another_model_is_told(message: Any) -> None:
    one = model()
    for told in (report, one.report):
        with pytest.raises(ConfigError, match="was not given by a ChatKalibr"):
            told(message, success=True)


def test_an_unknown_decision_is_told_with_its_goal() -> None:
    message = AIMessage("Hi", response_metadata={"kalibr": {"decision_id": "d1", "goal": "gone"}})
    with pytest.raises(UnknownDecision, match=r"'d1' .*any ChatKalibr of goal 'gone'") as caught:
        report(message, success=True)
    assert caught.value.decision_id == "d1"
    with pytest.raises(UnknownDecision, match=r"'d1' .*any ChatKalibr in this process"):
        report("d1", success=True)


@pytest.mark.parametrize("outcome", [{}, {"score": 1.5}, {"score": float("nan")}])
def test_a_report_that_says_nothing_is_told_and_moves_nothing(outcome: Any) -> None:
    one = model()
    answer = one.invoke("Hi")
    with pytest.raises(ConfigError):
        report(answer, **outcome)
    assert not reported(one, answer)


@pytest.mark.parametrize(
    ("given", "instead"),
    [
        (
            "Paris is the capital of France.",
            r"a text of 31 characters .*before any StrOutputParser",
        ),
        ({"messages": [HumanMessage("Hi"), AIMessage("Hi")]}, r'result\["messages"\]\[-1\]'),
        ({"raw": AIMessage("Hi"), "parsed": None}, r'result\["raw"\]'),
        (AIMessageChunk("Hi"), "sum of its chunks"),
        ([AIMessage("Hi")], "one of its messages"),
        (object(), "include_raw=True"),
        (None, "include_raw=True"),
    ],
)
def test_what_chains_give_is_told_from_a_message_with_what_to_give_instead(
    given: Any, instead: str
) -> None:
    for told in (report, report_action):
        with pytest.raises(ConfigError, match=instead) as caught:
            told(
                given,
                **({"action": "output_copied"} if told is report_action else {"success": True}),
            )
        assert "Paris" not in str(caught.value), "an answer's text is not shown"


def test_a_decision_of_another_goal_in_a_models_ledger(tmp_path: Path) -> None:
    """What a user did is credited to it; an outcome is not, and its goal is named."""
    file = str(tmp_path / "here.db")
    one = ChatKalibr(goal="one", paths=["gpt-4o"], ledger=file)
    with Router("other", paths=["gpt-4o"], ledger=file) as other:
        answer = other.completion([{"role": "user", "content": "Hi"}])
    for given in (answer.kalibr.id, answer):
        with pytest.raises(
            UnknownDecision, match="it is of 'other'; report it with a ChatKalibr or"
        ):
            report(given, success=True)
    assert report_action(answer.kalibr.id, "output_copied")
    assert not report_action(answer, "output_copied")
    with Router("other", paths=["gpt-4o"], ledger=file) as other:
        assert "copied" in " ".join(other.explain(answer.kalibr.id).later)
    one.routers.close()


def test_a_routers_decision_in_memory_is_its_own_to_report() -> None:
    one = model()
    with Router("other", paths=["gpt-4o"], ledger="memory") as other:
        answer = other.completion([{"role": "user", "content": "Hi"}])
    with pytest.raises(UnknownDecision, match="or tell the Router that gave it"):
        report_action(answer, "output_copied")
    one.routers.close()
