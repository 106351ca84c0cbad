"""A conversation's next turn is told which path answered the last one."""

from __future__ import annotations

import threading

from kalibr_core import Request
from kalibr_core.features import hash_of
from kalibr_core.sessions import EXPIRES_S, MOST_SESSIONS, Sessions
from kalibr_core.testing import provider_error
from kalibr_core.types import NO_FEATURES

from .ledger.test_processes import ended_well, in_child
from .scene import BAD, DRIVES, Drive, Scene, every_drive, named


def turn_of(session: str | None) -> Request:
    hashed = None if session is None else hash_of(session)
    return Request(features=NO_FEATURES._replace(session=hashed))


ALICE, BOB, NOBODY = map(turn_of, ("alice", "bob", None))


def told(scene: Scene) -> list[str | None]:
    """What the policy was told of the previous turn, at each first attempt."""
    return [context.previous for _, context in scene.policy.pulls if context.number == 1]


@every_drive
def test_the_next_turn_knows_who_answered_and_other_conversations_do_not(drive: Drive) -> None:
    scene = Scene({"a": "good", "b": "good"}, drive)
    for request in (ALICE, ALICE, BOB, NOBODY, NOBODY, ALICE):
        scene.run(request)
    assert told(scene) == [None, "a", None, None, None, "a"]


@every_drive
def test_after_a_heal_the_conversation_goes_on_with_the_healer(drive: Drive) -> None:
    scene = Scene({"a": [provider_error(503), "good"], "b": "good"}, drive)
    scene.run(ALICE)
    scene.run(ALICE)
    assert scene.called == ["a", "b", "a"]
    assert told(scene) == [None, "b"]


@every_drive
def test_a_failed_call_leaves_the_conversation_where_it_was(drive: Drive) -> None:
    broken = provider_error(400)
    scene = Scene({"a": ["good", broken, broken, "good"]}, drive)
    scene.run(ALICE)
    for _ in range(2):
        scene.error(ALICE)
    scene.run(ALICE)
    assert told(scene) == [None, "a", "a", "a"]


def test_a_fallback_is_not_bound_to_where_the_conversation_was() -> None:
    """What answered before has failed, or will be offered again only after it has."""
    scene = Scene({"a": ["good", provider_error(503)], "b": "good"})
    scene.run(ALICE)
    scene.run(ALICE)
    assert [context.previous for _, context in scene.policy.pulls] == [None, "a", None]


def test_a_refused_answer_that_the_caller_got_counts_as_the_turns_answer() -> None:
    best = Scene({"a": provider_error(500), "b": BAD}, on_exhausted="best", max_attempts=2)
    live = Scene({"a": BAD, "b": "good"}, DRIVES[2])
    for scene, path in ((best, "b"), (live, "a")):
        scene.run(ALICE)
        scene.run(ALICE)
        assert told(scene) == [None, path]


def test_a_path_that_may_not_be_called_now_is_still_named() -> None:
    scene = Scene({"a": ["good", provider_error(429, retry_after_s=60)], "b": "good"})
    scene.run(ALICE)
    scene.run(BOB)
    scene.run(ALICE)
    offered, context = scene.policy.pulls[-1]
    assert (context.previous, [arm.id for arm in offered]) == ("a", ["b"])


def test_a_days_silence_ends_a_conversation_by_the_wall_clock() -> None:
    scene = Scene({"a": "good"})
    for silence_s in (0.0, EXPIRES_S - 1.0, EXPIRES_S, 3600.0):
        scene.clock.advance(silence_s)
        scene.run(ALICE)
    assert told(scene) == [None, "a", None, "a"]


def test_the_public_methods_name_the_session() -> None:
    """By its hash alone: the same that is recorded."""
    from kalibr_core.requests import asked_of

    asked = asked_of([{"role": "user", "content": "hello"}], "alice", None, {})
    assert asked.request.features.session == ALICE.features.session


def test_only_so_many_are_kept_and_the_silent_ones_go_first() -> None:
    sessions = Sessions()
    for number in range(MOST_SESSIONS):
        sessions.answered(f"{number}", "a", at=0.0)
    sessions.answered("0", "b", at=1.0)
    sessions.answered("new", "c", at=1.0)
    kept = [sessions.previous(name, at=1.0) for name in ("0", "1", "2", "new")]
    assert kept == ["b", None, "a", "c"]


def test_without_a_session_nothing_is_kept() -> None:
    sessions = Sessions()
    sessions.answered(None, "a", at=0.0)
    assert not sessions._answered
    sessions.answered("", "b", at=0.0)
    assert sessions.previous(None, at=0.0) is None


def test_threads() -> None:
    sessions = Sessions()

    def work(name: int) -> None:
        for number in range(MOST_SESSIONS):
            sessions.answered(f"{name}:{number}", f"{name}", at=0.0)
            assert sessions.previous(f"{name}:{number}", at=0.0) in (f"{name}", None)

    threads = [threading.Thread(target=work, args=(name,)) for name in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(sessions._answered) == MOST_SESSIONS


def test_a_fork_in_the_middle_of_a_call_does_not_hold_up_the_child() -> None:
    """A thread of the parent's may hold any of the locks; none of them is left to the child."""
    scene = Scene({"a": "good"}, paths=named("a"))
    scene.run(ALICE)
    roster = scene.router._roster

    def work() -> None:
        scene.run(ALICE)
        assert told(scene) == [None, "a"], "what was known before the fork still is"

    with roster.blocks._lock, roster.sessions._lock:
        child = in_child(work)
    assert ended_well(child)
