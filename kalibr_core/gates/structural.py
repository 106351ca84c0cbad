"""Gate 1: did the output meet the minimum bar for its task?

Looks at an answer's structure only, in microseconds, and passes it when in doubt: a good answer
that is refused costs a retry and charges a path that did nothing wrong.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from ..errors import ConfigError
from ..types import Output, Request, Verdict
from . import brackets, code, cut_prose, labels, prose, python_code
from .error_texts import is_error_json, is_error_text
from .finish import bad_ending
from .garbage import is_echo, is_garbage
from .json_text import Parsed, is_hollow, leaves, looks_like_json, parse_head, unfenced
from .non_answers import is_non_answer
from .predicate import PredicateGate
from .reasons import PASSED, Reason, failed
from .refusals import is_refusal
from .schema import check_json, check_response_format, schema_of, wants_json
from .tool_calls import check_tool_calls, is_written_call
from .visible import is_thinking_cut, visible

__all__ = ["TASKS", "PredicateGate", "Reason", "StructuralGate", "check_response_format"]


@dataclass(frozen=True, slots=True)
class StructuralGate:
    """The built-in check of one task.

    Args:
        task: one of `TASKS`.

    Raises:
        ConfigError: there is no such task.

    >>> StructuralGate("extraction").check(Request(), Output(text="a@b.co"))
    Verdict(passed=True, reason=None, detail=None)
    """

    task: str

    def __post_init__(self) -> None:
        if self.task not in CHECKS:
            raise ConfigError(f"unknown task {self.task!r}; the known ones are {', '.join(TASKS)}")

    def check(self, request: Request, output: Output) -> Verdict:
        """Judge one output; nothing that it may hold raises."""
        if output.refusal:
            return failed(Reason.REFUSAL)
        ending = bad_ending(request, output, self.task)
        if ending is not None:
            return failed(ending)
        if output.tool_calls:
            return check_tool_calls(request, output.tool_calls)
        return self._check_text(request, output.text or "")

    def _check_text(self, request: Request, raw: str) -> Verdict:
        text = visible(raw)
        if not text or text.strip(".…") == "":
            return failed(Reason.TRUNCATED if is_thinking_cut(raw) else Reason.EMPTY)
        if is_written_call(request, text):
            return failed(Reason.TOOL_CALL, "written as text")
        wanted = request.response_format
        if wanted is not None and wants_json(wanted):
            return _check_wanted_json(wanted, request, text, self.task)
        fault = _common_fault(request, text, self.task) or CHECKS[self.task](request, text)
        return PASSED if fault is None else failed(fault)


def _check_wanted_json(
    wanted: Mapping[str, object], request: Request, text: str, task: str
) -> Verdict:
    """JSON decides by itself; what is none may still be told apart as a refusal or an error."""
    verdict = check_json(wanted, text)
    if verdict.passed is True:
        value = parse_head(text).value
        fault = _json_fault(value, request, task, errors=not _names_error(schema_of(wanted)))
        return verdict if fault is None else failed(fault)
    if verdict.reason == Reason.MALFORMED_JSON:
        fault = _spoken_fault(request, text, task)
        return verdict if fault is None else failed(fault)
    if verdict.reason == Reason.SCHEMA and is_error_json(parse_head(text).value, request.prompt):
        return failed(Reason.ERROR_TEXT)
    return verdict


def _names_error(schema: object) -> bool:
    properties = schema.get("properties") if isinstance(schema, Mapping) else None
    return isinstance(properties, Mapping) and bool(
        {"error", "errors", "message"} & properties.keys()
    )


def _spoken_fault(request: Request, text: str, task: str) -> Reason | None:
    """What is said instead of an answer, in any task."""
    if is_error_text(text, request.prompt, task):
        return Reason.ERROR_TEXT
    if is_refusal(text, request.prompt):
        return Reason.REFUSAL
    if is_non_answer(text, request.prompt, task):
        return Reason.NON_ANSWER
    return None


def _common_fault(request: Request, text: str, task: str) -> Reason | None:
    fault = _spoken_fault(request, text, task)
    if fault is not None:
        return fault
    if is_garbage(text, request.prompt):
        return Reason.GARBAGE
    if is_echo(text, request.prompt, task):
        return Reason.ECHO
    return None


def _json_fault(value: object, request: Request, task: str, *, errors: bool) -> Reason | None:
    """JSON of the right form that holds an error, a refusal or nothing."""
    if errors and is_error_json(value, request.prompt):
        return Reason.ERROR_TEXT
    if not isinstance(value, dict | list):
        return None
    if task in HOLLOW_IS_EMPTY and is_hollow(value):
        return Reason.EMPTY
    longest = max((x for x in leaves(value) if isinstance(x, str)), key=len, default="")
    if task != "extraction" and len(longest) > 20 and is_refusal(longest, request.prompt):
        return Reason.REFUSAL
    return None


ASKS_JSON = re.compile(
    r"\b(?:returns?|respond|reply|answer|output|give|produce|provide|write|format\w*|extract\w*"
    r"|list|classify|label|antworte|gib|responde|renvoie|réponds)"
    r"\b[^.{}\n\"']{0,40}(?<!this )(?<!the )(?<!following )(?<!from )(?<!of )(?<!my )\bjson\b(?!"
    r" (?:schema|file|parser|below|above|string|or))"
    r"|\b(?:as|into|als|en|em|come) (?:a |an |valid |strict )*json\b|^json\b(?! (?:schema|file"
    r"|parser))|(?:返回|输出|以)json|jsonで|json(?:으로| 형식)",
    re.IGNORECASE,
)
SENTENCES = {"summarization": 2, "research": 2, "general": 3}
HOLLOW_IS_EMPTY = frozenset({"summarization", "research", "outreach_generation", "classification"})


def _check_json_like(request: Request, text: str, task: str) -> Reason | None:
    """A text that begins as JSON must be JSON."""
    inner = unfenced(text)
    if not looks_like_json(inner):
        return None
    parsed: Parsed = parse_head(inner)
    if not parsed.ok:
        return _broken(parsed, inner)
    return _json_fault(parsed.value, request, task, errors=True)


def _broken(parsed: Parsed, text: str) -> Reason | None:
    if parsed.cut:
        return Reason.TRUNCATED
    return Reason.MALFORMED_JSON


def _missing_json(request: Request, text: str) -> Reason | None:
    """Prose where the prompt asked for JSON in so many words."""
    if "{" in text or "[" in text or "json" not in request.prompt.casefold():
        return None
    if not ASKS_JSON.search(request.prompt[:4000]):
        return None
    return None if parse_head(text).ok else Reason.MALFORMED_JSON


def _check_prose(request: Request, text: str, task: str) -> Reason | None:
    fault = _check_json_like(request, text, task)
    if fault is not None:
        return fault
    if task != "general" and prose.is_shell(text, request.prompt):
        return Reason.EMPTY
    if prose.has_filler(text, request.prompt):
        return Reason.PLACEHOLDER
    is_cut = text.count("```") % 2 or cut_prose.is_cut(text, sentences=SENTENCES.get(task))
    return Reason.TRUNCATED if is_cut else None


def _check_general(request: Request, text: str) -> Reason | None:
    return _check_prose(request, text, "general")


def _check_summary(request: Request, text: str) -> Reason | None:
    return _check_prose(request, text, "summarization")


def _check_research(request: Request, text: str) -> Reason | None:
    return _check_prose(request, text, "research")


def _check_outreach(request: Request, text: str) -> Reason | None:
    if prose.has_blank(text, request.prompt):
        return Reason.PLACEHOLDER
    return _check_prose(request, text, "outreach_generation")


def _check_extraction(request: Request, text: str) -> Reason | None:
    return _check_json_like(request, text, "extraction") or _missing_json(request, text)


def _check_classification(request: Request, text: str) -> Reason | None:
    fault = _check_json_like(request, text, "classification")
    if fault is not None or looks_like_json(unfenced(text)):
        return fault
    if labels.is_undecided(text, request.prompt):
        return Reason.NON_ANSWER
    if not labels.is_label(text) or labels.is_foreign(text, request.prompt):
        return Reason.OFF_TASK
    return _missing_json(request, text)


def _check_code(request: Request, text: str) -> Reason | None:
    fenced = code.blocks(text)
    fault = _broken_code(request, text, fenced)
    if fault is not None:
        return fault
    if not code.has_code(text, fenced):
        return Reason.NO_CODE
    return Reason.PLACEHOLDER if code.is_stub(text, request.prompt) else None


def _broken_code(request: Request, text: str, fenced: list[code.Block]) -> Reason | None:
    python = python_code.python_source(text, fenced, request.prompt)
    is_python = python is not None
    if python is not None and not python_code.parses(python):
        return Reason.TRUNCATED if brackets.is_cut(python) else Reason.SYNTAX
    last = fenced[-1].source if fenced else text
    if not is_python and brackets.is_cut(last):
        return Reason.TRUNCATED
    if fenced and text.count("```") % 2 and not is_python:
        return Reason.TRUNCATED
    if looks_like_json(text) and (parsed := parse_head(text)).ok:
        return Reason.ERROR_TEXT if is_error_json(parsed.value, request.prompt) else None
    return None


CHECKS: Mapping[str, Callable[[Request, str], Reason | None]] = {
    "code_generation": _check_code,
    "research": _check_research,
    "outreach_generation": _check_outreach,
    "summarization": _check_summary,
    "classification": _check_classification,
    "extraction": _check_extraction,
    "general": _check_general,
}
TASKS: tuple[str, ...] = tuple(CHECKS)
