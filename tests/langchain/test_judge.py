"""Chat models as judges."""

from __future__ import annotations

import json
from typing import Any

import pytest
from langchain_core.language_models import FakeListChatModel

from kalibr_bench.provider import LoopbackProvider
from kalibr_core import ConfigError, Judge
from kalibr_langchain import judged_by

from .ways import QUESTION, first_arm, record


def test_a_chat_model_judges_in_the_background(server: LoopbackProvider) -> None:
    judge = judged_by(FakeListChatModel(responses=['{"reason": "x", "score": 0.25}']))
    model = first_arm(
        "gpt-4o", base_url=server.base_url, api_key="sk-12345678", judge=judge, ledger="memory"
    )
    answer = model.invoke(QUESTION)
    ledger = model.core._learner.ledger
    model.close()
    (entry,) = [entry for _, entry in ledger.entries() if entry.kind == "judge"]
    assert entry.reward == 0.25
    assert entry.decision_id == record(answer)["decision_id"]


@pytest.mark.parametrize("said", ["8/10", '{"score": 7}', ""])
def test_what_is_no_score_is_no_evidence(said: str) -> None:
    assert judged_by(FakeListChatModel(responses=[said]))("a", "b") is None


def test_the_judge_is_turned_off_by_none(server: LoopbackProvider) -> None:
    model = first_arm("gpt-4o", base_url=server.base_url, api_key="sk-12345678", judge=None)
    assert model.core._judging is None
    rated = first_arm(
        "gpt-4o",
        base_url=server.base_url,
        api_key="sk-12345678",
        judge=Judge(model=judged_by(FakeListChatModel(responses=["x"])), rate=0.5),
    )
    assert rated.core._judging is not None


@pytest.mark.parametrize("model", ["gpt-4o", None, object()])
def test_what_is_no_chat_model_is_told(model: Any) -> None:
    with pytest.raises(ConfigError, match="a judge must be a chat model") as caught:
        judged_by(model)
    assert ("Judge(model='gpt-4o')" in str(caught.value)) is isinstance(model, str)


def test_a_rubric_that_is_no_text_is_told() -> None:
    model = FakeListChatModel(responses=["x"])
    for rubric in (3, " "):
        with pytest.raises(ConfigError, match="rubric must be a non-empty string"):
            judged_by(model, rubric=rubric)  # type: ignore[arg-type]


def test_a_chat_model_as_judge_is_told_the_way(server: LoopbackProvider) -> None:
    with pytest.raises(ConfigError, match="from kalibr_langchain import judged_by"):
        Judge(model=FakeListChatModel(responses=["x"]))  # type: ignore[arg-type]


def test_it_is_shown_the_conversation_and_named_in_the_record(server: LoopbackProvider) -> None:
    seen: list[Any] = []

    class Reads(FakeListChatModel):
        def _call(self, messages: Any, *rest: Any, **options: Any) -> str:
            seen.append(json.loads(messages[1].content))
            return '{"reason": "x", "score": 0.25}'

    judge = Judge(model=judged_by(Reads(responses=["x"])), rate=1.0)
    model = first_arm(
        "gpt-4o", base_url=server.base_url, api_key="sk-12345678", judge=judge, ledger="memory"
    )
    model.invoke([("system", "Be kind."), ("human", "Name the capital of France.")])
    ledger = model.core._learner.ledger
    model.close()
    assert seen[0]["conversation"] == [{"role": "system", "content": "Be kind."}]
    assert [e.data["judge"] for _, e in ledger.entries() if e.kind == "judge"] == ["Reads"]
