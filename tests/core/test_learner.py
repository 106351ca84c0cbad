"""A broken policy or ledger never breaks a call; nothing is lost, nothing counts twice."""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from kalibr_core import LedgerError, MemoryLedger, SQLiteLedger, UnknownDecision
from kalibr_core.bandit import RunLengthPolicy
from kalibr_core.learner import SNAPSHOT_EVERY, Learner, evidence_of
from kalibr_core.testing import BrokenPolicy, FailingLedger, FakeClock, FirstArm, provider_error
from kalibr_core.testing.ledger_checks import entry
from kalibr_core.types import JSON, Arm, Batch, Context, Entry, Evidence, EvidenceKind, Pull

from .scene import Drive, Scene, every_drive, warnings_of

# Policies.


class Stranger(FirstArm):
    """Chooses an arm that it was not offered."""

    def pull(self, arms: Sequence[Arm], context: Context) -> Pull:
        return Pull(arm="nobody", rule="first")


class Garbage(FirstArm):
    """Gives back what is no choice at all."""

    def pull(self, arms: Sequence[Arm], context: Context) -> Pull:
        return "a"  # type: ignore[return-value]


@every_drive
@pytest.mark.parametrize("policy", [BrokenPolicy, Stranger, Garbage])
def test_a_broken_policy_is_replaced_by_the_first_path_with_one_warning(
    policy: type, drive: Drive, caplog: pytest.LogCaptureFixture
) -> None:
    scene = Scene({"a": provider_error(500), "b": "good"}, drive, policy=policy())
    for _ in range(3):
        assert scene.run().output.text == "good"
    assert scene.called[:2] == ["a", "b"]
    assert len(scene.booked) == 6
    (warning,) = warnings_of(caplog)
    assert "policy" in warning
    assert "'scene'" in warning
    assert scene.run().decision.pull.rule == "fallback"


class Unrestorable(RunLengthPolicy):
    def restore(self, state: JSON) -> None:
        raise KeyError("a bug in somebody's policy")


# Ledgers.


@every_drive
@pytest.mark.parametrize(
    "error", [LedgerError("disk full"), OSError("gone"), RuntimeError("a bug in it")], ids=repr
)
def test_a_failing_ledger_costs_one_warning_and_is_caught_up_with_when_it_is_back(
    error: Exception, drive: Drive, caplog: pytest.LogCaptureFixture
) -> None:
    ledger = FailingLedger()
    scene = Scene({"a": "good"}, drive, ledger=ledger)
    decisions = [scene.run().decision.id]
    ledger.fail(error)
    for _ in range(5):
        decisions.append(scene.run().decision.id)
    assert scene.router.unwritten == 5
    assert len(warnings_of(caplog)) == 1
    ledger.mend()
    scene.clock.advance(2)
    decisions.append(scene.run().decision.id)
    assert scene.router.unwritten == 0
    assert [e.decision_id for e in scene.entries] == decisions, "in order, nothing twice"
    assert len(scene.learned) == 7, "learned at once, and once"


def test_what_is_lost_at_the_end_is_told(caplog: pytest.LogCaptureFixture) -> None:
    ledger = FailingLedger()
    scene = Scene({"a": "good"}, ledger=ledger)
    ledger.fail()
    for _ in range(3):
        scene.run()
    scene.router.close()
    assert "3 outcomes could not be written" in warnings_of(caplog)[-1]


def test_a_decision_that_still_waits_can_be_reported_and_explained_once() -> None:
    ledger = FailingLedger()
    scene = Scene({"a": "good"}, ledger=ledger)
    ledger.fail()
    decision = scene.run().decision
    assert scene.router.report(decision.id, success=False, reason="rejected") is True
    assert scene.router.report(decision.id, success=False) is False
    assert "reported as a failure: rejected" in str(scene.router.explain(decision.id))
    assert len(scene.learned) == 2
    ledger.mend()
    scene.clock.advance(2)
    scene.run()
    assert [e.kind for e in scene.entries] == ["attempt", "report", "attempt"]
    assert scene.router.report(decision.id, success=False) is False


def test_a_report_is_not_counted_again_while_the_ledger_fails() -> None:
    ledger = FailingLedger()
    scene = Scene({"a": "good"}, ledger=ledger)
    decision = scene.run().decision
    assert scene.router.report(decision.id, success=False) is True
    ledger.fail()
    assert scene.router.report(decision.id, success=False) is False
    assert len(scene.learned) == 2


class SharedLedger(MemoryLedger):
    """A shared ledger with snapshots in memory; each read may be told to fail."""

    def __init__(self) -> None:
        super().__init__()
        self.saved: tuple[int, JSON] | None = None
        self.unreadable = self.unwritable = False

    def append(self, entry: Entry) -> bool:
        if self.unwritable:
            raise LedgerError("full")
        return super().append(entry)

    def take_in(self, goal: str, *, after: int, but_from: str) -> tuple[int, Sequence[Batch]]:
        if self.unreadable:
            raise LedgerError("locked")
        rows = list(self.entries(goal=goal, after=after))
        end = rows[-1][0] if rows else after
        return end, [Batch(e.path_id, evidence_of(e)) for _, e in rows if e.origin != but_from]

    def snapshot(self, goal: str, version: str) -> tuple[int, JSON] | None:
        return self.saved

    def save(self, goal: str, version: str, position: int, state: JSON) -> None:
        self.saved = position, state


def a_learner(ledger: Any, policy: RunLengthPolicy | None = None) -> tuple[Learner, FakeClock]:
    clock = FakeClock()
    policy = policy or RunLengthPolicy(["p"], random.Random(1))
    return Learner("g", policy=policy, ledger=ledger, clock=clock.monotonic), clock


def test_a_snapshot_is_not_written_when_its_position_is_not_known() -> None:
    """Else a start would fold the outcomes after it a second time."""
    ledger = SharedLedger()
    learner, _ = a_learner(ledger)
    for number in range(5):
        learner.book(entry("d", number, origin=learner.origin))
    ledger.unreadable = True
    learner.snapshot()
    assert ledger.saved is None
    ledger.unreadable = False
    learner.snapshot()
    assert ledger.saved is not None
    assert ledger.saved[0] == 5


def test_a_snapshot_is_not_written_while_entries_wait() -> None:
    """They are in the beliefs, and will come after its position."""
    ledger = SharedLedger()
    learner, _ = a_learner(ledger)
    learner.book(entry("d", 1, origin=learner.origin))
    ledger.unwritable = True
    learner.book(entry("d", 2, origin=learner.origin))
    learner.snapshot()
    assert ledger.saved is None


def test_a_restart_from_snapshot_and_tail_believes_the_same() -> None:
    ledger = SharedLedger()
    policy = RunLengthPolicy(["p"], random.Random(1))
    learner, _ = a_learner(ledger, policy)
    for number in range(20):
        learner.book(entry("d", number, origin=learner.origin, reward=float(number % 3 > 0)))
    learner.snapshot()
    for number in range(20, 27):
        learner.book(entry("d", number, origin=learner.origin))
    again = RunLengthPolicy(["p"], random.Random(2))
    a_learner(ledger, again)
    assert again.state() == policy.state()


@pytest.mark.parametrize("broken", [Unrestorable])
def test_a_policy_that_cannot_restore_starts_from_the_record(
    broken: type[RunLengthPolicy], caplog: pytest.LogCaptureFixture
) -> None:
    ledger = SharedLedger()
    learner, _ = a_learner(ledger)
    for number in range(20):
        learner.book(entry("d", number, origin=learner.origin))
    learner.snapshot()
    policy = broken(["p"], random.Random(1))
    a_learner(ledger, policy)
    assert policy.state() == learner.policy.state()  # type: ignore[attr-defined]
    assert len(warnings_of(caplog)) == 1


def test_others_are_not_asked_for_with_every_call() -> None:
    ledger, clock, policy = SharedLedger(), FakeClock(), FirstArm()
    learner = Learner("g", policy=policy, ledger=ledger, clock=clock.monotonic)
    ledger.append(entry("d1", origin="they"))
    learner.pull([Arm("p", None)], Context())
    learner.pull([Arm("p", None)], Context())
    ledger.append(entry("d2", origin="they"))
    assert len(policy.seen) == 1
    clock.advance(1.0)
    learner.pull([Arm("p", None)], Context())
    assert len(policy.seen) == 2


def test_an_unknown_decision_stays_unknown_while_the_ledger_fails() -> None:
    ledger = FailingLedger()
    scene = Scene({"a": "good"}, ledger=ledger)
    ledger.fail()
    scene.run()
    with pytest.raises(UnknownDecision):
        scene.router.report("nothing", success=True)


# Evidence.


@pytest.mark.parametrize(
    ("reward", "kind", "want"),
    [
        (1.0, EvidenceKind.QUALITY, Evidence(EvidenceKind.QUALITY, 1.0, 0.0, 5.0)),
        (0.25, EvidenceKind.SCORE, Evidence(EvidenceKind.SCORE, 0.25, 0.75, 5.0)),
        (None, EvidenceKind.QUALITY, Evidence(EvidenceKind.NONE, at=5.0)),
        (float("nan"), EvidenceKind.QUALITY, Evidence(EvidenceKind.NONE, at=5.0)),
        (float("inf"), EvidenceKind.QUALITY, Evidence(EvidenceKind.NONE, at=5.0)),
        (-0.1, EvidenceKind.QUALITY, Evidence(EvidenceKind.NONE, at=5.0)),
        (1.1, EvidenceKind.QUALITY, Evidence(EvidenceKind.NONE, at=5.0)),
    ],
)
def test_what_an_entry_teaches(reward: float, kind: EvidenceKind, want: Evidence) -> None:
    assert evidence_of(entry(reward=reward, evidence=kind)._replace(at=5.0)) == want


def test_a_policys_odd_choice_costs_no_call_and_no_outcome(tmp_path: Path) -> None:
    """Something like a pull, or one whose details are no JSON: the outcome itself is kept."""
    odd = Pull(arm="a", rule="odd", propensity=object())  # type: ignore[arg-type]
    for number, pull in enumerate((SimpleNamespace(arm="a"), odd)):
        policy = FirstArm()
        policy.pull = lambda arms, context, pull=pull: pull  # type: ignore[assignment, misc]
        ledger = SQLiteLedger(tmp_path / f"{number}.db")
        scene = Scene({"a": "good"}, policy=policy, ledger=ledger)
        scene.run()
        assert [entry.reward for entry in scene.entries] == [1.0]
        assert scene.router.unwritten == 0


def test_a_long_record_is_written_down_at_the_start() -> None:
    """Processes that never close would fold the same history at each start."""
    ledger = SharedLedger()
    for number in range(SNAPSHOT_EVERY):
        ledger.append(entry("d", number, origin="another"))
    a_learner(ledger, RunLengthPolicy(["p"], random.Random(1)))
    assert ledger.saved is not None
