"""The whole measurement on few calls: what it holds, not how fast this machine is."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from kalibr_bench.cli import app
from kalibr_bench.overhead.policy_alone import SIZES


def test_the_command_measures_and_writes(tmp_path: Path) -> None:
    file = tmp_path / "o.json"
    done = CliRunner().invoke(app, ["overhead", "--calls", "80", "--json", str(file)])
    assert done.exit_code == 0, done.output
    assert done.output.index("ratio") < done.output.index("part")
    assert max(map(len, done.output.splitlines())) <= 80
    value = json.loads(file.read_text())
    assert list(value["http"]) == ["completion", "acompletion", "stream", "astream"]
    for times in value["http"].values():
        assert times["ratio"]["low"] <= times["ratio"]["value"] <= times["ratio"]["high"]
        assert times["routed"]["value"] > 0
    parts = value["in_process"]["parts"]
    assert list(parts) == ["pull", "gate", "update", "append", "rest", "whole"]
    assert all(part["value"] > 0 for part in parts.values())
    assert 0 < value["in_process"]["added"]["value"] < 0.1
    assert list(value["policy"]) == [str(size) for size in SIZES]


@pytest.mark.parametrize("calls", ["0", "49", "few"])
def test_too_few_calls_are_refused(calls: str) -> None:
    assert CliRunner().invoke(app, ["overhead", "--calls", calls]).exit_code == 2
