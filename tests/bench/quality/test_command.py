"""`kalibr bench quality` as users call it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from kalibr_bench.cli import app
from kalibr_bench.quality import command

runner = CliRunner()
SHORT = ["quality", "--calls", "100", "--policy", "kalibr, scores", "--sampling", "uniform"]


def test_a_short_run_prints_tables_and_writes_figures(tmp_path: Path) -> None:
    file = tmp_path / "q.json"
    done = runner.invoke(app, [*SHORT, "--runs", "2", "--seed", "40", "--json", str(file)])
    assert done.exit_code == 0, done.output
    assert "of the next 100 go to the best path" in done.output
    value = json.loads(file.read_text())
    assert [(arm["policy"], arm["sampling"]) for arm in value["arms"]] == [
        ("kalibr", "uniform"),
        ("scores", "uniform"),
    ]
    assert {one["seed"] for one in value["runs"]} == {40, 41}
    assert all(len(one["to_best"]) == 100 for one in value["runs"])


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--rate", "0"], "--rate"),
        (["--rate", "nan"], "--rate"),
        (["--sampling", "often"], "informative"),
        (["--policy", "magic"], "thompson"),
        (["--calls", "10"], "--calls"),
        (["--overhead", "--after", "soon"], "--after"),
        (["--overhead", "--after", "5,0"], "--after"),
        (["--overhead", "--after", "nan"], "--after"),
    ],
)
def test_bad_options_are_told(options: list[str], told: str) -> None:
    done = runner.invoke(app, ["quality", *options])
    assert done.exit_code == 2
    assert told in done.output


def test_some_of_keeps_the_known_order() -> None:
    assert command._some_of(("a", "b", "c"), "c, a", "--x") == ("a", "c")
    assert command._some_of(("a", "b"), "", "--x") == ("a", "b")
