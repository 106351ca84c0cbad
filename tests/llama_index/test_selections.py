"""The tool calls of an answer, as LlamaIndex's agents take them: read, and never guessed."""

from __future__ import annotations

from typing import Any

import pytest
from llama_index.core.base.llms.types import ChatMessage, ChatResponse, ToolCallBlock
from llama_index.llms.openai import OpenAI

from kalibr_core import Path
from kalibr_llama_index.path_llm import PathLLM
from kalibr_llama_index.selections import selected, selections, unguessed

from .test_reading import CALL, chat


@pytest.mark.parametrize("kept", [None, "x", 7, {}, [], [None], ["x"], [7], [{}]])
def test_odd_tool_calls_raise_nothing(kept: Any) -> None:
    assert all(one.tool_kwargs == {} for one in selections(chat("x", tool_calls=kept)))


def test_selections_read_what_can_be_read() -> None:
    (found,) = selections(chat(CALL.model_copy(update={"tool_kwargs": '{"a": 1'})))
    assert (found.tool_id, found.tool_name, found.tool_kwargs) == ("1", "f", {"a": 1})


@pytest.mark.parametrize("identifier", [None, "", "same"])
def test_each_call_is_told_apart_also_without_an_id(identifier: Any) -> None:
    blocks = [
        ToolCallBlock(tool_call_id=identifier, tool_name="refund", tool_kwargs=arguments)
        for arguments in ('{"amount": 50', '{"amount": 7}')
    ]
    answer = ChatResponse(message=ChatMessage(role="assistant", blocks=blocks))
    first, second = unguessed(selections(answer), answer)
    assert first.tool_kwargs == {"refused": True, "no_json": '{"amount": 50'}
    assert second.tool_kwargs == {"amount": 7}


@pytest.mark.parametrize("verified", [True, False])
def test_only_what_gate_1_refused_is_not_guessed_at(verified: bool) -> None:
    cut = chat(CALL.model_copy(update={"tool_kwargs": '{"a": 1'}))
    (found,) = selected(cut, None, verified=verified)
    assert found.tool_kwargs == ({"a": 1} if verified else {"refused": True, "no_json": '{"a": 1'})


def test_the_llm_that_gave_an_answer_reads_its_calls() -> None:
    llm = OpenAI(model="gpt-4o", api_key="sk-of-the-test-123456")
    path = PathLLM(Path(model="gpt-4o"), llm, is_named=True)
    with pytest.raises(ValueError, match="at least one"):
        selected(chat("x"), path, verified=True, error_on_no_tool_call=True)
    assert selected(chat("x"), path, verified=True, error_on_no_tool_call=False) == []
    (found,) = selected(chat(CALL), path, verified=True)
    assert (found.tool_id, found.tool_name, found.tool_kwargs) == ("1", "f", {"a": 1})
