"""The ledger that keeps nothing beyond the process."""

from __future__ import annotations

from kalibr_core import MemoryLedger
from kalibr_core.ledger.memory import MemoryConversations
from kalibr_core.testing import check_ledger
from kalibr_core.testing.ledger_checks import entry


def test_keeps_the_rules_of_a_ledger() -> None:
    """`check_ledger` asserts each of them."""
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


class Compared(str):
    """An id that counts how often ids are compared."""

    __hash__ = str.__hash__
    times = 0

    def __eq__(self, other: object) -> bool:
        Compared.times += 1
        return str.__eq__(self, other)


def test_a_full_ledger_is_not_gone_through_for_one_decision() -> None:
    """A handler looks each answer's decision up."""
    ledger = MemoryLedger()
    ledger.append(entry("wanted"))
    for number in range(1_000):
        ledger.append(entry(Compared(f"d{number}")))
    Compared.times = 0
    assert [e.decision_id for _, e in ledger.entries(decision_id="wanted")] == ["wanted"]
    assert list(ledger.entries(decision_id="d")) == []
    assert Compared.times < 10


def test_nothing_is_kept_of_decisions_that_are_forgotten() -> None:
    ledger = MemoryLedger(most=3)
    for number in range(4):
        ledger.append(entry(f"d{number % 2}", number))
    ledger.append(entry("d2"))
    assert [e.id for _, e in ledger.entries(decision_id="d0")] == ["d0:2"]
    for number in range(3):
        ledger.append(entry("last", number))
    assert list(ledger.entries(decision_id="d0")) == []
    assert set(ledger._of) == {"last"}


def test_the_conversations_that_were_silent_longest_go_first() -> None:
    kept = MemoryConversations(most=3)
    for number in range(3):
        kept.keep(f"k{number}", 0, {}, at=1.0, is_open=True)
    kept.keep("k0", 1, {}, at=2.0, is_open=True)
    kept.keep("k3", 0, {}, at=3.0, is_open=True)
    assert [kept.conversation(f"k{number}") is not None for number in range(4)] == [
        *(True, False),
        *(True, True),
    ]


def test_what_a_caller_does_with_a_state_does_not_reach_the_ledger() -> None:
    kept, state = MemoryConversations(), {"a": [1]}
    kept.keep("k", 0, state, at=1.0, is_open=True)
    state["a"].append(2)
    assert kept.conversation("k") == (1, 1.0, {"a": [1]})
