"""Conversations with routed models, and what was told of them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from kalibr_bench.provider import LoopbackProvider
from kalibr_core.conversations import restored
from kalibr_langchain import ChatKalibr, KalibrCallbackHandler

from .ways import first_arm

PATH = "gpt-4o"
ASK = "Write a short poem about the sea in autumn."
COMPLAINT = "That is wrong, I asked for a poem about the sea!"
THANKS = "Thanks, perfect!"

made: list[ChatKalibr] = []
"""A test's models: another test's, while it lives, would take its conversations for its own."""


@contextmanager
def models_at(server: LoopbackProvider, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Where `make` has its models answer; they are closed at the end."""
    monkeypatch.setenv("KALIBR_BASE_URL", server.base_url)
    yield
    while made:
        made.pop().routers.close()


def make(goal: str = "test", path: Any = PATH, **options: Any) -> ChatKalibr:
    made.append(first_arm(path, goal=goal, **options))
    return made[-1]


def config(handler: KalibrCallbackHandler, session: str = "chat", **more: Any) -> Any:
    return {"callbacks": [handler], "configurable": {"thread_id": session}, **more}


def signals(model: ChatKalibr) -> dict[str, list[float]]:
    """What was told of each decision's answer, decisions in their order."""
    found: dict[str, list[float]] = {}
    for _, entry in model.core._learner.ledger.entries(goal=model.core.goal):
        told = found.setdefault(entry.decision_id, [])
        if entry.kind in ("momentum", "action"):
            assert entry.reward is not None
            told.append(entry.reward)
    return found


def told(model: ChatKalibr) -> list[float]:
    return [reward for rewards in signals(model).values() for reward in rewards]


def conversation(model: ChatKalibr, session: str = "chat") -> Any:
    behaviour = model.core.feedback.signals
    found = behaviour._keeper.conversation(behaviour.key_of(session))
    assert found is not None
    return restored(found[2])


def kinds(model: ChatKalibr, session: str = "chat") -> list[str]:
    return [kind.value for kind in conversation(model, session).kinds]
