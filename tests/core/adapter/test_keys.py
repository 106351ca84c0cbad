"""Keys in listed paths: used as any text, and shown nowhere."""

from __future__ import annotations

import copy
import json
import pickle
from collections.abc import Callable
from typing import Any

import pytest

from kalibr_core import Path
from kalibr_core.adapter.keys import (
    KEY_ENV,
    dumped,
    hidden,
    plain_headers,
    plain_params,
    portable_spec,
    unkeyed,
    vars_of,
)
from kalibr_core.paths import parse_path

KEY = "sk-secret-12345678"
HEADERS = ["authorization", "x-api-key", "X-Auth", "cookie", "My-Token", "client-secret",
           "x-credentials"]  # fmt: skip
SPECS: list[Any] = [
    {"model": "m", "api_key": KEY},
    Path(model="m", api_key=KEY),
    {"model": "m", "params": {"extra_headers": {"Authorization": KEY, "x-team": "blue"}}},
    {"model": "m", "params": {"default_headers": {"x-api-key": KEY}, "top_p": 1}},
    Path(model="m", params={"extra_headers": {"x-api-key": KEY}}, api_key=KEY),
    {"model": "m", "base_url": "http://host/v1", "api_key": KEY},
    Path(model="m", base_url="http://host/v1", api_key=KEY),
]
shows: list[Callable[[Any], Any]] = [unkeyed, portable_spec, dumped]
every_spec = pytest.mark.parametrize("spec", SPECS, ids=range(len(SPECS)))


@every_spec
@pytest.mark.parametrize("show", shows, ids=lambda show: show.__name__)
def test_what_is_shown_of_a_path_holds_no_key_and_is_json(spec: Any, show: Any) -> None:
    before = copy.copy(vars_of(spec))
    shown = show(spec)
    assert KEY not in json.dumps(shown)
    assert vars_of(spec) == before, "the user's own stays as it is"


@every_spec
def test_a_path_without_its_keys_has_the_same_id(spec: Any) -> None:
    shown = portable_spec(spec)
    assert parse_path({**shown}).id == (spec.id if isinstance(spec, Path) else parse_path(spec).id)


@every_spec
def test_a_hidden_key_is_used_and_not_shown(spec: Any) -> None:
    kept = hidden(spec)
    assert KEY not in repr(kept)
    if isinstance(kept, dict):
        assert kept == spec, "it is the same text"
        assert kept is not spec
        assert KEY.encode() not in pickle.dumps(kept)
        assert parse_path(kept).id == parse_path(spec).id


@pytest.mark.parametrize("spec", ["gpt-4o", 7, None, Path(model="m")])
def test_what_holds_no_key_is_left_as_it_is(spec: Any) -> None:
    assert hidden(spec) is spec


@pytest.mark.parametrize("name", HEADERS)
def test_headers_that_hold_keys_are_known_by_their_names(name: str) -> None:
    assert plain_headers({name: KEY, "x-team": "blue"}) == {"x-team": "blue"}
    given = {"extra_headers": {name: KEY}, "top_p": 0.5}
    assert plain_params(given) == {"extra_headers": {}, "top_p": 0.5}
    assert given["extra_headers"] == {name: KEY}


@pytest.mark.parametrize("params", [{"extra_headers": None}, {"extra_headers": "x"}, {}])
def test_headers_of_an_odd_type_are_left_to_who_takes_them(params: dict[str, Any]) -> None:
    assert plain_params(params) == params
    assert hidden({"model": "m", "params": params}) == {"model": "m", "params": params}


def test_another_servers_key_is_found_under_a_name() -> None:
    mine = {"model": "m", "base_url": "http://host/v1", "api_key": KEY}
    assert portable_spec(mine)["api_key_env"] == KEY_ENV
    assert dumped(mine)["api_key"] == {"lc": 1, "type": "secret", "id": [KEY_ENV]}


@pytest.mark.parametrize(
    "spec",
    [
        {"model": "m", "api_key": KEY},
        {"model": "m", "base_url": "http://host/v1"},
        {"model": "m", "base_url": "http://host/v1", "api_key_env": "MINE"},
        "m",
    ],
)
def test_no_name_is_made_up_where_one_is_known_or_none_is_needed(spec: Any) -> None:
    shown = portable_spec(spec)
    if isinstance(shown, dict):
        assert shown.get("api_key_env") in (None, "MINE")
        assert "api_key" not in dumped(spec)


def test_a_path_is_shown_by_what_differs_from_the_defaults() -> None:
    assert unkeyed(Path(model="m", timeout_s=3.0, api_key=KEY)) == {"model": "m", "timeout_s": 3.0}
