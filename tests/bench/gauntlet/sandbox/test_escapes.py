"""No escape gets out, each has its verdict, and the grader grades on after all of them."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from pathlib import Path

import pytest

from kalibr_bench.gauntlet import Limits, Verdict, grade
from kalibr_bench.gauntlet.sandbox import Layers, Session
from tests.bench.gauntlet.sandbox.escapes import LANGUAGE
from tests.bench.gauntlet.sandbox.kernel_escapes import KERNEL
from tests.bench.gauntlet.submissions import GOOD

QUICK = Limits(cpu_s=1, call_s=0.25, memory_mb=128, deaths=0)
PATIENT = Limits(cpu_s=5, call_s=20.0, memory_mb=128, deaths=0)
FILTERED = sys.platform == "linux" and platform.machine() in ("x86_64", "aarch64")
REACHED = (Verdict.FORBIDDEN, Verdict.RAISED, Verdict.CRASHED, Verdict.OK)


def limits_for(verdict: Verdict) -> Limits:
    """Little time where that is what must run out, much where it must not."""
    return QUICK if verdict is Verdict.TIMEOUT else PATIENT


def processes() -> set[str]:
    """Ids of this process's children, where the system tells."""
    listed = Path(f"/proc/self/task/{os.getpid()}/children")
    return set(listed.read_text().split()) if listed.exists() else set()


def test_every_escape_gets_its_verdict_and_no_credit_and_the_harness_goes_on() -> None:
    before = processes()
    found = {name: grade(text, limits=limits_for(v)) for name, (text, v) in LANGUAGE.items()}
    assert {name: g.verdict for name, g in found.items()} == {
        name: verdict for name, (_, verdict) in LANGUAGE.items()
    }
    assert {name for name, g in found.items() if g.score > 0} == set()
    assert processes() <= before
    assert grade(GOOD).passed


@pytest.mark.parametrize("name", KERNEL)
def test_the_kernel_layers_hold_where_the_language_is_let_through(name: str) -> None:
    source, verdicts = KERNEL[name]
    with Session(source, entry=None, limits=PATIENT, layers=Layers(language=False)) as session:
        verdict = session.loaded.verdict
    assert verdict in (verdicts if FILTERED else REACHED)
    assert not Path("/tmp/kalibr-escaped").exists()


@pytest.mark.parametrize("namespaces", [True, False])
@pytest.mark.parametrize("name", ["file read", "file write", "folder", "socket", "fork", "threads"])
def test_without_the_filter_the_limits_still_let_nothing_open_or_start(
    name: str, namespaces: bool
) -> None:
    layers = Layers(language=False, seccomp=False, namespaces=namespaces)
    source = f"{KERNEL[name][0]}\n'reached'"
    with Session(source, entry=None, limits=PATIENT, layers=layers) as session:
        assert session.loaded.verdict is Verdict.RAISED
        assert "the system call filter is switched off" in session.loaded.notes


def test_what_a_format_can_show_holds_nothing_of_the_parent() -> None:
    """The one walk that no check can see gives text alone; the judge's numbers are not in it."""
    source, _ = LANGUAGE["attributes by a format made up later"]
    with Session(source, limits=PATIENT) as session:
        text = session.call([{"ts": 1, "reading": 7.25}], {}).value["clean"]
    assert "process_batch" in text
    assert "expected" not in text
    assert "7.25" not in text


def test_a_child_knows_nothing_of_its_parents_environment() -> None:
    os.environ["KALIBR_TEST_SECRET"] = "only here"
    try:
        source = "import os\nsorted(os.environ)"
        layers = Layers(language=False)
        with Session(source, entry=None, limits=PATIENT, layers=layers) as session:
            assert session.loaded.verdict is Verdict.OK
            assert "SECRET" not in session.loaded.text
    finally:
        del os.environ["KALIBR_TEST_SECRET"]


WITHOUT_NAMESPACES = """
import ctypes
from kalibr_bench.gauntlet import grade
from kalibr_bench.gauntlet.sandbox.inside import seccomp as s
from tests.bench.gauntlet.sandbox.escapes import LANGUAGE
from tests.bench.gauntlet.submissions import GOOD
column = s.MACHINES[s.os.uname().machine][0]
steps = [s._op(s.LOAD, s.NUMBER), s._op(s.EQUAL, s.KILLED["unshare"][column], 0, 1)]
code = b"".join([*steps, s._op(s.RETURN, s.DENY), s._op(s.RETURN, s.ALLOW)])
memory = ctypes.create_string_buffer(code, len(code))
wanted = s._Program(len(code) // 8, ctypes.cast(memory, ctypes.c_void_p))
libc = ctypes.CDLL(None)
assert libc.prctl(38, 1, 0, 0, 0) == libc.prctl(22, 2, ctypes.byref(wanted), 0, 0) == 0
print(grade(GOOD).passed, grade(GOOD).notes, grade(LANGUAGE["file read"][0]).verdict)
"""
"""Forbids this process and its children namespaces, as many containers do."""


@pytest.mark.skipif(not FILTERED, reason="needs a kernel that forbids by a filter")
def test_a_container_without_namespaces_is_a_note_and_grades_the_same() -> None:
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_NAMESPACES], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "True ('no namespaces: errno 1',) forbidden"
