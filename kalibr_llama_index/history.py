"""A conversation that one path began -> messages that another path's provider takes."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from llama_index.core.base.llms.types import (
    CachePoint,
    ChatMessage,
    ThinkingBlock,
    ToolCallBlock,
)

MADE_BY = "kalibr_path"
"""Where a thought tells whose it is: providers sign theirs, and take back no other's."""
CALLS = "tool_calls"
CACHES = ("anthropic", "bedrock")
"""What the class names of LLMs hold whose providers know cache points."""


def signed(message: ChatMessage, path_id: str) -> ChatMessage:
    """A path's answer whose thoughts tell whose they are; the path's own object stays as it is."""
    if not any(isinstance(block, ThinkingBlock) for block in message.blocks):
        return message
    blocks = [
        block.model_copy(
            update={"additional_information": {**block.additional_information, MADE_BY: path_id}}
        )
        if isinstance(block, ThinkingBlock)
        else block
        for block in message.blocks
    ]
    return message.model_copy(update={"blocks": blocks})


def portable(
    messages: Sequence[ChatMessage], *, path_id: str, class_name: str, is_openai: bool
) -> list[ChatMessage]:
    """The messages as a path takes them; the caller's stay as they are.

    Left out are thoughts of other paths, and cache points where the provider knows none. A tool
    call's arguments are an object, or text for OpenAI's; the copies that OpenAI's LLM keeps of
    them in its own format go to no other.
    """
    knows_cache = any(name in class_name.lower() for name in CACHES)
    return [
        _portable(message, path_id=path_id, knows_cache=knows_cache, is_openai=is_openai)
        for message in messages
    ]


def _portable(
    message: ChatMessage, *, path_id: str, knows_cache: bool, is_openai: bool
) -> ChatMessage:
    if all(type(block).__name__ == "TextBlock" for block in message.blocks) and (
        CALLS not in message.additional_kwargs
    ):
        return message
    blocks: list[Any] = []
    for block in message.blocks:
        if isinstance(block, CachePoint) and not knows_cache:
            continue
        if isinstance(block, ThinkingBlock):
            if (kept := _own_thought(block, path_id)) is not None:
                blocks.append(kept)
        elif isinstance(block, ToolCallBlock) and not is_openai:
            blocks.append(_as_object(block))
        else:
            blocks.append(block)
    update: dict[str, Any] = {"blocks": blocks}
    if any(isinstance(block, ToolCallBlock) for block in blocks):
        update["additional_kwargs"] = {
            name: value for name, value in message.additional_kwargs.items() if name != CALLS
        }
    return message.model_copy(update=update)


def _own_thought(block: ThinkingBlock, path_id: str) -> ThinkingBlock | None:
    """A thought as its path gave it; None: it is another's."""
    told = dict(block.additional_information)
    if told.pop(MADE_BY, path_id) != path_id:
        return None
    return block.model_copy(update={"additional_information": told})


def _as_object(block: ToolCallBlock) -> ToolCallBlock:
    if not isinstance(block.tool_kwargs, str):
        return block
    try:
        arguments = json.loads(block.tool_kwargs or "{}")
    except ValueError:
        arguments = {}  # it was refused then, or goes to a model that can say so
    return block.model_copy(
        update={"tool_kwargs": arguments if isinstance(arguments, dict) else {}}
    )
