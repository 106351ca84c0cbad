"""Runs on the loopback provider, and players that do what engineers do not."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache, partial
from typing import Any

from kalibr_bench.gauntlet import engineers, grader
from kalibr_bench.gauntlet.grades import Grade
from kalibr_bench.gauntlet.learning import router_for
from kalibr_bench.gauntlet.many import agent_of
from kalibr_bench.gauntlet.records import Run
from kalibr_bench.gauntlet.run import Runner
from kalibr_bench.gauntlet.sandbox import evaluate
from kalibr_bench.provider import Answer, Conversation, LoopbackProvider, Player, ToolCall
from kalibr_core import Router


@cache
def graded(source: str, *, strict: bool = False, seed: int = 0) -> Grade:
    """The grader, asked once for the same submission: it is deterministic."""
    return grader.grade(source, strict=strict, seed=seed)


quick = cache(evaluate)
"""The calculator, asked once for the same expression."""


def call(tool: str, **arguments: str) -> ToolCall:
    return ToolCall(name=tool, arguments=json.dumps(arguments))


def endless(conversation: Conversation) -> Answer:
    """Evaluates for ever."""
    return Answer(text=None, tool_calls=(call("python_expression", expression="1 + 1"),))


def silent(conversation: Conversation) -> str:
    """Gives up in words."""
    return "I think that the function is fine as it stands, and would leave it so."


def hasty(conversation: Conversation) -> Answer:
    """Submits beside another tool's call."""
    code = engineers.ENGINEERS["complete"].other()
    both = (call("python_expression", expression="1 + 1"), call("submit_code", code=code))
    return Answer(text=None, tool_calls=both)


@contextmanager
def playing(more: Mapping[str, Player] | None = None, **options: Any) -> Iterator[LoopbackProvider]:
    """The engineers' provider; `more` plays in the place of some of them."""
    players = {**engineers.players(), **(more or {})}
    with LoopbackProvider(engineers.models(), players=players, **options) as provider:
        yield provider


def runs_of(
    provider: LoopbackProvider,
    framework: str,
    arm: str,
    *,
    count: int = 1,
    strict: bool = False,
    router: Router | None = None,
) -> list[Run]:
    """Runs of an arm, one after the other."""
    own = router or router_for(arm, engineers.paths(provider.base_url), seed=0)
    agent = agent_of(framework, own)
    runner = Runner(
        agent=agent, router=own, evaluate=quick, grade=partial(graded, strict=strict), keep=True
    )
    try:
        return [runner.run(number, number) for number in range(count)]
    finally:
        agent.close()
        if router is None:
            own.close()
