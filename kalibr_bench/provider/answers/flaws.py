"""What a model gets wrong by itself, in the forms in which models do."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any

from kalibr_bench.provider.answer import Answer
from kalibr_bench.provider.draws import Draws
from kalibr_bench.provider.injection import refusal_text
from kalibr_bench.provider.tokens import tokens

JSON_FLAWS = ("broken_json", "missing_field", "wrong_types", "prose_around", "truncated")
TEXT_FLAWS = ("refusal", "truncated", "empty")
TOOL_FLAWS = ("broken_arguments", "missing_argument", "unknown_tool")


def flawed(answer: Answer, draws: Draws) -> tuple[Answer, str]:
    """A bad answer in place of a good one, and the name of its form."""
    if answer.tool_calls:
        form = draws.pick("flaw", TOOL_FLAWS)
        return _bad_calls(answer, form), form
    try:
        value = json.loads(answer.text or "")
    except ValueError:
        value = None
    if isinstance(value, dict) and value:
        form = draws.pick("flaw", JSON_FLAWS)
        return _JSON[form](value, answer.text or ""), form
    form = draws.pick("flaw", TEXT_FLAWS)
    return _bad_text(answer, form, draws), form


def _bad_calls(answer: Answer, form: str) -> Answer:
    first, *rest = answer.tool_calls
    if form == "unknown_tool":
        first = replace(first, name=f"{first.name}_v2")
    elif form == "missing_argument" and first.arguments != "{}":
        first = replace(first, arguments="{}")
    else:
        first = replace(first, arguments=first.arguments[:-1] + ",")
    return replace(answer, tool_calls=(first, *rest))


def _bad_text(answer: Answer, form: str, draws: Draws) -> Answer:
    if form == "refusal":
        return Answer(text=refusal_text(draws))
    if form == "empty":
        return Answer(text="")
    return _cut(answer.text or "")


def _cut(text: str) -> Answer:
    parts = tokens(text)
    return Answer(text="".join(parts[: max(len(parts) * 3 // 5, 1)]), finish_reason="length")


def _broken(value: dict[str, Any], text: str) -> Answer:
    """Single quotes and Python's words, as models write when they think of a dict."""
    return Answer(text=repr(value) + ",")


def _missing(value: dict[str, Any], text: str) -> Answer:
    return Answer(text=json.dumps(dict(list(value.items())[:-1]), ensure_ascii=False))


def _mistyped(value: dict[str, Any], text: str) -> Answer:
    wrong = {name: _wrong(inner) for name, inner in value.items()}
    return Answer(text=json.dumps(wrong, ensure_ascii=False))


def _wrong(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _wrong(inner) for name, inner in value.items()} or "none"
    if isinstance(value, list):
        return ", ".join(map(str, value))
    if isinstance(value, str):
        return [value]
    return "high"


def _chatty(value: dict[str, Any], text: str) -> Answer:
    """Talk around it, and a comment inside where the model got lazy."""
    lazy = text.rstrip("}") + " // ... and so on for the rest\n}"
    return Answer(
        text=f"Sure! Here is the analysis you asked for:\n\n```json\n{lazy}\n```\n\nHope it helps!"
    )


_JSON: Mapping[str, Callable[[dict[str, Any], str], Answer]] = MappingProxyType(
    {
        "broken_json": _broken,
        "missing_field": _missing,
        "wrong_types": _mistyped,
        "prose_around": _chatty,
        "truncated": lambda value, text: _cut(text),
    }
)
