"""What LlamaIndex gets of a routed call's end; the path's own objects stay as they are."""

from __future__ import annotations

import json
from typing import Any

import pytest
from llama_index.core.base.llms.types import (
    ChatMessage,
    ChatResponse,
    CompletionResponse,
    TextBlock,
    ThinkingBlock,
)

from kalibr_core import BadResponse, Path
from kalibr_core.plan import Done
from kalibr_core.types import Decision, Output, Pull
from kalibr_llama_index.answers import chunk_of, last_chunk, response_of
from kalibr_llama_index.history import MADE_BY
from kalibr_llama_index.reading import Piece

RAW = {"id": "of the provider"}


def chat(text: str = "Paris", **told: Any) -> ChatResponse:
    blocks = [ThinkingBlock(content="hm"), TextBlock(text=text)]
    message = ChatMessage(role="assistant", blocks=blocks)
    return ChatResponse(message=message, raw=RAW, delta=text, additional_kwargs=dict(told))


def completion(text: str = "Paris", **told: Any) -> CompletionResponse:
    return CompletionResponse(text=text, raw=RAW, delta=text, additional_kwargs=dict(told))


each_form = pytest.mark.parametrize("make", [chat, completion])


def decision() -> Decision:
    return Decision(
        id="d1",
        goal="g",
        path=Path(model="m", name="mine"),
        pull=Pull("mine", "only"),
        outcomes=(),
        verified=True,
    )


def done(answer: Any) -> Done[Any]:
    return Done(answer=answer, output=Output(text=""), decision=decision())


@each_form
def test_a_whole_answer_holds_its_decision_beside_the_providers_own(make: Any) -> None:
    given = make(tokens=5)
    answer = response_of(done(Piece(given)))
    record = answer.additional_kwargs["kalibr"]
    assert (record["decision_id"], record["path"], record["goal"]) == ("d1", "mine", "g")
    assert record["verified"] is True
    assert answer.additional_kwargs["tokens"] == 5
    assert json.dumps(answer.additional_kwargs)
    assert (answer.raw, answer.delta) == (RAW, "Paris")
    assert type(answer) is type(given)


@each_form
@pytest.mark.parametrize("end", ["whole", "chunk", "last"])
def test_the_paths_own_objects_stay_as_they_are(make: Any, end: str) -> None:
    given = make(thinking_delta="hm")
    before = given.model_dump_json()
    if end == "whole":
        answer = response_of(done(Piece(given)))
    elif end == "chunk":
        answer = chunk_of(Piece(given, "mine"))
    else:
        answer = last_chunk(done((Piece(given),)))
    assert given.model_dump_json() == before
    assert answer is not given
    assert answer.additional_kwargs is not given.additional_kwargs


def test_thoughts_tell_whose_they_are() -> None:
    for answer in (response_of(done(Piece(chat()))), chunk_of(Piece(chat(), "mine"))):
        thought, text = answer.message.blocks
        assert thought.additional_information == {MADE_BY: "mine"}
        assert text.text == "Paris"


@each_form
def test_a_chunk_tells_its_path_and_no_decision(make: Any) -> None:
    chunk = chunk_of(Piece(make(thinking_delta="hm"), "mine"))
    assert chunk.additional_kwargs == {"thinking_delta": "hm", "kalibr": {"path": "mine"}}
    assert chunk.delta == "Paris"


@each_form
def test_the_last_chunk_holds_all_text_and_nothing_new(make: Any) -> None:
    end = last_chunk(done((Piece(make("Pa")), Piece(make("Paris", thinking_delta="hm")))))
    assert end.delta == ""
    assert "thinking_delta" not in end.additional_kwargs
    assert end.additional_kwargs["kalibr"]["decision_id"] == "d1"
    assert (end.message.content if make is chat else end.text) == "Paris"


@each_form
def test_text_that_was_let_go_is_no_answer(make: Any) -> None:
    piece = Piece(make(), "mine")
    piece.release()
    with pytest.raises(BadResponse, match="let go"):
        chunk_of(piece)
