"""Why gate 1 refused an output: short codes that are safe to record."""

from __future__ import annotations

import enum

from ..types import Verdict


class Reason(enum.StrEnum):
    """The codes of `Verdict.reason`; none holds any of the output's text."""

    EMPTY = "empty"
    """No text and no tool call, or an empty shell such as `{"summary": ""}`."""
    REFUSAL = "refusal"
    """The model declines, in its own words or in the provider's refusal field."""
    CONTENT_FILTER = "content_filter"
    """The provider's filter cut or withheld the answer."""
    TRUNCATED = "truncated"
    """The answer breaks off."""
    ERROR_TEXT = "error_text"
    """An error message, error JSON, error page or traceback in the place of an answer."""
    MALFORMED_JSON = "malformed_json"
    """JSON was asked for or begun, and it does not parse."""
    SCHEMA = "schema"
    """JSON that parses and breaks the request's schema; `detail` names the place."""
    INVALID_SCHEMA = "invalid_schema"
    """The request's own schema cannot be used: could not tell."""
    TOOL_CALL = "tool_call"
    """A call of an unknown tool, or with arguments that do not parse or validate."""
    NO_CODE = "no_code"
    """Code was asked for and there is none."""
    SYNTAX = "syntax"
    """Python that does not parse."""
    PLACEHOLDER = "placeholder"
    """Unfilled blanks: `[Name]`, `{{first_name}}`, `# your code here`, lorem ipsum."""
    NON_ANSWER = "non_answer"
    """Asks for what was given, announces an answer that never comes, or only states limits."""
    ECHO = "echo"
    """The prompt, given back."""
    GARBAGE = "garbage"
    """Loops of the same tokens, or characters that are no text."""
    OFF_TASK = "off_task"
    """An answer to something else, such as an essay where a label was asked for."""
    PREDICATE = "success_when"
    """The caller's own predicate said no."""
    PREDICATE_UNUSABLE = "success_when_unusable"
    """The caller's own predicate raised or gave no bool: could not tell."""


PASSED = Verdict(passed=True)


def failed(reason: Reason, detail: str | None = None) -> Verdict:
    return Verdict(passed=False, reason=reason, detail=detail)
