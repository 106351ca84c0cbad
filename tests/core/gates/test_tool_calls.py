"""Tool calls are output: a given tool, and arguments that parse and validate."""

from __future__ import annotations

import pytest

from kalibr_core.gates.structural import Reason, StructuralGate
from kalibr_core.types import Output, Request, ToolCall

WEATHER = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "parameters": {
            "type": "object",
            "properties": {"city": {"type": "string"}},
            "required": ["city"],
        },
    },
}
NOW = {"type": "function", "function": {"name": "now"}}
FLAT = {"name": "flat", "input_schema": {"type": "object", "required": ["a"]}}


def check(*calls: tuple[str, str], text: str = "", tools=(WEATHER, NOW, FLAT), finish=None):
    made = tuple(ToolCall(name=name, arguments=arguments) for name, arguments in calls)
    output = Output(text=text, tool_calls=made, finish_reason=finish)
    return StructuralGate("general").check(Request(prompt="Weather?", tools=tools), output)


GOOD = ("get_weather", '{"city": "Graz"}')


@pytest.mark.parametrize("calls", [[GOOD], [GOOD, GOOD], [("now", "")], [("now", "{}"), GOOD]])
def test_good_calls_pass_one_or_many_with_or_without_text(calls):
    assert check(*calls).passed is True
    assert check(*calls, text="Let me look that up.").passed is True


@pytest.mark.parametrize(
    "call",
    [
        ("get_weather", '{"location": "Graz"}'),
        ("get_weather", '{"city": ["Graz"]}'),
        ("get_weather", "city=Graz"),
        ("get_weather", "{'city': 'Graz'}"),
        ("get_weather", '{"city": "Gr'),
        ("get_weather", '"Graz"'),
        ("get_weather", ""),
        ("getWeather", '{"city": "Graz"}'),
        ("", "{}"),
        ("flat", "{}"),
        ("now", "[" * 100_000),
    ],
)
def test_a_bad_call_fails_the_answer_also_beside_a_good_one(call):
    assert check(call).reason == Reason.TOOL_CALL
    assert check(GOOD, call).reason == Reason.TOOL_CALL


def test_a_call_fails_where_no_tools_were_given():
    assert check(GOOD, tools=()).reason == Reason.TOOL_CALL


def test_a_call_that_was_cut_fails():
    assert check(GOOD, finish="length").reason == Reason.TRUNCATED


def test_the_detail_names_the_tool_and_the_schemas_place():
    assert check(("get_weather", '{"city": 3}')).detail == "get_weather: properties/city/type"


def test_tools_need_not_be_used():
    assert check(text="It is sunny.").passed is True


@pytest.mark.parametrize(
    "text",
    [
        '{"name": "get_weather", "arguments": {"city": "Graz"}}',
        '<tool_call>{"name": "get_weather"}</tool_call>',
        "<|python_tag|>get_weather(city='Graz')",
    ],
)
def test_a_call_written_into_the_text_fails_where_tools_were_given(text):
    assert check(text=text).reason == Reason.TOOL_CALL
    assert check(text=text, tools=()).reason != Reason.TOOL_CALL


def test_a_tools_unusable_schema_tells_nothing():
    tool = {"type": "function", "function": {"name": "t", "parameters": {"type": "objekt"}}}
    assert check(("t", "{}"), tools=(tool,)).passed is None
