"""A routed call's end -> what LangChain gets of it."""

from __future__ import annotations

from copy import copy
from typing import Any

from langchain_core.messages import AIMessageChunk
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult

from kalibr_core.adapter.records import record_of
from kalibr_core.outputs import KEY
from kalibr_core.plan import Done


def result_of(done: Done[ChatResult]) -> ChatResult:
    """The answer with its decision's record; the path's own objects stay as they are."""
    result = done.answer
    generation = result.generations[0]
    metadata = {**generation.message.response_metadata, KEY: record_of(done.decision)}
    told = {**(result.llm_output or {}), **(generation.generation_info or {}), **metadata}
    if not isinstance(told.get("model_name"), str):
        metadata["model_name"] = done.output.model or done.decision.path.model
    message = copy(generation.message)
    message.response_metadata = metadata
    # Made without validation, which these parts have been through and which takes its time.
    kept = ChatGeneration.model_construct(
        text=generation.text, message=message, generation_info=generation.generation_info
    )
    return ChatResult.model_construct(generations=[kept], llm_output=result.llm_output)


def last_chunk(done: Done[tuple[ChatGenerationChunk, ...]]) -> ChatGenerationChunk:
    """What follows a stream: its decision's record, and the model where no chunk named it."""
    metadata: dict[str, Any] = {KEY: record_of(done.decision)}
    if not any(_names_model(chunk) for chunk in done.answer):
        metadata["model_name"] = done.output.model or done.decision.path.model
    content: Any = "" if isinstance(done.answer[-1].message.content, str) else []
    return ChatGenerationChunk(
        message=AIMessageChunk(content=content, response_metadata=metadata, chunk_position="last")
    )


def _names_model(chunk: ChatGenerationChunk) -> bool:
    return "model_name" in (chunk.generation_info or {}) or (
        "model_name" in chunk.message.response_metadata
    )
