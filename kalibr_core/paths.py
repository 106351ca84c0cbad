"""What users write as a path -> a checked `Path` with an id that is stable across processes."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import TypeAlias, TypeGuard

from .errors import ConfigError
from .types import INPUTS, JSON, Path

PathSpec: TypeAlias = "str | Mapping[str, object] | Path"

LONGEST_SUFFIX = 60
"""Longer params stand in an id as a hash."""

RESERVED = {
    "model": "a path's model is its own field",
    "messages": "messages belong to the call",
    "stream": "call router.stream(...) instead",
    "stream_options": "streams always ask for their usage",
    "api_key": "give the path api_key=",
    "base_url": "give the path base_url=",
    "timeout": "give the path timeout_s=",
    "max_retries": "the router owns the retries: max_attempts=",
    "tools": "tools belong to the call",
    "n": "several answers cannot be judged as one",
}

LARGEST = 1e9
"""Of any number that a user gives: seconds, tokens, USD."""

PRICES = ("input_usd_per_mtok", "output_usd_per_mtok", "cached_input_usd_per_mtok")
FIELDS = tuple(f.name for f in fields(Path) if f.init)


def parse_paths(specs: Sequence[PathSpec]) -> tuple[Path, ...]:
    """Check a Router's `paths`.

    Raises:
        ConfigError: none, two of the same id, or one that is not a path.
    """
    if isinstance(specs, str | Mapping | Path):
        raise ConfigError(f"paths must be a list, got {_show(specs)}; write paths=[...]")
    try:
        paths = tuple(parse_path(spec) for spec in specs)
    except TypeError as error:
        raise ConfigError(f"paths must be a list of paths, got {_show(specs)}") from error
    if not paths:
        raise ConfigError('paths is empty; name at least one model, such as paths=["gpt-4o-mini"]')
    seen: set[str] = set()
    for path in paths:
        if path.id in seen:
            raise ConfigError(
                f"two paths have the id {path.id!r}; drop one, or tell them apart with name="
            )
        seen.add(path.id)
    return paths


def parse_path(spec: PathSpec) -> Path:
    """One path from a model's name, a mapping of `Path`'s fields, or a `Path`.

    >>> parse_path("gpt-4o").id
    'gpt-4o'
    >>> parse_path({"model": "gpt-4o", "params": {"temperature": 0.2}}).id
    'gpt-4o?temperature=0.2'
    """
    if isinstance(spec, Path):
        return spec
    if isinstance(spec, str):
        return Path(model=spec)
    if not isinstance(spec, Mapping):
        raise ConfigError(f"a path is a model name, a dict or a Path, got {_show(spec)}")
    unknown = [key for key in spec if key not in FIELDS]
    if unknown:
        raise ConfigError(
            f"unknown path field {unknown[0]!r}; a path has {', '.join(FIELDS)}. "
            "What the provider is to be sent belongs into params={...}"
        )
    if "model" not in spec:
        raise ConfigError(
            f"a path needs a model; got only {', '.join(map(repr, spec)) or 'nothing'}"
        )
    return Path(**spec)  # type: ignore[arg-type]  # every value is checked by checked_id


def checked_id(path: Path) -> str:
    """Check a path's fields and make its id.

    Raises:
        ConfigError: says which field, which value, what to do.
    """
    _check_texts(path)
    _check_numbers(path)
    _check_flags(path)
    params, copied = _checked_params(path)
    object.__setattr__(path, "params", copied)  # a copy, since the id is made of it
    if path.api_key is not None:
        object.__setattr__(path, "api_key", Secret(path.api_key))
    if path.name is not None:
        return path.name
    return path.model + _server(path) + _suffix(params)


def _check_texts(path: Path) -> None:
    for name in ("model", "name", "provider", "base_url", "api_key", "api_key_env"):
        value = getattr(path, name)
        if value is None and name != "model":
            continue
        if not isinstance(value, str) or not value.strip():
            shown = "" if name == "api_key" else f", got {_show(value)}"
            raise ConfigError(f"a path's {name} must be a non-empty string{shown}")
        if not value.isprintable() and name != "api_key":
            raise ConfigError(f"a path's {name} holds characters that no name has, got {value!a}")
    if path.base_url is not None:
        check_base_url(path.base_url)


def check_base_url(url: object) -> None:
    """Check a server's address.

    Raises:
        ConfigError: it is none; a login in it is not shown.
    """
    from urllib.parse import urlsplit  # slow to import

    shown = url.rpartition("@")[2] if isinstance(url, str) else url
    try:
        if isinstance(url, str) and url.startswith(("http://", "https://")):
            parts = urlsplit(url)
            if parts.hostname and parts.port != 0:
                return
    except ValueError:
        shown = f"{shown} (no valid host or port)"
    raise ConfigError(
        f"base_url must start with http:// or https:// and name a host, got {shown!r}"
    )


def _check_numbers(path: Path) -> None:
    for name in PRICES:
        _check(path.model, name, getattr(path, name), least=0.0)
    for name in ("timeout_s", "first_token_s", "context_window"):
        _check(path.model, name, getattr(path, name), above=0.0)
    if (path.input_usd_per_mtok is None) != (path.output_usd_per_mtok is None):
        raise ConfigError(
            f"path {path.model!r} has only one of input_usd_per_mtok and output_usd_per_mtok; "
            "give both, or none to use the list price"
        )


def _check(
    model: str, name: str, value: object, *, least: float | None = None, above: float | None = None
) -> None:
    if value is None:
        return
    if not is_number(value):
        raise ConfigError(f"path {model!r}: {name} must be a finite number, got {_show(value)}")
    if (least is not None and value < least) or (above is not None and value <= above):
        bound = "negative" if least is not None else "zero or negative"
        raise ConfigError(f"path {model!r}: {name} must not be {bound}, got {value!r}")


def is_number(value: object) -> TypeGuard[float]:
    """A finite number that a computation can use: no bool, and not beyond any use.

    >>> is_number(1), is_number(True), is_number(float("nan")), is_number(10**400)
    (True, False, False, False)
    """
    return (
        isinstance(value, int | float)
        and not isinstance(value, bool)
        and -LARGEST <= value <= LARGEST
    )


def _check_flags(path: Path) -> None:
    for name in ("tools", *INPUTS):
        value = getattr(path, name)
        if value is not None and not isinstance(value, bool):
            raise ConfigError(
                f"path {path.model!r}: {name} says whether the path can take them: "
                f"True, False or None, got {_show(value)}"
            )


class Secret(str):
    """A key that is used as any string, and left out of reprs, pickles and `asdict`."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "'***'"

    def __reduce__(self) -> tuple[object, ...]:
        return type(None), ()

    def __deepcopy__(self, memo: dict[int, object]) -> None:
        return None


def _checked_params(path: Path) -> tuple[str, dict[str, JSON]]:
    """The params as the text that names the path, and what that text says."""
    if not isinstance(path.params, Mapping):
        raise ConfigError(f"path {path.model!r}: params must be a dict, got {_show(path.params)}")
    for key in path.params:
        if not isinstance(key, str):
            raise ConfigError(f"path {path.model!r}: params has the key {key!r}; keys are strings")
        if key in RESERVED:
            raise ConfigError(f"path {path.model!r}: params has {key!r}; {RESERVED[key]}")
    try:
        text = json.dumps(path.params, sort_keys=True, allow_nan=False, ensure_ascii=False)
        text.encode()  # a lone surrogate can be neither hashed nor sent
        return text, json.loads(text)
    except (TypeError, ValueError, RecursionError) as error:
        raise ConfigError(
            f"path {path.model!r}: params must be JSON values, since they are sent as JSON "
            f"and name the path: {error}"
        ) from error


def _server(path: Path) -> str:
    if path.base_url is None:
        return ""
    from urllib.parse import urlsplit  # slow to import

    url = urlsplit(path.base_url)
    return f"@{url.netloc.rpartition('@')[2]}{url.path.rstrip('/')}"


def _suffix(params: str) -> str:
    """`?temperature=0.2` for short plain values; a hash for others, which may hold secrets."""
    values: dict[str, object] = json.loads(params)
    if not values:
        return ""
    plain = all(not isinstance(v, list | dict | str) or len(str(v)) <= 12 for v in values.values())
    text = "?" + "&".join(
        f"{k}={v if isinstance(v, str) else json.dumps(v)}" for k, v in values.items()
    )
    if plain and len(text) <= LONGEST_SUFFIX and "headers" not in text:
        return text
    import hashlib  # slow to import

    return "#" + hashlib.sha256(params.encode()).hexdigest()[:8]


def _show(value: object) -> str:
    """A value for an error text: short, and never a secret's content."""
    if isinstance(value, Mapping):
        return f"{type(value).__name__} with {', '.join(map(repr, value)) or 'no keys'}"
    text = repr(value)
    return f"{text if len(text) <= 60 else text[:57] + '...'} ({type(value).__name__})"
