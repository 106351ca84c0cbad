"""How outcomes come back."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from kalibr_bench.policies.arrays import Floats, Ints
from kalibr_bench.policies.batch import Batch, batch_of
from kalibr_bench.policies.chance import Run, judgements
from kalibr_bench.policies.delivery import BATCH, DELAY, Gathering, teacher, teacher_of_all
from kalibr_bench.policies.scenarios import SCENARIOS
from kalibr_core.types import Arm, Context, Evidence, EvidenceKind, Pull

IDS = ("a", "b", "c")


class Listening:
    """Writes down what it is told."""

    def __init__(self) -> None:
        self.heard: list[tuple[str, Evidence]] = []

    def pull(self, arms: Sequence[Arm], context: Context) -> Pull:
        raise NotImplementedError

    def update(self, arm: str, evidence: Evidence) -> None:
        self.heard.append((arm, evidence))


class ListeningTwin:
    def __init__(self) -> None:
        self.heard: list[tuple[list[int], list[float], list[float]]] = []

    def pull(self, t: int) -> Ints:
        raise NotImplementedError

    def learn(self, arms: Ints, gains: Floats, losses: Floats) -> None:
        self.heard.append((arms.tolist(), gains.tolist(), losses.tolist()))


def of(name: str) -> tuple[Listening, Batch]:
    return Listening(), batch_of(name, [4])


def test_sixteen_at_a_time_and_twenty_late() -> None:
    assert (DELAY, BATCH) == (20, 16)
    gathering: Gathering[int] = Gathering()
    handed = {call: some for call in range(70) if (some := gathering.add(call))}
    assert handed == {35: [*range(16)], 51: [*range(16, 32)], 67: [*range(32, 48)]}


def test_at_once_is_one_outcome_of_gate_1() -> None:
    policy, batch = of("S2")
    teach = teacher(policy, IDS, batch.worlds[0], batch.runs[0], batch.scenario)
    teach(2, True)
    teach(0, False)
    assert policy.heard == [
        ("c", Evidence(EvidenceKind.QUALITY, 1.0, 0.0)),
        ("a", Evidence(EvidenceKind.QUALITY, 0.0, 1.0)),
    ]


def test_a_late_batch_is_one_sum_for_each_arm_in_the_order_of_their_first_call() -> None:
    policy, batch = of("S9")
    teach = teacher(policy, IDS, batch.worlds[0], batch.runs[0], batch.scenario)
    for call in range(36):
        teach(2 if call % 4 == 0 else 1, call % 3 != 0)
        assert bool(policy.heard) == (call >= 35)
    assert policy.heard == [
        ("c", Evidence(EvidenceKind.QUALITY, 2.0, 2.0)),
        ("b", Evidence(EvidenceKind.QUALITY, 8.0, 4.0)),
    ]


def test_a_twin_hears_a_late_batch_one_by_one_in_order() -> None:
    twin, batch = ListeningTwin(), batch_of("S9", [4, 5])
    teach = teacher_of_all(twin, batch)
    for call in range(36):
        teach(np.array([call % 3, 1]), np.array([True, call % 2 == 0]))
        assert len(twin.heard) == (16 if call == 35 else 0)
    assert [arms[0] for arms, _, _ in twin.heard] == [call % 3 for call in range(16)]
    assert twin.heard[3] == ([0, 1], [1.0, 0.0], [0.0, 1.0])


def test_a_score_follows_its_calls_outcome() -> None:
    policy, batch = of("S10")
    run, made = Run("S10", 4), batch.worlds[0]
    judged, scores = judgements(made, run, 1000)
    teach = teacher(policy, IDS, made, run, SCENARIOS["S10"])
    for _ in range(30):
        teach(0, True)
    assert len(policy.heard) == 30 + judged[:30].sum()
    at = int(np.flatnonzero(judged)[0])
    arm, evidence = policy.heard[at + 1]
    assert (arm, evidence.kind, evidence.gain) == ("a", EvidenceKind.SCORE, scores[at, 0])
    assert evidence.gain + evidence.loss == 1.0


def test_a_twin_hears_the_product_of_judged_calls_and_nothing_of_others() -> None:
    twin, batch = ListeningTwin(), batch_of("S10", [4])
    judged, scores = batch.judgements()
    teach = teacher_of_all(twin, batch)
    for call in range(40):
        teach(np.array([1]), np.array([call % 2 == 0]))
    for call, (_, (gain,), (loss,)) in enumerate(twin.heard):
        assert gain + loss == float(judged[call, 0])
        if judged[call, 0]:
            assert gain == (0.5 + 0.5 * scores[call, 0, 1]) * (call % 2 == 0)
