"""The eight ways to call an LLM, as one."""

from __future__ import annotations

import asyncio
from typing import Any

from llama_index.core.llms import ChatMessage

from kalibr_llama_index import KalibrLLM

WAYS = (
    "chat",
    "achat",
    "stream_chat",
    "astream_chat",
    "complete",
    "acomplete",
    "stream_complete",
    "astream_complete",
)
STREAMS = tuple(way for way in WAYS if "stream" in way)
QUESTION = "Name the capital of France."


def asked(way: str, question: Any = QUESTION) -> Any:
    """What a way takes: messages, or a prompt."""
    if "chat" not in way or not isinstance(question, str):
        return question
    return [ChatMessage(role="user", content=question)]


def ask(llm: Any, way: str, question: Any = QUESTION, **options: Any) -> Any:
    """Send one request any way; of a stream, its last chunk."""
    if way.startswith("a"):
        return asyncio.run(aask(llm, way, question, **options))
    answer = getattr(llm, way)(asked(way, question), **options)
    return list(answer)[-1] if "stream" in way else answer


async def aask(llm: Any, way: str, question: Any = QUESTION, **options: Any) -> Any:
    answer = await getattr(llm, way)(asked(way, question), **options)
    return [chunk async for chunk in answer][-1] if "stream" in way else answer


def text_of(answer: Any) -> str:
    return str(answer.message.content) if hasattr(answer, "message") else str(answer.text)


def record(answer: Any) -> dict[str, Any]:
    """The decision's record in an answer."""
    found: dict[str, Any] = answer.additional_kwargs["kalibr"]
    return found


def failures(answer: Any) -> list[str | None]:
    """How each attempt failed; None: it did not."""
    return [attempt.get("failure") for attempt in record(answer)["attempts"]]


def first_arm(*paths: Any, **options: Any) -> KalibrLLM:
    """An LLM that tries its paths in their order, so that a test knows which one is first."""
    from kalibr_core.testing import FirstArm

    settings = {"goal": "test", "policy": FirstArm(), "ledger": "memory", **options}
    return KalibrLLM(paths=list(paths), **settings)
