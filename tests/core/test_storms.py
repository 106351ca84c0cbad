"""Rate limits by the dozen: nobody hammers, calls go elsewhere, and what the path is charged."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence
from itertools import pairwise

import pytest

from kalibr_core import PathsBlocked, Request
from kalibr_core.plan import Done
from kalibr_core.testing import Pause, Step, provider_error

from .scene import Drive, Scene, every_drive

NOTHING = ("none", None)
OUTAGE = ("availability", 0.0)


def rate_limit(retry_after_s: float | None = None) -> Exception:
    return provider_error(429, retry_after_s=retry_after_s)


def charged(scene: Scene) -> list[tuple[str, float | None]]:
    """What each of a's rate limits was booked as."""
    return [booked[2:] for booked in scene.booked if booked[:2] == ("a", "rate_limit")]


def calls_of_a(scene: Scene, *, calls: int, every_s: float) -> list[float]:
    """Make calls at a steady pace; seconds between those of them that reached the first path."""
    at = []
    for _ in range(calls):
        seen = scene.called.count("a")
        assert scene.run().output.text == "good"
        if scene.called.count("a") > seen:
            at.append(scene.clock.monotonic())
        scene.clock.advance(every_s)
    return [later - earlier for earlier, later in pairwise(at)]


def at_once(scene: Scene, calls: int) -> Sequence[Done[object]]:
    async def main() -> Sequence[Done[object]]:
        return await asyncio.gather(
            *(scene.provider.aroute(scene.router, scene.drive.way) for _ in range(calls))
        )

    return scene.clock.run(main())


# Where the calls go.


def test_a_storm_with_a_retry_after_is_asked_once_each_time_it_is_over() -> None:
    scene = Scene({"a": rate_limit(30), "b": "good"})
    assert calls_of_a(scene, calls=301, every_s=1.0) == [30.0] * 10
    assert scene.called.count("b") == 301
    assert scene.clock.slept == []


def test_a_storm_without_one_is_asked_less_and_less_often() -> None:
    scene = Scene({"a": rate_limit(), "b": "good"})
    gaps = calls_of_a(scene, calls=301, every_s=0.5)
    assert gaps == [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 60.0]


@every_drive
@pytest.mark.parametrize("retry_after_s", [None, 0, 0.5, 30])
def test_after_a_storm_the_path_is_used_again(drive: Drive, retry_after_s: float | None) -> None:
    limits: list[Step] = [rate_limit(retry_after_s)] * 12
    scene = Scene({"a": [*limits, "good"], "b": "good"}, drive)
    for _ in range(20):
        scene.run()
        scene.clock.advance(61)
    assert [scene.run().decision.path.id for _ in range(5)] == ["a"] * 5


@pytest.mark.parametrize("drive", [Drive("acall"), Drive("astream", "hold")], ids=str)
def test_many_calls_at_once_that_are_all_refused_block_the_path_as_one_would(drive: Drive) -> None:
    refused: list[Step] = [(Pause(1), rate_limit())] * 50
    scene = Scene({"a": [*refused, "good"], "b": "good"}, drive)
    assert {done.decision.path.id for done in at_once(scene, 50)} == {"b"}
    scene.clock.advance(0.9)
    assert scene.run().decision.path.id == "b"
    scene.clock.advance(0.2)
    assert scene.run().decision.path.id == "a"


def test_a_later_and_shorter_retry_after_does_not_shorten_a_block() -> None:
    """Three calls under way at once; the last word to come is the shortest."""
    words: list[Step] = [(Pause(s), rate_limit(wait_s)) for s, wait_s in ((1, 20), (2, 40), (3, 5))]
    scene = Scene({"a": [*words, "good"], "b": "good"}, Drive("acall"))
    at_once(scene, 3)
    assert scene.router._roster.blocks.wait_s("a", now=scene.clock.monotonic()) == 39.0
    scene.clock.advance(38.9)
    assert scene.run().decision.path.id == "b"
    scene.clock.advance(0.2)
    assert scene.run().decision.path.id == "a"


# When all are blocked.


@every_drive
def test_a_call_that_finds_all_blocked_waits_for_the_first_to_return(drive: Drive) -> None:
    scene = Scene({"a": [rate_limit(40), "a"], "b": [rate_limit(20), "b"]}, drive, max_attempts=2)
    scene.error()
    scene.clock.advance(5)
    assert scene.run().output.text == "b"
    assert scene.called == ["a", "b", "b"]
    assert scene.clock.slept == [pytest.approx(15)]
    scene.clock.advance(20)
    assert scene.run().output.text == "a"


@every_drive
def test_if_its_deadline_does_not_allow_that_it_says_when_to_come_back(drive: Drive) -> None:
    scene = Scene({"a": [rate_limit(40), "a"], "b": [rate_limit(20), "b"]}, drive, deadline_s=14)
    scene.error()
    scene.clock.advance(5)
    error = scene.kalibr_error()
    assert isinstance(error, PathsBlocked)
    assert error.retry_after_s == pytest.approx(15)
    assert scene.clock.slept == []
    scene.clock.advance(error.retry_after_s)
    assert scene.run().output.text == "b", "and then it is so"


# What the path is charged.


@every_drive
def test_from_a_fifth_of_a_minutes_calls_on_rate_limits_count_as_an_outage(drive: Drive) -> None:
    """Each call waits out the short limit and is refused once more: ten refusals in five calls."""
    scene = Scene({"a": rate_limit(0.5), "b": "good"}, drive)
    for _ in range(7):
        scene.run()
        scene.clock.advance(1)
    assert charged(scene) == [NOTHING] * 9 + [OUTAGE] * 5
    assert [loss for arm, kind, _, loss in scene.learned if arm == "a"] == [1.0] * 5


@pytest.mark.parametrize(("good", "charge"), [(4, {NOTHING}), (3, {NOTHING, OUTAGE})])
def test_a_fifth_is_the_border(good: int, charge: set[tuple[str, float | None]]) -> None:
    steps: list[Step] = [*["good"] * good, rate_limit(0.1)]
    scene = Scene({"a": [*steps * 20, "good"], "b": "good"}, max_wait_s=0.0)
    for _ in range(20 * len(steps)):
        scene.run()
        scene.clock.advance(0.2)
    assert set(charged(scene)) == charge


def test_calls_at_once_are_charged_too() -> None:
    scene = Scene({"a": (Pause(1), rate_limit()), "b": "good"}, Drive("acall"))
    at_once(scene, 30)
    assert charged(scene) == [NOTHING] * 9 + [OUTAGE] * 21


def test_a_few_limits_now_and_then_are_none_whatever_their_share() -> None:
    scene = Scene({"a": rate_limit(30), "b": "good"})
    for _ in range(100):
        scene.run()
        scene.clock.advance(10)
    assert set(charged(scene)) == {NOTHING}


def test_a_call_that_was_left_is_no_call_of_the_minute() -> None:
    """It may end in the garbage collector, where no lock can be taken; and nobody knows its end."""
    scene = Scene({"a": ("x", "y")}, Drive("stream"))
    chunks = scene.provider.stream_through(scene.router, Request(), [])
    next(chunks)
    with scene.router._roster.blocks._lock:
        leaves = threading.Thread(target=chunks.close, daemon=True)
        leaves.start()
        leaves.join(timeout=10)
        assert not leaves.is_alive(), "it waits for a lock"
    assert [e.data.get("abandoned") for e in scene.entries] == [True]


def test_a_fold_of_the_record_learns_the_same() -> None:
    scene = Scene({"a": rate_limit(0.5), "b": "good"})
    for _ in range(10):
        scene.run()
        scene.clock.advance(1)
    again = Scene({"a": "good", "b": "good"}, ledger=scene.ledger)
    assert again.policy.seen == scene.policy.seen
    assert OUTAGE in charged(scene)


def test_the_decision_says_what_was_charged() -> None:
    scene = Scene({"a": rate_limit(0.5), "b": "good"})
    outcomes = [outcome for _ in range(6) for outcome in scene.run().decision.outcomes]
    told = [(o.evidence.value, o.reward) for o in outcomes if o.path_id == "a"]
    assert told == charged(scene)
    assert {(o.evidence.value, o.reward) for o in outcomes if o.path_id == "b"} == {
        ("quality", 1.0)
    }
