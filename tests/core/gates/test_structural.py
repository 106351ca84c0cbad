"""Gate 1 as a whole: its tasks, what every task refuses and lets pass, and that nothing raises."""

from __future__ import annotations

import subprocess
import sys
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kalibr_core.errors import ConfigError
from kalibr_core.gates.structural import TASKS, Reason, StructuralGate
from kalibr_core.types import Output, Request, ToolCall, Verdict

PROMPT = "Explain how large cities plan their public transport networks, in detail."
PROSE_TASKS = ("research", "summarization", "outreach_generation")
TOOL = {"type": "function", "function": {"name": "look_up", "parameters": {"type": "object"}}}


def check(task: str, text: str, *, prompt: str = PROMPT, **request) -> Verdict:
    output = Output(text=text, finish_reason="stop")
    return StructuralGate(task).check(Request(prompt=prompt, **request), output)


def test_the_tasks_are_these():
    assert set(TASKS) == {
        "code_generation",
        "research",
        "outreach_generation",
        "summarization",
        "classification",
        "extraction",
        "general",
    }


def test_an_unknown_task_is_refused_with_the_known_ones_named():
    with pytest.raises(ConfigError, match=r"'poetry'.*code_generation.*general"):
        StructuralGate("poetry")


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("text", ["", " \n\t", "\u200b\ufeff", "...", "…"])
def test_nothing_to_see_is_empty(task, text):
    assert check(task, text).reason == Reason.EMPTY


@pytest.mark.parametrize("task", TASKS)
def test_a_refusal_field_refuses_whatever_the_text_says(task):
    output = Output(text="Fine.", refusal="I'm sorry, I cannot assist with that.")
    assert StructuralGate(task).check(Request(), output).reason == Reason.REFUSAL


@pytest.mark.parametrize("task", TASKS)
def test_a_valid_tool_call_is_an_answer_to_every_task(task):
    output = Output(text="", tool_calls=(ToolCall(name="look_up", arguments="{}"),))
    assert StructuralGate(task).check(Request(tools=[TOOL]), output).passed is True


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("I'm sorry, but I can't assist with that.", Reason.REFUSAL),
        ("502 Bad Gateway", Reason.ERROR_TEXT),
        ('{"error": {"message": "Overloaded", "type": "overloaded_error"}}', Reason.ERROR_TEXT),
        ("the bus the bus " * 40, Reason.GARBAGE),
        ("Could you please provide the text that you want me to use?", Reason.NON_ANSWER),
        (PROMPT, Reason.ECHO),
        ("\ufffd\ufffd\ufffd\ufffd\ufffd ok \ufffd\ufffd\ufffd\ufffd", Reason.GARBAGE),
    ],
)
def test_what_answers_no_task_is_refused_in_every_task(task, text, reason):
    prompt = PROMPT + "\nText: buses, trams and trains." if reason != Reason.ECHO else PROMPT + ":"
    text = prompt if reason == Reason.ECHO else text
    if (task, reason) == ("outreach_generation", Reason.NON_ANSWER):
        prompt = "Write a mail to Dana at Acme about our new analytics tool, which is named Lumo."
    verdict = check(task, text, prompt=prompt)
    assert verdict.passed is False
    assert verdict.reason == reason


@pytest.mark.parametrize(
    ("task", "text"),
    [
        ("general", "Paris."),
        ("general", "42"),
        ("general", "😀"),
        ("general", "好的"),
        ("general", "no"),
        ("extraction", "a@b.co"),
        ("extraction", '{"a":1}'),
        ("extraction", "[]"),
        ("extraction", "null"),
        ("extraction", "There is no email address in the text."),
        ("classification", "spam"),
        ("classification", "error"),
        ("research", "Saturn"),
        ("research", "They model demand first, then draw lines to fit it"),
        ("summarization", "旧桥五月起关闭两年。"),
        ("outreach_generation", "您好，Dana，\nLumo可以帮您分析数据。\nKim"),
        ("code_generation", "ls -la"),
    ],
)
def test_good_short_answers_pass(task, text):
    assert check(task, text).passed is True


@pytest.mark.parametrize("ending", ["end_turn", "stop", "STOP", "stop_sequence", "eos", None])
def test_good_endings_of_all_providers_pass(ending):
    output = Output(text="Paris.", finish_reason=ending)
    assert StructuralGate("general").check(Request(prompt=PROMPT), output).passed is True


@pytest.mark.parametrize("task", PROSE_TASKS)
@pytest.mark.parametrize("text", ["N/A", "null", "TODO: write it", "[Your text here]", "Summary:"])
def test_a_name_for_what_should_be_there_is_no_prose(task, text):
    assert check(task, text).passed is False


@pytest.mark.parametrize("task", [*PROSE_TASKS, "classification"])
def test_json_of_empty_strings_is_empty_where_text_is_wanted(task):
    assert check(task, '{"summary": "", "points": [""]}').reason == Reason.EMPTY


def test_json_of_empty_strings_may_be_all_there_is_to_extract():
    assert check("extraction", '{"name": "", "emails": []}').passed is True


def test_a_refusal_inside_json_is_a_refusal():
    text = '{"summary": "I\'m sorry, but I cannot assist with that request."}'
    assert check("summarization", text).reason == Reason.REFUSAL


def test_json_that_the_prompt_asks_for_is_missed():
    prompt = "Return a JSON object with the cities in: Rome, Bari"
    assert check("extraction", "The cities are Rome and Bari.", prompt=prompt).passed is False
    assert check("extraction", '{"cities": ["Rome", "Bari"]}', prompt=prompt).passed is True


def test_json_in_the_prompt_is_no_request_for_json():
    prompt = 'Extract the name from this JSON: {"name": "Bob"}'
    assert check("extraction", "Bob", prompt=prompt).passed is True


def test_jsonl_and_remarks_after_json_pass():
    assert check("extraction", '{"a": 1}\n{"a": 2}').passed is True
    assert check("extraction", '{"a": 1}\n\nThe second line holds no value.').passed is True


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ('{"emails": ["a@b.co", "c@', Reason.TRUNCATED),
        ('{"emails": ["a@b.co",]}', Reason.MALFORMED_JSON),
        ("{'emails': ['a@b.co']}", Reason.MALFORMED_JSON),
        ('```json\n{"emails": ["a@b.co"\n```', Reason.TRUNCATED),
    ],
)
def test_what_begins_as_json_must_be_json(text, reason):
    assert check("extraction", text).reason == reason


@pytest.mark.parametrize("text", ["[1] Smith 2020", "[Note] see below", "{name} is a variable"])
def test_brackets_alone_are_not_json(text):
    assert check("extraction", text).passed is True


def test_reasoning_is_not_part_of_the_answer():
    assert check("general", "<think>hm</think>Paris.").passed is True
    assert check("general", "<think>hm</think>").reason == Reason.EMPTY
    assert check("general", "<think>The user wants").reason == Reason.TRUNCATED


def test_a_verdict_never_quotes_the_output():
    secret = "xyzzy"
    for text in (f"502 Bad Gateway {secret}", f'{{"{secret}": ', f"[{secret} Name]"):
        for task in TASKS:
            assert secret not in repr(check(task, text))


@pytest.mark.parametrize("task", TASKS)
@given(text=st.text(st.characters(codec=None), max_size=400), prompt=st.text(max_size=100))
@settings(max_examples=60, deadline=None)
def test_no_text_makes_it_raise(task, text, prompt):
    assert check(task, text, prompt=prompt).passed in (True, False)


FRAGMENTS = [
    *("```python\n", "```", "{", "}", "[", "]", '"', "'", "\\", "\n", "(", "def f", ":", "\0"),
    *("\ud800", "I can't ", "sorry ", "Error: ", "<think>", "</think>", "lorem ipsum", "[Name]"),
    *("的", "。", "1. ", "- ", "**", "|", "a b c ", '{"a": ', "不能", "não ", "нет ", "नहीं "),
]


@pytest.mark.parametrize("task", TASKS)
@given(parts=st.lists(st.sampled_from(FRAGMENTS), max_size=30))
@settings(max_examples=120, deadline=None)
def test_no_mixture_of_marks_makes_it_raise(task, parts):
    prompt = "Return JSON: " + "".join(parts[:3])
    assert check(task, "".join(parts), prompt=prompt).passed in (True, False)


HUGE = [
    "[",
    '{"a":',
    "(",
    "```\n",
    "\n",
    "a",
    "I can't ",
    "<",
    '"',
    "无",
    "the of ",
    "- ",
    "\\",
    "-",
]


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("unit", HUGE)
def test_a_huge_output_of_any_shape_is_judged_at_once(task, unit):
    """By construction 1 MB takes a few ms of processor time, which a busy machine leaves alone."""
    gate, request = StructuralGate(task), Request(prompt=PROMPT, tools=[TOOL])
    for text in (unit * (1_000_000 // len(unit)), "```python\n" + unit * (20_000 // len(unit))):
        began = time.thread_time()
        gate.check(request, Output(text=text))
        assert time.thread_time() - began < 1.0


def test_importing_the_gate_loads_no_library():
    code = (
        "import sys, kalibr_core.gates.structural\n"
        "heavy = {'jsonschema', 'pydantic', 'openai', 'ast', 'referencing'} & set(sys.modules)\n"
        "sys.exit(str(heavy) if heavy - {'ast'} else 0)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
