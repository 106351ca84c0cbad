"""`kalibr bench policies` as users call it, and what it writes."""

from __future__ import annotations

import datetime as dt
import json
import os
import re
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from typer.testing import CliRunner

from kalibr_bench.cli import app
from kalibr_bench.policies import command, peers
from kalibr_bench.policies.markdown import BEGIN, END, page, placed
from kalibr_bench.policies.results import Results, Settings

from ..signals import interruptible

runner = CliRunner()
STYLE = re.compile(rb"\x1b\[[0-9;?]*[A-Za-z]")
SMALL = ["policies", "--seeds", "2", "--policy", "kalibr,thompson,oracle", "--workers", "1"]


def plain(text: str) -> str:
    return " ".join(text.split())


def test_a_small_run_prints_tables_and_writes_files(tmp_path: Path) -> None:
    figures, picture, tables = (tmp_path / name for name in ("p.json", "p.png", "p.md"))
    files = ["--json", str(figures), "--plot", str(picture), "--markdown", str(tables)]
    done = runner.invoke(app, [*SMALL, "--scenario", "S1, S8", *files], env={"COLUMNS": "80"})
    assert done.exit_code == 0, done.output
    assert "S1: the dear arm 0 falls" in done.output
    assert "kalibr against its bars" in done.output
    assert "…" not in done.output
    assert picture.read_bytes().startswith(b"\x89PNG")
    written = tables.read_text()
    assert re.match(
        r"\d{4}-\d\d-\d\d, \d+ cores, Python 3\.\d+\.\d+\. Seeds 0-1 \(S1, S8\)\.", written
    )
    assert str(Path.home()) not in written
    value = json.loads(figures.read_text())
    assert value["benchmark"] == "policies"
    assert set(value["figures"]) == {"S1", "S8"}
    assert list(value["figures"]["S1"]) == ["kalibr", "thompson", "oracle"]
    assert set(value["figures"]["S1"]["kalibr"]["loss"]) == {"mean", "error"}
    assert value["bars"][0]["limits"][0]["figure"] == "success"
    assert value["scenarios"]["S1"]["seeds"] == 2


def test_many_scenarios_fit_a_terminal_of_eighty_columns() -> None:
    asked = [*SMALL, "--scenario", "random,S1,S1b,S8,S10,S11"]
    done = runner.invoke(app, asked, env={"COLUMNS": "80"})
    assert done.exit_code == 0, done.output
    assert "Policies side by side" in done.output
    assert "…" not in done.output
    assert max(map(len, done.output.splitlines())) <= 80


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--scenario", "S99"], "unknown: S99; there are random, S1, S1b"),
        (["--policy", "kalibr,nobody"], "unknown: nobody; there are kalibr"),
        (["--seeds", "many"], "must be a number N or a range A-B"),
        (["--seeds", "9-3"], "got '9-3'"),
        (["--seeds", "0"], "got '0'"),
        (["--seeds", "5", "--full"], "choose one of the two"),
        (["--workers", "-1"], "--workers"),
        (["--json", "/no/such/folder/p.json"], "folder"),
        (["--markdown", "/no/such/folder/p.md"], "folder"),
        (["--plot", "picture.txt"], ".png, .svg, .pdf"),
    ],
)
def test_a_bad_option_is_told_before_any_work(options: list[str], told: str) -> None:
    done = runner.invoke(app, ["policies", *options], env={"COLUMNS": "300"})
    assert done.exit_code == 2
    assert told in plain(done.output)


def test_a_peer_that_is_not_installed_is_told() -> None:
    missing = [name for name in ("mabwiser", "river") if not peers.installed(name)]
    for name in missing:
        done = runner.invoke(app, ["policies", "--policy", name], env={"COLUMNS": "200"})
        assert done.exit_code == 2
        assert f"pip install {name}" in plain(done.output)


def test_seeds_are_a_number_or_a_range() -> None:
    asked = command.settings_of("S1", "", "5", full=False)
    assert asked.seeds == {"S1": range(5)}
    assert command.settings_of("S1", "", "7-9", full=False).seeds == {"S1": range(7, 10)}


def test_a_default_run_leaves_out_the_longest() -> None:
    usual = command.settings_of("", "", "", full=False)
    assert usual.scenarios[0] == "random"
    assert not {"1e6", "detection"} & set(usual.scenarios)
    assert len(usual.policies) >= 18
    full = command.settings_of("", "", "", full=True)
    assert full.scenarios == command.settings_of("all", "", "", full=False).scenarios
    assert {"1e6", "detection"} < set(full.scenarios)
    assert command.settings_of("1e6", "", "", full=False).seeds["1e6"]


def test_markdown_is_replaced_between_its_marks_alone() -> None:
    old = f"# Title\n\n{BEGIN}\nold\ntable\n{END}\n\nrest\n"
    assert placed("new\n", old) == f"# Title\n\n{BEGIN}\nnew\n{END}\n\nrest\n"
    assert placed("new", placed("old", old)) == placed("new", old)
    for without in ("", "anything\n", f"{BEGIN}\nno end\n", f"{END}\n{BEGIN}\n"):
        assert placed("new", without) == "new\n"


def test_a_page_says_what_was_run() -> None:
    settings = Settings(scenarios=("S1", "S2"), policies=(), seeds={"S1": range(3), "S2": range(3)})
    text = page(Results(settings=settings, stopped=True), today=dt.date(2026, 2, 3))
    assert text.startswith("2026-02-03, ")
    assert text.endswith("Seeds 0-2 (S1, S2). Stopped early.")


@pytest.mark.skipif(os.name == "nt", reason="POSIX signals")
@pytest.mark.parametrize("workers", ["1", "2"])
def test_ctrl_c_ends_with_the_tables_of_what_is_done(workers: str) -> None:
    """The signal goes to the whole process group, as a terminal sends it."""
    asked = ["--scenario", "S1,S4", "--seeds", "60", "--policy", "kalibr,oracle,thompson"]
    with interruptible():
        process = subprocess.Popen(
            [sys.executable, "-m", "kalibr_bench.cli", "policies", *asked, "--workers", workers],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=os.environ | {"FORCE_COLOR": "1", "TERM": "xterm", "COLUMNS": "80"},
            start_new_session=True,
        )
    watchdog = threading.Timer(120.0, os.killpg, (process.pid, signal.SIGKILL))
    watchdog.start()
    try:
        assert process.stdout is not None
        seen = b""
        while not re.search(rb"\b[1-9]\d*%", STYLE.sub(b"", seen)):
            part = os.read(process.stdout.fileno(), 65536)
            assert part, "it ended before anything was done"
            seen += part
        os.killpg(process.pid, signal.SIGINT)
        rest, err = process.communicate(timeout=100)
    finally:
        watchdog.cancel()
    assert process.returncode == 130, err
    assert b"Traceback" not in err
    told = STYLE.sub(b"", rest).decode()
    assert "Stopped early" in told
    assert "S1: the dear arm 0 falls" in told
