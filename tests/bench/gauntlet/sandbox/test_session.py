"""A session: what goes in, what comes back, what lives on between calls, and how it ends."""

from __future__ import annotations

import subprocess
import sys
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from kalibr_bench.gauntlet.sandbox import Layers, Limits, SandboxError, Session, Verdict
from kalibr_bench.gauntlet.sandbox.process import ChildProcess, Gone
from kalibr_core import ConfigError

LIMITS = Limits(cpu_s=5, call_s=20.0)
KEEPER = """
from collections import deque
calls = []
def process_batch(events, state):
    calls.append(1)
    state = state or {"buffer": deque(maxlen=3)}
    state["buffer"].extend(events)
    state["same"] = state.get("same", 0) + 1
    return {"calls": len(calls), "state": state}
"""


def test_kept_state_is_the_very_object_and_comes_out_as_data() -> None:
    with Session(KEEPER, limits=LIMITS) as session:
        first = session.call([1, 2], None).value
        second = session.call([3, 4], keep=True).value
    assert first["state"] == {"buffer": deque([1, 2], maxlen=3), "same": 1}
    assert second["state"] == {"buffer": deque([2, 3, 4], maxlen=3), "same": 2}
    assert second["state"]["buffer"].maxlen == 3


def test_given_state_is_a_copy() -> None:
    state = {"buffer": deque([9], maxlen=3)}
    with Session(KEEPER, limits=LIMITS) as session:
        session.call([1], state)
    assert state == {"buffer": deque([9], maxlen=3)}


def test_fresh_forgets_the_sources_globals() -> None:
    with Session(KEEPER, limits=LIMITS) as session:
        counts = [session.call([], None, fresh=fresh).value["calls"] for fresh in (0, 0, 1, 0)]
    assert counts == [1, 2, 1, 2]


def test_echo_tells_what_became_of_the_events() -> None:
    source = "def process_batch(events, state):\n    events[0]['reading'] = 0\n"
    with Session(source, limits=LIMITS) as session:
        sent = [{"reading": 10**400}, {"reading": float("inf")}]
        reply = session.call(sent, echo=True)
        assert reply.events == [{"reading": 0}, {"reading": float("inf")}]
        assert session.call(sent).events is None
    assert sent[0] == {"reading": 10**400}


def test_a_session_outlives_exceptions_and_not_its_end() -> None:
    source = "def process_batch(events, state):\n    return 1 / events\n"
    with Session(source, limits=LIMITS) as session:
        assert session.call(0).verdict is Verdict.RAISED
        assert session.call(0).text == "ZeroDivisionError: division by zero"
        assert session.call(2).value == 0.5
    assert not session.alive
    assert session.call(2).verdict is Verdict.CRASHED


def test_all_time_of_one_child_is_bounded_not_only_each_calls() -> None:
    now = [0.0]
    with Session(KEEPER, limits=LIMITS, clock=lambda: now[0]) as session:
        assert session.call([], None).verdict is Verdict.OK
        now[0] = LIMITS.wall_s + 1
        assert session.call([], None).verdict is Verdict.TIMEOUT
        assert not session.alive


def test_realistic_imports_work_and_the_missing_ones_are_missing() -> None:
    source = """
from __future__ import annotations
import logging, re, json, math, statistics, itertools, collections, functools, warnings, random
from collections import deque, Counter, defaultdict, OrderedDict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timezone
from contextlib import suppress, contextmanager
from enum import Enum
from typing import Any, NamedTuple, Optional
try:
    import numpy as np
except ImportError:
    np = None
log = logging.getLogger(__name__)

class Kind(Enum):
    GOOD = "good"

class Row(NamedTuple):
    ts: float
    reading: float = 0.0

@dataclass(frozen=True, slots=True)
class Settings:
    names: list[str] = field(default_factory=list)

def retry(times: int):
    def outer(function):
        @functools.wraps(function)
        def inner(*args: Any, **kwargs: Any) -> Any:
            for _ in range(times):
                with suppress(ValueError):
                    return function(*args, **kwargs)
            return None
        return inner
    return outer

@contextmanager
def counted(name):
    yield name

@retry(3)
def process_batch(events, state):
    log.warning("%d events", len(events))
    if __name__ == "__main__":
        raise ValueError
    with counted("x") as name:
        pass
    pattern = re.compile(r"(\\d+)")
    when = datetime.strptime("2026-01-02", "%Y-%m-%d").isoformat()
    kinds = {type(e).__name__ for e in events}
    match events[0]:
        case float(x) if isinstance(x, float):
            pass
    return [np is None, Kind("good").name, Row(1.0).reading, Settings().names, sorted(kinds),
            pattern.sub(r"<\\1>", "a1"), when, f"{events[0]:.2f}", "{:.1f}".format(events[0]),
            statistics.pstdev(events), name, getattr(events[0], "real", None), hasattr(1, "x")]
"""
    with Session(source, limits=LIMITS) as session:
        assert session.loaded.text == ""
        value = session.call([1.5, 2.5], None).value
    assert value == [
        *(True, "GOOD", 0.0, [], ["float"], "a<1>", "2026-01-02T00:00:00", "1.50", "1.5", 0.5),
        *("x", 1.5, False),
    ]


def test_words_are_those_of_the_code() -> None:
    source = (
        '"""guardrail"""\n# telemetry\n'
        'def process_batch(e, s):\n    "idle"\n    fall_back = "kept"\n'
    )
    with Session(source, limits=LIMITS) as session:
        assert session.loaded.words == ("e", "fall_back", "kept", "process_batch", "s")


@pytest.mark.parametrize(
    "wrong", [{"cpu_s": 0}, {"cpu_s": 1.5}, {"call_s": float("nan")}, {"memory_mb": 8}]
)
def test_limits_that_no_child_could_live_in_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match=next(iter(wrong))):
        Limits(**wrong)


def test_an_error_is_told_by_its_true_name() -> None:
    """A metaclass may make up its classes' names, or raise where it is asked."""
    source = (
        "M = type('M', (type,), {'__name__': property(lambda kind: 1 / 0)})\n"
        "X = M('X' * 9000, (Exception,), {})\n"
        "def process_batch(events, state):\n    raise X('y')\n"
    )
    with Session(source, limits=LIMITS, layers=Layers(language=False)) as session:
        reply = session.call([], None)
    assert reply.verdict is Verdict.RAISED
    assert reply.text.startswith("XXX")
    assert len(reply.text) <= LIMITS.text_chars


FORGER = """
import os, sys
def process_batch(events, state):
    frame = sys._getframe()
    while type(frame.f_locals.get("request")) is not dict:
        frame = frame.f_back
    token = frame.f_locals["request"]["token"]
    os.write(1, ('[["d",[["token","' + token + '"],["verdict",%s]]],%s,null]\\n').encode())
    while True:
        pass
"""


@pytest.mark.parametrize(
    ("verdict", "value"),
    [('["l",[]]', "null"), ('"no such"', "null"), ('"ok"', f'["q",{2**63},[]]')],
)
def test_an_answer_forged_with_its_token_upsets_nobody(verdict: str, value: str) -> None:
    layers = Layers(language=False)
    with Session(FORGER % (verdict, value), limits=LIMITS, layers=layers) as session:
        assert session.call([], None).verdict is Verdict.FORGED


def test_sessions_in_threads_keep_apart() -> None:
    def run(number: int) -> object:
        source = f"def process_batch(events, state):\n    return [events, {number}]\n"
        with Session(source, limits=LIMITS) as session:
            return [session.call(i).value for i in range(5)]

    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(run, range(8)))
    assert answers == [[[i, number] for i in range(5)] for number in range(8)]


def test_an_interpreter_that_does_not_start_is_nobodys_submission(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sys, "executable", "/bin/false")
    with pytest.raises(SandboxError, match="does not start"):
        Session(KEEPER, limits=LIMITS)
    monkeypatch.setattr(sys, "executable", "/no/such/python")
    with pytest.raises(SandboxError, match="no sandbox process"):
        Session(KEEPER, limits=LIMITS)
    monkeypatch.setattr(sys, "executable", "")
    with pytest.raises(SandboxError, match="no Python interpreter"):
        Session(KEEPER, limits=LIMITS)


def test_a_child_that_says_too_much_is_killed() -> None:
    child = ChildProcess(1 << 16)
    try:
        with pytest.raises(Gone) as gone:
            child.exchange("x" * 100, 20.0)
        assert gone.value.verdict is Verdict.CRASHED
    finally:
        child.kill()


def test_ending_closes_every_pipe() -> None:
    folder = Path("/proc/self/fd")
    before = len(list(folder.iterdir())) if folder.exists() else 0
    for source in (KEEPER, "while True: pass", "import os", "x ="):
        with Session(source, limits=Limits(cpu_s=1, call_s=0.2)) as session:
            session.call([], None)
    assert (len(list(folder.iterdir())) if folder.exists() else 0) <= before


def test_the_parent_imports_nothing_that_the_child_runs_by_itself() -> None:
    """The child's package needs the standard library alone: it starts without the rest."""
    program = (
        "import kalibr_bench.gauntlet.sandbox.inside.child, sys; print('openai' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "False"
