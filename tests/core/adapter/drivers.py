"""A path whose model is a function, and the four ways to make an attempt on it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from kalibr_core import Path
from kalibr_core.adapter import attempts
from kalibr_core.time_limit import TimeLimit
from kalibr_core.types import Attempt

KEY = "sk-secret-12345678"
PATH = Path(model="m", name="mine", base_url="http://127.0.0.1:9")
READS: attempts.Reads[str] = attempts.Reads(
    finishes=lambda chunk: chunk == "end",
    opens=lambda chunk: chunk.startswith("text"),
    reasons=lambda chunk: chunk == "thought",
)


class Callee:
    """A path whose model is a function."""

    readers = ("_read_",)
    path = PATH
    secrets = (KEY,)

    def __init__(self, *, limited: bool = True, openai: bool = True, ends: bool = True) -> None:
        self.is_limited, self.is_openai, self.tells_end = limited, openai, ends
        self.waited: list[str] = []

    def acquire(self, limit: TimeLimit) -> None:
        self.waited.append("blocking")

    async def aacquire(self, limit: TimeLimit) -> None:
        self.waited.append("in a loop")


def attempt(timeout_s: float = 20.0, first_token_s: float | None = None) -> Attempt:
    return Attempt(path=PATH, number=1, timeout_s=timeout_s, first_token_s=first_token_s)


Call = Callable[[TimeLimit], Any]


def whole(callee: Callee, call: Call) -> Any:
    return attempts.whole(callee, attempt(), call)


def awhole(callee: Callee, call: Call) -> Any:
    async def called(limit: TimeLimit) -> Any:
        return call(limit)

    return asyncio.run(attempts.awhole(callee, attempt(), called))


def stream(callee: Callee, call: Call) -> Any:
    return list(attempts.stream(callee, attempt(), call, READS))


def astream(callee: Callee, call: Call) -> Any:
    async def chunks(held: Any) -> AsyncIterator[Any]:
        for chunk in held:
            yield chunk

    async def opened(limit: TimeLimit) -> Any:
        return chunks(call(limit))

    async def all_() -> list[Any]:
        return [c async for c in attempts.astream(callee, attempt(), opened, READS)]

    return asyncio.run(all_())


DRIVERS = [whole, awhole, stream, astream]
every_driver = pytest.mark.parametrize("driver", DRIVERS, ids=lambda d: d.__name__)
every_stream = pytest.mark.parametrize("driver", [stream, astream], ids=lambda d: d.__name__)
SAID = ["role", "text 1", "end"]
