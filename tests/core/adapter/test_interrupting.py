"""What the collector brings about in the middle of the core's work waits for no lock of it."""

from __future__ import annotations

import gc
import threading
from collections.abc import Callable, Generator
from types import SimpleNamespace
from typing import Any

from kalibr_core import MemoryLedger, SQLiteLedger
from kalibr_core.adapter.behaviour import Behaviour
from kalibr_core.adapter.interrupting import interrupts
from kalibr_core.adapter.routers import Routers
from kalibr_core.types import JSON

from .test_behaviour import COMPLAINT, Held, answered, decide, known, make, routers

__all__ = ["routers"]

HANGS_S = 5.0


class Collected(MemoryLedger):
    """Its lock is a plain one; the collector comes while it is read."""

    def __init__(self) -> None:
        super().__init__()
        self.plain, self.comes = threading.Lock(), False

    def conversation(self, key: str) -> tuple[int, float, JSON] | None:
        with self.plain:
            if self.comes:
                self.comes = False
                gc.collect()
            return super().conversation(key)


def left_behind(at_end: Callable[[], object]) -> None:
    """Leave a stream in a cycle, so that only the collector closes it."""

    def stream() -> Generator[int, None, None]:
        try:
            yield 1
        finally:
            framework(at_end)

    held = SimpleNamespace(stream=stream())
    held.me = held
    next(held.stream)


def framework(tell: Callable[[], object]) -> None:
    """Stands for the framework that calls a handler."""
    tell()


def hangs(work: Callable[[], object]) -> bool:
    ends = threading.Event()

    def run() -> None:
        work()
        ends.set()

    threading.Thread(target=run, daemon=True).start()
    return not ends.wait(HANGS_S)


def test_a_stream_that_the_collector_closes_does_not_wait_for_its_own_thread(
    routers: Routers[Held],
) -> None:
    ledger, behaviour = Collected(), Behaviour(model="M")
    one = make(routers, "one", ledger=ledger)
    answered(behaviour, decide(one))
    gc.disable()
    try:
        left_behind(lambda: behaviour.turn("s", COMPLAINT, event_id="left"))
        ledger.comes = True
        hung = hangs(lambda: one.feedback.signals.knows("s"))
        ledger.plain = threading.Lock()  # so that what hangs keeps no other test waiting
        assert not hung
        behaviour.turn("s", COMPLAINT, event_id="next")
    finally:
        gc.enable()
    assert behaviour.flush()
    assert [kind.value for kind in known(one).kinds] == ["anew", "complains", "complains"]
    assert behaviour.failures == {}


def test_what_interrupts_nothing_is_told_where_it_happens(routers: Routers[Held]) -> None:
    """So that a stream that is closed, or whose end is reached, has been told of then."""
    one, behaviour = make(routers, "one"), Behaviour(model="M")
    answered(behaviour, decide(one))
    framework(lambda: behaviour.turn("s", COMPLAINT, event_id="m1"))
    assert len(known(one).kinds) == 2
    assert behaviour._background.is_idle


def module_of(name: str, code: str, **names: Any) -> dict[str, Any]:
    """A module with this code."""
    made = {"__name__": name, **names}
    exec(code, made)
    return made


def test_the_modules_that_an_adapter_names_count_too() -> None:
    """But not those on top: who tells the behaviour, and its own."""
    asks = module_of("asks", "def tell(guarded): return ask(guarded, above='asks')", ask=interrupts)
    talks = module_of("talks", "def hear(guarded): return tell(guarded)", tell=asks["tell"])
    runs = module_of(
        "runs", "def held(guarded): return through(lambda: hear(guarded))", hear=talks["hear"]
    )
    runs["through"] = lambda work: work()
    assert not talks["hear"]({"talks", "runs"})
    assert runs["held"]({"runs"})
    assert not runs["held"]({"others"})


def test_a_ledgers_lock_may_be_taken_again_by_its_own_thread(tmp_path: Any) -> None:
    """Whoever's stream the collector closes may ask a model in a `finally` of their own."""
    for ledger in (MemoryLedger(), SQLiteLedger(tmp_path / "here.db")):

        def use(ledger: Any = ledger) -> None:
            with ledger._lock:
                assert list(ledger.entries()) == []

        assert not hangs(use)
