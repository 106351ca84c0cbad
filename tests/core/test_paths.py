"""Path ids: stable across processes, telling apart what differs, and free of secrets."""

from __future__ import annotations

import subprocess
import sys

import pytest

from kalibr_core import Path
from kalibr_core.paths import parse_path, parse_paths

IDS: list[tuple[dict[str, object], str]] = [
    ({"model": "gpt-4o"}, "gpt-4o"),
    ({"model": "groq/llama-3.3-70b"}, "groq/llama-3.3-70b"),
    ({"model": "gpt-4o", "params": {"temperature": 0.2}}, "gpt-4o?temperature=0.2"),
    (
        {"model": "gpt-4o", "params": {"top_p": 1, "temperature": 0.2}},
        "gpt-4o?temperature=0.2&top_p=1",
    ),
    ({"model": "m", "base_url": "http://h:8000/v1/"}, "m@h:8000/v1"),
    ({"model": "m", "base_url": "http://u:pw@h/v1"}, "m@h/v1"),
    ({"model": "m", "name": "mine", "params": {"temperature": 0.2}}, "mine"),
    ({"model": "m", "api_key": "sk-12345678"}, "m"),
]


@pytest.mark.parametrize(("spec", "id_"), IDS)
def test_ids(spec: dict[str, object], id_: str) -> None:
    assert parse_path(spec).id == id_


def test_long_or_nested_params_stand_as_a_hash() -> None:
    long = parse_path({"model": "m", "params": {"stop": ["one", "two", "three"]}}).id
    assert long.startswith("m#")
    assert len(long) == len("m#") + 8
    secret = parse_path({"model": "m", "params": {"extra_headers": {"x-key": "hunter2"}}})
    assert "hunter2" not in secret.id


def test_the_order_of_params_does_not_matter() -> None:
    one = Path(model="m", params={"a": 1, "b": [1]})
    other = Path(model="m", params={"b": [1], "a": 1})
    assert one.id == other.id


def test_ids_are_the_same_in_another_process() -> None:
    code = (
        "from kalibr_core import Path;"
        "print(Path(model='m', params={'stop': ['a'], 'logit_bias': {'x': 1}}).id)"
    )
    ids = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": ":".join(sys.path)},
            capture_output=True,
            text=True,
            check=True,
            timeout=60,
        ).stdout
        for seed in ("1", "2")
    }
    assert ids == {Path(model="m", params={"stop": ["a"], "logit_bias": {"x": 1}}).id + "\n"}


def test_strings_dicts_and_paths_may_be_mixed() -> None:
    found = parse_paths(["a/x", {"model": "b/y"}, Path(model="c/z")])
    assert [p.model for p in found] == ["a/x", "b/y", "c/z"]
    assert [p.id for p in parse_paths(p for p in ["a", "b"])] == ["a", "b"]  # type: ignore[arg-type]
