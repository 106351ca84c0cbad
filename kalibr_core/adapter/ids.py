"""Which decision an answer came from, as users name it: by the answer, or by the decision's id."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

from ..errors import ConfigError
from ..types import Decision
from .records import KEY

ID = re.compile(r"[!-~]{1,64}")
"""What may be a decision's id: no spaces, nothing long. An answer's text is seldom so."""


class Named(NamedTuple):
    """A decision that somebody speaks of."""

    decision_id: str
    goal: str | None = None
    """None: unknown."""


def named_by_id(given: str, *, instead: str) -> Named:
    """A decision by its id.

    Args:
        instead: what to give in place of an answer's text, for the error.

    Raises:
        ConfigError: this is a text rather than an id; the error does not show it.
    """
    if ID.fullmatch(given) is None:
        raise ConfigError(f"a text of {len(given)} characters is no decision's id; {instead}")
    return Named(given)


def named_in(answer: object) -> Named | None:
    """The decision of an answer that a `ChatKalibr`, a `KalibrLLM` or a Router gave; None: it holds
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
