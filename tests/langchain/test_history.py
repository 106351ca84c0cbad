"""Histories on a switch: what is for one provider alone stays behind, and nothing of the user's own
is changed."""

from __future__ import annotations

import copy
import re
from typing import Any

import pytest
from langchain_core.messages import (
    AIMessage,
    BaseMessage,
    HumanMessage,
    SystemMessage,
    ToolMessage,
)

from kalibr_langchain.history import knows_cache, portable

TEXT = {"type": "text", "text": "Paris."}
PRIVATE: list[dict[str, Any]] = [
    {"type": "thinking", "thinking": "hm", "signature": "s"},
    {"type": "redacted_thinking", "data": "x"},
    {"type": "reasoning", "id": "rs_1", "summary": []},
    {"type": "reasoning_content", "reasoning_content": {"text": "hm"}},
    {"type": "tool_use", "id": "toolu_1", "name": "f", "input": {}},
    {"type": "function_call", "call_id": "call_1", "name": "f", "arguments": "{}"},
    {"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {}},
    {"type": "web_search_call", "id": "ws_1", "status": "completed"},
]
ODD = ("functions.weather:0", "x" * 41, "café", "a b", "call|fc")


def answer(content: Any, *, by: str = "other", **fields: Any) -> AIMessage:
    return AIMessage(content=content, response_metadata={"kalibr": {"path": by}}, **fields)


def taken(
    *messages: BaseMessage, marks_cache: bool = False, provider: str = "openai"
) -> list[BaseMessage]:
    return portable(messages, path_id="own", provider=provider, marks_cache=marks_cache)


def call(id_: str | None) -> dict[str, Any]:
    return {"name": "f", "args": {"a": 1}, "id": id_, "type": "tool_call"}


@pytest.mark.parametrize("part", PRIVATE, ids=lambda part: part["type"])
def test_what_is_for_its_provider_alone_stays_behind(part: dict[str, Any]) -> None:
    (found,) = taken(answer([part, TEXT]))
    assert found.content == "Paris."
    assert found.response_metadata == {}


@pytest.mark.parametrize("part", PRIVATE, ids=lambda part: part["type"])
def test_a_paths_own_answers_are_the_same_objects(part: dict[str, Any]) -> None:
    own = answer([part, TEXT], by="own", additional_kwargs={"reasoning_content": "hm"})
    assert taken(own)[0] is own


@pytest.mark.parametrize(("made_by", "is_kept"), [("openai", True), ("anthropic", False)])
def test_without_a_record_the_provider_tells_whose_an_answer_is(
    made_by: str, is_kept: bool
) -> None:
    message = AIMessage(content=[PRIVATE[0], TEXT], response_metadata={"model_provider": made_by})
    assert (taken(message)[0] is message) == is_kept


def test_the_record_tells_more_than_the_provider() -> None:
    message = answer([PRIVATE[0], TEXT])
    message.response_metadata["model_provider"] = "openai"
    assert taken(message)[0].content == "Paris."


def test_plain_messages_are_the_same_objects() -> None:
    messages = [
        SystemMessage("Be brief."),
        HumanMessage("Hi"),
        answer("Hello."),
        HumanMessage([{"type": "image_url", "image_url": {"url": "data:,"}}, TEXT]),
        AIMessage("", tool_calls=[call("call_1")]),
        ToolMessage("1", tool_call_id="call_1"),
    ]
    found = taken(*messages)
    assert len(found) == len(messages)
    assert all(one is other for one, other in zip(found, messages, strict=True))


def test_additions_of_another_provider_stay_behind() -> None:
    message = answer("Paris.", additional_kwargs={"reasoning_content": "hm"}, id="1", name="bot")
    (found,) = taken(message)
    assert (found.content, found.additional_kwargs) == ("Paris.", {})
    assert (found.id, found.name) == ("1", "bot")


def test_foreign_texts_are_joined_without_their_annotations() -> None:
    cited = {**TEXT, "annotations": [{"url": "u"}], "id": "msg_1", "index": 0}
    assert taken(answer([cited, " And", {"type": "text", "text": " Lyon."}]))[0].content == (
        "Paris. And Lyon."
    )


def test_a_foreign_answer_of_which_nothing_is_left_is_dropped() -> None:
    question = HumanMessage("Hi")
    assert taken(question, answer([PRIVATE[0]])) == [question]


@pytest.mark.parametrize("where", ["tool_calls", "invalid_tool_calls"])
def test_an_answer_that_calls_a_tool_is_never_dropped(where: str) -> None:
    bad = {"name": "f", "args": "{", "id": "call_1", "error": None, "type": "invalid_tool_call"}
    calls: Any = [call("call_1")] if where == "tool_calls" else [bad]
    message = answer([PRIVATE[0]])
    setattr(message, where, calls)
    (found,) = taken(message)
    assert found.content == ""
    assert getattr(found, where) == calls


@pytest.mark.parametrize(
    "part",
    [
        {"type": "image", "base64": "aGk=", "mime_type": "image/png"},
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,aGk="}},
        {"type": "audio", "base64": "aGk=", "mime_type": "audio/wav"},
        {"type": "file", "base64": "aGk=", "mime_type": "application/pdf"},
    ],
    ids=lambda part: part["type"],
)
def test_a_foreign_answers_pictures_sounds_and_files_go_along(part: dict[str, Any]) -> None:
    marked = {**part, "extras": {"x": 1}, "index": 0, "id": "1", "cache_control": {"type": "x"}}
    message = answer([PRIVATE[0], marked, TEXT])
    for marks_cache in (True, False):
        assert taken(message, marks_cache=marks_cache)[0].content == [part, TEXT]


@pytest.mark.parametrize("odd", ODD)
@pytest.mark.parametrize("by", ["own", "other"])
def test_ids_of_tool_calls_are_made_plain_in_calls_and_results_alike(odd: str, by: str) -> None:
    asked, told = answer("", by=by, tool_calls=[call(odd)]), ToolMessage("1", tool_call_id=odd)
    first, second = taken(asked, told)
    assert isinstance(first, AIMessage)
    assert isinstance(second, ToolMessage)
    plain = first.tool_calls[0]["id"]
    assert plain is not None
    assert re.fullmatch(r"[A-Za-z0-9_-]{1,40}", plain)
    assert second.tool_call_id == plain
    assert taken(asked, told) == [first, second]


def test_two_odd_ids_stay_apart_and_plain_ones_stay() -> None:
    asked = answer("", tool_calls=[call(ODD[0]), call(ODD[1]), call("call_1"), call(None)])
    (found,) = taken(asked)
    assert isinstance(found, AIMessage)
    ids = [one["id"] for one in found.tool_calls]
    assert len(set(ids)) == 4
    assert ids[2:] == ["call_1", None]


def test_ids_within_the_content_follow() -> None:
    part = {"type": "tool_use", "id": ODD[0], "name": "f", "input": {"a": 1}}
    (found,) = taken(answer([TEXT, part], by="own", tool_calls=[call(ODD[0])]))
    assert isinstance(found, AIMessage)
    assert found.content == [TEXT, {**part, "id": found.tool_calls[0]["id"]}]


MARKED: dict[str, Any] = {**TEXT, "cache_control": {"type": "ephemeral"}}


@pytest.mark.parametrize("kind", [SystemMessage, HumanMessage])
@pytest.mark.parametrize("marks_cache", [True, False])
def test_cache_markers_go_to_providers_that_know_them(
    kind: type[BaseMessage], marks_cache: bool
) -> None:
    message = kind(content=["Hi", MARKED])
    (found,) = taken(message, marks_cache=marks_cache)
    assert (found is message) == marks_cache
    assert found.content == ["Hi", MARKED if marks_cache else TEXT]


@pytest.mark.parametrize(
    ("provider", "own_server", "knows"),
    [
        ("anthropic", False, True),
        ("amazon_bedrock", False, True),
        ("openrouter", False, True),
        ("openai", False, False),
        ("openai", True, True),
    ],
)
def test_who_knows_cache_markers(provider: str, own_server: bool, knows: bool) -> None:
    assert knows_cache(provider, own_server=own_server) is knows


def test_the_users_messages_are_never_changed() -> None:
    messages = [
        HumanMessage([MARKED]),
        answer([PRIVATE[0], MARKED], tool_calls=[call(ODD[0])], additional_kwargs={"x": 1}),
        ToolMessage("1", tool_call_id=ODD[0]),
        answer([{"type": "tool_use", "id": ODD[1]}], by="own", tool_calls=[call(ODD[1])]),
    ]
    before = copy.deepcopy(messages)
    taken(*messages)
    assert messages == before


def test_an_own_answer_with_odd_ids_keeps_its_additions() -> None:
    own = AIMessage(
        [{"type": "function_call", "call_id": "functions.f:0"}],
        additional_kwargs={"reasoning_content": "hm"},
        tool_calls=[{"name": "f", "args": {}, "id": "functions.f:0"}],
        response_metadata={"kalibr": {"path": "own"}},
    )
    (taken,) = portable([own], path_id="own", provider="x", marks_cache=True)
    assert isinstance(taken, AIMessage)
    assert taken.additional_kwargs == {"reasoning_content": "hm"}
    (part,) = taken.content
    assert isinstance(part, dict)
    assert part["call_id"] == taken.tool_calls[0]["id"] != "functions.f:0"


def test_a_marker_inside_a_tools_result_is_taken_out_too() -> None:
    inner = {"type": "text", "text": "x", "cache_control": {"type": "ephemeral"}}
    message = HumanMessage([{"type": "tool_result", "tool_use_id": "a", "content": [inner]}])
    (taken,) = portable([message], path_id="a", provider="openai", marks_cache=False)
    assert "cache_control" not in str(taken.content)
    assert "cache_control" in str(message.content), "the user's own stays"
