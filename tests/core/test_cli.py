"""The command line prints names as they are."""

from __future__ import annotations

from pathlib import Path as FilePath

import pytest
from typer.testing import CliRunner

from kalibr_core import SQLiteLedger
from kalibr_core.cli import make_app
from kalibr_core.testing.ledger_checks import entry


def run(*arguments: object) -> str:
    done = CliRunner().invoke(make_app(), list(map(str, arguments)), catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.output


@pytest.mark.parametrize("name", ["[/x]", "[red]", "a[", "\\[b]", ":a:"])
def test_brackets_in_names_are_no_markup(name: str, tmp_path: FilePath) -> None:
    file = tmp_path / "[x].db"
    ledger = SQLiteLedger(file)
    assert "holds no outcomes yet" in run("status", "--ledger", file)
    ledger.append(entry("d", path=name)._replace(goal=name))
    ledger.close()
    told = run("status", "--ledger", file)
    assert f"{name}: " in told
    assert told.count(name) == 2
    assert repr(name) in run("explain", "d", "--ledger", file)


def test_a_ledger_with_odd_figures_is_shown(tmp_path: FilePath) -> None:
    file = tmp_path / "record.db"
    ledger = SQLiteLedger(file)
    odd = {"cost_usd": 10**400, "latency_s": "1", "basis": [["p", 1, False, [[1, 0, 0]]]]}
    ledger.append(entry("d", path="p")._replace(data={**odd, "rule": "leader", "chosen": "p"}))
    ledger.close()
    assert "unknown" in run("status", "--ledger", file)
    assert "cost unknown" in run("explain", "d", "--ledger", file)
