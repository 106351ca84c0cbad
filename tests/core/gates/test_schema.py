"""`response_format`: what is asked for must come, and a schema that cannot be used says so."""

from __future__ import annotations

import logging

import pytest

from kalibr_core.errors import ConfigError
from kalibr_core.gates.schema import check_response_format, validator_of
from kalibr_core.gates.structural import Reason, StructuralGate
from kalibr_core.types import Output, Request

PERSON = {
    "type": "object",
    "properties": {
        "name": {"type": "string"},
        "born": {"type": ["integer", "null"]},
        "roles": {"type": "array", "items": {"enum": ["author", "editor"]}},
    },
    "required": ["name", "born"],
    "additionalProperties": False,
}


def of(schema: object) -> dict[str, object]:
    return {"type": "json_schema", "json_schema": {"name": "x", "schema": schema}}


def check(text: str, response_format: dict[str, object], *, task: str = "extraction"):
    request = Request(prompt="Who?", response_format=response_format)
    return StructuralGate(task).check(request, Output(text=text))


def test_an_answer_that_keeps_to_its_schema_passes():
    assert check('{"name": "Uma", "born": null}', of(PERSON)).passed is True
    assert check(' {"name": "Uma", "born": 3, "roles": ["editor"]}\n', of(PERSON)).passed is True


@pytest.mark.parametrize(
    ("text", "detail"),
    [
        ('{"name": "Uma"}', "required"),
        ('{"name": 3, "born": 1}', "properties/name/type"),
        ('{"name": "x", "born": 1, "roles": ["cook"]}', "properties/roles/items/enum"),
        ('{"name": "x", "born": 1, "secret": 1}', "additionalProperties"),
        ("[]", "type"),
    ],
)
def test_a_broken_schema_is_refused_and_its_place_named_without_the_value(text, detail):
    verdict = check(text, of(PERSON))
    assert (verdict.passed, verdict.reason) == (False, Reason.SCHEMA)
    assert verdict.detail == detail


@pytest.mark.parametrize("text", ['"negative"', "true", "[1]", "null"])
def test_json_object_means_an_object(text):
    assert check(text, {"type": "json_object"}).reason == Reason.SCHEMA


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("A spider has eight legs.", Reason.MALFORMED_JSON),
        ('{"legs": 8', Reason.TRUNCATED),
        ("I'm sorry, but I can't share that.", Reason.REFUSAL),
        ("502 Bad Gateway", Reason.ERROR_TEXT),
        ('{"error": {"message": "Overloaded", "type": "x"}}', Reason.ERROR_TEXT),
    ],
)
def test_what_came_instead_of_json_is_told_apart(text, reason):
    assert check(text, {"type": "json_object"}).reason == reason


def test_a_fence_around_the_json_fails_because_the_caller_will_parse_the_text():
    assert check('```json\n{"a": 1}\n```', {"type": "json_object"}).passed is False


def test_an_error_field_that_the_schema_asks_for_is_no_error():
    schema = {"type": "object", "properties": {"error": {"type": "string"}}}
    assert check('{"error": "disk full"}', of(schema)).passed is True


def test_other_response_formats_are_the_providers_business():
    check_response_format(None)
    check_response_format({"type": "text"})
    check_response_format({"type": "grammar", "grammar": "root ::= x"})
    assert check("plain", {"type": "text"}).passed is True


def test_a_schema_beside_the_type_counts_too():
    wanted = {"type": "json_object", "schema": PERSON}
    assert check('{"name": 3, "born": 1}', wanted).reason == Reason.SCHEMA


@pytest.mark.parametrize(
    ("response_format", "match"),
    [
        (of({"type": "objekt"}), "invalid"),
        (of({"type": "object", "properties": []}), "invalid"),
        (of({"$ref": "https://example.org/person.json"}), "not fetched"),
        (of({"enum": [{1, 2}]}), "plain dicts"),
        ({"type": "json_schema"}, "no schema"),
        ({"type": "json_schema", "json_schema": {"name": "x"}}, "no schema"),
    ],
)
def test_a_schema_that_cannot_be_used_is_refused_early(response_format, match):
    with pytest.raises(ConfigError, match=match):
        check_response_format(response_format)


@pytest.mark.parametrize(
    "schema", [{"type": "objekt"}, {"$ref": "#/nowhere"}, {"pattern": "("}, {"$ref": "#"}]
)
def test_a_schema_that_cannot_be_used_later_tells_nothing_and_logs_once(schema, caplog):
    from kalibr_core.gates import schema as module

    module._warn_once.cache_clear()
    with caplog.at_level(logging.WARNING, "kalibr"):
        verdicts = {check('"secret text"', of(schema)) for _ in range(3)}
    assert {(v.passed, v.reason) for v in verdicts} == {(None, Reason.INVALID_SCHEMA)}
    assert len(caplog.records) == 1
    assert "secret" not in caplog.text


def test_references_inside_the_schema_are_followed():
    schema = {"$defs": {"n": {"type": "integer"}}, "type": "array", "items": {"$ref": "#/$defs/n"}}
    assert check("[1, 2]", of(schema)).passed is True
    assert check('[1, "2"]', of(schema)).reason == Reason.SCHEMA


def test_a_validator_is_made_once_per_content_and_not_by_identity():
    assert validator_of(dict(PERSON)) is validator_of(dict(PERSON))
    changed = {"type": "string"}
    before = validator_of(changed)
    changed["type"] = "integer"
    assert validator_of(changed) is not before


def test_nothing_is_fetched_from_the_net(monkeypatch):
    asked: list[object] = []
    monkeypatch.setattr("urllib.request.urlopen", lambda *args, **_: asked.append(args))
    schema = {"$id": "https://example.org/", "$ref": "person.json"}
    assert check('{"name": 3}', of(schema)).passed is None
    assert not asked


@pytest.mark.parametrize("schema", [7, "object", ["object"]])
def test_a_schema_that_is_no_dict_is_told(schema: object) -> None:
    wanted = {"type": "json_schema", "json_schema": {"name": "x", "schema": schema}}
    with pytest.raises(ConfigError, match="the JSON schema must be a dict, got"):
        check_response_format(wanted)
