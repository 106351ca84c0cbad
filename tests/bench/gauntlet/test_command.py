"""`kalibr bench gauntlet` as users call it."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from kalibr_bench.cli import app
from kalibr_bench.gauntlet import live, many
from kalibr_bench.gauntlet.many import OnWait
from kalibr_bench.gauntlet.records import Results, Settings
from kalibr_bench.gauntlet.run import Runner
from kalibr_bench.provider import LoopbackProvider

runner = CliRunner()
WIDE = {"COLUMNS": "200"}
KEYS = ("OPENAI_API_KEY", "ANTHROPIC_API_KEY", "DEEPSEEK_API_KEY", "GEMINI_API_KEY")


def plain(text: str) -> str:
    return " ".join(text.split())


def test_a_run_prints_lines_and_verdicts_and_writes_files(tmp_path: Path) -> None:
    figures, picture = tmp_path / "g.json", tmp_path / "g.png"
    asked = ["gauntlet", "--runs", "3", "--arms", "kalibr,unbounded", "--seed", "2"]
    done = runner.invoke(app, [*asked, "--json", str(figures), "--plot", str(picture)], env=WIDE)
    assert done.exit_code == 0, done.output
    told = plain(done.output)
    assert "3 at once, plain rubric, langchain" in told
    assert "Run 3: 80.0 % unbounded - Tier3 resilience missing" in told
    assert "always unbounded: passed 0/3 (0.0 %" in told
    assert "average score 80.0 %, none passed" in told
    assert "Calibration (10-40 % pass): too few runs to tell, below the band so far" in told
    value = json.loads(figures.read_text())
    assert value["benchmark"] == "gauntlet"
    assert value["arms"]["unbounded"]["overall"]["pass_rate"] == 0.0
    assert [run["number"] for run in value["runs"]["kalibr"]] == [1, 2, 3]
    assert "process_batch" not in figures.read_text(), "submissions are kept only when asked for"
    assert picture.read_bytes().startswith(b"\x89PNG")


def test_strict_one_after_the_other_on_the_other_framework(tmp_path: Path) -> None:
    figures = tmp_path / "g.json"
    asked = ["gauntlet", "--runs", "2", "--sequential", "--strict", "--framework", "llama-index"]
    more = ["--arms", "cheat", "--keep-submissions", "--json", str(figures)]
    done = runner.invoke(app, [*asked, *more], env=WIDE)
    assert done.exit_code == 0, done.output
    assert "one after the other, strict, llama-index" in plain(done.output)
    value = json.loads(figures.read_text())
    assert (value["strict"], value["at_once"]) == (True, 1)
    assert value["arms"]["cheat"]["overall"]["passed"] == 0
    assert "def process_batch" in value["runs"]["cheat"][0]["submission"]


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--runs", "0"], "--runs"),
        (["--seed", "-1"], "--seed"),
        (["--framework", "haystack"], "langchain, llama-index"),
        (["--arms", ","], "names no agent"),
        (["--plot", "/proc/x.png"], "cannot write /proc/x.png"),
        (["--json", "a.png", "--plot", "./a.png"], "two results cannot go into one file"),
        (["--arms", "kalibr,nobody"], "unknown: nobody"),
        (["--models", "gpt-4o"], "only with --live"),
        (["--json", "/no/such/folder/g.json"], "folder"),
        (["--plot", "picture.txt"], ".png, .svg, .pdf"),
        (["--live", "--latency-scale", "1"], "real models have their own"),
        (["--yes"], "only with --live"),
        (["--keep-submissions"], "only with --json"),
    ],
)
def test_a_bad_option_is_told_before_any_work(options: list[str], told: str) -> None:
    done = runner.invoke(app, ["gauntlet", *options], env=WIDE)
    assert done.exit_code == 2
    assert told in plain(done.output)


@pytest.mark.parametrize(
    ("module", "options", "told"),
    [
        ("langchain.agents", [], 'pip install -e ".[langchain,bench]" and `pip install langchain`'),
        ("llama_index.core.agent.workflow", ["--framework", "llama-index"], ".[llama-index,bench]"),
        (
            "matplotlib.figure",
            ["--plot", "a.png"],
            "--plot needs matplotlib.figure: pip",
        ),
        ("langchain.agents", ["--live", "--models", "gpt-4o-mini"], ".[langchain,bench]"),
    ],
)
def test_a_missing_package_is_told_before_any_work(
    module: str, options: list[str], told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("agent_langchain", "agent_llama_index"):
        monkeypatch.delitem(sys.modules, f"kalibr_bench.gauntlet.{name}", raising=False)
    monkeypatch.setitem(sys.modules, module, None)
    monkeypatch.setenv("OPENAI_API_KEY", "sk-test")
    done = runner.invoke(app, ["gauntlet", "--runs", "1", *options], env=WIDE)
    assert done.exit_code == 1
    assert told in plain(done.output)
    assert "Gauntlet" not in done.output
    assert "Go on?" not in done.output


@pytest.mark.parametrize(
    ("count", "told"),
    [
        (1, "Waiting for 1 run that has begun; Ctrl-C again drops it."),
        (3, "Waiting for 3 runs that have begun; Ctrl-C again drops them."),
    ],
)
def test_after_an_interrupt_what_is_waited_for_is_told(
    count: int, told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(settings: Settings, *, on_wait: OnWait, **more: Any) -> Results:
        on_wait(count)
        return Results(settings=settings, paths={}, stopped=True)

    monkeypatch.setattr(many, "benchmark", interrupted)
    done = runner.invoke(app, ["gauntlet"], env=WIDE)
    assert done.exit_code == 130
    assert told in done.output


def test_where_every_run_crashed_the_status_tells(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*args: Any, **more: Any) -> None:
        raise OSError("no process could be started")

    monkeypatch.setattr(Runner, "_graded", broken)
    done = runner.invoke(app, ["gauntlet", "--runs", "2", "--arms", "tier-one"], env=WIDE)
    assert done.exit_code == 1
    assert "Calibration (10-40 % pass): unknown" in plain(done.output)
    assert "2 crashed." in plain(done.output)


@pytest.fixture
def keyless(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (*KEYS, "GOOGLE_API_KEY", "KALIBR_BASE_URL", "KALIBR_API_KEY"):
        monkeypatch.delenv(name, raising=False)


def test_live_refuses_without_a_key(keyless: None) -> None:
    done = runner.invoke(app, ["gauntlet", "--live", "--yes"], env=WIDE)
    assert done.exit_code == 2
    assert "there is no key for any of gpt-4o-mini" in plain(done.output)
    done = runner.invoke(app, ["gauntlet", "--live", "--models", "claude-sonnet-4"], env=WIDE)
    assert done.exit_code == 2
    assert "ANTHROPIC_API_KEY" in done.output


def test_live_asks_before_it_spends(keyless: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """The model that is played here knows nothing of the task, and fails it in words."""
    with LoopbackProvider(quality=1.0) as upstream:
        monkeypatch.setenv("OPENAI_API_KEY", "sk-test")
        monkeypatch.setenv("OPENAI_BASE_URL", upstream.base_url)
        asked = ["gauntlet", "--live", "--runs", "1", "--models", "gpt-4o-mini"]
        refused = runner.invoke(app, asked, input="n\n", env=WIDE)
        assert refused.exit_code == 1
        assert "1 run on gpt-4o-mini: about $" in plain(refused.output)
        assert not upstream.requests()
        done = runner.invoke(app, [*asked, "--yes"], env=WIDE)
        assert done.exit_code == 0, done.output
        assert "real models" in plain(done.output)
        assert upstream.requests("gpt-4o-mini")


def test_the_estimate_names_models_whose_price_is_not_known() -> None:
    paths: list[dict[str, Any]] = [
        {"model": "gpt-4o", "input_usd_per_mtok": 2.5, "output_usd_per_mtok": 10.0},
        {"model": "nobody-knows-it", "base_url": "http://127.0.0.1:9/v1"},
    ]
    named = [dict(path, name=path["model"]) for path in paths]
    told = live.estimate(Settings(runs=10, arms=("kalibr", "gpt-4o")), named)
    assert "20 runs on gpt-4o, nobody-knows-it: about $" in told
    assert "not counting nobody-knows-it" in told
    told = live.estimate(Settings(runs=10), named[1:])
    assert told == (
        "10 runs on nobody-knows-it: cost unknown, there is no price for nobody-knows-it. Go on?"
    )
