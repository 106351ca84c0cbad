"""Chat models as judges."""

from __future__ import annotations

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
    with pytest.raises(ConfigError, match="a judge must be a chat model"):
        judged_by(model)
