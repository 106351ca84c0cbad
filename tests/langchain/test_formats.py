"""Each path is asked for structured output in its own provider's format, whatever the schema."""

from __future__ import annotations

from typing import Any

import pytest
from langchain_anthropic import ChatAnthropic
from langchain_core.language_models import FakeListChatModel
from langchain_openai import ChatOpenAI

from kalibr_core import NoEligiblePath, Path
from kalibr_langchain.chat import Chat
from kalibr_langchain.formats import asks
from kalibr_langchain.structured import Structured

from .test_structured import JSON_SCHEMA, City, CityDict, OldCity, each_schema

KEY: Any = "sk-12345678"


def openai_chat(method: str | None = None) -> Chat:
    model = ChatOpenAI(model="gpt-4o", api_key=KEY)
    return Chat(Path(model="gpt-4o"), model, is_named=True, method=method)


def claude_chat() -> Chat:
    settings: dict[str, Any] = {"model": "claude-sonnet-4-5", "api_key": KEY}
    model = ChatAnthropic(**settings)
    return Chat(Path(model="claude-sonnet-4-5", provider="adapter"), model)


@each_schema
@pytest.mark.parametrize("method", [None, "json_schema", "function_calling", "json_mode"])
def test_every_kind_of_schema_can_be_asked_for_by_every_method(
    schema: Any, name: str, method: str | None
) -> None:
    found = asks(openai_chat(), Structured(schema, method=method))
    if method == "function_calling":
        assert [tool["function"]["name"] for tool in found["tools"]] == [name]
    elif method == "json_mode":
        assert found["response_format"] == {"type": "json_object"}
    else:
        assert found["response_format"]["json_schema"]["name"] == name


def test_openai_is_asked_by_its_own_format() -> None:
    found = asks(openai_chat(), Structured(City))["response_format"]
    assert found["type"] == "json_schema"
    inner = found["json_schema"]
    assert (inner["name"], inner["strict"]) == ("City", True)
    assert inner["schema"]["additionalProperties"] is False


def test_openai_is_held_to_a_plain_schema_only_on_demand() -> None:
    for strict in (None, False, True):
        wanted = Structured(JSON_SCHEMA, strict=strict)
        inner = asks(openai_chat(), wanted)["response_format"]["json_schema"]
        assert inner["strict"] is bool(strict)


@pytest.mark.parametrize(
    ("of_call", "of_path", "by"),
    [
        (None, None, "response_format"),
        (None, "function_calling", "tools"),
        ("json_schema", "function_calling", "response_format"),
        ("function_calling", "json_schema", "tools"),
    ],
)
def test_the_calls_method_wins_over_the_paths(
    of_call: str | None, of_path: str | None, by: str
) -> None:
    assert by in asks(openai_chat(of_path), Structured(City, method=of_call))


def test_a_tool_that_stands_for_the_answer_is_forced_and_alone() -> None:
    found = asks(openai_chat(), Structured(City, method="function_calling"))
    assert [one["function"]["name"] for one in found["tools"]] == ["City"]
    assert found["tool_choice"] == {"type": "function", "function": {"name": "City"}}
    assert found["parallel_tool_calls"] is False


def test_json_mode_sends_no_schema() -> None:
    found = asks(openai_chat(), Structured(City, method="json_mode"))
    assert found == {"response_format": {"type": "json_object"}}


def test_tools_that_may_be_called_instead_go_along() -> None:
    found = asks(openai_chat(), Structured(City, tools=(OldCity,)))
    assert [one["function"]["name"] for one in found["tools"]] == ["OldCity"]
    assert "response_format" in found


@pytest.mark.parametrize("schema", [City, CityDict, JSON_SCHEMA])
def test_anthropic_is_asked_by_a_tool_or_its_own_format(schema: Any) -> None:
    by_tool = asks(claude_chat(), Structured(schema))
    assert by_tool["tool_choice"]["name"] == by_tool["tools"][0]["name"]
    assert by_tool["tools"][0]["input_schema"]["required"] == ["name", "people"]
    by_format = asks(claude_chat(), Structured(schema, method="json_schema"))
    assert by_format["output_config"]["format"]["type"] == "json_schema"
    for found in (by_tool, by_format):
        assert "ls_structured_output_format" not in found


def test_what_asks_a_path_is_worked_out_once() -> None:
    wanted, chat = Structured(City), openai_chat()
    assert asks(chat, wanted) is asks(chat, wanted)


def test_a_model_without_structured_output_is_no_eligible_path() -> None:
    chat = Chat(Path(model="fake", provider="adapter"), FakeListChatModel(responses=["a"]))
    with pytest.raises(NoEligiblePath, match="fake: it cannot be asked for structured output"):
        asks(chat, Structured(City))
