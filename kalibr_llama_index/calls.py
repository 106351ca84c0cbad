"""One attempt on one path, by the LLM's own method of the form that was called."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterable, Generator, Iterable
from contextlib import aclosing
from typing import Any

from llama_index.core.llms.function_calling import FunctionCallingLLM

from kalibr_core.adapter import attempts
from kalibr_core.time_limit import TimeLimit
from kalibr_core.types import Attempt

from .asked import Asked
from .path_llm import PathLLM
from .reading import Piece, finishes, reasons, shows
from .tools import Tools

READS = attempts.Reads(finishes=finishes, opens=shows, reasons=reasons)


def whole(path: PathLLM, asked: Asked, attempt: Attempt) -> Piece:
    """One blocking call; errors as `attempts.whole`'s."""
    arguments = asked.on(path)

    def call(limit: TimeLimit) -> Piece:
        method = getattr(path.blocking, asked.form)
        return _validated(path, asked, method(**_timed(path, arguments, limit)))

    return attempts.whole(path, attempt, call)


async def awhole(path: PathLLM, asked: Asked, attempt: Attempt) -> Piece:
    """`whole`, awaited."""
    arguments = asked.on(path)

    async def call(limit: TimeLimit) -> Piece:
        method = getattr(path.in_loop, f"a{asked.form}")
        return _validated(path, asked, await method(**_timed(path, arguments, limit)))

    return await attempts.awhole(path, attempt, call)


def stream(path: PathLLM, asked: Asked, attempt: Attempt) -> Generator[Piece, None, None]:
    """One streamed call; errors as `attempts.stream`'s."""
    arguments = asked.on(path)

    def opened(limit: TimeLimit) -> Iterable[Piece]:
        method = getattr(path.blocking, f"stream_{asked.form}")
        return _pieces(path, method(**_timed(path, arguments, limit)))

    yield from attempts.stream(path, attempt, opened, READS)


async def astream(path: PathLLM, asked: Asked, attempt: Attempt) -> AsyncGenerator[Piece, None]:
    """`stream`, awaited."""
    arguments = asked.on(path)

    async def opened(limit: TimeLimit) -> AsyncIterable[Piece]:
        method = getattr(path.in_loop, f"astream_{asked.form}")
        return _apieces(path, await method(**_timed(path, arguments, limit)))

    async with aclosing(attempts.astream(path, attempt, opened, READS)) as pieces:
        async for piece in pieces:
            yield piece


def _pieces(path: PathLLM, responses: Any) -> Generator[Piece, None, None]:
    try:
        for response in responses:
            yield Piece(response, path.path.id)
    finally:
        if hasattr(responses, "close"):
            responses.close()


async def _apieces(path: PathLLM, responses: Any) -> AsyncGenerator[Piece, None]:
    try:
        async for response in responses:
            yield Piece(response, path.path.id)
    finally:
        if hasattr(responses, "aclose"):
            await responses.aclose()


def _validated(path: PathLLM, asked: Asked, response: Any) -> Piece:
    """An answer as the path's LLM has it after a call with tools."""
    tools = asked.structured.tools if asked.structured is not None else asked.tools
    if isinstance(tools, Tools) and isinstance(path.llm, FunctionCallingLLM):
        response = path.llm._validate_chat_with_tools_response(
            response, tools.originals, allow_parallel_tool_calls=tools.allow_parallel
        )
    return Piece(response, path.path.id)


def _timed(path: PathLLM, arguments: dict[str, Any], limit: TimeLimit) -> dict[str, Any]:
    """The arguments, with a time-out where the connections are the user's own and keep no limit."""
    if path.is_limited or not path.makes_openai_calls:
        return arguments
    return {**arguments, "timeout": attempts.time_left_s(limit)}
