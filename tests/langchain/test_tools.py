"""Tools: the same ones for every path, in the words of each path's provider."""

from __future__ import annotations

from typing import Any

import pytest
from langchain_anthropic import ChatAnthropic
from langchain_core.language_models import FakeListChatModel
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI
from pydantic import BaseModel

from kalibr_core import NoEligiblePath, Path
from kalibr_langchain.chat import Chat
from kalibr_langchain.tools import Tools, bound

KEY: Any = "sk-12345678"


@tool
def weather(city: str) -> str:
    """The weather in a city."""
    return city


class Search(BaseModel):
    """Search the web."""

    query: str


def add(a: int, b: int) -> int:
    """Add two numbers."""
    return a + b


RAW: dict[str, Any] = {
    "type": "function",
    "function": {"name": "raw", "description": "", "parameters": {"type": "object"}},
}
ALL: list[Any] = [weather, Search, add, RAW]


def openai_chat(**settings: Any) -> Chat:
    return Chat(Path(model="gpt-4o"), ChatOpenAI(model="gpt-4o", api_key=KEY, **settings))


def claude_chat() -> Chat:
    settings: dict[str, Any] = {"model": "claude-sonnet-4-5", "api_key": KEY}
    model = ChatAnthropic(**settings)
    return Chat(Path(model="claude-sonnet-4-5", provider="adapter"), model)


MAKERS = [openai_chat, claude_chat]
each_chat = pytest.mark.parametrize("make", MAKERS, ids=["openai", "anthropic"])


def names(tools: list[Any]) -> list[str]:
    return [one.get("function", one)["name"] for one in tools]


def test_a_list_of_tools_reads_as_openais_and_remembers_the_originals() -> None:
    tools = Tools(ALL)
    assert names(tools) == ["weather", "Search", "add", "raw"]
    assert all(one["type"] == "function" for one in tools)
    assert tools.originals == tuple(ALL)


@pytest.mark.parametrize("strict", [True, False, None])
def test_strict_stands_in_each_tool_where_it_was_given(strict: bool | None) -> None:
    (found,) = Tools([weather], strict=strict)
    assert found["function"].get("strict") is strict


@each_chat
def test_each_provider_gets_the_tools_in_its_own_form(make: Any) -> None:
    chat = make()
    found = bound(chat, Tools(ALL), {})
    assert found == chat.model.bind_tools(ALL).kwargs
    assert names(found["tools"]) == ["weather", "Search", "add", "raw"]


@each_chat
def test_a_plain_list_will_do(make: Any) -> None:
    chat = make()
    assert bound(chat, [RAW], {}) == bound(chat, Tools([RAW]), {})


OPENAI_WEATHER = {"type": "function", "function": {"name": "weather"}}


@pytest.mark.parametrize(
    ("choice", "openais", "anthropics"),
    [
        ("auto", "auto", {"type": "auto"}),
        ("any", "required", {"type": "any"}),
        ("required", "required", {"type": "any"}),
        (True, "required", {"type": "any"}),
        ("weather", OPENAI_WEATHER, {"type": "tool", "name": "weather"}),
        (OPENAI_WEATHER, OPENAI_WEATHER, {"type": "tool", "name": "weather"}),
    ],
)
def test_one_word_for_the_choice_is_understood_by_all(
    choice: Any, openais: Any, anthropics: Any
) -> None:
    tools, how = Tools(ALL), {"tool_choice": choice}
    assert bound(openai_chat(), tools, how)["tool_choice"] == openais
    assert bound(claude_chat(), tools, how)["tool_choice"] == anthropics


def test_a_provider_that_cannot_be_told_to_call_none_is_offered_none() -> None:
    tools, how = Tools(ALL), {"tool_choice": "none"}
    assert bound(openai_chat(), tools, how)["tool_choice"] == "none"
    assert bound(claude_chat(), tools, how) == {}


@each_chat
def test_what_is_not_said_is_not_sent(make: Any) -> None:
    how = {"tool_choice": None, "parallel_tool_calls": None, "response_format": None}
    assert set(bound(make(), Tools(ALL), how)) == {"tools"}


def test_parallel_calls_are_forbidden_in_each_providers_words() -> None:
    tools, how = Tools(ALL), {"parallel_tool_calls": False}
    assert bound(openai_chat(), tools, how)["parallel_tool_calls"] is False
    choice = bound(claude_chat(), tools, how)["tool_choice"]
    assert choice == {"type": "auto", "disable_parallel_tool_use": True}


def test_strict_goes_to_each_provider() -> None:
    tools = Tools([weather], strict=True)
    assert bound(openai_chat(), tools, {})["tools"][0]["function"]["strict"] is True
    assert bound(claude_chat(), tools, {})["tools"][0]["strict"] is True


def test_a_response_format_goes_only_to_those_that_bind_it_with_tools() -> None:
    how = {"response_format": Search}
    assert bound(openai_chat(), Tools([weather]), how)["response_format"] is Search
    assert "response_format" not in bound(claude_chat(), Tools([weather]), how)


def test_what_was_bound_once_is_kept_by_path_and_by_use() -> None:
    tools, chat = Tools([weather]), openai_chat()
    first = bound(chat, tools, {"tool_choice": "auto"})
    assert bound(chat, tools, {"tool_choice": "auto"}) is first
    assert bound(chat, tools, {"tool_choice": "any"}) is not first
    assert bound(claude_chat(), tools, {"tool_choice": "auto"}) is not first
    assert len(tools.bound) == 3


def test_a_model_that_binds_no_tools_is_no_eligible_path() -> None:
    chat = Chat(Path(model="fake", provider="adapter"), FakeListChatModel(responses=["a"]))
    with pytest.raises(NoEligiblePath, match="fake: its bind_tools refuses these tools"):
        bound(chat, Tools([weather]), {})


def test_tools_that_one_provider_refuses_leave_the_others() -> None:
    union = {"name": "either", "description": "", "parameters": {"anyOf": [{"type": "object"}]}}
    tools = Tools([{"type": "function", "function": union}])
    assert names(bound(openai_chat(), tools, {})["tools"]) == ["either"]
    refused = pytest.raises(NoEligiblePath, match="claude-sonnet-4-5: its bind_tools refuses")
    with refused, pytest.warns(UserWarning, match="Dropping tool 'either'"):
        bound(claude_chat(), tools, {})
