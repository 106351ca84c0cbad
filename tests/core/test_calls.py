"""What one call asks for in place of its Router's own, and for this call alone."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Generator
from typing import Any

import pytest

from kalibr_core import AllPathsFailed, ConfigError, Output
from kalibr_core.testing import answer
from kalibr_core.types import Attempt, Request

from .scene import BAD, Scene

SAYS = {"a": BAD, "b": "good"}
both = pytest.mark.parametrize("is_async", [False, True])


async def call(scene: Scene, *, is_async: bool, **terms: Any) -> tuple[str, list[float]]:
    """What one call was answered, and how long each attempt might have taken."""
    seen: list[float] = []

    def invoke(attempt: Attempt) -> Output:
        seen.append(attempt.timeout_s)
        return answer(SAYS[attempt.path.id])

    async def ainvoke(attempt: Attempt) -> Output:
        return invoke(attempt)

    def read(output: Output) -> Output:
        return output

    if is_async:
        done = await scene.router.acall(Request(), ainvoke, read=read, **terms)
    else:
        done = scene.router.call(Request(), invoke, read=read, **terms)
    return done.output.text, seen


async def stream(scene: Scene, *, is_async: bool, **terms: Any) -> list[str]:
    def invoke(attempt: Attempt) -> Generator[str, None, None]:
        yield SAYS[attempt.path.id]

    async def ainvoke(attempt: Attempt) -> AsyncGenerator[str, None]:
        yield SAYS[attempt.path.id]

    given: dict[str, Any] = {
        "read": lambda chunks: answer("".join(chunks)),
        "opens": bool,
        "finish": lambda done: None,
        **terms,
    }
    if is_async:
        return [chunk async for chunk in scene.router.acall_stream(Request(), ainvoke, **given)]
    return list(scene.router.call_stream(Request(), invoke, **given))


@both
async def test_a_refused_answer_is_given_out_to_the_call_that_asks_for_the_best(
    is_async: bool,
) -> None:
    scene = Scene({"a": BAD})
    assert await call(scene, is_async=is_async, on_exhausted="best") == (BAD, [120.0] * 3)
    with pytest.raises(AllPathsFailed):
        await call(scene, is_async=is_async)


@both
async def test_a_time_out_is_of_one_call(is_async: bool) -> None:
    scene = Scene({"b": "good"})
    assert await call(scene, is_async=is_async, timeout_s=3.0) == ("good", [3.0])
    assert await call(scene, is_async=is_async) == ("good", [120.0])
    with pytest.raises(ConfigError, match="timeout_s"):
        await call(scene, is_async=is_async, timeout_s=-1.0)


@both
async def test_one_stream_of_a_live_router_is_held_and_healed(is_async: bool) -> None:
    scene = Scene(SAYS)
    assert await stream(scene, is_async=is_async, hold=True) == ["good"]
    assert await stream(scene, is_async=is_async) == [BAD]
