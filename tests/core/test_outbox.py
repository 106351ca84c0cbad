"""A ledger that fails is waited for in memory: in order, each entry once, and not without end."""

from __future__ import annotations

import pytest

from kalibr_core.outbox import MOST_PENDING, RETRY_EVERY_S, Outbox
from kalibr_core.testing import FailingLedger, FakeClock
from kalibr_core.testing.ledger_checks import entry
from kalibr_core.troubles import Troubles

from .scene import Scene, warnings_of


def an_outbox() -> tuple[Outbox, FailingLedger, FakeClock]:
    clock, ledger = FakeClock(), FailingLedger()
    return Outbox(ledger, clock=clock.monotonic, troubles=Troubles("g")), ledger, clock


def test_a_second_outage_is_warned_of_again(caplog: pytest.LogCaptureFixture) -> None:
    ledger = FailingLedger()
    scene = Scene({"a": "good"}, ledger=ledger)
    for _ in range(2):
        ledger.fail()
        scene.run()
        ledger.mend()
        scene.clock.advance(2)
        scene.run()
    assert len(warnings_of(caplog)) == 2


def test_a_failing_ledger_is_tried_once_a_second_and_not_with_every_call() -> None:
    ledger = FailingLedger()
    scene = Scene({"a": "good"}, ledger=ledger)
    ledger.fail()
    for _ in range(100):
        scene.run()
    assert ledger.tries == 1
    scene.clock.advance(1.1)
    scene.run()
    assert ledger.tries == 2


def test_an_entry_that_can_never_be_written_does_not_hold_up_the_others(
    caplog: pytest.LogCaptureFixture,
) -> None:
    ledger = FailingLedger()
    scene = Scene({"a": "good"}, ledger=ledger)
    ledger.fail(ValueError("no JSON"))
    scene.run()
    ledger.mend()
    scene.run()
    assert len(scene.entries) == 1
    assert scene.router.unwritten == 1, "lost, and counted"
    assert len(warnings_of(caplog)) == 1


def test_only_so_many_wait_in_memory_and_the_rest_is_counted() -> None:
    outbox, ledger, clock = an_outbox()
    ledger.fail()
    for number in range(MOST_PENDING + 5):
        outbox.append(entry("d", number))
    assert (len(outbox), outbox.lost) == (MOST_PENDING, 5)
    ledger.mend()
    clock.advance(2)
    outbox.append(entry("last"))
    assert (len(outbox), outbox.lost) == (0, 5)
    assert len(list(ledger.entries())) == MOST_PENDING + 1


def test_what_waits_is_written_in_order_once_the_ledger_is_back() -> None:
    outbox, ledger, clock = an_outbox()
    ledger.fail()
    assert outbox.append(entry("d", 1)) is True
    assert outbox.append(entry("d", 1)) is False, "it waits already"
    outbox.append(entry("other", 1))
    assert [e.decision_id for e in outbox.of("d")] == ["d"]
    ledger.mend()
    assert outbox.append(entry("d", 2)) is True
    assert list(ledger.entries()) == [], "too soon to try again"
    clock.advance(RETRY_EVERY_S)
    assert outbox.append(entry("d", 1)) is False, "it is written by now"
    written = [e.id for _, e in ledger.entries()]
    assert written == [entry("d", 1).id, entry("other", 1).id, entry("d", 2).id]


def test_at_the_end_what_waits_is_tried_at_once() -> None:
    outbox, ledger, _ = an_outbox()
    ledger.fail()
    outbox.append(entry("d"))
    assert outbox.flush(now=True) is False
    ledger.mend()
    assert outbox.flush(now=True) is True
    assert len(list(ledger.entries())) == 1


def test_what_another_process_writes_is_forgotten_here() -> None:
    outbox, ledger, clock = an_outbox()
    ledger.fail()
    outbox.append(entry("d"))
    outbox.clear()
    assert len(outbox) == 0
    clock.advance(2)
    assert outbox.append(entry("d")) is True, "it is not known to wait"
    assert len(outbox) == 1
