"""Path ids: stable across processes, telling apart what differs, and free of secrets."""

from __future__ import annotations

import copy
import pickle
import subprocess
import sys
from dataclasses import asdict, replace

import pytest

from kalibr_core import ConfigError, Path
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


@pytest.mark.parametrize("params", [{"user": "\ud800"}, {"\ud800": 1}, {"seed": 10**5000}])
def test_params_that_cannot_be_sent_are_told_when_the_path_is_made(
    params: dict[str, object],
) -> None:
    with pytest.raises(ConfigError, match="JSON"):
        parse_path({"model": "m", "params": params})


def test_a_key_stays_in_the_process() -> None:
    path = Path(model="m", api_key="sk-12345678", params={"extra_headers": {"x": "hunter2"}})
    assert path.api_key == "sk-12345678"
    assert f"Bearer {path.api_key}" == "Bearer sk-12345678"
    assert "hunter2" not in repr(path)
    assert "sk-1234" not in repr(path) + repr(path.api_key)
    for protocol in range(2, pickle.HIGHEST_PROTOCOL + 1):
        text = pickle.dumps(path, protocol)
        assert b"sk-1234" not in text
        other = pickle.loads(text)
        assert (other.id, other.params, other.api_key) == (path.id, path.params, None)
    assert "sk-1234" not in str(asdict(path))
    assert asdict(path)["api_key"] is None


def test_a_copy_within_the_process_keeps_its_key() -> None:
    path = Path(model="m", api_key="sk-12345678")
    for other in (copy.copy(path), *copy.deepcopy([path]), replace(path, timeout_s=1.0)):
        assert other.api_key == "sk-12345678"
