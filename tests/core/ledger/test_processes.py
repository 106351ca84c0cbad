"""One file and many processes: `kill -9`, writers side by side, forks."""

from __future__ import annotations

import os
import random
import signal
import sqlite3
import subprocess
import sys
import textwrap
import threading
import time
import traceback
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path as FilePath

import pytest

from kalibr_core import MemoryLedger, Router, SQLiteLedger
from kalibr_core.bandit import RunLengthPolicy
from kalibr_core.learner import evidence_of
from kalibr_core.ports import Ledger
from kalibr_core.testing.ledger_checks import entry

from ..scene import Scene, named

ROOT = FilePath(__file__).resolve().parents[3]
LIMIT_S = 60.0


@pytest.fixture
def file(tmp_path: FilePath) -> FilePath:
    return tmp_path / "kalibr.db"


def python(code: str, *arguments: object) -> subprocess.Popen[str]:
    """Run code in a new interpreter; its standard output is a pipe."""
    return subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(code), *map(str, arguments)],
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )


CALLS = """
    import random, sys
    from kalibr_core import Output, Path, Request, Router
    from kalibr_core.bandit import RunLengthPolicy

    file, count = sys.argv[1], int(sys.argv[2])
    chance = random.Random(5)

    def invoke(attempt):
        if chance.random() < {"a": 0.3, "b": 0.1}[attempt.path.id]:
            raise ConnectionError
        return Output(text="good" if chance.random() < 0.9 else "")

    router = Router(
        "scene",
        paths=[Path(model=n, name=n, base_url="http://127.0.0.1:9") for n in "ab"],
        policy=RunLengthPolicy(["a", "b"], random.Random(6)),
        ledger=file,
        success_when=bool,
        on_exhausted="best",
        sleep=lambda seconds: None,
    )
    for _ in range(count):
        try:
            done = router.call(Request(), invoke, read=lambda output: output)
            print(done.decision.id, done.decision.attempts, flush=True)
        except Exception as error:
            print(error.kalibr.id, error.kalibr.attempts, flush=True)
"""


@pytest.mark.parametrize("after", [150, 700, 1300])
def test_kill_9_in_the_middle_of_2000_calls_loses_no_outcome_that_had_returned(
    after: int, file: FilePath
) -> None:
    child = python(CALLS, file, 2000)
    assert child.stdout is not None
    lines = [child.stdout.readline() for _ in range(after)]
    child.send_signal(signal.SIGKILL)
    lines += child.stdout.readlines()
    assert child.wait(LIMIT_S) == -signal.SIGKILL
    assert after <= len(lines) < 2000, "it was in the middle"
    told = {decision: int(attempts) for decision, attempts in map(str.split, lines[:-1])}

    ledger = SQLiteLedger(file)
    written = Counter(e.decision_id for _, e in ledger.entries(goal="scene"))
    assert {decision: written[decision] for decision in told} == told
    assert len(written) - len(told) <= 2, "besides them at most the call under way"
    snapshot = ledger.snapshot("scene", RunLengthPolicy.FORMAT)
    assert (snapshot is not None) == (after > 500), "the later ones begin at a snapshot"

    restarted = RunLengthPolicy(["a", "b"], random.Random(1))
    from_zero = RunLengthPolicy(["a", "b"], random.Random(2))
    for _, each in ledger.entries(goal="scene"):
        from_zero.update(each.path_id, evidence_of(each))
    Scene({"a": "x", "b": "x"}, policy=restarted, ledger=ledger)
    assert restarted.state() == from_zero.state()
    ledger.close()


APPENDS = """
    import sys
    from kalibr_core import SQLiteLedger
    from kalibr_core.testing.ledger_checks import entry

    ledger = SQLiteLedger(sys.argv[1])
    name, count = sys.argv[2], int(sys.argv[3])
    print("ready", flush=True)
    waits = 0
    for number in range(count):
        assert ledger.append(entry(name, number, origin=name))
    ledger.close()
    print("done", flush=True)
"""


def test_four_processes_write_to_one_file_and_none_is_shut_out(file: FilePath) -> None:
    """They also make the file all at once."""
    writers = [python(APPENDS, file, f"w{n}", 300) for n in range(4)]
    for writer in writers:
        out, _ = writer.communicate(timeout=LIMIT_S)
        assert writer.returncode == 0
        assert out.split() == ["ready", "done"]
    ledger = SQLiteLedger(file)
    rows = list(ledger.entries())
    assert Counter(e.decision_id for _, e in rows) == {f"w{n}": 300 for n in range(4)}
    for n in range(4):
        own = [int(e.id.partition(":")[2]) for _, e in rows if e.origin == f"w{n}"]
        assert own == list(range(300)), "each one's entries stand in its own order"
    end, batches = ledger.take_in("g", after=0, but_from="nobody")
    assert (end, batches[0].evidence.gain) == (1200, 1200.0)
    ledger.close()


def test_many_threads_may_make_the_file_at_once(tmp_path: FilePath) -> None:
    for attempt in range(10):
        file = tmp_path / f"{attempt}.db"
        start = threading.Barrier(8)

        def make(number: int, file: FilePath = file, start: threading.Barrier = start) -> bool:
            start.wait()
            ledger = SQLiteLedger(file)
            taken = ledger.append(entry(f"d{number}"))
            ledger.close()
            return taken

        with ThreadPoolExecutor(8) as pool:
            assert list(pool.map(make, range(8))) == [True] * 8
        ledger = SQLiteLedger(file)
        assert sorted(e.decision_id for _, e in ledger.entries()) == [f"d{n}" for n in range(8)]
        ledger.close()


def test_another_process_outcomes_come_in_within_a_second(file: FilePath) -> None:
    scene = Scene({"a": "good"}, ledger=SQLiteLedger(file))
    scene.run()
    other = python(CALLS, file, 20)
    other.communicate(timeout=LIMIT_S)
    others = sum(e.path_id == "a" for e in scene.entries) - 1
    scene.clock.advance(1.0)
    scene.run()
    of_a = [e for arm, e in scene.policy.seen if arm == "a" and e.kind.value != "none"]
    assert others > 0
    assert sum(e.gain + e.loss for e in of_a) == others + 2
    scene.router.close()


# Forks.


def in_child(work: Callable[[], object]) -> int:
    """Fork, do the work there, and leave without any clean-up; the parent waits."""
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            work()
            code = 0
        except BaseException:  # noqa: BLE001 - `_exit` hides it
            traceback.print_exc()
        finally:
            os._exit(code)
    return pid


def ended_well(pid: int) -> bool:
    until = time.monotonic() + 20
    while time.monotonic() < until:
        done, status = os.waitpid(pid, os.WNOHANG)
        if done:
            return status == 0
        time.sleep(0.01)
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    return False


def test_a_childs_outcomes_stay_when_the_parent_closes(file: FilePath) -> None:
    """An inherited connection's file locks are not the child's: its writes would be lost."""
    ledger = SQLiteLedger(file)
    ledger.append(entry("parent"))
    ready, go = os.pipe(), os.pipe()

    def work() -> None:
        ledger.append(entry("child", 0))
        os.write(ready[1], b"x")
        os.read(go[0], 1)
        for number in range(1, 50):
            ledger.append(entry("child", number))

    pid = in_child(work)
    os.read(ready[0], 1)
    ledger.close()
    os.write(go[1], b"x")
    assert ended_well(pid)
    again = SQLiteLedger(file)
    assert len(list(again.entries())) == 51
    again.close()


def test_a_forked_router_goes_on_and_books_under_a_name_of_its_own(file: FilePath) -> None:
    scene = Scene({"a": "good"}, ledger=SQLiteLedger(file))
    for _ in range(3):
        scene.run()

    def work() -> None:
        for _ in range(4):
            assert scene.run().output.text == "good"
        assert scene.router.unwritten == 0

    assert ended_well(in_child(work))
    assert len(scene.entries) == 7
    assert len({e.origin for e in scene.entries}) == 2
    scene.clock.advance(1)
    scene.run()
    outcomes = sum(e.gain + e.loss for _, e in scene.policy.seen)
    assert outcomes == 8, "the parent takes in what the child has learned"
    scene.router.close()


def test_a_child_knows_what_the_parent_learns_before_and_after_the_fork(file: FilePath) -> None:
    scene = Scene({"a": "good"}, ledger=SQLiteLedger(file))
    for _ in range(3):
        scene.run()
    go = os.pipe()

    def work() -> None:
        os.read(go[0], 1)
        scene.run()  # the first call after the fork
        scene.clock.advance(1)
        scene.run()
        outcomes = sum(e.gain + e.loss for _, e in scene.policy.seen)
        assert outcomes == 3 + 5 + 2, outcomes

    pid = in_child(work)
    for _ in range(5):
        scene.run()
    os.write(go[1], b"x")
    assert ended_well(pid)
    scene.router.close()


@pytest.mark.parametrize("seed", [None, 1])
def test_forked_workers_draw_apart_unless_a_seed_is_given(seed: int | None) -> None:
    names = list("abcdef")
    scene = Scene(dict.fromkeys(names, "good"))
    router = Router("g", paths=named(*names), ledger="memory", seed=seed)
    drawn = []
    for _ in range(2):
        here, there = os.pipe()

        def work(there: int = there) -> None:
            pulls = [scene.provider.route(router).decision.pull.arm for _ in range(40)]
            os.write(there, "".join(pulls).encode())

        assert ended_well(in_child(work))
        drawn.append(os.read(here, 100))
    assert len(drawn[0]) == 40
    assert (drawn[0] == drawn[1]) is (seed is not None)


def test_a_fork_while_threads_are_calling_does_not_hang_the_child(file: FilePath) -> None:
    scene = Scene({"a": "good"}, ledger=SQLiteLedger(file))
    stop = threading.Event()

    def call() -> None:
        while not stop.is_set():
            scene.run()

    threads = [threading.Thread(target=call) for _ in range(3)]
    for thread in threads:
        thread.start()
    try:
        for _ in range(10):
            time.sleep(0.01)

            def work() -> None:
                for _ in range(3):
                    scene.run()
                until = time.monotonic() + 15
                while scene.router.unwritten:  # the parent's threads may have the file just then
                    assert time.monotonic() < until

            assert ended_well(in_child(work))
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    assert scene.router.unwritten == 0
    db = sqlite3.connect(file)
    assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    db.close()
    scene.router.close()


def test_two_threads_that_fork_at_once_leave_no_lock_held(file: FilePath) -> None:
    ledgers: list[Ledger] = [SQLiteLedger(file), MemoryLedger()]
    pids: list[int] = []

    def fork(name: str) -> None:
        for _ in range(15):
            pids.append(in_child(lambda: [ledger.append(entry(name)) for ledger in ledgers]))

    threads = [threading.Thread(target=fork, args=(f"t{n}",), daemon=True) for n in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(LIMIT_S)
    assert len(pids) == 45
    assert all(map(ended_well, pids))
    for ledger in ledgers:
        assert ledger.append(entry("parent"))
        ledger.close()


def test_a_child_may_use_a_memory_ledger_that_another_thread_was_using() -> None:
    ledger = MemoryLedger(most=10)
    stop = threading.Event()

    def work() -> None:
        number = 0
        while not stop.is_set():
            ledger.append(entry("parent", number := number + 1))

    thread = threading.Thread(target=work)
    thread.start()
    try:
        pids = [in_child(lambda: ledger.append(entry("child"))) for _ in range(30)]
        assert all(map(ended_well, pids))
    finally:
        stop.set()
        thread.join(LIMIT_S)


def test_a_childs_child_may_fork_too(file: FilePath) -> None:
    ledger = SQLiteLedger(file)

    def work() -> None:
        ledger.append(entry("child"))
        assert ended_well(in_child(lambda: ledger.append(entry("grandchild"))))

    assert ended_well(in_child(work))
    assert {e.decision_id for _, e in ledger.entries()} == {"child", "grandchild"}
    ledger.close()
