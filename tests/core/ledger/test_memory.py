"""The ledger that keeps nothing beyond the process."""

from __future__ import annotations

from kalibr_core import MemoryLedger
from kalibr_core.testing import check_ledger
from kalibr_core.testing.ledger_checks import entry


def test_keeps_the_rules_of_a_ledger() -> None:
    check_ledger(MemoryLedger)


def test_the_oldest_go_first_when_it_is_full() -> None:
    ledger = MemoryLedger(most=3)
    for number in range(5):
        ledger.append(entry("d", number))
    assert [(position, e.id) for position, e in ledger.entries()] == [
        (3, "d:2"),
        (4, "d:3"),
        (5, "d:4"),
    ]
