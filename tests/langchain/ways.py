"""The four ways to call a chat model, as one."""

from __future__ import annotations

import asyncio
from typing import Any

from langchain_core.messages import AIMessage, AIMessageChunk

from kalibr_langchain import ChatKalibr

WAYS = ("invoke", "ainvoke", "stream", "astream")
QUESTION = "Name the capital of France."


def ask(model: Any, way: str, question: Any = QUESTION, **options: Any) -> Any:
    """Send one request any way; a stream's chunks are joined."""
    if way == "invoke":
        return model.invoke(question, **options)
    if way == "stream":
        return joined(list(model.stream(question, **options)))
    return asyncio.run(aask(model, way, question, **options))


async def aask(model: Any, way: str, question: Any = QUESTION, **options: Any) -> Any:
    if way == "ainvoke":
        return await model.ainvoke(question, **options)
    return joined([chunk async for chunk in model.astream(question, **options)])


def joined(chunks: list[Any]) -> Any:
    """What a stream said as a whole: messages are added up, of anything else the last counts."""
    if not chunks or not isinstance(chunks[0], AIMessageChunk):
        return chunks[-1] if chunks else None
    whole = chunks[0]
    for chunk in chunks[1:]:
        whole += chunk
    return whole


def record(message: AIMessage) -> dict[str, Any]:
    """The decision's record in a message."""
    found: dict[str, Any] = message.response_metadata["kalibr"]
    return found


def failures(message: AIMessage) -> list[str | None]:
    """How each attempt failed; None: it did not."""
    return [attempt.get("failure") for attempt in record(message)["attempts"]]


def first_arm(*paths: Any, **options: Any) -> ChatKalibr:
    """A model that tries its paths in their order, so that a test knows which one is first."""
    from kalibr_core.testing import FirstArm

    settings = {"goal": "test", "policy": FirstArm(), "ledger": "memory", **options}
    return ChatKalibr(paths=list(paths), **settings)
