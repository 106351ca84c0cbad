"""Late outcomes find the decision that an answer came from."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from llama_index.core.base.llms.types import ChatMessage, ChatResponse, CompletionResponse

from kalibr_bench.provider import LoopbackProvider
from kalibr_core import ConfigError, Router, UnknownAction, UnknownDecision
from kalibr_llama_index import KalibrLLM, report, report_action
from kalibr_llama_index.feedback import decision_id_of, record_in

from .ways import STREAMS, WAYS, ask


@pytest.fixture(autouse=True)
def _at(shared_server: LoopbackProvider, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KALIBR_BASE_URL", shared_server.base_url)


@pytest.fixture
def make() -> Iterator[Any]:
    made: list[KalibrLLM] = []

    def llm(goal: str = "feedback", **settings: Any) -> KalibrLLM:
        made.append(
            KalibrLLM(**{"goal": goal, "paths": ["gpt-4o"], "ledger": "memory", **settings})
        )
        return made[-1]

    yield llm
    for one in made:
        one.close()


def reported(one: KalibrLLM, answer: Any) -> bool:
    """Has this decision had its outcome? Then another one moves nothing."""
    return not one.report(answer, success=True)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("by", ["answer", "id"])
def test_an_answer_may_be_reported_by_itself_or_by_its_id(way: str, by: str, make: Any) -> None:
    one = make()
    answer = ask(one, way)
    assert report(answer if by == "answer" else decision_id_of(answer), success=False)
    assert reported(one, answer)


@pytest.mark.parametrize("way", [way for way in STREAMS if not way.startswith("a")])
def test_only_a_streams_last_chunk_knows_its_decision(way: str, make: Any) -> None:
    one = make()
    given = [ChatMessage(role="user", content="Hi")] if "chat" in way else "Hi"
    *first, last = getattr(one, way)(given)
    assert report(last, success=True)
    assert first
    with pytest.raises(ConfigError, match="only a stream's last chunk"):
        report(first[0], success=True)


def test_a_second_report_moves_nothing(make: Any) -> None:
    answer = ask(make(), "chat")
    assert [report(answer, success=False, reason="x") for _ in range(2)] == [True, False]


def test_each_goal_gets_its_own(make: Any) -> None:
    one, other = make("one"), make("other")
    first, second = ask(one, "chat"), ask(other, "chat")
    assert report(second, success=False)
    assert reported(other, second)
    assert not reported(one, first)
    with pytest.raises(UnknownDecision):
        one.report(second, success=False)


def test_a_closed_llm_of_the_same_goal_does_not_keep_a_report_from_its_own(
    make: Any, tmp_path: Path
) -> None:
    llms = [make(ledger=str(tmp_path / f"{n}.db")) for n in range(8)]
    answers = [ask(one, "complete") for one in llms]
    for one in llms[:-1]:
        one.close()
    assert report(answers[-1], success=True)


ODD = [
    ChatResponse(message=ChatMessage(role="assistant", content="Hi")),
    CompletionResponse(text="Hi"),
    CompletionResponse(text="Hi", additional_kwargs={"kalibr": "x"}),
    CompletionResponse(text="Hi", additional_kwargs={"kalibr": {"goal": "feedback"}}),
    CompletionResponse(text="Hi", additional_kwargs={"kalibr": {"decision_id": 5}}),
    None,
    7,
    {"kalibr": {"decision_id": "d"}},
]


@pytest.mark.parametrize("answer", ODD, ids=range(len(ODD)))
def test_another_llms_answer_is_told(answer: Any, make: Any) -> None:
    one = make()
    for tell in (report, one.report):
        with pytest.raises(ConfigError, match=r"was not given by a KalibrLLM: .*\[\"kalibr\"\]"):
            tell(answer, success=True)


def test_a_text_is_no_id_and_is_not_shown() -> None:
    for tell in (report, report_action):
        with pytest.raises(ConfigError, match=r"a text of 15 .*decision_ids\[-1\]") as caught:
            tell("Paris, I think.", **({"success": True} if tell is report else {"action": "x"}))
        assert "Paris" not in str(caught.value)


def test_an_unknown_decision_is_told_with_its_goal() -> None:
    answer = CompletionResponse(
        text="Hi", additional_kwargs={"kalibr": {"decision_id": "d1", "goal": "gone"}}
    )
    with pytest.raises(UnknownDecision, match=r"'d1' .*any KalibrLLM of goal 'gone'"):
        report(answer, success=True)
    with pytest.raises(UnknownDecision, match=r"'d1' .*any KalibrLLM in this process"):
        report("d1", success=True)


@pytest.mark.parametrize("outcome", [{}, {"score": 1.5}, {"score": float("nan")}, {"success": 1}])
def test_a_report_that_says_nothing_is_told_and_moves_nothing(outcome: Any, make: Any) -> None:
    one = make()
    answer = ask(one, "chat")
    with pytest.raises(ConfigError):
        report(answer, **outcome)
    assert not reported(one, answer)


def test_only_a_records_own_form_is_one() -> None:
    assert record_in(object()) is None
    assert record_in(CompletionResponse(text="", additional_kwargs={"kalibr": {"a": 1}})) == {
        "a": 1
    }


# What the user did with it.


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("by", ["answer", "id"])
def test_what_the_user_did_is_told_of_an_answer_or_its_id(way: str, by: str, make: Any) -> None:
    one, other = make(), make()
    answer = ask(one, way)
    given = answer if by == "answer" else decision_id_of(answer)
    assert report_action(given, "output_edited")
    assert not report_action(given, "output_edited")
    assert report_action(given, "output_copied")
    told = [
        [
            (e.decision_id, e.reward)
            for _, e in llm.core._learner.ledger.entries()
            if e.kind == "action"
        ]
        for llm in (one, other)
    ]
    assert told == [[(decision_id_of(answer), 0.5), (decision_id_of(answer), 0.85)], []]


def test_a_routers_answer_is_taken_too(make: Any, shared_server: LoopbackProvider) -> None:
    with Router(
        goal="shared",
        paths=["gpt-4o"],
        ledger="memory",
        base_url=shared_server.base_url,
        api_key="sk-of-the-test",
    ) as router:
        answer = router.completion(messages=[{"role": "user", "content": "Hi"}])
        with pytest.raises(UnknownDecision):
            report_action(answer, "output_copied")
        one = KalibrLLM(router=router)
        assert report_action(answer, "output_copied")
        assert not report_action(answer.kalibr.id, "output_copied")
        assert report(answer, success=False)
        assert not one.report(answer, success=True)


def test_a_message_alone_is_told_where_its_decision_is(make: Any) -> None:
    one = make()
    answer = ask(one, "chat")
    for tell in (report, one.report):
        with pytest.raises(ConfigError, match="give the ChatResponse"):
            tell(answer.message, success=True)
    with pytest.raises(ConfigError, match="give the ChatResponse"):
        report_action(answer.message, "output_copied")


def test_what_cannot_have_been_done_is_refused(make: Any) -> None:
    answer = ask(make(), "chat")
    with pytest.raises(UnknownAction, match="output_discarded"):
        report_action(answer, "liked")
    with pytest.raises(UnknownDecision):
        report_action("unknown", "output_copied")
    with pytest.raises(ConfigError, match="KalibrLLM"):
        report_action(ChatResponse(message=ChatMessage("hi")), "output_copied")
