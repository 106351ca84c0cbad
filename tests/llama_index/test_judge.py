"""LLMs as judges."""

from __future__ import annotations

from typing import Any

import pytest
from llama_index.core.llms import MockLLM
from llama_index.llms.openai import OpenAI

from kalibr_bench.provider import LoopbackProvider
from kalibr_core import ConfigError, Judge
from kalibr_llama_index import judged_by

from .ways import ask, first_arm, record

KEY = "sk-secret-12345678"


@pytest.mark.parametrize("way", ["chat", "acomplete", "stream_chat"])
def test_an_llm_judges_in_the_background(way: str, server: LoopbackProvider) -> None:
    server.script("gpt-4o-mini", ['{"reason": "x", "score": 0.25}'])
    judge = judged_by(OpenAI(model="gpt-4o-mini", api_base=server.base_url, api_key=KEY))
    llm = first_arm("gpt-4o", base_url=server.base_url, api_key=KEY, judge=judge)
    answer = ask(llm, way)
    ledger = llm.core._learner.ledger
    llm.close()
    (entry,) = [entry for _, entry in ledger.entries() if entry.kind == "judge"]
    assert entry.reward == 0.25
    assert entry.data["judge"] == "gpt-4o-mini"
    assert entry.decision_id == record(answer)["decision_id"]


@pytest.mark.parametrize("llm", ["gpt-4o", None, object()])
def test_what_is_no_llm_is_told(llm: Any) -> None:
    with pytest.raises(ConfigError, match="a judge must be an LLM") as caught:
        judged_by(llm)
    assert ("Judge(model='gpt-4o')" in str(caught.value)) is isinstance(llm, str)


def test_a_rubric_that_is_no_text_is_told() -> None:
    with pytest.raises(ConfigError, match="rubric must be a non-empty string"):
        judged_by(MockLLM(), rubric=3)  # type: ignore[arg-type]


def test_an_llm_as_judge_is_told_the_way() -> None:
    with pytest.raises(ConfigError, match="from kalibr_llama_index import judged_by"):
        Judge(model=MockLLM())  # type: ignore[arg-type]
