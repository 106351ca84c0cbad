"""A Router takes calls until it is closed, and its parts end in order, once."""

from __future__ import annotations

import os
import random
from pathlib import Path as FilePath
from typing import Any

import pytest

from kalibr_core import ConfigError, MemoryLedger, RouterClosed, SQLiteLedger
from kalibr_core.bandit import RunLengthPolicy
from kalibr_core.lifetime import Lifetime
from kalibr_core.testing import FailingLedger

from .scene import Scene


def test_closing_writes_the_beliefs_down(tmp_path: FilePath) -> None:
    ledger = SQLiteLedger(tmp_path / "kalibr.db")
    policy = RunLengthPolicy(["a"], random.Random(1))
    with Scene({"a": "good"}, policy=policy, ledger=ledger).router as router:
        assert ledger.snapshot("scene", RunLengthPolicy.FORMAT) is None
        assert router.unwritten == 0
    again = SQLiteLedger(tmp_path / "kalibr.db")
    assert again.snapshot("scene", RunLengthPolicy.FORMAT) is not None
    again.close()


def test_a_ledger_that_was_given_as_an_object_stays_open() -> None:
    ledger = MemoryLedger()
    closed: list[bool] = []
    ledger.close = lambda: closed.append(True)  # type: ignore[method-assign]
    scene = Scene({"a": "good"}, ledger=ledger)
    scene.run()
    scene.router.close()
    assert closed == []


def test_a_closed_router_takes_no_calls_and_closes_once() -> None:
    scene = Scene({"a": "good"})
    scene.router.close()
    scene.router.close()
    assert scene.router.is_closed
    with pytest.raises(RouterClosed):
        scene.run()
    with pytest.raises(RouterClosed):
        _ = scene.router.feedback


def test_a_forked_child_draws_anew_and_writes_under_a_name_of_its_own(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    router, rng = Scene({"a": "good"}).router, random.Random(1)
    life = Lifetime(
        learner=router._learner,
        roster=router._roster,
        clients=router._clients,
        judging=None,
        owns_ledger=False,
        rng=rng,
    )

    def seen() -> tuple[object, str]:
        life.check()
        return rng.getstate(), router._learner.origin

    parent = seen()
    assert seen() == parent
    pid = os.getpid()
    monkeypatch.setattr(os, "getpid", lambda: pid + 1)
    child = seen()
    assert child[0] != parent[0]
    assert child[1] != parent[1]
    assert seen() == child, "once"


class Slow:
    """A judge that has some looks' work still to do."""

    def __init__(self, looks: int) -> None:
        self.looks = looks

    @property
    def under_way(self) -> int:
        self.looks -= 1
        return max(0, self.looks)

    def close(self) -> None: ...


def test_flushing_waits_for_the_judge_within_its_time() -> None:
    router = Scene({"a": "good"}).router
    router._life._judging = Slow(3)  # type: ignore[assignment]
    assert router.flush()
    router._life._judging = Slow(10**9)  # type: ignore[assignment]
    assert not router.flush(timeout_s=0.02)


def test_flushing_has_the_ledger_take_what_waits() -> None:
    ledger = FailingLedger()
    scene = Scene({"a": "good"}, ledger=ledger)
    ledger.fail()
    scene.run()
    scene.clock.advance(2.0)
    assert not scene.router.flush(timeout_s=0.03)
    assert ledger.tries == 2, "it is not tried all the time"
    ledger.mend()
    assert not scene.router.flush(timeout_s=0.0)
    scene.clock.advance(2.0)
    assert scene.router.flush(timeout_s=0.0)
    assert scene.router.unwritten == 0


@pytest.mark.parametrize("timeout_s", [None, "5", -1, float("nan")])
def test_what_is_no_time_to_flush_in_is_told(timeout_s: Any) -> None:
    with Scene({"a": "good"}).router as router, pytest.raises(ConfigError, match="timeout_s"):
        router.flush(timeout_s=timeout_s)


def test_a_closed_router_flushes_nothing() -> None:
    router = Scene({"a": "good"}).router
    router.close()
    with pytest.raises(RouterClosed):
        router.flush()
