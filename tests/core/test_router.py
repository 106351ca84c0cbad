"""What a Router tells: its decisions, explanations, reports and statistics of one process."""

from __future__ import annotations

import random
import threading
from pathlib import Path as FilePath

import pytest

from kalibr_core import ConfigError, Path, Router, SQLiteLedger
from kalibr_core.bandit import RunLengthPolicy
from kalibr_core.testing import answer, provider_error

from .scene import BAD, Drive, Scene, every_drive, named


def test_the_repr_names_goal_and_paths() -> None:
    scene = Scene({"a": "x", "b": "x"})
    assert repr(scene.router) == "Router('scene', paths=['a', 'b'])"


def test_report_is_idempotent_and_counts_beside_gate_1() -> None:
    scene = Scene({"a": "good"})
    decision = scene.run().decision
    assert scene.router.report(decision.id, success=False, reason="rejected") is True
    for _ in range(3):
        assert scene.router.report(decision.id, success=False) is False
        assert scene.router.report(decision.id, success=True) is False
    assert scene.learned == [("a", "quality", 1.0, 0.0), ("a", "quality", 0.0, 1.0)]
    assert [e.kind for e in scene.entries] == ["attempt", "report"]
    assert scene.entries[1].data == {"reason": "rejected"}


def test_a_success_and_a_score_are_two_kinds_of_evidence() -> None:
    scene = Scene({"a": "good"})
    decision = scene.run().decision
    assert scene.router.report(decision.id, success=True, score=0.25) is True
    assert scene.router.report(decision.id, score=0.5) is False
    assert scene.learned[1:] == [("a", "quality", 1.0, 0.0), ("a", "score", 0.25, 0.75)]


def test_a_healed_decision_is_reported_to_the_path_that_answered() -> None:
    scene = Scene({"a": provider_error(500), "b": "good"})
    decision = scene.run().decision
    scene.router.report(decision.id, success=False)
    assert scene.learned[-1] == ("b", "quality", 0.0, 1.0)


def test_a_report_reaches_a_decision_of_another_process(tmp_path: FilePath) -> None:
    file = tmp_path / "kalibr.db"
    first = Scene({"a": "good"}, ledger=SQLiteLedger(file))
    decision = first.run().decision
    first.router.close()
    second = Scene({"a": "x"}, ledger=SQLiteLedger(file))
    assert second.router.report(decision.id, success=False) is True
    assert second.learned[-1] == ("a", "quality", 0.0, 1.0)
    assert "reported as a failure" in str(second.router.explain(decision.id))
    second.router.close()


@every_drive
def test_explain_says_why_with_what_probability_against_what(drive: Drive) -> None:
    policy = RunLengthPolicy(["a", "b"], random.Random(1))
    prices = {"input_usd_per_mtok": 1.0, "output_usd_per_mtok": 2.0}
    paths = [*named("a", **prices), *named("b")]
    scene = Scene({"a": BAD, "b": answer()}, drive, policy=policy, paths=paths, gate=None)
    for _ in range(30):
        decision = scene.run().decision
    told = scene.router.explain(decision.id)
    assert told.decision_id == decision.id
    assert told.goal == "scene"
    assert told.chosen == decision.pull.arm
    assert told.rule == decision.pull.rule
    assert told.propensity is not None
    assert 0.0 < told.propensity <= 1.0
    assert {arm.path_id for arm in told.arms} == {"a", "b"}
    assert len(told.attempts) == decision.attempts
    text = str(told)
    for part in (decision.id, told.chosen, told.why, "success", "unknown cost", "USD a call"):
        assert part in text
    assert str(scene.router.explain(decision.id)) == text, "always the same"


def test_explain_tells_what_each_attempt_became() -> None:
    scene = Scene({"a": [provider_error(503), "good"], "b": BAD})
    decision = scene.run().decision
    first, second, third = scene.router.explain(decision.id).attempts
    assert "1. a: failed: server_error 503 (ProviderError)" in first
    assert "2. b: failed: bad_output (refused)" in second
    assert "3. a: passed gate 1" in third


def test_a_failed_call_can_be_explained_too() -> None:
    scene = Scene({"a": provider_error(500)}, max_attempts=2)
    error = scene.kalibr_error()
    assert error.kalibr is not None
    assert len(scene.router.explain(error.kalibr.id).attempts) == 2


def test_the_same_seed_makes_the_same_choices() -> None:
    def choices(seed: int) -> list[str]:
        paths = [Path(model=n, name=n, base_url="http://127.0.0.1:9") for n in "abc"]
        scene = Scene({n: [BAD, "good"] for n in "abc"}, paths=paths)
        router = Router("g", paths=paths, ledger="memory", seed=seed, **scene.clock.arguments())
        return [scene.provider.route(router).decision.pull.arm for _ in range(30)]

    assert choices(1) == choices(1)


def test_threads_share_a_router_without_a_last_call() -> None:
    scene = Scene({"a": "good", "b": "good"})
    found: list[tuple[str, str]] = []

    def work(number: int) -> None:
        for _ in range(100):
            done = scene.run()
            found.append((done.decision.id, done.decision.path.id))

    threads = [threading.Thread(target=work, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(dict(found)) == 800
    booked = {e.decision_id: e.path_id for e in scene.entries}
    assert booked == dict(found)


def test_two_paths_that_differ_only_in_params_fail_over_to_each_other() -> None:
    paths = [
        Path(model="m", params={"temperature": t}, base_url="http://127.0.0.1:9")
        for t in (0.2, 0.9)
    ]
    cold, warm = (p.id for p in paths)
    assert cold != warm
    scene = Scene({cold: BAD, warm: "good"}, paths=paths)
    assert scene.run().decision.path.id == warm
    assert [b[0] for b in scene.booked] == [cold, warm]


@pytest.mark.parametrize("many", [600])
def test_beliefs_are_written_down_on_the_way(many: int, tmp_path: FilePath) -> None:
    ledger = SQLiteLedger(tmp_path / "kalibr.db")
    scene = Scene({"a": "good"}, policy=RunLengthPolicy(["a"], random.Random(1)), ledger=ledger)
    for _ in range(many):
        scene.run()
    found = ledger.snapshot("scene", RunLengthPolicy.FORMAT)
    assert found is not None
    assert found[0] == 500
    scene.router.close()


def test_numbers_beyond_any_use_are_refused() -> None:
    with pytest.raises(ConfigError, match="timeout_s"):
        Scene({"a": "good"}, timeout_s=10**400)


def test_a_router_tells_its_status() -> None:
    scene = Scene({"a": BAD, "b": "good"})
    scene.run()
    status = scene.router.status()
    assert (status.goal, status.decisions) == ("scene", 1)
    assert {path.path_id: path.failures for path in status.paths} == {"a": 1, "b": 0}
