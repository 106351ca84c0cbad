"""`kalibr bench resilience` as users call it."""

from __future__ import annotations

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
from kalibr_bench.provider import LoopbackProvider

from ..signals import interruptible

runner = CliRunner()
BOUND_S = 180.0
STYLE = re.compile(rb"\x1b\[[0-9;?]*[A-Za-z]")
DONE = re.compile(rb"\b[1-9]\d*/\d+")
QUICK = ["resilience", "--quick", "--latency-scale", "0"]


def plain(text: str) -> str:
    return " ".join(text.split())


def test_a_quick_run_prints_tables_and_writes_files(tmp_path: Path) -> None:
    figures, picture = tmp_path / "r.json", tmp_path / "r.png"
    done = runner.invoke(app, [*QUICK, "--json", str(figures), "--plot", str(picture)])
    assert done.exit_code == 0, done.output
    assert "Valid answers, %" in done.output
    assert "times as much" in plain(done.output)
    assert json.loads(figures.read_text())["benchmark"] == "resilience"
    assert picture.read_bytes().startswith(b"\x89PNG")


def test_runs_and_arms_and_scenario(tmp_path: Path) -> None:
    figures = tmp_path / "r.json"
    asked = [*QUICK, "--runs", "2", "--seed", "40", "--scenario", "preferred"]
    done = runner.invoke(app, [*asked, "--arms", "kalibr, hard-coded", "--json", str(figures)])
    assert done.exit_code == 0, done.output
    value = json.loads(figures.read_text())
    assert value["seeds"] == [40, 41]
    assert list(value["arms"]) == ["hard-coded", "kalibr"]
    assert value["scenario"]["degraded"] == "gpt-4o-mini"


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--runs", "0"], "--runs"),
        (["--runs", "many"], "--runs"),
        (["--seed", "-1"], "--seed"),
        (["--latency-scale", "-1"], "--latency-scale"),
        (["--latency-scale", "nan"], "--latency-scale"),
        (["--scenario", "worst"], "original, preferred, recovery"),
        (["--arms", "kalibr,nobody"], "unknown: nobody"),
        (["--quick", "--full"], "one of the two"),
        (["--json", "/no/such/folder/r.json"], "folder"),
        (["--plot", "picture.txt"], ".png, .svg, .pdf"),
        (["--live", "--latency-scale", "1"], "real models have their own"),
    ],
)
def test_a_bad_option_is_told_before_any_work(options: list[str], told: str) -> None:
    done = runner.invoke(app, ["resilience", *options], env={"COLUMNS": "200"})
    assert done.exit_code == 2
    assert told in plain(done.output)


def test_live_refuses_without_a_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    done = runner.invoke(app, ["resilience", "--live", "--yes"], env={"COLUMNS": "200"})
    assert done.exit_code == 2
    assert "set OPENAI_API_KEY" in plain(done.output)


def test_live_asks_before_it_spends(monkeypatch: pytest.MonkeyPatch) -> None:
    with LoopbackProvider() as upstream:
        monkeypatch.setenv("OPENAI_API_KEY", "sk-test")
        monkeypatch.setenv("OPENAI_BASE_URL", upstream.base_url)
        refused = runner.invoke(app, ["resilience", "--live", "--quick"], input="n\n")
        assert refused.exit_code == 1
        assert "cost about $" in refused.output
        assert not upstream.requests()
        done = runner.invoke(app, ["resilience", "--live", "--quick", "--arms", "kalibr", "--yes"])
        assert done.exit_code == 0, done.output
        assert "real models" in plain(done.output)
        assert len(upstream.requests()) >= 35


@pytest.mark.skipif(os.name == "nt", reason="POSIX signals")
@pytest.mark.parametrize("runs", ["1", "400"])
def test_ctrl_c_ends_with_the_tables_of_what_there_is(runs: str) -> None:
    """The signal goes to the whole process group, as a terminal sends it."""
    status, out, err = interrupted(runs)
    assert status == 130, err
    assert "Traceback" not in err
    assert "Stopped early" in plain(out)
    assert "Cost and latency" in out


def interrupted(runs: str) -> tuple[int, str, str]:
    """Ctrl-C as soon as the progress bar says that a document is done."""
    scale = "0.05" if runs == "1" else "0"
    options = ["--full", "--runs", runs, "--latency-scale", scale]
    with interruptible():
        process = subprocess.Popen(
            [sys.executable, "-m", "kalibr_bench.cli", "resilience", *options],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=os.environ | {"FORCE_COLOR": "1", "TERM": "xterm", "COLUMNS": "80"},
            start_new_session=True,
        )
    watchdog = threading.Timer(BOUND_S, os.killpg, (process.pid, signal.SIGKILL))
    watchdog.start()
    try:
        assert process.stdout is not None
        seen = b""
        while not DONE.search(STYLE.sub(b"", seen)):
            part = os.read(process.stdout.fileno(), 65536)
            assert part, "it ended before a document was done"
            seen += part
        os.killpg(process.pid, signal.SIGINT)
        rest, err = process.communicate(timeout=BOUND_S)
    finally:
        watchdog.cancel()
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
    return process.returncode, STYLE.sub(b"", seen + rest).decode(), err.decode()


def test_importing_the_command_line_loads_nothing_heavy() -> None:
    code = (
        "import sys, kalibr_bench.cli; "
        "print(*({'matplotlib', 'aiohttp', 'openai', 'numpy'} & set(sys.modules)))"
    )
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, check=True, timeout=120, capture_output=True, text=True)
    assert done.stdout.split() == [], "imported with it"
