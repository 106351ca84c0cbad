"""Tools as they are given to the router, and as each path's provider takes them."""

from __future__ import annotations

import weakref
from collections.abc import Mapping, Sequence
from typing import Any

from llama_index.core.base.llms.types import ChatMessage
from llama_index.core.llms.function_calling import FunctionCallingLLM
from llama_index.core.tools import BaseTool
from llama_index.core.tools.types import ToolMetadata
from pydantic import BaseModel

from kalibr_core.errors import ConfigError, NoEligiblePath
from kalibr_core.types import ToolCall

from .path_llm import PathLLM

_schemas: weakref.WeakKeyDictionary[type[BaseModel], dict[str, Any]] = weakref.WeakKeyDictionary()
"""By the class that a tool's arguments are validated by."""


class Tools(list[dict[str, Any]]):
    """Tool definitions in OpenAI's format, which remember what they were made from.

    Providers differ in what they take from a tool, so each path is given the originals. All that
    only looks at the definitions (gate 1, events) sees a list like any other.

    Args:
        tools: LlamaIndex's.
        allow_parallel: may one answer call several?
        required: must it call one?
        how: `tool_choice`, `strict` and what else a path's LLM takes with tools.

    Raises:
        ConfigError: one of them is none.
    """

    def __init__(
        self,
        tools: Sequence[BaseTool],
        *,
        allow_parallel: bool = False,
        required: bool = False,
        how: Mapping[str, Any] | None = None,
    ) -> None:
        self.originals = tuple(tools)
        self.allow_parallel = allow_parallel
        self.how = {name: value for name, value in (how or {}).items() if value is not None}
        choice = self.how.get("tool_choice")
        self.required = bool(tools) and (required or _names_tool(choice)) and choice != "none"
        super().__init__(map(_defined, self.originals))

    @property
    def known(self) -> list[dict[str, Any]]:
        """The definitions, also under the names that not every provider takes."""
        raw = (
            {**spec, "function": {**spec["function"], "name": tool.metadata.name}}
            for spec, tool in zip(self, self.originals, strict=True)
            if spec["function"]["name"] != tool.metadata.name
        )
        return [*self, *raw]

    def parse(self, calls: tuple[ToolCall, ...]) -> None:
        """Raise where an answer's calls are not what the caller can use.

        Raises:
            ValueError: no tool is called where one must be, or a tool does not take its arguments.
        """
        if self.required and not calls:
            raise ValueError("no tool was called")
        schemas = {
            name: tool.metadata.fn_schema for tool in self.originals for name in _names(tool)
        }
        for call in calls:
            schema = schemas.get(call.name)
            if schema is not None:
                schema.model_validate_json(call.arguments or "{}")

    def asked_of(self, path: PathLLM, messages: list[ChatMessage]) -> dict[str, Any]:
        """The messages and arguments that offer the tools to a path.

        Raises:
            NoEligiblePath: its LLM does not take them.
        """
        llm = path.llm
        if not isinstance(llm, FunctionCallingLLM):
            raise NoEligiblePath([f"{path.path.id}: its LLM cannot call tools"])
        how = dict(self.how) if path.makes_openai_calls else _translated(self.how, path)
        if how is None:
            return {"messages": messages}
        required = how.pop("tool_required", False) or self.required
        try:
            prepared = llm._prepare_chat_with_tools_compat(
                list(self.originals),
                chat_history=list(messages),
                allow_parallel_tool_calls=self.allow_parallel,
                tool_required=required,
                **how,
            )
        except Exception as error:
            why = f"{path.path.id}: its LLM refuses these tools: {error}"
            raise NoEligiblePath([why]) from error
        return dict(prepared)


def as_tools(tools: object) -> Sequence[Mapping[str, Any]]:
    """Tools that were given to a call in OpenAI's format.

    Raises:
        ConfigError: one of them is none.
    """
    if isinstance(tools, str) or not isinstance(tools, Sequence):
        raise ConfigError(f"tools must be a list of tools, got {type(tools).__name__}")
    for index, tool in enumerate(tools):
        if not isinstance(tool, Mapping):
            raise ConfigError(
                f"tools[{index}] must be a dict in OpenAI's format, got {type(tool).__name__}; "
                "give LlamaIndex's tools to chat_with_tools"
            )
    return tools


def given(tools: object) -> Sequence[BaseTool]:
    """LlamaIndex's tools.

    Raises:
        ConfigError: one of them is none.
    """
    if isinstance(tools, str | Mapping) or not isinstance(tools, Sequence):
        raise ConfigError(f"tools must be a list of LlamaIndex tools, got {type(tools).__name__}")
    for index, tool in enumerate(tools):
        if not hasattr(tool, "metadata"):
            raise ConfigError(
                f"tools[{index}] is a {type(tool).__name__}, which is no LlamaIndex tool; write "
                "FunctionTool.from_defaults(function)"
            )
    return tools


def _defined(tool: BaseTool) -> dict[str, Any]:
    metadata = tool.metadata
    try:
        if type(metadata) is not ToolMetadata:
            return dict(metadata.to_openai_tool(skip_length_check=True))
        function = {
            "name": metadata._sanitize_name(metadata.name),
            "description": metadata.description,
            "parameters": _parameters(metadata),
        }
        return {"type": "function", "function": function}
    except Exception as error:  # a tool's own schema may raise anything
        raise ConfigError(
            f"tool {tool.metadata.name!r} cannot be used: {type(error).__name__}: {error}"
        ) from error


def _parameters(metadata: ToolMetadata) -> dict[str, Any]:
    """The schema of a tool's arguments; made once, since that is slower than a choice."""
    schema = metadata.fn_schema
    if schema is None:
        return metadata.get_parameters_dict()
    found = _schemas.get(schema)
    if found is None:
        found = _schemas[schema] = metadata.get_parameters_dict()
    return found


def _names(tool: BaseTool) -> set[str | None]:
    return {tool.metadata.name, tool.metadata._sanitize_name(tool.metadata.name)}


def _names_tool(choice: object) -> bool:
    """Does a `tool_choice` ask for a call?"""
    return choice is not None and choice not in ("auto", "none")


def _translated(how: Mapping[str, Any], path: PathLLM) -> dict[str, Any] | None:
    """OpenAI's `tool_choice` in the words that other LLMs share; None: offer no tools."""
    rest = {name: value for name, value in how.items() if name not in ("tool_choice", "strict")}
    choice = how.get("tool_choice")
    if choice == "none":
        return None
    if choice in (None, "auto"):
        return rest
    function = choice.get("function") if isinstance(choice, Mapping) else None
    name = function.get("name") if isinstance(function, Mapping) else choice
    if choice != "required" and "anthropic" in path.llm.class_name().lower():
        native = isinstance(choice, Mapping) and function is None
        rest["tool_choice"] = choice if native else {"type": "tool", "name": name}
    return {**rest, "tool_required": True}
