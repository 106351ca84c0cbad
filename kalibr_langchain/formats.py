"""Structured output as each path is asked for it, in its own provider's format."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from langchain_core.language_models import BaseChatModel
from langchain_core.runnables import RunnableBinding, RunnableParallel, RunnableSequence
from langchain_core.utils.function_calling import convert_to_openai_tool

from kalibr_core.errors import NoEligiblePath

from .chat import Chat
from .structured import Structured


def asks(chat: Chat, wanted: Structured) -> dict[str, Any]:
    """The arguments that ask a path for the structure.

    Raises:
        NoEligiblePath: the path cannot be asked so.
    """
    found = wanted.bound.get(chat.path.id)
    if found is None:
        make = _asks_openai if chat.is_openai else _asks_other
        try:
            found = wanted.bound[chat.path.id] = make(chat, wanted)
        except (NotImplementedError, TypeError, ValueError) as error:
            raise NoEligiblePath(
                [f"{chat.path.id}: it cannot be asked for structured output: {error}"]
            ) from error
    return found


def _asks_openai(chat: Chat, wanted: Structured) -> dict[str, Any]:
    method = wanted.method or chat.method or "json_schema"
    if method == "json_mode":
        return {"response_format": {"type": "json_object"}}
    if method == "function_calling":
        choice = {"type": "function", "function": {"name": wanted.name}}
        return {"tools": [wanted.tool], "tool_choice": choice, "parallel_tool_calls": False}
    asked: dict[str, Any] = {"response_format": _openai_format(wanted)}
    if wanted.tools:
        asked["tools"] = [convert_to_openai_tool(t, strict=wanted.strict) for t in wanted.tools]
    return asked


def _openai_format(wanted: Structured) -> dict[str, Any]:
    """In OpenAI's own form; the SDK parses classes by itself, and would call a bad answer an error
    of the connection's."""
    schema = wanted.schema
    if isinstance(schema, Mapping) and schema.get("type") == "json_schema":
        return dict(schema)
    if wanted.is_pydantic and hasattr(schema, "model_json_schema") and wanted.strict is not False:
        from openai import pydantic_function_tool

        function: dict[str, Any] = dict(pydantic_function_tool(schema)["function"])
        inner = {"name": wanted.name, "strict": True, "schema": function["parameters"]}
        return {"type": "json_schema", "json_schema": inner}
    function = convert_to_openai_tool(schema, strict=bool(wanted.strict))["function"]
    inner = {
        "name": function["name"],
        "description": function.get("description", ""),
        "strict": bool(wanted.strict),
        "schema": function.get("parameters") or {},
    }
    return {"type": "json_schema", "json_schema": inner}


def _asks_other(chat: Chat, wanted: Structured) -> dict[str, Any]:
    """As the model's own `with_structured_output` does it."""
    model = chat.model
    named = {"method": wanted.method, "strict": wanted.strict, "tools": list(wanted.tools) or None}
    given = {name: value for name, value in named.items() if value is not None}
    schema = wanted.schema if wanted.schema is not None else {"title": "answer", "type": "object"}
    asking = model.with_structured_output(schema, include_raw=True, **given)
    found = _binding(asking, model)
    if found is None:
        found = _binding(
            BaseChatModel.with_structured_output(model, schema, include_raw=True), model
        )
    if found is None:
        raise ValueError("its with_structured_output is not made of a bound model and a parser")
    return {k: v for k, v in found.items() if k != "ls_structured_output_format"}


def _binding(asking: object, model: BaseChatModel) -> dict[str, Any] | None:
    """The arguments that a chain made by `with_structured_output(include_raw=True)` binds."""
    first = asking.first if isinstance(asking, RunnableSequence) else None
    raw = first.steps__.get("raw") if isinstance(first, RunnableParallel) else None
    if isinstance(raw, RunnableBinding) and isinstance(raw.bound, type(model)):
        return dict(raw.kwargs)
    return None
