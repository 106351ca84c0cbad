"""Which ledger a Router writes to, and what becomes of one that cannot be used."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path as FilePath

import pytest

from kalibr_core import ConfigError, LedgerError, MemoryLedger, SQLiteLedger
from kalibr_core.ledger import default_location, open_ledger
from kalibr_core.testing import FixedGate, Scripted

from ..scene import Scene, named, warnings_of


def directory(file: FilePath) -> None:
    file.mkdir()


def under_a_file(file: FilePath) -> None:
    file.parent.rmdir()
    file.parent.write_text("a file where the folder should be")


def no_database(file: FilePath) -> None:
    file.write_bytes(b"this is no database at all" * 400)


def damaged(file: FilePath) -> None:
    SQLiteLedger(file).close()
    whole = bytearray(file.read_bytes())
    whole[100:2000] = b"\xff" * 1900
    file.write_bytes(whole)


def of_another_program(file: FilePath) -> None:
    db = sqlite3.connect(file)
    db.execute("CREATE TABLE customers (name TEXT)")
    db.close()


def of_a_newer_version(file: FilePath) -> None:
    SQLiteLedger(file).close()
    db = sqlite3.connect(file)
    db.execute("PRAGMA user_version = 99")
    db.close()


UNUSABLE = [directory, under_a_file, no_database, damaged, of_another_program, of_a_newer_version]
unusable = pytest.mark.parametrize("spoil", UNUSABLE, ids=lambda f: f.__name__)


@pytest.fixture
def file(tmp_path: FilePath) -> FilePath:
    folder = tmp_path / "folder"
    folder.mkdir()
    return folder / "kalibr.db"


@unusable
def test_by_name_an_unusable_file_costs_one_warning_and_calls_go_on(
    spoil: Callable[[FilePath], None], file: FilePath, caplog: pytest.LogCaptureFixture
) -> None:
    spoil(file)
    scene = Scene({"a": "good"}, ledger=str(file))
    for _ in range(5):
        assert scene.run().output.text == "good"
    scene.router.close()
    (warning,) = warnings_of(caplog)
    assert str(file) in warning or str(file.parent) in warning
    assert "Routing goes on" in warning


@unusable
def test_by_name_an_unusable_file_is_left_as_it_is(
    spoil: Callable[[FilePath], None], file: FilePath
) -> None:
    spoil(file)
    before = file.read_bytes() if file.is_file() else None
    open_ledger(str(file)).close()
    assert (file.read_bytes() if file.is_file() else None) == before


@unusable
def test_made_by_the_caller_an_unusable_file_is_an_error(
    spoil: Callable[[FilePath], None], file: FilePath
) -> None:
    spoil(file)
    with pytest.raises(LedgerError) as caught:
        SQLiteLedger(file)
    assert str(file) in str(caught.value) or str(file.parent) in str(caught.value)


def test_what_to_do_stands_in_the_errors(file: FilePath) -> None:
    of_a_newer_version(file)
    with pytest.raises(LedgerError, match=r"version 99.*newer kalibr-core.*Upgrade"):
        SQLiteLedger(file)
    file.unlink()
    of_another_program(file)
    with pytest.raises(LedgerError, match="another program; choose another file"):
        SQLiteLedger(file)
    file.unlink()
    no_database(file)
    with pytest.raises(LedgerError, match=r"no usable ledger.*Move it away"):
        SQLiteLedger(file)


def test_report_and_explain_work_from_memory(file: FilePath) -> None:
    directory(file)
    scene = Scene({"a": "good"}, ledger=str(file))
    decision = scene.run().decision
    assert scene.router.report(decision.id, success=False)
    assert "reported as a failure" in str(scene.router.explain(decision.id))


def test_the_default_is_a_file_in_the_working_directory(
    monkeypatch: pytest.MonkeyPatch, tmp_path: FilePath
) -> None:
    monkeypatch.delenv("KALIBR_LEDGER", raising=False)
    monkeypatch.chdir(tmp_path)
    assert default_location() == ".kalibr/kalibr.db"
    ledger = open_ledger(None)
    assert isinstance(ledger, SQLiteLedger)
    ledger.close()
    assert (tmp_path / ".kalibr" / "kalibr.db").exists()


def test_the_environment_names_another_place(
    monkeypatch: pytest.MonkeyPatch, tmp_path: FilePath
) -> None:
    monkeypatch.setenv("KALIBR_LEDGER", str(tmp_path / "other.db"))
    open_ledger(None).close()
    assert (tmp_path / "other.db").exists()
    monkeypatch.setenv("KALIBR_LEDGER", "memory")
    assert isinstance(open_ledger(None), MemoryLedger)


def test_a_home_directory_is_expanded(monkeypatch: pytest.MonkeyPatch, tmp_path: FilePath) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    open_ledger("~/deep/down/kalibr.db").close()
    assert (tmp_path / "deep" / "down" / "kalibr.db").exists()


def test_memory_is_memory() -> None:
    assert isinstance(open_ledger("memory"), MemoryLedger)


def test_a_ledger_is_taken_as_it_is() -> None:
    mine = MemoryLedger()
    assert open_ledger(mine) is mine


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (5, "must be a file, 'memory' or a Ledger, got int"),
        (object(), "got object"),
        (" ", "empty string"),
        ("postgresql://host/db", "PostgreSQL is not there yet"),
    ],
)
def test_what_is_no_ledger_is_a_config_error(value: object, text: str) -> None:
    with pytest.raises(ConfigError, match=text):
        open_ledger(value)  # type: ignore[arg-type]


def test_the_warning_comes_once_per_router(
    file: FilePath, caplog: pytest.LogCaptureFixture
) -> None:
    directory(file)
    for _ in range(2):
        Scene({"a": "good"}, ledger=str(file), paths=named("a"), gate=FixedGate()).run()
    assert len(warnings_of(caplog)) == 2
    assert Scripted({"a": "x"}).called == []
