"""JSON in an answer: parsed, cut, malformed, hollow; never an exception."""

from __future__ import annotations

import pytest

from kalibr_core.gates.json_text import (
    is_hollow,
    leaves,
    looks_like_json,
    parse,
    parse_head,
    unfenced,
)


@pytest.mark.parametrize("text", ['{"a": "b', '{"a": [1, 2', '{"a":', "[", '{"a": 1'])
def test_json_that_ends_too_early_is_cut(text):
    parsed = parse(text)
    assert not parsed.ok
    assert parsed.cut


@pytest.mark.parametrize("text", ["{'a': 1}", '{"a": 1,}', "{a: 1}", '{"a": 1} x', "text"])
def test_other_faults_are_no_cut(text):
    parsed = parse(text)
    assert not parsed.ok
    assert not parsed.cut


@pytest.mark.parametrize("text", ["[" * 100_000, '{"a":' * 100_000, "1" * 100_000, "\ud800", "\0"])
def test_nothing_raises(text):
    assert not parse(text).ok
    assert not parse_head(text).ok


def test_a_remark_may_follow_the_first_value():
    assert parse_head('{"a": 1}\nThat is all.').value == {"a": 1}


@pytest.mark.parametrize("text", ["[1] Smith", "[Note] x", "{name}", "[a](b)", "[12:30] hi", "x"])
def test_brackets_of_prose_do_not_look_like_json(text):
    assert not looks_like_json(text)


@pytest.mark.parametrize("text", ['{"a"', "{'a'", "[{", '["a"', "[]", "{}", "[1, 2", '{\n  "a'])
def test_begun_json_looks_like_json(text):
    assert looks_like_json(text)


def test_a_fence_is_taken_off_closed_or_not():
    assert unfenced('```json\n{"a": 1}\n```') == '{"a": 1}'
    assert unfenced('```\n{"a": 1}') == '{"a": 1}'
    assert unfenced("plain") == "plain"


def test_hollow_means_empty_strings_all_the_way_down():
    assert is_hollow({"a": "", "b": [" "], "c": {}})
    assert not is_hollow({"a": "", "b": 0})
    assert not is_hollow({"a": None})


def test_leaves_of_a_huge_value_are_bounded():
    assert len(list(leaves([[0] * 1000] * 1000))) <= 300
