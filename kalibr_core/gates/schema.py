"""JSON that the request asked for: `response_format` and its schema."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING

from ..errors import ConfigError
from ..types import Verdict
from .json_text import parse
from .reasons import PASSED, Reason, failed

if TYPE_CHECKING:
    from jsonschema.protocols import Validator

LOG = logging.getLogger("kalibr")
REMOTE = re.compile(r'"\$ref": "(https?:[^"#]*)')
JSON_TYPES = ("json_object", "json_schema")


def wants_json(response_format: Mapping[str, object] | None) -> bool:
    """Does the request ask for JSON? Unknown types are the provider's business."""
    return response_format is not None and response_format.get("type") in JSON_TYPES


def schema_of(response_format: Mapping[str, object]) -> object:
    """The JSON schema in a `response_format`, in OpenAI's place or beside the type; else None."""
    inner = response_format.get("json_schema")
    if isinstance(inner, Mapping):
        return inner.get("schema")
    return response_format.get("schema")


def check_response_format(response_format: Mapping[str, object] | None) -> None:
    """Refuse a `response_format` whose schema cannot be used, before any call is made.

    Raises:
        ConfigError: the schema is not valid JSON Schema, points to another document, or
            `jsonschema` is not installed.
    """
    if response_format is None or not wants_json(response_format):
        return
    schema = schema_of(response_format)
    if schema is None and response_format["type"] == "json_schema":
        raise ConfigError(
            "response_format of type json_schema has no schema; put it into "
            '{"type": "json_schema", "json_schema": {"name": ..., "schema": {...}}}'
        )
    if schema is not None and not isinstance(schema, Mapping | bool):
        raise ConfigError(f"the JSON schema must be a dict, got {type(schema).__name__}")
    if schema is not None:
        validator_of(schema)


def validator_of(schema: object) -> Validator:
    """The validator of a schema, from a bounded cache keyed on the schema's content.

    Raises:
        ConfigError: as `check_response_format`.
    """
    try:
        key = json.dumps(schema)
    except (TypeError, ValueError, RecursionError) as error:
        raise ConfigError(
            f"the JSON schema cannot be written as JSON ({type(error).__name__}); "
            "give it as plain dicts, lists, strings and numbers"
        ) from error
    found = _validator(key)
    if isinstance(found, str):
        raise ConfigError(found)
    return found


@lru_cache(maxsize=128)
def _validator(key: str) -> Validator | str:
    """A validator, or what is wrong; a bad schema is not compiled again on every call."""
    try:
        from jsonschema import SchemaError
        from jsonschema.validators import Draft202012Validator, validator_for
        from referencing import Registry
    except ImportError:
        return "a JSON schema needs jsonschema: pip install jsonschema"
    schema = json.loads(key)
    kind = validator_for(schema, default=Draft202012Validator)
    try:
        kind.check_schema(schema)
    except SchemaError as error:
        return f"the JSON schema is invalid at {error.json_path}: {error.message}"
    except RecursionError:
        return "the JSON schema is nested too deeply; flatten it"
    if (away := REMOTE.search(key)) and f'"$id": "{away[1]}' not in key:
        return f"the JSON schema points to {away[1]!r}, which is not fetched; inline it"
    return kind(schema, registry=Registry())  # an empty registry fetches nothing from the net


def check_json(response_format: Mapping[str, object], text: str) -> Verdict:
    """Judge an answer that must be JSON as it stands.

    A markdown fence around it fails: the caller asked the provider for a JSON mode and will
    hand the text to a JSON parser.
    """
    parsed = parse(text)
    if not parsed.ok:
        return failed(Reason.TRUNCATED if parsed.cut else Reason.MALFORMED_JSON)
    if response_format["type"] == "json_object" and not isinstance(parsed.value, dict):
        return failed(Reason.SCHEMA, "$: not an object")
    schema = schema_of(response_format)
    return PASSED if schema is None else validate(parsed.value, schema, Reason.SCHEMA)


def validate(value: object, schema: object, reason: Reason) -> Verdict:
    """Judge a parsed value by a schema; a schema that cannot be used tells nothing."""
    try:
        error = next(validator_of(schema).iter_errors(value), None)  # type: ignore[arg-type]
    except Exception as trouble:  # noqa: BLE001 - a caller's schema meets a model's value
        _warn_once(f"{trouble}" if isinstance(trouble, ConfigError) else type(trouble).__name__)
        return Verdict(passed=None, reason=Reason.INVALID_SCHEMA)
    if error is None:
        return PASSED
    return failed(reason, "/".join(str(step) for step in error.absolute_schema_path))


@lru_cache(maxsize=128)
def _warn_once(trouble: str) -> None:
    """Schemas are the caller's own, so that a warning may quote them; values are not."""
    LOG.warning("gate 1 cannot use a JSON schema, its outputs go unchecked: %s", trouble)
