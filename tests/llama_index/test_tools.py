"""Tools as the router sees them, and as each path's provider takes them."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from llama_index.core.llms import ChatMessage, MockLLM
from llama_index.core.tools import FunctionTool, ToolMetadata
from llama_index.llms.anthropic import Anthropic
from llama_index.llms.openai import OpenAI

from kalibr_core import ConfigError, NoEligiblePath, Path, ToolCall
from kalibr_llama_index.path_llm import PathLLM
from kalibr_llama_index.tools import Tools, as_tools, given

KEY = "sk-12345678"


def add(a: int, b: int) -> int:
    """Add two numbers."""
    return a + b


ADD = FunctionTool.from_defaults(add)
ODD = FunctionTool.from_defaults(add, name="add two!")
BARE = FunctionTool(lambda input: input, ToolMetadata("bare", name="bare", fn_schema=None))
HI = [ChatMessage(role="user", content="Hi")]


def path(llm: Any) -> PathLLM:
    return PathLLM(Path(model="m", name="mine", provider="adapter"), llm)


GPT = path(OpenAI(model="gpt-4o", api_key=KEY))
CLAUDE = path(Anthropic(model="claude-sonnet-4-5", api_key=KEY))
NONE = path(MockLLM())


def call(name: str = "add", arguments: str = '{"a": 1, "b": 2}') -> ToolCall:
    return ToolCall(id="1", name=name, arguments=arguments)


def asked(tools: Tools, to: PathLLM) -> dict[str, Any]:
    found = tools.asked_of(to, HI)
    assert [m.content for m in found.pop("messages")] == ["Hi"]
    return found


def test_they_are_a_list_of_definitions_in_openais_format() -> None:
    (found,) = Tools([ADD])
    assert found["type"] == "function"
    assert found["function"]["name"] == "add"
    assert set(found["function"]["parameters"]["properties"]) == {"a", "b"}
    assert Tools([]) == []


def test_a_tool_is_known_under_both_its_names() -> None:
    names = [spec["function"]["name"] for spec in Tools([ADD, ODD]).known]
    assert names == ["add", "add_two_", "add two!"]
    assert len(Tools([ADD, ODD])) == 2


def refusal(tools: Tools, *calls: ToolCall) -> str | None:
    """Why the caller cannot use an answer's calls; None: it can."""
    try:
        tools.parse(calls)
    except ValueError as error:
        return str(error)
    return None


@pytest.mark.parametrize(
    "calls", [(call(),), (call("add_two_"), call("add two!")), (), (call("unknown", "{"),)]
)
def test_calls_that_fit_pass(calls: tuple[ToolCall, ...]) -> None:
    assert refusal(Tools([ADD, ODD]), *calls) is None


@pytest.mark.parametrize("arguments", ["{}", "", "{", "[]", '{"a": 1}', '{"a": "x", "b": 2}'])
@pytest.mark.parametrize("name", ["add", "add_two_"])
def test_calls_that_do_not_fit_are_told(arguments: str, name: str) -> None:
    with pytest.raises(ValueError):  # pydantic's text
        Tools([ADD, ODD]).parse((call(), call(name, arguments)))


def test_a_tool_without_a_schema_takes_anything() -> None:
    assert refusal(Tools([BARE]), call("bare", "{")) is None


@pytest.mark.parametrize(
    ("how", "required"),
    [
        ({}, False),
        ({"tool_choice": None}, False),
        ({"tool_choice": "auto"}, False),
        ({"tool_choice": "none"}, False),
        ({"tool_choice": "required"}, True),
        ({"tool_choice": "add"}, True),
        ({"tool_choice": {"type": "function", "function": {"name": "add"}}}, True),
    ],
)
def test_a_choice_that_names_a_tool_asks_for_a_call(how: dict[str, Any], required: bool) -> None:
    assert Tools([ADD], how=how).required is required
    assert Tools([ADD], how=how, required=True).required is (how.get("tool_choice") != "none")
    assert not Tools([], how=how, required=True).required
    if required:
        with pytest.raises(ValueError, match="no tool was called"):
            Tools([ADD], how=how).parse(())


CHOICES: list[Any] = ["required", "add", {"type": "function", "function": {"name": "add"}}]


@pytest.mark.parametrize("choice", [None, "auto", "none", *CHOICES])
def test_openais_llm_gets_openais_own_words(choice: Any) -> None:
    found = asked(Tools([ADD], how={"tool_choice": choice}), GPT)
    assert found["tools"][0]["function"]["name"] == "add"
    if choice is not None:
        told = found["tool_choice"]
        assert told == choice or told["function"]["name"] == "add"


@pytest.mark.parametrize("choice", [*CHOICES, {"type": "tool", "name": "add"}])
def test_another_provider_must_call_a_tool_in_its_own_words(choice: Any) -> None:
    found = asked(Tools([ADD], how={"tool_choice": choice}), CLAUDE)
    assert found["tools"][0]["name"] == "add"
    told = found["tool_choice"]
    assert told["type"] == ("any" if choice == "required" else "tool")
    if choice != "required":
        assert told["name"] == "add"


def test_where_a_call_is_required_each_provider_is_told() -> None:
    tools = Tools([ADD], required=True)
    assert asked(tools, GPT)["tool_choice"] == "required"
    assert asked(tools, CLAUDE)["tool_choice"]["type"] == "any"


def test_no_tools_are_offered_where_none_may_be_called() -> None:
    assert asked(Tools([ADD], how={"tool_choice": "none"}), CLAUDE) == {}
    assert asked(Tools([ADD], how={"tool_choice": "none"}), GPT)["tool_choice"] == "none"


@pytest.mark.parametrize("allow", [False, True])
def test_whether_several_may_be_called_is_passed_on(allow: bool) -> None:
    tools = Tools([ADD], allow_parallel=allow)
    assert asked(tools, GPT)["parallel_tool_calls"] is allow
    assert asked(tools, CLAUDE)["tool_choice"]["disable_parallel_tool_use"] is not allow


@pytest.mark.parametrize("to", [GPT, CLAUDE])
def test_asking_changes_nothing_so_that_the_next_path_is_asked_the_same(to: PathLLM) -> None:
    how = {"tool_choice": "auto", "strict": True}
    tools, messages = Tools([ADD], how=how), list(HI)
    before = copy.deepcopy((list(tools), tools.how, [m.model_dump() for m in messages]))
    first = tools.asked_of(to, messages)
    assert (list(tools), tools.how, [m.model_dump() for m in messages]) == before
    assert tools.asked_of(to, messages) == first
    assert how == {"tool_choice": "auto", "strict": True}


def test_an_llm_that_calls_no_tools_is_not_eligible() -> None:
    with pytest.raises(NoEligiblePath, match="mine: its LLM cannot call tools"):
        Tools([ADD]).asked_of(NONE, HI)


def test_tools_that_an_llm_refuses_leave_the_call_to_others() -> None:
    broken = Tools([ADD])
    broken.how = {"no_such_argument": 1, "tools": 5}
    with pytest.raises(NoEligiblePath, match="mine: its LLM refuses these tools") as caught:
        broken.asked_of(GPT, HI)
    assert caught.value.__cause__ is not None


def test_a_tool_that_cannot_be_described_is_told() -> None:
    class Broken:
        @property
        def metadata(self) -> Any:
            class Told:
                name = "broken"

                def to_openai_tool(self, **options: Any) -> Any:
                    raise RuntimeError("no schema")

            return Told()

    with pytest.raises(ConfigError, match="tool 'broken' cannot be used: RuntimeError: no schema"):
        Tools([Broken()])  # type: ignore[list-item]


@pytest.mark.parametrize("tools", [[], (), [ADD], (ADD,)])
def test_llama_indexs_tools_are_taken_in_any_sequence(tools: Any) -> None:
    assert given(tools) is tools


@pytest.mark.parametrize(
    ("tools", "told"),
    [
        ("add", "must be a list of LlamaIndex tools, got str"),
        ({"a": 1}, "got dict"),
        (None, "got NoneType"),
        (ADD, "got FunctionTool"),
        ([add], r"tools\[0\] is a function, .*FunctionTool\.from_defaults"),
        ([ADD, {"type": "function"}], r"tools\[1\] is a dict"),
    ],
)
def test_what_is_no_tool_of_llama_indexs_is_told(tools: Any, told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        given(tools)


@pytest.mark.parametrize("tools", ["add", 5, {"a": 1}, [ADD], [None], [{}, "x"]])
def test_what_is_not_in_openais_format_is_told(tools: Any) -> None:
    with pytest.raises(ConfigError, match="tools"):
        as_tools(tools)
    assert as_tools([{"type": "function"}]) == [{"type": "function"}]
