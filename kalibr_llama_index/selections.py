"""The tool calls of an answer, as LlamaIndex's agents and programs take them."""

from __future__ import annotations

import json
from typing import Any

from llama_index.core.base.llms.types import ChatResponse
from llama_index.core.llms.function_calling import FunctionCallingLLM
from llama_index.core.llms.llm import ToolSelection
from llama_index.core.llms.utils import parse_partial_json

from kalibr_core.types import ToolCall

from .path_llm import PathLLM
from .reading import tool_calls_of


def selected(
    response: ChatResponse, path: PathLLM | None, *, verified: bool, **kwargs: Any
) -> list[ToolSelection]:
    """The tool calls of an answer, as the LLM that gave it reads them.

    Args:
        path: whose answer it is; None: it is not known.
        verified: has the answer passed gate 1, as far as is known?
        kwargs: what else the path's LLM takes.
    """
    if path is not None and isinstance(path.llm, FunctionCallingLLM) and path.calls_tools:
        found = path.llm.get_tool_calls_from_response(response, **kwargs)
    else:
        found = selections(response)
    return found if verified else unguessed(found, response)


def selections(response: ChatResponse) -> list[ToolSelection]:
    """The tool calls of an answer whose path is unknown, by LlamaIndex's own blocks."""
    found = []
    for call in tool_calls_of(response):
        try:
            arguments = parse_partial_json(call.arguments or "{}")
        except (ValueError, TypeError):
            arguments = {}
        found.append(
            ToolSelection(tool_id=call.id or "", tool_name=call.name, tool_kwargs=arguments)
        )
    return found


def unguessed(found: list[ToolSelection], response: ChatResponse) -> list[ToolSelection]:
    """The calls of a refused answer, without what LlamaIndex makes of broken JSON.

    It repairs arguments that are cut, and would call `refund(amount=50)` for 5000. Such a call gets
    arguments that no tool takes, so that the model is told of its mistake.
    """
    calls: dict[tuple[str, str], list[ToolCall]] = {}
    for call in tool_calls_of(response):
        calls.setdefault((call.id or "", call.name), []).append(call)
    return [
        _as_written(one, held.pop(0)) if (held := calls.get((one.tool_id, one.tool_name))) else one
        for one in found
    ]


def _as_written(selection: ToolSelection, call: ToolCall) -> ToolSelection:
    if _is_object(call):
        return selection
    return selection.model_copy(
        update={"tool_kwargs": {"refused": True, "no_json": call.arguments}}
    )


def _is_object(call: ToolCall) -> bool:
    try:
        return isinstance(json.loads(call.arguments or "{}"), dict)
    except (ValueError, RecursionError):
        return False
