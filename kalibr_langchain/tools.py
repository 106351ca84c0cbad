"""Tools as they are bound to the router, and as each path's provider takes them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeAlias

from langchain_core.tools import BaseTool
from langchain_core.utils.function_calling import convert_to_openai_tool

from kalibr_core.errors import ConfigError, NoEligiblePath

from .chat import Chat

ToolSpec: TypeAlias = "dict[str, Any] | type | Callable[..., Any] | BaseTool"

FORCED = ("any", "required")
"""Words for "call some tool"; OpenAI's is the second, most others' the first."""


class Tools(list[dict[str, Any]]):
    """Tool definitions in OpenAI's format, which remember what they were made from.

    Providers differ in what they take from a tool, so each path is given the originals. All that
    only looks at the definitions (gate 1, caches, traces, middleware) sees a list like any other.
    """

    def __init__(self, tools: Iterable[ToolSpec], *, strict: bool | None = None) -> None:
        self.originals: tuple[ToolSpec, ...] = tuple(tools)
        self.strict = strict
        self.bound: dict[tuple[str, str], dict[str, Any]] = {}
        """What a path's own `bind_tools` made of them, by path and by how they are to be used."""
        super().__init__(convert_to_openai_tool(tool, strict=strict) for tool in self.originals)


def as_tools(tools: object) -> Tools:
    """Tools that were given to a call as they are.

    Raises:
        ConfigError: one of them is none.
    """
    if isinstance(tools, Tools):
        return tools
    if isinstance(tools, str) or not isinstance(tools, Iterable):
        raise ConfigError(f"tools must be a list of tools, got {type(tools).__name__}")
    try:
        return Tools(tools)
    except Exception as error:  # a tool's own schema may raise anything
        raise ConfigError(f"tools cannot be used: {type(error).__name__}: {error}") from error


def bound(chat: Chat, tools: Sequence[dict[str, Any]], how: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments that offer tools to a path.

    Args:
        how: `tool_choice`, `parallel_tool_calls`, `response_format`, as far as given.

    Raises:
        NoEligiblePath: the path's model does not take them.
    """
    tools = as_tools(tools)
    key = chat.path.id, repr(sorted(how.items()))
    found = tools.bound.get(key)
    if found is None:
        found = tools.bound[key] = _bind(chat, tools, how)
    return found


def _bind(chat: Chat, tools: Tools, how: Mapping[str, Any]) -> dict[str, Any]:
    offered = {name: value for name, value in how.items() if value is not None}
    if not chat.is_openai:
        offered = _translated(offered)
        if offered.get("tool_choice") == "none":
            return {}
    if tools.strict is not None:
        offered["strict"] = tools.strict
    offered = {name: value for name, value in offered.items() if chat.binds_with(name)}
    try:
        binding = chat.model.bind_tools(tools.originals, **offered)
        return dict(binding.kwargs)  # type: ignore[attr-defined]  # a `RunnableBinding`
    except Exception as error:
        why = f"{chat.path.id}: its bind_tools refuses these tools: {error}"
        raise NoEligiblePath([why]) from error


def _translated(how: dict[str, Any]) -> dict[str, Any]:
    """OpenAI's words for `tool_choice` in the ones that LangChain's other models share."""
    choice = how.pop("tool_choice", None)
    if choice is True or (isinstance(choice, str) and choice in FORCED):
        choice = "any"
    elif isinstance(choice, Mapping) and isinstance(choice.get("function"), Mapping):
        choice = choice["function"].get("name")
    return {**how, "tool_choice": choice} if choice else how
