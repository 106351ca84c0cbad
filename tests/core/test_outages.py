"""What failures leave behind in the real policy, told by what a user sees of it, with margins."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence

import pytest

from kalibr_core import AllPathsFailed, MemoryLedger, Output, Request, Router
from kalibr_core.bandit import RunLengthPolicy
from kalibr_core.learner import evidence_of
from kalibr_core.testing import HANG, FakeClock, answer, provider_error
from kalibr_core.types import Attempt, Decision

from .scene import Drive, Scene, every_drive, named

CHEAP = {"input_usd_per_mtok": 1.0, "output_usd_per_mtok": 1.0}
DEAR = {"input_usd_per_mtok": 10.0, "output_usd_per_mtok": 10.0}
OUTAGES: dict[str, Exception] = {
    "503": provider_error(503),
    "connection": ConnectionError(),
    "time-out": TimeoutError(),
    "storm of 429": provider_error(429, retry_after_s=0.5),
}


class Town:
    """Equally good paths, the first one the cheapest; a call each second."""

    def __init__(self, *names: str, seed: int = 1) -> None:
        self.clock = FakeClock()
        self.policy = RunLengthPolicy(names, random.Random(seed))
        self.failing: dict[str, Exception] = {}
        self.router = Router(
            "town",
            paths=[p for n in names for p in named(n, **(CHEAP if n == names[0] else DEAR))],
            policy=self.policy,
            ledger=MemoryLedger(),
            max_attempts=2 * len(names) - 1,
            **self.clock.arguments(),
        )

    def call(self) -> Decision:
        def invoke(attempt: Attempt) -> Output:
            if attempt.path.id in self.failing:
                raise self.failing[attempt.path.id]
            return answer()

        self.clock.advance(1)
        return self.router.call(Request(), invoke, read=lambda output: output).decision

    def calls(self, number: int) -> list[Decision]:
        return [self.call() for _ in range(number)]


def share_of_a(decisions: Sequence[Decision]) -> float:
    return sum(decision.pull.arm == "a" for decision in decisions) / len(decisions)


def test_an_outage_takes_nothing_from_what_is_known_of_the_answers() -> None:
    town = Town("a")
    town.calls(300)
    success, outcomes = town.policy.belief("a")
    assert success > 0.98
    town.failing["a"] = provider_error(503)
    for _ in range(30):
        with pytest.raises(AllPathsFailed):
            town.call()
    assert town.policy.belief("a")[0] < 0.7, "it does not answer"
    town.failing.clear()
    town.calls(60)
    again, still = town.policy.belief("a")
    assert again > success - 0.05
    assert still > 0.9 * outcomes


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("what", OUTAGES)
def test_traffic_leaves_in_an_outage_and_comes_back_when_it_is_over(what: str, seed: int) -> None:
    town = Town("a", "b", seed=seed)
    assert share_of_a(town.calls(300)[-100:]) > 0.9
    _, outcomes = town.policy.belief("a")
    town.failing["a"] = OUTAGES[what]
    during = town.calls(30)
    assert {decision.path.id for decision in during} == {"b"}, "all were answered"
    assert share_of_a(during[-20:]) < 0.3
    known = {arm.path_id: arm for arm in town.router.explain(during[-1].id).arms}["a"]
    assert known.evidence > 0.9 * outcomes - 5.0, "what is known of its answers is still known"
    town.failing.clear()
    after = town.calls(700)
    assert share_of_a(after[-100:]) > 0.8, "back within some ten minutes, at a call each second"


NO_EVIDENCE: dict[str, Exception] = {
    "the caller's own 400": provider_error(400, "messages[0] is wrong"),
    "422": provider_error(422, "messages[0] is wrong"),
    "a bug of the caller's": TypeError("unexpected keyword"),
    "content filter": provider_error(400, "content_filter: flagged"),
    "context overflow": provider_error(400, "maximum context length is 8192 tokens"),
    "a parameter": provider_error(400, "temperature is not supported"),
    "401": provider_error(401),
    "403": provider_error(403),
    "404": provider_error(404),
    "one 429": provider_error(429),
}


def known_scene(step: object, drive: Drive) -> tuple[Scene, RunLengthPolicy]:
    """A path of which something is known, that then does this."""
    policy = RunLengthPolicy(["a"], random.Random(1))
    steps = [*["good"] * 20, "bad", *["good"] * 9, step]
    scene = Scene({"a": steps}, drive, policy=policy, max_attempts=1, on_exhausted="best")  # type: ignore[dict-item]
    for _ in range(30):
        scene.run()
        scene.clock.advance(1)
    return scene, policy


def assert_unmoved(scene: Scene, policy: RunLengthPolicy, before: object) -> None:
    assert len(scene.entries) == 31, "it is recorded all the same"
    assert policy.state() == before
    folded = RunLengthPolicy(["a"], random.Random(2))
    for entry in scene.entries:
        folded.update(entry.path_id, evidence_of(entry))
    assert folded.state() == before, "a fold of the record says so too"


@every_drive
@pytest.mark.parametrize("what", NO_EVIDENCE)
def test_what_says_nothing_of_the_path_leaves_the_beliefs_exactly_as_they_were(
    what: str, drive: Drive
) -> None:
    scene, policy = known_scene(NO_EVIDENCE[what], drive)
    before = policy.state()
    scene.error()
    assert_unmoved(scene, policy, before)


@pytest.mark.parametrize("drive", [Drive("acall"), Drive("astream")], ids=str)
def test_so_does_a_call_that_is_cancelled(drive: Drive) -> None:
    scene, policy = known_scene(HANG, drive)
    before = policy.state()

    async def main() -> None:
        async with asyncio.timeout(5):
            await scene.provider.aroute(scene.router, drive.way)

    with pytest.raises(TimeoutError):
        scene.clock.run(main())
    assert_unmoved(scene, policy, before)


def test_so_does_a_stream_that_is_left() -> None:
    scene, policy = known_scene("left", Drive("stream"))
    before = policy.state()
    chunks = scene.provider.stream_through(scene.router, Request(), [])
    next(chunks)
    chunks.close()
    assert_unmoved(scene, policy, before)
