"""The library within a child: code out of field names runs guarded or not at all."""

from __future__ import annotations

from typing import Any

import pytest

from kalibr_bench.gauntlet.sandbox.inside.disarm import _reader
from kalibr_bench.gauntlet.sandbox.inside.names import Forbidden, Watch, namespace


def run(text: str) -> dict[str, Any]:
    space: dict[str, Any] = {"__builtins__": namespace(Watch(0), {})}
    kept: dict[str, Any] = {}
    _reader(Watch(0), space)(text, space, kept)
    return {**space, **kept}


@pytest.mark.parametrize(
    "text",
    [
        "x = print.__self__",
        "def f():\n    global float\n    float = 1",
        "import os",
        "class C: pass",
        "match 1:\n    case object(x): pass",
    ],
)
def test_generated_code_with_more_in_it_is_refused(text: str) -> None:
    with pytest.raises(Forbidden):
        run(text)


def test_generated_code_is_guarded_as_the_source_is() -> None:
    found = run("a = int.__class__\nb = (1).__class__")
    assert found["a"] is not type
    assert found["b"] is int


def test_generated_code_runs_in_the_submissions_names_alone() -> None:
    with pytest.raises(Forbidden):
        _reader(Watch(0), {})("x = 1", {"another": 1}, {})
