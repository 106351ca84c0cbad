"""A Router whose answers are judged, and what came of it."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from typing import Any

from kalibr_bench.provider import LoopbackProvider
from kalibr_core import Router
from kalibr_core.testing import FirstArm

KEY = "sk-secret-12345678"
MESSAGES = [{"role": "user", "content": "Name the capital of France."}]
GOOD = '{"reason": "clear", "score": 0.75}'


def make(provider: LoopbackProvider, judge: Any, **options: Any) -> Router:
    settings: dict[str, Any] = {
        "goal": "test",
        "paths": ["gpt-4o", "gpt-4o-mini"],
        "ledger": "memory",
        "policy": FirstArm(),
        "base_url": provider.base_url,
        "api_key": KEY,
        **options,
    }
    return Router(**settings, judge=judge)


def scores(router: Router) -> list[Any]:
    return [e for _, e in router._learner.ledger.entries() if e.kind in ("judge", "score")]


def judges(router: Router) -> list[Any]:
    """The servers and keys of the models that judge."""
    assert router._judging is not None
    models: Any = router._judging._asked
    return [endpoint for _, endpoint in models._judges]


def until(done: Callable[[], object], seconds: float = 10.0) -> None:
    ends = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < ends, "it has not come to pass"
        time.sleep(0.01)


def settled(router: Router, count: int) -> dict[str, int]:
    until(lambda: sum(router.judgements.values()) >= count)
    return dict(router.judgements)


class Slow:
    """A judge that waits until it is let go."""

    def __init__(self) -> None:
        self.go = threading.Event()
        self.asked = threading.Event()

    def __call__(self, request: str, output: str) -> float:
        self.asked.set()
        self.go.wait(20)
        return 0.5


async def late(request: str, output: str) -> float:
    await asyncio.sleep(0.01)
    return 0.25
