"""The command line prints names as they are."""

from __future__ import annotations

import io
from pathlib import Path as FilePath

import pytest
from rich.console import Console
from typer.testing import CliRunner

from kalibr_core import SQLiteLedger
from kalibr_core.cli import COLUMNS, make_app, print_tables
from kalibr_core.status import GoalStatus, goal_status
from kalibr_core.testing.ledger_checks import entry
from kalibr_core.types import JSON, EvidenceKind


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
    odd: dict[str, JSON] = {
        "cost_usd": 10**400,
        "latency_s": "1",
        "basis": [["p", 1, False, [[1, 0, 0]]]],
    }
    ledger.append(entry("d", path="p")._replace(data={**odd, "rule": "leader", "chosen": "p"}))
    ledger.close()
    assert "unknown" in run("status", "--ledger", file)
    assert "cost unknown" in run("explain", "d", "--ledger", file)


PATHS = ("deepseek/deepseek-chat?temperature=0.2", "gpt-4o-mini")


def goal_of(*names: str) -> GoalStatus:
    """Paths that were scored, used, and down a while ago."""
    entries = [
        entry(f"{name}{number}", path=name, reward=0.0)._replace(
            data={"cost_usd": 0.001, "latency_s": 0.5, "failure": "quality"}
        )
        for name in names
        for number in range(30)
    ]
    told = [
        one._replace(id=f"{one.id}:{kind}", kind=kind, evidence=evidence, reward=0.5, data={})
        for one in entries
        for kind, evidence in (("judge", EvidenceKind.QUALITY), ("action", EvidenceKind.BEHAVIOUR))
    ]
    return goal_status("g", [*entries, *told])


def shown(goal: GoalStatus, width: int) -> list[str]:
    console = Console(width=width, file=io.StringIO())
    print_tables([goal], "record.db", console)
    assert isinstance(console.file, io.StringIO)
    return [line.rstrip() for line in console.file.getvalue().splitlines()]


def test_no_column_takes_the_paths_room() -> None:
    wide, narrow = shown(goal_of(*PATHS), 200), shown(goal_of(*PATHS), 80)
    assert wide[2].split() == ["path", *COLUMNS]
    assert narrow[2].split()[:4] == ["path", "success", "score", "users"]
    for lines in (wide, narrow):
        assert [name for name in PATHS if any(name in line for line in lines)] == list(PATHS)
    assert max(map(len, narrow)) <= 80
    for lines in (wide, narrow):
        legend = " ".join(lines[lines.index("", 4) :])
        named = [name for name in COLUMNS if f" {name}: " in legend]
        assert named == lines[2].split()[1:]


def test_a_long_path_goes_on_in_the_next_line() -> None:
    name = "a" * 60 + "z"
    lines = shown(goal_of(name), 80)
    assert sum(line.count("a" * 20) for line in lines) >= 2
    assert sum(line.count("z") for line in lines) == 1


def test_what_is_piped_has_no_width(tmp_path: FilePath) -> None:
    file = tmp_path / "record.db"
    ledger = SQLiteLedger(file)
    name = "m" * 300
    ledger.append(entry("d", path=name))
    ledger.close()
    lines = run("status", "--ledger", file).splitlines()
    assert any(name in line and "%" in line for line in lines)
    legend = next(at for at, line in enumerate(lines) if line.startswith("success: "))
    assert max(map(len, lines[legend:])) <= 100
