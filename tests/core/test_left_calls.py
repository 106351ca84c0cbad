"""Calls that are left end in the garbage collector, perhaps in the middle of anything."""

from __future__ import annotations

import gc
import threading
from collections.abc import Generator

from kalibr_core import MemoryLedger, Output, Request
from kalibr_core.types import Attempt, Entry

from .scene import Drive, Scene


def leave_a_stream(scene: Scene) -> None:
    """Begin a stream and drop it in a reference cycle, as a routed stream is one."""

    def invoke(attempt: Attempt) -> Generator[str, None, None]:
        yield from "xyz"

    chunks = scene.router.call_stream(
        Request(),
        invoke,
        read=lambda c: Output(text="".join(c)),
        opens=bool,
        finish=lambda done: None,
    )
    next(chunks)
    cycle: list[object] = [chunks]
    cycle.append(cycle)


class CollectingLedger(MemoryLedger):
    """Collects garbage while it holds a lock that is not re-entrant, as SQLite's is."""

    def __init__(self) -> None:
        super().__init__()
        self.guard = threading.Lock()
        self.collects = False

    def append(self, entry: Entry) -> bool:
        assert self.guard.acquire(timeout=5), "an append inside an append waits for itself"
        try:
            if self.collects:
                gc.collect()
            return super().append(entry)
        finally:
            self.guard.release()


def test_a_stream_that_is_collected_during_an_append_does_not_wait_for_it() -> None:
    ledger = CollectingLedger()
    scene = Scene({"a": "good"}, Drive("call"), ledger=ledger)
    gc.disable()
    try:
        live = Scene({"a": ("x", "y")}, Drive("stream"), ledger=ledger)
        leave_a_stream(live)
        ledger.collects = True
        scene.run()
        live.run()
    finally:
        gc.enable()
    left = [e for e in live.entries if e.data.get("abandoned")]
    assert len(left) >= 1
    assert all(e.reward is None for e in left)


def test_what_was_left_is_booked_with_the_next_call() -> None:
    scene = Scene({"a": ("x", "y", "z")}, Drive("stream"))
    leave_a_stream(scene)
    gc.collect()
    scene.run()
    assert [e.data.get("abandoned", False) for _, e in scene.ledger.entries()] == [True, False]


def test_what_was_left_is_booked_when_the_router_closes() -> None:
    scene = Scene({"a": ("x", "y", "z")}, Drive("stream"))
    leave_a_stream(scene)
    gc.collect()
    scene.router.close()
    assert [e.data.get("abandoned") for _, e in scene.ledger.entries()] == [True]
