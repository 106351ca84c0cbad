"""The ledger in a file: rules, damage, locks, full disks, several processes."""

from __future__ import annotations

import itertools
import json
import math
import random
import sqlite3
import threading
import time
from collections.abc import Iterator
from pathlib import Path as FilePath

import pytest

from kalibr_core import LedgerError, SQLiteLedger
from kalibr_core.bandit import RunLengthPolicy
from kalibr_core.learner import evidence_of
from kalibr_core.testing import FirstArm, check_ledger
from kalibr_core.testing.ledger_checks import entry
from kalibr_core.types import EvidenceKind

from ..scene import Scene, named, warnings_of


@pytest.fixture
def file(tmp_path: FilePath) -> FilePath:
    return tmp_path / "kalibr.db"


@pytest.fixture
def ledger(file: FilePath) -> Iterator[SQLiteLedger]:
    made = SQLiteLedger(file)
    yield made
    made.close()


def test_keeps_the_rules_of_a_ledger(tmp_path: FilePath) -> None:
    """`check_ledger` asserts each of them."""
    numbers = itertools.count()
    check_ledger(lambda: SQLiteLedger(tmp_path / f"{next(numbers)}.db"))


def test_what_was_appended_is_there_after_a_new_start(file: FilePath) -> None:
    first = SQLiteLedger(file)
    first.append(entry("d1"))
    first.close()
    second = SQLiteLedger(file)
    assert [e for _, e in second.entries()] == [entry("d1")]
    second.close()


def test_another_connection_sees_an_append_at_once(ledger: SQLiteLedger, file: FilePath) -> None:
    other = SQLiteLedger(file)
    ledger.append(entry("d1"))
    assert [e.id for _, e in other.entries()] == ["d1:1"]
    assert other.append(entry("d1")) is False
    other.close()


def test_positions_are_not_used_again(ledger: SQLiteLedger, file: FilePath) -> None:
    ledger.append(entry("d1"))
    db = sqlite3.connect(file)
    db.execute("DELETE FROM entries")
    db.commit()
    db.close()
    ledger.append(entry("d2"))
    assert [position for position, _ in ledger.entries()] == [2]


def test_a_closed_ledger_raises(ledger: SQLiteLedger) -> None:
    ledger.close()
    with pytest.raises(LedgerError, match="is closed"):
        ledger.append(entry())


def test_a_long_history_is_read_in_pages_in_order(ledger: SQLiteLedger) -> None:
    for number in range(4_500):
        ledger.append(entry("d", number))
    positions = [position for position, _ in ledger.entries(goal="g")]
    assert positions == list(range(1, 4_501))


def test_finding_a_decision_does_not_read_the_history(ledger: SQLiteLedger) -> None:
    seen: list[str] = []
    ledger._connection.set_trace_callback(seen.append)
    list(ledger.entries(decision_id="d1"))
    plan = ledger._connection.execute(f"EXPLAIN QUERY PLAN {seen[0]}").fetchall()
    assert all("SCAN" not in row[3] for row in plan), plan


def test_goals_are_listed(ledger: SQLiteLedger) -> None:
    assert ledger.goals() == []
    for number, goal in enumerate(["b", "a", "b"]):
        ledger.append(entry("d", number, goal=goal))
    assert ledger.goals() == ["a", "b"]


def test_what_an_entry_cannot_hold_is_an_error_and_not_silence(ledger: SQLiteLedger) -> None:
    with pytest.raises(ValueError, match="cannot be written as JSON"):
        ledger.append(entry(data={"x": object()}))  # type: ignore[dict-item]
    with pytest.raises(ValueError):
        ledger.append(entry(path="\ud800"))
    with pytest.raises(LedgerError):
        ledger.append(entry()._replace(at=math.nan))
    assert list(ledger.entries()) == []


# Damage.


def spoil(file: FilePath, **values: object) -> None:
    """Overwrite columns of the record's first line, as a damaged disk or a curious hand might."""
    db = sqlite3.connect(file)
    for column, value in values.items():
        db.execute(f"UPDATE entries SET {column} = ? WHERE position = 1", (value,))
    db.commit()
    db.close()


DAMAGES: list[dict[str, object]] = [
    {"reward": "abc"},
    {"reward": b"\x00"},
    {"reward": 5.0},
    {"reward": -1.0},
    {"reward": math.inf},
    {"evidence": "nonsense"},
    {"data": "{"},
    {"data": "[]"},
    {"data": "null"},
    {"data": b"\xff\xfe"},
    {"at": "yesterday"},
]


@pytest.mark.parametrize("damage", DAMAGES, ids=str)
def test_a_damaged_line_teaches_nothing_and_hides_no_other(
    damage: dict[str, object], ledger: SQLiteLedger, file: FilePath
) -> None:
    ledger.append(entry("d1", reward=1.0))
    ledger.append(entry("d2", reward=1.0))
    spoil(file, **damage)
    first, second = (e for _, e in ledger.entries())
    assert second == entry("d2", reward=1.0)
    assert isinstance(first.data, dict)
    assert isinstance(first.at, float)
    harmless = "data" in damage or "at" in damage
    assert harmless or evidence_of(first).kind is EvidenceKind.NONE


@pytest.mark.parametrize("damage", DAMAGES, ids=str)
def test_a_damaged_line_does_not_keep_others_outcomes_out(
    damage: dict[str, object], ledger: SQLiteLedger, file: FilePath
) -> None:
    ledger.append(entry("d1", path="p", origin="they"))
    ledger.append(entry("d2", path="q", origin="they"))
    spoil(file, **damage)
    end, batches = ledger.take_in("g", after=0, but_from="me")
    assert end == 2
    of_q = [b for b in batches if b.path_id == "q"]
    assert [(b.evidence.gain, b.evidence.loss) for b in of_q] == [(1.0, 0.0)]
    for batch in batches:
        assert (batch.evidence.gain, batch.evidence.loss) in ((1.0, 0.0), (0.0, 0.0)), batch
        assert isinstance(batch.evidence.at, float)


@pytest.mark.parametrize("damage", DAMAGES, ids=str)
def test_a_router_starts_on_a_damaged_line(
    damage: dict[str, object], file: FilePath, caplog: pytest.LogCaptureFixture
) -> None:
    scene = Scene({"a": "good"}, ledger=SQLiteLedger(file))
    decision = scene.run().decision
    scene.run()
    scene.router.close()
    spoil(file, **damage)
    again = Scene({"a": "good"}, ledger=SQLiteLedger(file))
    assert again.run().output.text == "good"
    assert str(again.router.explain(decision.id))
    again.router.close()
    assert warnings_of(caplog) == []


@pytest.mark.parametrize(
    "state", ["", "{", "[]", "null", '{"format": "x"}', "NaN", '{"arms": {"a": NaN}}', b"\xff"]
)
def test_an_unreadable_snapshot_is_replaced_by_the_record(
    state: str | bytes, file: FilePath
) -> None:
    fold = _calls_and_close(file)
    db = sqlite3.connect(file)
    db.execute("UPDATE snapshots SET state = ?", (state,))
    db.commit()
    db.close()
    assert _beliefs_of_a_new_router(file) == fold


def test_beliefs_are_those_of_the_record_from_zero(file: FilePath) -> None:
    fold = _calls_and_close(file)
    assert _beliefs_of_a_new_router(file) == fold
    assert _folded_from_zero(file) == fold


def _calls_and_close(file: FilePath) -> object:
    policy = RunLengthPolicy(["a", "b"], random.Random(1))
    scene = Scene(
        {"a": ["good", "bad", ConnectionError(), "good"], "b": "good"},
        policy=policy,
        ledger=SQLiteLedger(file),
    )
    for _ in range(30):
        scene.run()
    scene.router.close()
    db = sqlite3.connect(file)
    assert db.execute("SELECT COUNT(*) FROM snapshots").fetchone() == (1,)
    db.close()
    return policy.state()


def _beliefs_of_a_new_router(file: FilePath) -> object:
    policy = RunLengthPolicy(["a", "b"], random.Random(2))
    scene = Scene({"a": "x", "b": "x"}, policy=policy, ledger=SQLiteLedger(file))
    scene.router.close()
    return policy.state()


def _folded_from_zero(file: FilePath) -> object:
    policy = RunLengthPolicy(["a", "b"], random.Random(3))
    ledger = SQLiteLedger(file)
    for _, each in ledger.entries(goal="scene"):
        policy.update(each.path_id, evidence_of(each))
    ledger.close()
    return policy.state()


def test_corruption_during_the_run_costs_one_warning_and_calls_go_on(
    file: FilePath, caplog: pytest.LogCaptureFixture
) -> None:
    scene = Scene({"a": "good"}, ledger=SQLiteLedger(file))
    for _ in range(200):
        scene.run()
    with file.open("r+b") as raw:
        raw.truncate(4096)
        raw.seek(0)
        raw.write(b"\xff" * 4096)
    for name in ("-wal", "-shm"):
        file.with_name(file.name + name).write_bytes(b"\xff" * 40_000)
    for _ in range(20):
        assert scene.run().output.text == "good"
        scene.clock.advance(10)
    assert scene.router.unwritten == 20
    assert len(warnings_of(caplog)) == 1
    scene.router.close()


@pytest.mark.parametrize("state", ["", "{", "[]", "null", b"\xff", "[" * 100_000], ids=range(6))
def test_a_damaged_conversation_begins_anew(
    state: str | bytes, ledger: SQLiteLedger, file: FilePath
) -> None:
    ledger.keep("k", 0, {"a": 1}, at=1.0, is_open=True)
    spoil_conversation(file, state=state)
    assert ledger.conversation("k") == (1, 1.0, {})
    assert ledger.keep("k", 1, {"b": 2}, at=2.0, is_open=True)
    assert ledger.conversation("k") == (2, 2.0, {"b": 2})


@pytest.mark.parametrize(
    ("damage", "version", "at"),
    [({"at": "yesterday"}, 1, 0.0), ({"version": "first"}, 0, 1.0), ({"at": b"\xff"}, 1, 0.0)],
    ids=str,
)
def test_a_conversations_figure_that_is_none_is_read_as_0(
    damage: dict[str, object], version: int, at: float, ledger: SQLiteLedger, file: FilePath
) -> None:
    ledger.keep("k", 0, {"a": 1}, at=1.0, is_open=True)
    spoil_conversation(file, **damage)
    assert ledger.conversation("k") == (version, at, {"a": 1})


def spoil_conversation(file: FilePath, **values: object) -> None:
    db = sqlite3.connect(file)
    for column, value in values.items():
        db.execute(f"UPDATE conversations SET {column} = ?", (value,))
    db.commit()
    db.close()


def test_a_file_without_its_table_of_conversations_fails_as_a_ledger(
    ledger: SQLiteLedger, file: FilePath
) -> None:
    db = sqlite3.connect(file)
    db.execute("DROP TABLE conversations")
    db.close()
    with pytest.raises(LedgerError):
        ledger.conversation("k")
    with pytest.raises(LedgerError):
        ledger.sweep(silent=1.0, gone=0.0, most=1)
    assert ledger.append(entry())


# A full disk.


def fill(ledger: SQLiteLedger) -> None:
    pages = ledger._connection.execute("PRAGMA page_count").fetchone()[0]
    ledger._connection.execute(f"PRAGMA max_page_count = {pages}")


def test_a_full_disk_costs_one_warning_and_all_is_written_once_there_is_room(
    file: FilePath, caplog: pytest.LogCaptureFixture
) -> None:
    ledger = SQLiteLedger(file)
    scene = Scene({"a": "good"}, ledger=ledger)
    fill(ledger)
    decisions = [scene.run().decision.id for _ in range(200)]
    waiting = scene.router.unwritten
    assert 0 < waiting < 200
    assert len(warnings_of(caplog)) == 1
    assert "full" in warnings_of(caplog)[0]
    ledger._connection.execute("PRAGMA max_page_count = 100000")
    scene.clock.advance(2)
    decisions.append(scene.run().decision.id)
    assert scene.router.unwritten == 0
    assert [e.decision_id for e in scene.entries] == decisions, "all, in order, nothing twice"
    assert len(scene.learned) == 201
    scene.router.close()


def test_what_waits_is_written_on_close(file: FilePath) -> None:
    ledger = SQLiteLedger(file)
    scene = Scene({"a": "good"}, ledger=ledger)
    fill(ledger)
    for _ in range(100):
        scene.run()
    ledger._connection.execute("PRAGMA max_page_count = 100000")
    scene.router.close()
    again = SQLiteLedger(file)
    assert len(list(again.entries())) == 100
    again.close()


# Other writers.


def test_a_file_locked_for_longer_than_the_busy_time_delays_entries_and_loses_none(
    file: FilePath, caplog: pytest.LogCaptureFixture
) -> None:
    scene = Scene({"a": "good"}, ledger=SQLiteLedger(file))
    blocker = sqlite3.connect(file, isolation_level=None)
    blocker.execute("BEGIN IMMEDIATE")
    start = time.monotonic()
    for _ in range(50):
        assert scene.run().output.text == "good"
    assert time.monotonic() - start < 6.0, "only the first waits for the lock"
    assert scene.router.unwritten == 50
    assert len(warnings_of(caplog)) == 1
    blocker.execute("COMMIT")
    blocker.close()
    scene.clock.advance(2)
    scene.run()
    assert scene.router.unwritten == 0
    assert len(scene.entries) == 51
    scene.router.close()


def test_a_file_that_is_locked_while_it_is_opened_is_waited_for(file: FilePath) -> None:
    """A start must not end in memory because a neighbour was writing just then."""
    SQLiteLedger(file).close()
    blocker = sqlite3.connect(file, isolation_level=None, check_same_thread=False)
    blocker.execute("PRAGMA locking_mode = EXCLUSIVE")
    blocker.execute("BEGIN EXCLUSIVE")

    released = threading.Event()

    def release() -> None:
        time.sleep(0.6)
        released.set()
        blocker.execute("COMMIT")
        blocker.close()

    thread = threading.Thread(target=release)
    thread.start()
    ledger = SQLiteLedger(file)
    assert released.is_set(), "it was opened only when the lock was gone"
    assert ledger.append(entry())
    ledger.close()
    thread.join()


def test_two_routers_take_in_each_others_outcomes_within_a_second(file: FilePath) -> None:
    scenes = [Scene({"a": "good"}, ledger=SQLiteLedger(file)) for _ in range(2)]
    scenes[0].run()
    scenes[1].clock.advance(1.0)
    scenes[1].run()
    assert scenes[1].learned == [("a", "quality", 1.0, 0.0)] * 2
    scenes[0].clock.advance(1.0)
    scenes[0].run()
    assert len(scenes[0].learned) == 3, "two of its own and one of the other's, each once"
    for scene in scenes:
        scene.router.close()


def test_others_outcomes_come_in_also_after_the_wall_clock_was_set_back(file: FilePath) -> None:
    scenes = [Scene({"a": "good"}, ledger=SQLiteLedger(file)) for _ in range(2)]
    for scene in scenes:
        scene.run()
    scenes[0].clock.set_wall(0.0)
    scenes[0].clock.advance(1.0)
    scenes[0].run()
    assert len(scenes[0].learned) == 3
    for scene in scenes:
        scene.router.close()


def test_goals_do_not_mix(file: FilePath) -> None:
    first = Scene({"a": "good"}, ledger=SQLiteLedger(file))
    first.run()
    other = FirstArm()
    from kalibr_core import Router

    router = Router("another goal", paths=named("a"), policy=other, ledger=SQLiteLedger(file))
    assert other.seen == []
    router.close()
    first.router.close()


def test_a_start_after_a_snapshot_reads_only_what_came_after(file: FilePath) -> None:
    _calls_and_close(file)
    ledger = SQLiteLedger(file)
    read: list[int] = []
    entries = ledger.entries

    class Counting(SQLiteLedger):
        pass

    def counted(**query: object) -> object:
        rows = list(entries(**query))  # type: ignore[arg-type]
        read.append(len(rows))
        return iter(rows)

    ledger.entries = counted  # type: ignore[method-assign, assignment]
    policy = RunLengthPolicy(["a", "b"], random.Random(2))
    Scene({"a": "x", "b": "x"}, policy=policy, ledger=ledger).router.close()
    assert read == [0]


def test_the_file_holds_json_and_no_pickles(ledger: SQLiteLedger, file: FilePath) -> None:
    ledger.append(entry())
    ledger.save("g", "p/1", 1, {"a": 1.5})
    db = sqlite3.connect(file)
    (data,) = db.execute("SELECT data FROM entries").fetchone()
    (state,) = db.execute("SELECT state FROM snapshots").fetchone()
    db.close()
    assert json.loads(data) == {"latency_s": 0.25}
    assert json.loads(state) == {"a": 1.5}


# Files of version 1, which kept no conversations.

VERSION_1 = """
CREATE TABLE entries (
    position INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, goal TEXT NOT NULL,
    kind TEXT NOT NULL, decision_id TEXT NOT NULL, path_id TEXT NOT NULL, origin TEXT NOT NULL,
    at REAL NOT NULL, evidence TEXT NOT NULL, reward REAL, data TEXT NOT NULL
);
CREATE TABLE snapshots (
    goal TEXT NOT NULL, version TEXT NOT NULL, position INTEGER NOT NULL, state TEXT NOT NULL,
    PRIMARY KEY (goal, version)
);
PRAGMA application_id = 0x4B414C42;
PRAGMA user_version = 1;
PRAGMA journal_mode = WAL;
"""


@pytest.fixture
def old(file: FilePath) -> FilePath:
    db = sqlite3.connect(file)
    db.executescript(VERSION_1)
    row = (*entry("d1")[:7], "quality", 1.0, json.dumps({"latency_s": 0.25}))
    db.execute(f"INSERT INTO entries VALUES (7, {', '.join('?' * 10)})", row)
    db.execute("INSERT INTO snapshots VALUES ('g', 'p/1', 7, '{\"a\": 1}')")
    db.commit()
    db.close()
    return file


def test_a_file_of_version_1_keeps_all_that_it_holds(old: FilePath) -> None:
    for _ in range(2):  # also when it is opened again
        ledger = SQLiteLedger(old)
        assert list(ledger.entries()) == [(7, entry("d1"))]
        assert ledger.snapshot("g", "p/1") == (7, {"a": 1})
        assert ledger.append(entry("d1")) is False
        ledger.close()


def test_a_file_of_version_1_takes_conversations_from_now_on(old: FilePath) -> None:
    ledger = SQLiteLedger(old)
    assert ledger.conversation("k") is None
    assert ledger.keep("k", 0, {}, at=1.0, is_open=True)
    assert list(ledger.sweep(silent=2.0, gone=0.0, most=1)) == ["k"]
    ledger.close()
    db = sqlite3.connect(old)
    assert db.execute("PRAGMA user_version").fetchone() == (2,), "earlier versions refuse it"
    db.close()


def test_a_process_of_version_1_that_has_the_file_open_goes_on_writing(old: FilePath) -> None:
    before = sqlite3.connect(old, isolation_level=None)
    ledger = SQLiteLedger(old)
    row = (*entry("d2")[:7], "quality", 1.0, "{}")
    columns = "id, goal, kind, decision_id, path_id, origin, at, evidence, reward, data"
    before.execute(f"INSERT INTO entries ({columns}) VALUES ({', '.join('?' * 10)})", row)
    before.close()
    assert [e.decision_id for _, e in ledger.entries()] == ["d1", "d2"]
    ledger.close()


def test_several_may_bring_a_file_of_version_1_up_to_date_at_once(old: FilePath) -> None:
    made: list[SQLiteLedger] = []
    threads = [threading.Thread(target=lambda: made.append(SQLiteLedger(old))) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [len(list(ledger.entries())) for ledger in made] == [1] * 6
    for ledger in made:
        ledger.close()


# Conversations.


def test_silent_conversations_are_found_without_reading_all(ledger: SQLiteLedger) -> None:
    seen: list[str] = []
    ledger._connection.set_trace_callback(seen.append)
    ledger.sweep(silent=2.0, gone=1.0, most=10)
    for query in seen:
        plan = ledger._connection.execute(f"EXPLAIN QUERY PLAN {query}").fetchall()
        assert all("SCAN" not in row[3] and "TEMP" not in row[3] for row in plan), plan


def test_the_newest_entries_are_found_without_reading_all(ledger: SQLiteLedger) -> None:
    seen: list[str] = []
    ledger._connection.set_trace_callback(seen.append)
    ledger.recent("g", 10)
    plan = ledger._connection.execute(f"EXPLAIN QUERY PLAN {seen[0]}").fetchall()
    assert all(not row[3].startswith("SCAN") and "TEMP" not in row[3] for row in plan), plan


def test_what_is_written_over_or_deleted_is_not_left_in_the_file(
    ledger: SQLiteLedger, file: FilePath
) -> None:
    """Whatever this build of SQLite does by default: sketches go when a conversation ends."""
    for number in range(40):
        ledger.keep(f"k{number}", 0, {"sketch": f"first{number:04}" * 400}, at=1.0, is_open=False)
    for number in range(20):
        ledger.keep(f"k{number}", 1, {"sketch": ""}, at=9.0, is_open=False)
    ledger.sweep(silent=5.0, gone=5.0, most=9)
    ledger.close()
    assert ledger.file == str(file)
    assert b"first00" not in file.read_bytes()
