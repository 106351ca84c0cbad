"""Gate 1 on outputs that someone else wrote and labelled.

`heldout.jsonl` was written apart from the checks and is only ever counted: nobody who works on
the gate reads its rows, and a failure prints rates and ids, no text. Tune on `dev.jsonl`.
"""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest

from kalibr_core.gates.structural import TASKS, StructuralGate
from kalibr_core.types import Output, Request, ToolCall

FOLDER = Path(__file__).parent / "labelled"
MOST_GOOD_REJECTED = 0.02
MOST_BAD_ACCEPTED = 0.10


def _rows(name: str) -> list[dict]:
    with (FOLDER / f"{name}.jsonl").open(encoding="utf-8") as lines:
        return [json.loads(line) for line in lines if line.strip()]


def _is_rejected(row: dict) -> bool:
    said = row["output"]
    calls = tuple(
        ToolCall(name=call["name"], arguments=call["arguments"], id=call.get("id"))
        for call in said.get("tool_calls") or ()
    )
    output = Output(
        text=said.get("text") or "",
        tool_calls=calls,
        finish_reason=said.get("finish_reason"),
        refusal=said.get("refusal"),
    )
    request = Request(
        prompt=row.get("prompt") or "",
        tools=row.get("tools") or (),
        response_format=row.get("response_format"),
    )
    return StructuralGate(row["task"]).check(request, output).passed is False


def _report(rows: list[dict], wrong: list[dict], key: str) -> str:
    """Wrong of all, good and bad apart, per value of `key`."""
    total = Counter((row[key], row["good"]) for row in rows)
    missed = Counter((row[key], row["good"]) for row in wrong)
    lines = [f"{key:<22} good rejected   bad accepted"]
    for name in sorted({row[key] for row in rows}):
        good = f"{missed[name, True]}/{total[name, True]}"
        bad = f"{missed[name, False]}/{total[name, False]}"
        lines.append(f"{name:<22} {good:>13}   {bad:>12}")
    return "\n".join(lines)


@pytest.mark.parametrize("name", ["dev", "heldout"])
def test_few_good_outputs_are_rejected_and_few_bad_ones_accepted(name):
    rows = _rows(name)
    wrong = [row for row in rows if _is_rejected(row) == row["good"]]
    total = Counter(row["good"] for row in rows)
    missed = Counter(row["good"] for row in wrong)
    print(f"\n{name}: good rejected {missed[True]}/{total[True]}, ", end="")
    print(f"bad accepted {missed[False]}/{total[False]}")
    print(_report(rows, wrong, "task"))
    ids = ", ".join(row["id"] for row in wrong)
    explanation = f"{_report(rows, wrong, 'task')}\n{_report(rows, wrong, 'category')}\n{ids}"
    assert missed[True] <= MOST_GOOD_REJECTED * total[True], explanation
    assert missed[False] <= MOST_BAD_ACCEPTED * total[False], explanation


def test_the_heldout_set_is_large_and_wide():
    """At least 350 rows, every task with good and bad ones, 8 human, 6 programming languages."""
    rows = _rows("heldout")
    assert len(rows) >= 350
    assert {(row["task"], row["good"]) for row in rows} == {
        (task, good) for task in TASKS for good in (True, False)
    }
    assert len({row["language"] for row in rows if row["language"]}) >= 8
    assert len({row["programming_language"] for row in rows if row["programming_language"]}) >= 6
    assert len({row["id"] for row in rows}) == len(rows)


def test_the_two_sets_share_no_output():
    """A row in both would be a memorised one."""

    def outputs(name: str) -> set[tuple[str, str]]:
        said = ((row["prompt"], row["output"]["text"]) for row in _rows(name))
        return {pair for pair in said if len(pair[1] or "") > 40}

    assert not outputs("dev") & outputs("heldout"), "some long outputs are in both sets"
