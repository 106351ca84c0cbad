"""A conversation that one path began goes on with another; the caller's messages stay as they
are."""

from __future__ import annotations

from typing import Any

import pytest
from llama_index.core.base.llms.types import (
    CachePoint,
    ChatMessage,
    ImageBlock,
    TextBlock,
    ThinkingBlock,
    ToolCallBlock,
)

from kalibr_llama_index.history import MADE_BY, portable, signed

OPENAIS = {"tool_calls": [{"id": "1", "function": {"name": "f", "arguments": "{}"}}]}


def thought(path: str | None = None, **told: Any) -> ThinkingBlock:
    told.update({} if path is None else {MADE_BY: path})
    return ThinkingBlock(content="hm", additional_information=told)


def called(arguments: Any) -> ToolCallBlock:
    return ToolCallBlock(tool_call_id="1", tool_name="f", tool_kwargs=arguments)


def said(*blocks: Any, **kept: Any) -> ChatMessage:
    return ChatMessage(role="assistant", blocks=list(blocks), additional_kwargs=kept)


def sent(*messages: ChatMessage, to: str = "a", of: str = "openai_llm", openai: bool = True) -> Any:
    before = [message.model_dump_json() for message in messages]
    found = portable(list(messages), path_id=to, class_name=of, is_openai=openai)
    assert [message.model_dump_json() for message in messages] == before
    assert len(found) == len(messages)
    return found[0] if len(found) == 1 else found


def test_plain_texts_go_as_they_are() -> None:
    messages = [ChatMessage(role=role, content="x") for role in ("system", "user", "assistant")]
    assert all(one is other for one, other in zip(sent(*messages), messages, strict=True))


@pytest.mark.parametrize(
    ("made_by", "goes"), [("a", True), ("b", False), (None, True)], ids=["own", "other", "unsigned"]
)
def test_a_thought_goes_back_to_its_own_path_alone(made_by: str | None, goes: bool) -> None:
    found = sent(said(thought(made_by, signature="s"), TextBlock(text="x")))
    kept = [block for block in found.blocks if isinstance(block, ThinkingBlock)]
    assert len(kept) == goes
    if goes:
        assert kept[0].additional_information == {"signature": "s"}, "as the provider gave it"
    assert found.content == "x"


@pytest.mark.parametrize(
    ("arguments", "as_object"),
    [
        ('{"a": 1}', {"a": 1}),
        ({"a": 1}, {"a": 1}),
        ("", {}),
        ("{", {}),
        ("[1]", {}),
        ("null", {}),
    ],
)
def test_arguments_are_an_object_but_for_openais(arguments: Any, as_object: Any) -> None:
    message = said(called(arguments))
    assert sent(message, openai=False).blocks[0].tool_kwargs == as_object
    assert sent(message, openai=True).blocks[0].tool_kwargs == arguments


@pytest.mark.parametrize("openai", [False, True])
def test_copies_of_calls_in_openais_format_stay_behind(openai: bool) -> None:
    found = sent(said(called("{}"), **OPENAIS, other=1), openai=openai)
    assert found.additional_kwargs == {"other": 1}


def test_calls_that_are_kept_in_that_format_alone_are_not_lost() -> None:
    assert sent(said(TextBlock(text="x"), **OPENAIS)).additional_kwargs == OPENAIS
    assert sent(said(**OPENAIS)).additional_kwargs == OPENAIS


@pytest.mark.parametrize(
    ("of", "goes"),
    [("Anthropic_LLM", True), ("Bedrock_Converse_LLM", True), ("openai_llm", False), ("", False)],
)
def test_cache_points_go_where_they_are_known(of: str, goes: bool) -> None:
    point = CachePoint(cache_control={"type": "ephemeral"})
    found = sent(ChatMessage(role="user", blocks=[TextBlock(text="x"), point]), of=of)
    assert any(isinstance(block, CachePoint) for block in found.blocks) is goes
    assert found.content == "x"


def test_what_else_a_message_holds_goes_along() -> None:
    image = ImageBlock(url="https://example.com/a.png")
    assert sent(ChatMessage(role="user", blocks=[image])).blocks == [image]
    assert sent(ChatMessage(role="assistant", blocks=[])).blocks == []
    role = sent(ChatMessage(role="tool", blocks=[image], additional_kwargs={"tool_call_id": "1"}))
    assert role.additional_kwargs == {"tool_call_id": "1"}


def test_an_answers_thoughts_are_signed_on_a_copy() -> None:
    message = said(thought(signature="s"), TextBlock(text="x"))
    before = message.model_dump_json()
    found = signed(message, "a")
    assert found.blocks[0].additional_information == {"signature": "s", MADE_BY: "a"}
    assert message.model_dump_json() == before
    plain = said(TextBlock(text="x"))
    assert signed(plain, "a") is plain


def test_what_is_signed_goes_back_as_it_was() -> None:
    message = said(thought(signature="s"), TextBlock(text="x"), called("{}"))
    back = sent(signed(message, "a"))
    assert back.blocks == message.blocks
    other = sent(signed(message, "a"), to="b")
    assert [type(block) for block in other.blocks] == [TextBlock, ToolCallBlock]


def test_an_answer_that_is_signed_twice_is_the_lasts() -> None:
    """A KalibrLLM may be a path of another."""
    twice = signed(signed(said(thought()), "inner"), "outer")
    assert sent(twice, to="outer").blocks
    assert not sent(twice, to="inner").blocks
