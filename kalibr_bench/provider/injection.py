"""Degradation: after the model has run, a good answer leaves as a bad one."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import Any

from kalibr_bench.provider.answer import Answer
from kalibr_bench.provider.draws import Draws
from kalibr_bench.provider.fault import check_range, check_rate

INJECTION_KINDS = ("empty", "error_text", "rate_limit_json", "refusal", "empty_values")
"""The five kinds of the resilience benchmark."""

_ERROR_TEXTS = (
    "Error 503: service unavailable. The upstream model did not respond, please try again later.",
    "Internal Server Error: an unexpected error occurred while processing your request.",
    "Error: upstream connect error or disconnect/reset before headers. reset reason: overflow",
)
_REFUSALS = (
    "I'm sorry, but I can't assist with that request.",
    "I apologize, but I am unable to help with this. As an AI language model, I can't process it.",
    "I can't help with that.",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Degradation:
    """A rule that spoils a model's answers.

    Attributes:
        model: Requested model; dated names and aliases that a client requests count as it, and the
            name on the answer plays no part.
        rate: Probability in [0, 1] that an answer is spoilt.
        kinds: The kinds to draw from, each equally likely.
        token: Only this API token's requests; None is everybody's.
        when: Only requests whose ``seed`` (0 if absent) is in [start, stop); None is always.
        billed: Tokens that ``usage`` reports: ``"executed"`` for those of the answer that the model
            had made, ``"sent"`` for those that leave.
    """

    model: str
    rate: float = 0.7
    kinds: tuple[str, ...] = INJECTION_KINDS
    token: str | None = None
    when: tuple[int, int] | None = None
    billed: str = "executed"

    def __post_init__(self) -> None:
        check_rate(self.rate)
        object.__setattr__(self, "kinds", tuple(self.kinds))
        unknown = [kind for kind in self.kinds if kind not in INJECTION_KINDS]
        if unknown or not self.kinds:
            raise ValueError(f"kinds must be of {INJECTION_KINDS}, got {self.kinds!r}")
        if self.billed not in ("executed", "sent"):
            raise ValueError(f"billed must be 'executed' or 'sent', got {self.billed!r}")
        object.__setattr__(self, "when", check_range(self.when))


def spoil(answer: Answer, kind: str, draws: Draws) -> Answer:
    """The answer that leaves in place of a good one; ``kind`` is of ``INJECTION_KINDS``."""
    if kind == "empty":
        return Answer(text="")
    if kind == "error_text":
        return Answer(text=error_text(draws))
    if kind == "rate_limit_json":
        return Answer(text=rate_limit_json())
    if kind == "refusal":
        return Answer(text=refusal_text(draws))
    return _emptied(answer)


def rate_limit_json() -> str:
    """A rate-limit error as content."""
    error = {
        "message": "Rate limit reached for requests per minute. Please retry after 20 seconds.",
        "type": "rate_limit_error",
        "code": "rate_limit_exceeded",
    }
    return json.dumps({"error": error})


def refusal_text(draws: Draws) -> str:
    """A refusal as content."""
    return draws.pick("refusal", _REFUSALS)


def error_text(draws: Draws) -> str:
    """A service error as content."""
    return draws.pick("error text", _ERROR_TEXTS)


def _emptied(answer: Answer) -> Answer:
    if answer.tool_calls:
        calls = tuple(replace(c, arguments=_hollow(c.arguments)) for c in answer.tool_calls)
        return replace(answer, tool_calls=calls)
    return replace(answer, text=_hollow(answer.text or ""), finish_reason="stop")


def _hollow(text: str) -> str:
    try:
        return json.dumps(_blank(json.loads(text)))
    except ValueError:
        return "```\n\n```" if "```" in text else "\n"


def _blank(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _blank(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return []
    if isinstance(value, str):
        return ""
    return None if value is None or isinstance(value, bool) else 0
