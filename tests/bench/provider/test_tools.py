"""Models call fitting tools with valid arguments, and answer from their results."""

from __future__ import annotations

import json
from typing import Any

import jsonschema
import pytest

from kalibr_bench.provider import LoopbackProvider, Model

from .conftest import Ask


def tool(name: str, description: str = "", **fields: Any) -> dict[str, Any]:
    schema = {"type": "object", "properties": fields, "required": list(fields)}
    function = {"name": name, "description": description, "parameters": schema}
    return {"type": "function", "function": function}


WEATHER = tool(
    "get_weather",
    "Current weather of a city",
    city={"type": "string"},
    unit={"type": "string", "enum": ["celsius", "fahrenheit"]},
)
STOCK = tool("get_stock_price", "Price of a share", ticker={"type": "string"})
ADD = tool("add", "Add two numbers", a={"type": "integer"}, b={"type": "integer"})
TOOLS = [STOCK, WEATHER, ADD]


def calls(answer: Any) -> list[Any]:
    return list(answer.choices[0].message.tool_calls or [])


def test_the_fitting_tool_is_called_with_arguments_from_the_prompt(ask: Ask) -> None:
    answer = ask("What is the weather in Paris today?", tools=TOOLS)
    assert answer.choices[0].finish_reason == "tool_calls"
    (call,) = calls(answer)
    assert call.type == "function"
    assert call.id.startswith("call_")
    assert call.function.name == "get_weather"
    arguments = json.loads(call.function.arguments)
    assert arguments == {"city": "Paris", "unit": "celsius"}
    jsonschema.validate(arguments, WEATHER["function"]["parameters"])


def test_several_named_tools_are_called_in_parallel_unless_forbidden(ask: Ask) -> None:
    prompt = "Get the weather in Rome and the stock price of ACME"
    several = calls(ask(prompt, tools=TOOLS))
    assert {c.function.name for c in several} == {"get_weather", "get_stock_price"}
    assert len({c.id for c in several}) == 2
    assert len(calls(ask(prompt, tools=TOOLS, parallel_tool_calls=False))) == 1


def test_tool_choice_none_required_and_named_are_honoured(ask: Ask) -> None:
    assert not calls(ask("Weather in Rome?", tools=TOOLS, tool_choice="none"))
    assert calls(ask("Hello", tools=TOOLS, tool_choice="required"))
    named = {"type": "function", "function": {"name": "add"}}
    (call,) = calls(ask("Weather in Rome?", tools=TOOLS, tool_choice=named))
    assert call.function.name == "add"


def _after_tools(ask: Ask, **more: Any) -> Any:
    prompt = {"role": "user", "content": "What is the weather in Paris?"}
    called = ask(messages=[prompt], tools=TOOLS).choices[0].message
    result = {"role": "tool", "tool_call_id": called.tool_calls[0].id, "content": "18 °C, rain"}
    said = called.model_dump(exclude_none=True)
    return ask(messages=[prompt, said, result], tools=TOOLS, **more)


def test_after_a_tool_message_the_answer_is_text_with_its_result(ask: Ask) -> None:
    answer = _after_tools(ask)
    assert answer.choices[0].finish_reason == "stop"
    assert "18 °C, rain" in answer.choices[0].message.content


def test_required_calls_a_tool_even_after_a_tool_message(ask: Ask) -> None:
    (call,) = calls(_after_tools(ask, tool_choice="required"))
    assert call.function.name != "get_weather", "one that has not been called yet"


def test_a_tool_without_parameters_is_called_with_an_empty_object(ask: Ask) -> None:
    bare = {"type": "function", "function": {"name": "ping"}}
    (call,) = calls(ask("ping", tools=[bare]))
    assert json.loads(call.function.arguments) == {}


def test_streamed_tool_calls_join_to_the_whole_ones(provider: LoopbackProvider) -> None:
    prompt = "Get the weather in Rome and the stock price of ACME"
    whole = Ask(provider, key="a")(prompt, tools=TOOLS)
    chunks = Ask(provider, key="b").chunks(
        prompt, tools=TOOLS, stream_options={"include_usage": True}
    )
    names: dict[int, str] = {}
    arguments: dict[int, str] = {}
    for chunk in chunks[:-1]:
        for part in chunk.choices[0].delta.tool_calls or []:
            if part.function.name:
                names[part.index] = part.function.name
                assert part.id.startswith("call_")
            arguments[part.index] = arguments.get(part.index, "") + part.function.arguments
    expected = [(c.function.name, c.function.arguments) for c in calls(whole)]
    assert [(names[i], arguments[i]) for i in sorted(names)] == expected
    assert chunks[-2].choices[0].finish_reason == "tool_calls"
    assert chunks[-1].usage.completion_tokens == whole.usage.completion_tokens


def test_a_model_of_quality_0_calls_tools_wrongly() -> None:
    """Broken arguments, a missing argument, or a tool that there is not."""
    poor = Model(
        name="poor",
        quality=0.0,
        latency_s=0.0,
        tokens_per_s=100.0,
        input_usd_per_mtok=1.0,
        output_usd_per_mtok=1.0,
    )
    with LoopbackProvider([poor]) as provider:
        ask = Ask(provider)
        for i in range(30):
            (call,) = calls(ask("Weather in Rome?", "poor", tools=[WEATHER], seed=i))
            assert not _is_right(call)
        forms = {r.outcome for r in provider.requests()}
    assert forms == {
        f"flawed:{f}" for f in ("broken_arguments", "missing_argument", "unknown_tool")
    }


def _is_right(call: Any) -> bool:
    try:
        jsonschema.validate(json.loads(call.function.arguments), WEATHER["function"]["parameters"])
    except (ValueError, jsonschema.ValidationError):
        return False
    return bool(call.function.name == "get_weather")


@pytest.mark.parametrize("prompt", ["", "???", "天気は、どう", "a" * 5000])
def test_odd_prompts_still_give_valid_arguments(ask: Ask, prompt: str) -> None:
    (call,) = calls(ask(prompt, tools=[WEATHER]))
    assert _is_right(call)
