"""Which tool a model calls, and with what arguments."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from kalibr_bench.provider.answer import Answer, ToolCall
from kalibr_bench.provider.answers.hints import Hints
from kalibr_bench.provider.answers.schema import instance
from kalibr_bench.provider.draws import Draws
from kalibr_bench.provider.request import ChatRequest, text_of

_WORD = re.compile(r"[a-z]{3,}|\d+")
_VERBS = frozenset({"get", "fetch", "find", "look", "search", "the", "and", "for", "with", "tool"})


def calls_tool(chat: ChatRequest) -> bool:
    """Whether the next answer is a tool call."""
    if not chat.tools or chat.tool_choice == "none":
        return False
    return chat.tool_choice != "auto" or chat.last["role"] == "user"


def tool_answer(chat: ChatRequest, draws: Draws) -> Answer:
    """The calls of the tools that fit the prompt best."""
    hints = Hints(chat.user_text)
    calls = [_call(tool, hints, draws.within("tool", at)) for at, tool in enumerate(_chosen(chat))]
    return Answer(text=None, tool_calls=tuple(calls))


def results_of(chat: ChatRequest) -> list[tuple[str, str]]:
    """The tool results since the last user message: pairs of tool name and text."""
    names: dict[str, str] = {}
    results: list[tuple[str, str]] = []
    for message in chat.messages:
        if message["role"] == "user":
            results.clear()
        for call in message.get("tool_calls") or ():
            names[call["id"]] = call["function"]["name"]
        if message["role"] == "tool":
            results.append((names.get(message["tool_call_id"], "tool"), text_of(message)))
    return results


def _call(tool: Mapping[str, Any], hints: Hints, draws: Draws) -> ToolCall:
    schema = tool.get("parameters") or {"type": "object", "properties": {}}
    value = instance(schema, hints, draws)
    return ToolCall(name=tool["name"], arguments=json.dumps(value, ensure_ascii=False))


def _chosen(chat: ChatRequest) -> list[Mapping[str, Any]]:
    if isinstance(chat.tool_choice, Mapping):
        return [tool for tool in chat.tools if tool["name"] == chat.tool_choice["name"]]
    words = set(_words(chat.user_text))
    done = {name for name, _ in results_of(chat)}
    fresh = [tool for tool in chat.tools if tool["name"] not in done] or list(chat.tools)
    named = [tool for tool in fresh if _is_named(tool, words)]
    if len(named) > 1 and chat.body.get("parallel_tool_calls") is not False:
        return named
    return [max(named or fresh, key=lambda tool: _overlap(tool, words))]


def _is_named(tool: Mapping[str, Any], words: set[str]) -> bool:
    """Whether every telling word of the tool's name is in the prompt."""
    own = [word for word in _words(tool["name"]) if word not in _VERBS]
    return bool(own) and all(word in words for word in own)


def _overlap(tool: Mapping[str, Any], words: set[str]) -> int:
    own = set(_words(f"{tool['name']} {tool.get('description') or ''}")) - _VERBS
    return len(own & words)


def _words(text: str) -> list[str]:
    """Words without a plural s; camel case and snake case are taken apart."""
    apart = re.sub(r"([a-z])([A-Z])", r"\1 \2", text).replace("_", " ").lower()
    return [
        word[:-1] if len(word) > 3 and word.endswith("s") else word for word in _WORD.findall(apart)
    ]
