"""What the provider says about an answer's end counts before any text."""

from __future__ import annotations

import pytest

from kalibr_core.gates.structural import Reason, StructuralGate
from kalibr_core.types import Output, Request


@pytest.mark.parametrize(
    ("ending", "reason"),
    [
        ("length", Reason.TRUNCATED),
        ("max_tokens", Reason.TRUNCATED),
        ("MAX_TOKENS", Reason.TRUNCATED),
        ("FinishReason.MAX_TOKENS", Reason.TRUNCATED),
        ("content_filter", Reason.CONTENT_FILTER),
        ("SAFETY", Reason.CONTENT_FILTER),
        ("refusal", Reason.REFUSAL),
        ("error", Reason.ERROR_TEXT),
        ("MALFORMED_FUNCTION_CALL", Reason.TOOL_CALL),
    ],
)
def test_a_bad_ending_fails_however_good_the_text_looks(ending, reason):
    output = Output(text='{"a": 1}', finish_reason=ending)
    for response_format in (None, {"type": "json_object"}):
        request = Request(response_format=response_format)
        assert StructuralGate("extraction").check(request, output).reason == reason


def test_a_label_of_one_token_ends_by_length_on_purpose():
    output = Output(text="positive", finish_reason="length")
    gate = StructuralGate("classification")
    assert gate.check(Request(max_output_tokens=1), output).passed is True
    assert gate.check(Request(max_output_tokens=100), output).reason == Reason.TRUNCATED
    assert gate.check(Request(), output).reason == Reason.TRUNCATED


@pytest.mark.parametrize("task", ["general", "summarization", "code_generation"])
def test_so_does_a_text_of_a_few_tokens_but_no_json(task):
    output = Output(text="The tides of the", finish_reason="length")
    gate = StructuralGate(task)
    assert gate.check(Request(max_output_tokens=32), output).reason != Reason.TRUNCATED
    assert gate.check(Request(max_output_tokens=33), output).reason == Reason.TRUNCATED
    json = Request(max_output_tokens=32, response_format={"type": "json_object"})
    assert gate.check(json, output).reason == Reason.TRUNCATED
