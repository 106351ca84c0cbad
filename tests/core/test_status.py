"""What `kalibr status` and `kalibr explain` read out of a ledger."""

from __future__ import annotations

import json
import random
from pathlib import Path as FilePath

import pytest
from typer.testing import CliRunner

from kalibr_core import LedgerError, SQLiteLedger, UnknownDecision
from kalibr_core.bandit import RunLengthPolicy
from kalibr_core.cli import make_app
from kalibr_core.status import RECENT, goal_status
from kalibr_core.testing import answer, provider_error
from kalibr_core.testing.ledger_checks import entry
from kalibr_core.types import JSON, Entry, EvidenceKind

from .scene import Scene, named

PRICES = {"input_usd_per_mtok": 1.0, "output_usd_per_mtok": 2.0}


@pytest.fixture
def file(tmp_path: FilePath) -> FilePath:
    """A ledger of one goal: path a failed twice, path b answered, one report."""
    found = tmp_path / "record.db"
    scene = Scene(
        {"a": [provider_error(500), provider_error(500), answer()], "b": answer()},
        paths=[*named("a", **PRICES), *named("b")],
        policy=RunLengthPolicy(["a", "b"], random.Random(1)),
        ledger=SQLiteLedger(found),
    )
    for _ in range(20):
        decision = scene.run().decision
    scene.router.report(decision.id, success=False)
    scene.router.close()
    return found


def test_a_goals_paths_are_counted(file: FilePath) -> None:
    ledger = SQLiteLedger(file)
    entries = [e for _, e in ledger.entries()]
    ledger.close()
    status = goal_status("scene", entries)
    assert status.goal == "scene"
    assert status.decisions == 20
    assert sum(p.attempts for p in status.paths) == len(entries) - 1
    assert sum(p.failures for p in status.paths) == sum("failure" in e.data for e in entries)
    assert sum(p.signals for p in status.paths) == 1
    assert sum(p.share for p in status.paths) == pytest.approx(1.0)
    by_name = {p.path_id: p for p in status.paths}
    assert by_name["a"].cost_usd is not None
    assert by_name["b"].cost_usd is None, "unknown, which is not 0"
    assert 0.0 <= by_name["a"].success <= 1.0


def test_a_share_is_of_the_last_decisions() -> None:
    entries = [entry(f"d{n}", path="old" if n < 500 else "new") for n in range(500 + RECENT)]
    status = goal_status("g", entries)
    assert [(p.path_id, p.share) for p in status.paths] == [("new", 1.0), ("old", 0.0)]


def test_a_path_that_fails_is_shown_as_down_since_when() -> None:
    good = [entry(f"d{n}", path="p")._replace(at=float(n)) for n in range(60)]
    bad = [entry(f"e{n}", path="p", reward=0.0)._replace(at=100.0 + n) for n in range(30)]
    (path,) = goal_status("g", [*good, *bad]).paths
    assert path.down
    assert path.changed_at is not None
    assert path.changed_at >= 100.0
    (path,) = goal_status("g", good).paths
    assert not path.down
    assert path.changed_at is None


def signal(decision: str, name: str, reward: float, path: str = "p") -> Entry:
    kind = "momentum" if name == "momentum" else "action"
    data: dict[str, JSON] = {} if name == "momentum" else {"action": name}
    made = entry(decision, path=path, reward=reward, evidence=EvidenceKind.BEHAVIOUR, data=data)
    return made._replace(id=f"{decision}:{name}", kind=kind)


def test_what_users_did_is_counted_beside_reports_and_scores() -> None:
    entries = [
        entry("d1"),
        signal("d1", "output_copied", 0.85),
        signal("d1", "momentum", 0.25),
        entry("d1")._replace(id="d1:score", kind="score", evidence=EvidenceKind.SCORE, reward=0.5),
        entry("d2", path="q"),
    ]
    by_name = {path.path_id: path for path in goal_status("g", entries).paths}
    assert by_name["p"].users == pytest.approx(0.55)
    assert by_name["p"].user_signals == 2
    assert by_name["p"].signals == 3
    assert by_name["p"].score == 0.5
    assert by_name["p"].attempts == 1
    assert by_name["q"].users is None, "unknown, which is not 0"
    assert by_name["q"].user_signals == 0


def test_a_signal_without_a_reward_is_none_of_the_users() -> None:
    odd = signal("d1", "momentum", 0.5)._replace(reward=None)
    (path,) = goal_status("g", [entry("d1"), odd]).paths
    assert (path.users, path.user_signals) == (None, 0)


def test_an_empty_goal_has_no_paths() -> None:
    assert goal_status("g", []).paths == ()


def run(*arguments: object) -> str:
    done = CliRunner().invoke(make_app(), list(map(str, arguments)), catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.output


def test_status_as_a_table(file: FilePath) -> None:
    told = run("status", "--ledger", file)
    assert "scene: 20 decisions" in told
    for word in ("path", "success", "share", "up", "unknown"):
        assert word in told


def test_status_shows_users_where_something_is_known_of_them(file: FilePath) -> None:
    assert "users" not in run("status", "--ledger", file).partition("success:")[0]
    ledger = SQLiteLedger(file)
    for number, name in enumerate(("output_copied", "momentum")):
        ledger.append(
            signal(f"x{number}", name, (0.85, 0.25)[number], path="a")._replace(goal="scene")
        )
    ledger.close()
    table = run("status", "--ledger", file).partition("success:")[0]
    assert "users" in table
    assert "0.55 (2)" in table
    (goal,) = json.loads(run("status", "--ledger", file, "--json"))
    users = {path["path_id"]: (path["users"], path["user_signals"]) for path in goal["paths"]}
    assert users == {"a": (pytest.approx(0.55), 2), "b": (None, 0)}


def test_explain_tells_what_the_user_did(file: FilePath) -> None:
    ledger = SQLiteLedger(file)
    decision = next(e.decision_id for _, e in ledger.entries())
    ledger.append(signal(decision, "output_edited", 0.5, path="a")._replace(goal="scene"))
    ledger.append(signal(decision, "momentum", 0.75, path="a")._replace(goal="scene"))
    ledger.close()
    later = run("explain", decision, "--ledger", file).partition("later:")[2]
    assert "output_edited by the user (0.5)" in later
    assert "the conversation converged (0.75)" in later


def test_status_as_json(file: FilePath) -> None:
    (goal,) = json.loads(run("status", "--ledger", file, "--json"))
    assert goal["goal"] == "scene"
    assert {path["path_id"] for path in goal["paths"]} == {"a", "b"}


def test_status_of_the_default_ledger(file: FilePath, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KALIBR_LEDGER", str(file))
    assert "scene: 20 decisions" in run("status")


def test_status_of_an_unknown_goal_names_the_known_ones(file: FilePath) -> None:
    done = CliRunner().invoke(make_app(), ["status", "--goal", "other", "--ledger", str(file)])
    assert done.exit_code != 0
    assert "['scene']" in done.output + str(done.exception)


def test_explain_tells_a_decision(file: FilePath) -> None:
    ledger = SQLiteLedger(file)
    decision = next(e.decision_id for _, e in ledger.entries())
    ledger.close()
    told = run("explain", decision, "--ledger", file)
    assert f"decision {decision} of goal 'scene'" in told
    assert "attempts:" in told


def test_what_is_not_there_is_told(file: FilePath, tmp_path: FilePath) -> None:
    with pytest.raises(UnknownDecision, match=r"nothing.*record\.db"):
        run("explain", "nothing", "--ledger", file)
    missing = tmp_path / "missing.db"
    with pytest.raises(LedgerError, match="there is no ledger"):
        run("status", "--ledger", missing)
    assert not missing.exists(), "looking does not make one"


def test_an_action_that_another_one_replaced_counts_no_more() -> None:
    copied = signal("d1", "output_copied", 0.85)
    replaced = copied._replace(
        id=f"{copied.id}:replaced", kind="replaced", evidence=EvidenceKind.TAKEN_BACK
    )
    entries = [entry("d1"), copied, signal("d1", "output_discarded", 0.0), replaced]
    (path,) = goal_status("g", entries).paths
    assert (path.users, path.user_signals, path.signals) == (pytest.approx(0.0), 1, 1)
