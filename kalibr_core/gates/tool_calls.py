"""Tool calls in an answer: is the tool known, do the arguments parse and validate?"""

from __future__ import annotations

import re
from collections.abc import Mapping

from ..types import Request, ToolCall, Verdict
from .json_text import parse
from .reasons import PASSED, Reason, failed
from .schema import validate

WRITTEN_CALL = re.compile(
    r"<(?:tool_call|function_call|function=|invoke\b)|<\|(?:python_tag|tool_call|tool▁call)"
    r"|\[TOOL_CALLS\]|<｜tool"
)


def check_tool_calls(request: Request, calls: tuple[ToolCall, ...]) -> Verdict:
    """All of an answer's calls must be good; several at once are fine."""
    tools = dict(_named(tool) for tool in request.tools)
    for call in calls:
        verdict = _check_call(tools, call)
        if verdict.passed is not True:
            return verdict
    return PASSED


def _named(tool: Mapping[str, object]) -> tuple[str, object]:
    """A tool's name and parameter schema; OpenAI nests them under `function`."""
    function = tool.get("function")
    inner = function if isinstance(function, Mapping) else tool
    return str(inner.get("name", "")), inner.get("parameters", inner.get("input_schema"))


def _check_call(tools: Mapping[str, object], call: ToolCall) -> Verdict:
    if call.name not in tools:
        return failed(Reason.TOOL_CALL, "a tool that was not given")
    schema = tools[call.name]
    parsed = parse(call.arguments if (call.arguments or "").strip() else "{}")
    if not parsed.ok:
        return failed(Reason.TOOL_CALL, f"{call.name}: arguments are not JSON")
    if not isinstance(parsed.value, dict):
        return failed(Reason.TOOL_CALL, f"{call.name}: arguments are not an object")
    if not schema or not isinstance(schema, Mapping):
        return PASSED
    verdict = validate(parsed.value, schema, Reason.TOOL_CALL)
    if verdict.passed is False:
        return failed(Reason.TOOL_CALL, f"{call.name}: {verdict.detail}")
    return verdict


def is_written_call(request: Request, text: str) -> bool:
    """A tool call that the model wrote into its text, where no program will find it."""
    if not request.tools:
        return False
    if WRITTEN_CALL.match(text):
        return True
    if not text.startswith("{") or '"name"' not in text[:400]:
        return False
    value = parse(text).value
    names = {_named(tool)[0] for tool in request.tools}
    return (
        isinstance(value, dict)
        and isinstance(name := value.get("name"), str)
        and name in names
        and bool({"arguments", "parameters", "input"} & value.keys())
    )
