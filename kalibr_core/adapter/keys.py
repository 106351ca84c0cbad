"""Keys in what users list as paths: used, and shown nowhere."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from ..paths import Secret, parse_path
from ..types import Path

KEY_ENV = "KALIBR_API_KEY"
"""Where another process looks for a key that a path was given."""
HEADERS = ("extra_headers", "default_headers")
"""Parameters that may hold keys."""
BESIDE = ("extra_query", "extra_body")
LOGIN = re.compile(r"^(https?://)[^/?#]*@", re.IGNORECASE)
TELLING = re.compile(r"auth|key|token|secret|cookie|credential|passw", re.IGNORECASE)


def plain_headers(headers: Mapping[str, Any]) -> dict[str, Any]:
    """The headers that hold no key, by their names."""
    return {name: value for name, value in headers.items() if not TELLING.search(name)}


def without_login(url: str | None) -> str | None:
    """An address without the name and the password that may stand in it.

    >>> without_login("https://me:secret@gateway.example/v1")
    'https://gateway.example/v1'
    """
    return None if url is None else LOGIN.sub(r"\1", url)


def hidden(spec: Any) -> Any:
    """A path whose keys no repr shows."""
    if not isinstance(spec, Mapping):
        return spec
    shown = dict(spec)
    if isinstance(shown.get("api_key"), str):
        shown["api_key"] = Secret(shown["api_key"])
    params = shown.get("params")
    if isinstance(params, Mapping):
        shown["params"] = {
            name: _hidden_headers(value)
            if name in HEADERS and isinstance(value, Mapping)
            else value
            for name, value in params.items()
        }
    return shown


def _hidden_headers(headers: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: Secret(value) if isinstance(value, str) and TELLING.search(name) else value
        for name, value in headers.items()
    }


def unkeyed(spec: Any) -> Any:
    """A path as it may be shown: without its key, and without headers that hold one.

    Its id stays the same, under which it has learned.
    """
    if isinstance(spec, Path):
        default = Path(model=spec.model)
        said = vars_of(spec)
        spec = {k: v for k, v in said.items() if k == "model" or v != getattr(default, k)}
    if not isinstance(spec, Mapping):
        return spec
    shown = {name: value for name, value in spec.items() if name != "api_key"}
    if isinstance(shown.get("base_url"), str):
        shown["base_url"] = without_login(shown["base_url"])
    params = shown.get("params")
    if isinstance(params, Mapping) and (plain := plain_params(params)) != params:
        shown["name"] = parse_path(dict(spec)).id
        shown["params"] = plain
    return shown


def plain_params(params: Mapping[str, Any]) -> dict[str, Any]:
    """Parameters without the headers, and what else goes beside the body, that hold keys."""
    return {
        name: plain_headers(value)
        if name in HEADERS and isinstance(value, Mapping)
        else _unkeyed_texts(value)
        if name in BESIDE and isinstance(value, Mapping)
        else value
        for name, value in params.items()
    }


def _unkeyed_texts(values: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: value
        for name, value in values.items()
        if not (isinstance(value, str) and TELLING.search(name))
    }


def dumped(spec: Any) -> Any:
    """A path as LangChain dumps it: the key is the name of a secret."""
    shown = unkeyed(spec)
    if _has_own_server_key(spec):
        return {**shown, "api_key": {"lc": 1, "type": "secret", "id": [KEY_ENV]}}
    return shown


def portable_spec(spec: Any) -> Any:
    """A path as another process makes it: the key is in the environment there.

    A provider's is found under the provider's own name; another server's under `KEY_ENV`.
    """
    shown = unkeyed(spec)
    return {**shown, "api_key_env": KEY_ENV} if _has_own_server_key(spec) else shown


def _has_own_server_key(spec: Any) -> bool:
    """Was the key given for a server that no variable is known for?"""
    said = vars_of(spec)
    return (
        said.get("api_key") is not None
        and said.get("base_url") is not None
        and said.get("api_key_env") is None
    )


def vars_of(spec: Any) -> Mapping[str, Any]:
    """What a path says."""
    if isinstance(spec, Path):
        return {f.name: getattr(spec, f.name) for f in fields(Path) if f.init}
    return spec if isinstance(spec, Mapping) else {}
