"""The body of a chat request, read and checked as OpenAI checks it."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from kalibr_bench.provider.problem import Problem, invalid
from kalibr_bench.provider.request import ChatRequest

ROLES = frozenset({"system", "developer", "user", "assistant", "tool", "function"})
_TOOL_NAME = re.compile(r"[A-Za-z0-9_.-]{1,64}\Z")


def read_request(raw: bytes) -> ChatRequest:
    """Read and check a body.

    Raises:
        Problem: a 400 with OpenAI's message, parameter and code.
    """
    try:
        body = json.loads(raw)
    except ValueError as error:
        raise invalid(
            "We could not parse the JSON body of your request. (HINT: This likely means you aren't"
            " using your HTTP library correctly.)"
        ) from error
    if not isinstance(body, dict):
        raise invalid(f"The body must be a JSON object, got {type(body).__name__}.")
    return _checked(body)


def _checked(body: dict[str, Any]) -> ChatRequest:
    model = body.get("model")
    if not isinstance(model, str) or not model:
        raise invalid("you must provide a model parameter", param="model")
    options = _object(body, "stream_options")
    stream = _flag(body, "stream")
    if options and not stream:
        raise invalid(
            "'stream_options' is only allowed when 'stream' is true.", param="stream_options"
        )
    _number(body, "temperature", 0, 2)
    _number(body, "top_p", 0, 1)
    tools = _tools(body)
    return ChatRequest(
        body=body,
        model=model,
        messages=_messages(body),
        seed=_whole(body, "seed", None) or 0,
        n=_whole(body, "n", 1, most=128) or 1,
        stream=stream,
        include_usage=bool(options.get("include_usage")),
        max_tokens=_whole(body, "max_completion_tokens", 1) or _whole(body, "max_tokens", 1),
        stop=_stop(body),
        tools=tools,
        tool_choice=_tool_choice(body, tools),
        response_format=_response_format(body),
    )


def _object(holder: object, name: str) -> Mapping[str, Any]:
    """An object inside another; empty if there is none."""
    value = holder.get(name) if isinstance(holder, Mapping) else None
    if value is not None and not isinstance(value, Mapping):
        raise _wrong_type(name, "an object", value)
    return value or {}


def _flag(body: Mapping[str, Any], name: str) -> bool:
    value = body.get(name)
    if value is not None and not isinstance(value, bool):
        raise _wrong_type(name, "a boolean", value)
    return bool(value)


def _whole(
    body: Mapping[str, Any], name: str, least: int | None, most: int | None = None
) -> int | None:
    value = body.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int):
        raise _wrong_type(name, "an integer", value)
    _range(name, value, least, most)
    return value


def _number(body: Mapping[str, Any], name: str, least: float, most: float) -> None:
    value = body.get(name)
    if value is None:
        return
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _wrong_type(name, "a number", value)
    _range(name, value, least, most)


def _range(name: str, value: float, least: float | None, most: float | None) -> None:
    if least is not None and value < least:
        raise _out_of_range(name, f">= {least}", value, "integer_below_min_value")
    if most is not None and value > most:
        raise _out_of_range(name, f"<= {most}", value, "integer_above_max_value")


def _wrong_type(name: str, wanted: str, value: object) -> Problem:
    got = type(value).__name__
    message = f"Invalid type for '{name}': expected {wanted}, but got {got} instead."
    return invalid(message, param=name, code="invalid_type")


def _out_of_range(name: str, wanted: str, value: float, code: str) -> Problem:
    message = f"Invalid '{name}': expected a value {wanted}, but got {value} instead."
    return invalid(message, param=name, code=code)


def _stop(body: Mapping[str, Any]) -> tuple[str, ...]:
    stop = body.get("stop")
    words = [stop] if isinstance(stop, str) else stop or []
    if not isinstance(words, list) or len(words) > 4 or not all(isinstance(w, str) for w in words):
        raise invalid("Invalid 'stop': a string or up to 4 strings.", param="stop")
    return tuple(word for word in words if word)


def _response_format(body: Mapping[str, Any]) -> Mapping[str, Any] | None:
    wanted = body.get("response_format")
    if wanted is None or (isinstance(wanted, dict) and wanted.get("type") == "text"):
        return None
    if not isinstance(wanted, dict) or wanted.get("type") not in ("json_object", "json_schema"):
        raise invalid("Invalid 'response_format'.", param="response_format", code="invalid_value")
    schema = _object(wanted, "json_schema").get("schema")
    if wanted["type"] == "json_schema" and not isinstance(schema, dict):
        raise invalid(
            "Missing required parameter: 'response_format.json_schema.schema'.",
            param="response_format.json_schema",
            code="missing_required_parameter",
        )
    if wanted["type"] == "json_object" and "json" not in json.dumps(body["messages"]).lower():
        raise invalid(
            "'messages' must contain the word 'json' in some form, to use 'response_format' of"
            " type 'json_object'.",
            param="messages",
        )
    return wanted


def _tools(body: Mapping[str, Any]) -> tuple[Mapping[str, Any], ...]:
    tools = body.get("tools")
    if tools is None:
        return ()
    if not isinstance(tools, list) or not tools:
        raise invalid("Invalid 'tools': expected a list of at least 1.", param="tools")
    for index, tool in enumerate(tools):
        function = tool.get("function") if isinstance(tool, dict) else None
        name = function.get("name") if isinstance(function, dict) else None
        if not isinstance(name, str) or not _TOOL_NAME.match(name):
            where = f"tools[{index}].function.name"
            raise invalid(f"Invalid '{where}': {name!r}.", param=where, code="invalid_value")
    return tuple(tool["function"] for tool in tools)


def _tool_choice(
    body: Mapping[str, Any], tools: tuple[Mapping[str, Any], ...]
) -> str | Mapping[str, Any]:
    choice = body.get("tool_choice")
    if choice is None:
        return "auto" if tools else "none"
    if not tools and choice != "none":
        raise invalid(
            "'tool_choice' is only allowed when 'tools' are specified.", param="tool_choice"
        )
    if choice in ("none", "auto", "required"):
        return str(choice)
    name = _object(choice, "function").get("name")
    if name not in {tool["name"] for tool in tools}:
        raise invalid(f"Tool choice {name!r} not found in 'tools' parameter.", param="tool_choice")
    return {"name": name}


def _messages(body: Mapping[str, Any]) -> tuple[Mapping[str, Any], ...]:
    messages = body.get("messages")
    if messages is None:
        raise invalid(
            "Missing required parameter: 'messages'.",
            param="messages",
            code="missing_required_parameter",
        )
    if not isinstance(messages, list) or not messages:
        raise invalid(
            "Invalid 'messages': expected a list with at least 1 message.",
            param="messages",
            code="empty_array",
        )
    waiting: set[str] = set()
    for index, message in enumerate(messages):
        waiting = _message(message, f"messages.[{index}]", waiting)
    if waiting:
        raise _unanswered(waiting, "messages")
    return tuple(messages)


def _message(message: Any, where: str, waiting: set[str]) -> set[str]:
    """Check one message; returns the tool call ids that wait for their results."""
    role = message.get("role") if isinstance(message, dict) else None
    if not isinstance(role, str) or role not in ROLES:
        raise invalid(f"Invalid value: {role!r} for '{where}.role'.", param=f"{where}.role")
    if role == "tool":
        if message.get("tool_call_id") not in waiting:
            raise invalid(
                "Invalid parameter: messages with role 'tool' must be a response to a preceding"
                " message with 'tool_calls'.",
                param=f"{where}.role",
            )
        return waiting - {message["tool_call_id"]}
    if waiting:
        raise _unanswered(waiting, where)
    called = _called(message, where)
    content = message.get("content")
    if not isinstance(content, str | list) and not called and role != "assistant":
        raise _wrong_type(f"{where}.content", "a string or a list", content)
    return called


def _called(message: Mapping[str, Any], where: str) -> set[str]:
    """The ids of a message's tool calls."""
    calls = message.get("tool_calls") or []
    if not isinstance(calls, list):
        raise _wrong_type(f"{where}.tool_calls", "a list", calls)
    for call in calls:
        function = _object(call, "function")
        told = [call.get("id") if isinstance(call, dict) else None]
        told += [function.get("name"), function.get("arguments")]
        if not all(isinstance(text, str) for text in told):
            raise invalid(
                "A tool call needs an id and a function with a name and arguments, all strings.",
                param=f"{where}.tool_calls",
            )
    return {call["id"] for call in calls}


def _unanswered(waiting: set[str], where: str) -> Problem:
    return invalid(
        "An assistant message with 'tool_calls' must be followed by tool messages responding to"
        f" each 'tool_call_id'. Missing: {', '.join(sorted(waiting))}",
        param=where,
    )
