"""Slow goals, and wall clocks that jump: nothing raises, and blocks live in monotonic time."""

from __future__ import annotations

import random
from email.utils import formatdate
from pathlib import Path as FilePath

import pytest

from kalibr_core import Output, Request, SQLiteLedger
from kalibr_core.bandit import RunLengthPolicy
from kalibr_core.features import hash_of
from kalibr_core.retry_after import LONGEST_RETRY_AFTER_S
from kalibr_core.testing import Step, answer, provider_error
from kalibr_core.types import NO_FEATURES, Attempt

from .scene import Scene, warnings_of

HOUR_S, DAY_S, YEAR_S = 3600.0, 86_400.0, 365 * 86_400.0
JUMPS = {"an hour back": -HOUR_S, "a year on": YEAR_S, "a year back": -YEAR_S}
every_jump = pytest.mark.parametrize("jump_s", JUMPS.values(), ids=list(JUMPS))


def jump(scene: Scene, seconds: float) -> None:
    scene.clock.set_wall(scene.clock.wall() + seconds)


def real_policy() -> RunLengthPolicy:
    return RunLengthPolicy(["a", "b"], random.Random(1))


@pytest.mark.parametrize("jump_s", [0.0, *JUMPS.values()], ids=["none", *JUMPS])
def test_a_goal_of_ten_calls_a_day(
    jump_s: float, tmp_path: FilePath, caplog: pytest.LogCaptureFixture
) -> None:
    """Two months of them, with failures of all sorts, and a jump after a month."""
    chance, policy = random.Random(2), real_policy()
    sorts: list[Step] = ["good", "bad", provider_error(503), provider_error(429, retry_after_s=9)]
    steps = [chance.choices(sorts, (90, 5, 4, 1))[0] for _ in range(1200)]
    ledger = SQLiteLedger(tmp_path / "kalibr.db")
    scene = Scene({"a": steps, "b": answer("good")}, policy=policy, ledger=ledger)
    attempts = []
    for number in range(600):
        if number == 300:
            jump(scene, jump_s)
        decision = scene.run().decision
        assert decision.verified
        attempts += [f"{decision.id}:{outcome.number}" for outcome in decision.outcomes]
        scene.clock.advance(DAY_S / 10)
    assert [entry.id for entry in scene.entries] == attempts
    assert len(set(attempts)) == len(attempts)
    assert {"a", "b"} == set(scene.called)
    scene.router.close()
    again = real_policy()
    Scene({"a": "good", "b": "good"}, policy=again, ledger=ledger).router.close()
    assert again.state() == policy.state(), "a restart believes the same"
    assert warnings_of(caplog) == []


@every_jump
@pytest.mark.parametrize(("retry_after_s", "blocked_s"), [(60.0, 60.0), (None, 1.0)])
def test_a_block_is_neither_lengthened_nor_shortened_by_a_jump(
    jump_s: float, retry_after_s: float | None, blocked_s: float
) -> None:
    limit = provider_error(429, retry_after_s=retry_after_s)
    scene = Scene({"a": [limit, "good"], "b": "good"})
    scene.run()
    jump(scene, jump_s)
    scene.clock.advance(blocked_s - 0.1)
    assert scene.run().decision.path.id == "b"
    scene.clock.advance(0.2)
    assert scene.run().decision.path.id == "a"


@every_jump
def test_a_refused_key_stays_refused(jump_s: float) -> None:
    scene = Scene({"a": [provider_error(401), "good"], "b": "good"})
    scene.run()
    jump(scene, jump_s)
    scene.clock.advance(YEAR_S)
    assert scene.run().decision.path.id == "b"


@every_jump
def test_a_date_to_come_back_at_gives_a_bounded_wait(jump_s: float) -> None:
    """The provider's clock is right, ours has jumped."""
    limit = provider_error(429)
    scene = Scene({"a": [limit, "good"], "b": "good"})
    limit.response.headers = {"retry-after": formatdate(scene.clock.wall() + 30, usegmt=True)}
    jump(scene, jump_s)
    scene.run()
    wait_s = scene.router._roster.blocks.wait_s("a", now=scene.clock.monotonic())
    assert 1.0 <= wait_s <= LONGEST_RETRY_AFTER_S
    scene.clock.advance(wait_s)
    assert scene.run().decision.path.id == "a"


@every_jump
def test_a_call_in_which_the_clock_jumps_keeps_its_deadline(jump_s: float) -> None:
    scene = Scene({"a": "slow", "b": "good"}, deadline_s=10)
    limits = []

    def invoke(attempt: Attempt) -> Output:
        limits.append(attempt.timeout_s)
        if attempt.path.id == "a":
            scene.clock.advance(6)
            jump(scene, jump_s)
            raise ConnectionError
        return answer("good")

    decision = scene.router.call(Request(), invoke, read=lambda output: output).decision
    assert limits == pytest.approx([10, 4])
    assert [outcome.latency_s for outcome in decision.outcomes] == pytest.approx([6, 0])


@every_jump
def test_a_decision_is_reported_and_explained_after_a_jump(jump_s: float) -> None:
    scene = Scene({"a": "good", "b": "good"}, policy=real_policy())
    decision = scene.run().decision
    jump(scene, jump_s)
    assert scene.router.report(decision.id, success=False)
    assert "reported as a failure" in str(scene.router.explain(decision.id))


@pytest.mark.parametrize(("jump_s", "known"), [(-HOUR_S, True), (-YEAR_S, True), (YEAR_S, False)])
def test_a_conversation_outlasts_a_jump_back(jump_s: float, known: bool) -> None:
    turn = Request(features=NO_FEATURES._replace(session=hash_of("alice")))
    scene = Scene({"a": "good"})
    scene.run(turn)
    jump(scene, jump_s)
    scene.run(turn)
    scene.run(turn)
    previous = [context.previous for _, context in scene.policy.pulls]
    assert previous == [None, "a" if known else None, "a"]
