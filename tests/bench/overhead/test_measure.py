"""The whole measurement on few calls: what it holds, not how fast this machine is."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from typer.testing import CliRunner

from kalibr_bench.cli import app
from kalibr_bench.overhead.callers import BARE
from kalibr_bench.overhead.in_process import InProcess
from kalibr_bench.overhead.learners import OWN
from kalibr_bench.overhead.measure import Overhead, as_json
from kalibr_bench.overhead.over_http import Called
from kalibr_bench.overhead.peers import Failed
from kalibr_bench.overhead.policy_alone import BARS_S
from kalibr_bench.overhead.report import show
from kalibr_bench.overhead.state import KINDS
from kalibr_bench.overhead.timing import Ratio, times_of


def test_the_command_measures_and_writes(tmp_path: Path) -> None:
    file = tmp_path / "o.json"
    arguments = ["overhead", "--calls", "50", "--no-peers", "--json", str(file)]
    done = CliRunner().invoke(app, arguments)
    assert done.exit_code == 0, done.output
    assert done.output.index("ratio") < done.output.index("part")
    assert max(map(len, done.output.splitlines())) <= 80
    value = json.loads(file.read_text())
    assert value["format"] == 4
    assert value["versions"]["openai"]
    _check_calls(value)
    _check_policy(value)
    _check_framework(value["langchain"], "chat model", "ChatKalibr, 1 path")
    _check_framework(value["llama_index"], "LLM", "KalibrLLM, 1 path")


def _check_framework(value: dict[str, Any], bare: str, routed: str) -> None:
    for place in ("in_process", "over_http"):
        assert {bare, routed} <= set(value[place])
        assert all(row["times"]["p50"] > 0 for row in value[place].values())
        assert value[place][bare]["added"] == 0.0
    assert value["crowd"][bare]["value"] == 1.0
    assert value["crowd"][routed]["value"] > 0.1
    assert value["import_s"]["count"] > 1


def _check_calls(value: dict[str, Any]) -> None:
    assert list(value["http"]) == ["completion", "acompletion", "stream", "astream"]
    for rows in value["http"].values():
        assert list(rows) == ["kalibr", BARE]
        ratio = rows["kalibr"]["ratio"]
        assert ratio["low"] <= ratio["value"] <= ratio["high"]
        assert rows["kalibr"]["times"]["mean"] > 0
    parts = value["in_process"]["parts"]
    assert list(parts) == ["pull", "gate", "update", "append", "rest", "whole"]
    assert all(part["p50"] > 0 for part in parts.values())
    assert 0 < value["in_process"]["added"]["p50"] < 0.1


def _check_policy(value: dict[str, Any]) -> None:
    assert list(value["policy"]) == [str(size) for size in BARS_S]
    for rows in value["policy"].values():
        assert list(rows) == list(OWN)
        assert all(row[part]["mean"] > 0 for row in rows.values() for part in ("select", "update"))
    assert list(value["state"]) == list(KINDS)
    for size in value["state"].values():
        assert size["memory"]["most"] >= size["memory"]["mean"] > size["snapshot"]["mean"] > 0
    assert value["bars"] == {
        "policy_mean_s": {"3": 15e-6, "10": 27e-6, "100": 120e-6},
        "memory_bytes": 2048,
        "snapshot_bytes": 300,
    }


@pytest.mark.parametrize("calls", ["0", "49", "few"])
def test_too_few_calls_are_refused(calls: str) -> None:
    assert CliRunner().invoke(app, ["overhead", "--calls", calls]).exit_code == 2


def test_a_failed_peer_is_a_line_of_the_table_and_of_the_figures() -> None:
    found = _found({"LiteLLM Router": Failed(failed="APIConnectionError")})
    assert "LiteLLM Router failed: APIConnectionError (completion)" in _shown(found)
    assert as_json(found)["http"]["completion"]["LiteLLM Router"] == {
        "failed": "APIConnectionError"
    }


def test_what_fallbacks_add_is_said_where_it_is_known() -> None:
    row = _row(3.0)
    assert "with_fallbacks by the ChatOpenAI in it: 3.000" in _shown(
        _found({"with_fallbacks": row})
    )
    unknown = replace(row, own=None)
    assert "in it" not in _shown(_found({"with_fallbacks": unknown}))


def _row(ratio: float) -> Called:
    times = times_of([0.001])
    value = Ratio(value=ratio, low=ratio, high=ratio)
    return Called(ratio=value, own=value, times=times)


def _found(peers: dict[str, Called | Failed]) -> Overhead:
    times = times_of([0.001])
    http = {"completion": {"kalibr": _row(1.1), BARE: _row(1.0)} | peers}
    inside = InProcess(added=times, parts={"whole": times})
    return Overhead(http=http, in_process=inside, policy={}, state={})


def _shown(found: Overhead) -> str:
    console = Console(file=io.StringIO(), width=80)
    show(found, console)
    text = console.file.getvalue()  # type: ignore[attr-defined]
    assert max(map(len, text.splitlines())) <= 80
    return str(text)
