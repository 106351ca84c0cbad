"""What users give for an answer or for its decision: a text, an id, or the answer that holds both.

A Router's answers hold their decision themselves; those of the adapters hold its record.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from .errors import ConfigError
from .features import text_of
from .types import Decision

KEY = "kalibr"
"""Under which answers of the adapters hold their decision's record."""


class Named(NamedTuple):
    """A decision that somebody speaks of."""

    decision_id: str
    goal: str | None = None
    """None: unknown."""


def read_output(output: object) -> tuple[str, str | None]:
    """An answer's text, and the decision that it holds; None: it holds none.

    Args:
        output: a text, or what `Router.completion`, `ChatKalibr` or `KalibrLLM` gave.

    Raises:
        ConfigError: it is none of these.
    """
    if isinstance(output, str):
        return output, None
    found = named_in(output)
    if found is None:
        raise ConfigError(
            "output must be a text, or an answer that holds its decision, got "
            f"{type(output).__name__}"
        )
    choices = getattr(output, "choices", None)
    first = choices[0] if isinstance(choices, Sequence) and choices else output
    message = getattr(first, "message", first)
    return text_of(getattr(message, "content", None)), found.decision_id


def id_of(decision: object) -> object:
    """A decision's id, where an answer, a call's error or the decision itself is given for it.

    Anything else is given back: it is no decision's id, or a decision's.
    """
    if isinstance(decision, Decision):
        return decision.id
    found = None if isinstance(decision, str) else named_in(decision)
    return decision if found is None else found.decision_id


def named_in(answer: object) -> Named | None:
    """The decision of an answer that a Router, a `ChatKalibr` or a `KalibrLLM` gave; None: it holds
    none."""
    decision = getattr(answer, KEY, None)
    if isinstance(decision, Decision):
        return Named(decision.id, decision.goal)
    for place in ("response_metadata", "additional_kwargs"):
        held = getattr(answer, place, None)
        record = held.get(KEY) if isinstance(held, Mapping) else None
        found = record.get("decision_id") if isinstance(record, Mapping) else None
        if isinstance(record, Mapping) and isinstance(found, str):
            goal = record.get("goal")
            return Named(found, goal if isinstance(goal, str) else None)
    return None
