"""A conversation that one path has answered so far -> the same one as another path takes it.

What a provider puts into its messages for itself alone, others refuse: signed reasoning, ids of its
own form, markers for its cache, the traces of tools that its server ran. On a switch only the text,
the tool calls and their results go along.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from typing import Any, cast

from langchain_core.messages import AIMessage, BaseMessage, ToolMessage

PLAIN_ID = re.compile(r"[A-Za-z0-9_-]{1,40}")
"""Ids of tool calls that every provider takes: OpenAI at most 40 characters, Anthropic only these.
"""

CACHED = ("anthropic", "bedrock", "vertex", "openrouter")
"""Providers, by a part of their name, that know the marker `cache_control`."""

PORTABLE = frozenset({"text", "image", "image_url", "input_image", "audio", "input_audio", "file"})
"""Parts of an answer that other providers take as well."""


def portable(
    messages: Sequence[BaseMessage], *, path_id: str, provider: str, marks_cache: bool
) -> list[BaseMessage]:
    """The messages as the path takes them; those that it takes as they are stay the same objects.

    Args:
        path_id: the path that is about to answer.
        provider: its provider, as LangChain's tracing names it.
        marks_cache: does it know cache markers?
    """
    found: list[BaseMessage] = []
    renamed: dict[str, str] = {}
    for message in messages:
        if isinstance(message, AIMessage):
            taken = _answer(message, path_id, provider, renamed)
            if taken is None:
                continue
            message = taken
        elif isinstance(message, ToolMessage) and message.tool_call_id in renamed:
            message = message.model_copy(update={"tool_call_id": renamed[message.tool_call_id]})
        found.append(message if marks_cache else _unmarked(message))
    return found


def in_foreign_tool_loop(messages: Sequence[BaseMessage], *, path_id: str, provider: str) -> bool:
    """Do the messages end with results of tools that another path has called?

    A model that thinks must begin the turn that it goes on with; here another one did.
    """
    for message in reversed(messages):
        if isinstance(message, AIMessage):
            return bool(message.tool_calls) and _made_elsewhere(message, path_id, provider)
        if not isinstance(message, ToolMessage):
            return False
    return False


def knows_cache(provider: str, *, own_server: bool) -> bool:
    """Does a provider know cache markers? A gateway of the user's own may pass them on."""
    return own_server or any(name in provider for name in CACHED)


def _answer(
    message: AIMessage, path_id: str, provider: str, renamed: dict[str, str]
) -> AIMessage | None:
    """An earlier answer; None: another provider's, and nothing of it is left."""
    if _is_foreign(message, path_id, provider):
        content = _portable_content(message.content)
        if not content and not message.tool_calls and not message.invalid_tool_calls:
            return None
        message = AIMessage(
            content=cast("Any", content),
            tool_calls=message.tool_calls,
            invalid_tool_calls=message.invalid_tool_calls,
            id=message.id,
            name=message.name,
        )
    return _with_plain_ids(message, renamed)


def _is_foreign(message: AIMessage, path_id: str, provider: str) -> bool:
    """Was it made by another path, and does it hold what might be for that one alone?"""
    if isinstance(message.content, str) and message.content and not message.additional_kwargs:
        return False
    return _made_elsewhere(message, path_id, provider)


def _made_elsewhere(message: AIMessage, path_id: str, provider: str) -> bool:
    said = message.response_metadata
    record = said.get("kalibr")
    if isinstance(record, Mapping) and (by := record.get("path")) is not None:
        return bool(by != path_id)
    made_by = said.get("model_provider")
    return isinstance(made_by, str) and made_by != provider


def _portable_content(content: str | list[str | dict[str, Any]]) -> str | list[Any]:
    if isinstance(content, str):
        return content
    parts = [
        _bare(part) if isinstance(part, dict) else {"type": "text", "text": part}
        for part in content
        if isinstance(part, str) or part.get("type") in PORTABLE
    ]
    if all(part.get("type") == "text" for part in parts):
        return "".join(str(part.get("text") or "") for part in parts)
    return parts


def _bare(part: Mapping[str, Any]) -> dict[str, Any]:
    """A part without its provider's own additions: annotations, signatures, positions, ids."""
    if part.get("type") == "text":
        return {"type": "text", "text": part.get("text")}
    return {k: v for k, v in part.items() if k not in ("extras", "index", "id", "cache_control")}


def _with_plain_ids(message: AIMessage, renamed: dict[str, str]) -> AIMessage:
    calls = (*message.tool_calls, *message.invalid_tool_calls)
    odd = [call["id"] for call in calls if call["id"] and not PLAIN_ID.fullmatch(call["id"])]
    if not odd:
        return message
    renamed.update({name: _plain_id(name) for name in odd})
    return message.model_copy(
        update={
            "content": _renamed_content(message.content, renamed),
            "tool_calls": [_renamed_call(call, renamed) for call in message.tool_calls],
            "invalid_tool_calls": [_renamed_call(c, renamed) for c in message.invalid_tool_calls],
        }
    )


def _renamed_call(call: Any, renamed: Mapping[str, str]) -> Any:
    return {**call, "id": renamed.get(call["id"] or "", call["id"])}


def _renamed_content(content: Any, renamed: Mapping[str, str]) -> Any:
    """Tool calls stand in the content too, where the provider puts them there."""
    if isinstance(content, str):
        return content
    return [_renamed_part(part, renamed) if isinstance(part, dict) else part for part in content]


def _renamed_part(part: dict[str, Any], renamed: Mapping[str, str]) -> dict[str, Any]:
    names = {name: renamed[part[name]] for name in ("id", "call_id") if part.get(name) in renamed}
    return {**part, **names} if names else part


def _plain_id(name: str) -> str:
    """An id that every provider takes; always the same for the same one."""
    return "call_" + hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:24]


def _unmarked(message: BaseMessage) -> BaseMessage:
    """The message without cache markers, which other providers refuse."""
    content = message.content
    if isinstance(content, str) or not _has_marker(content):
        return message
    return message.model_copy(update={"content": _bare_of_markers(content)})


def _has_marker(content: object) -> bool:
    """Anywhere in it: results of tools hold parts of their own."""
    if isinstance(content, list):
        return any(map(_has_marker, content))
    if not isinstance(content, dict):
        return False
    return "cache_control" in content or _has_marker(content.get("content"))


def _bare_of_markers(content: Any) -> Any:
    if isinstance(content, list):
        return [_bare_of_markers(part) for part in content]
    if not isinstance(content, dict):
        return content
    bare = {name: value for name, value in content.items() if name != "cache_control"}
    if "content" in bare:
        bare["content"] = _bare_of_markers(bare["content"])
    return bare
