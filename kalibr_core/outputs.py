"""What users give for an answer or for its decision: a text, an id, or the answer that holds both.

A Router's answers hold their decision themselves; those of the adapters hold its record.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from .errors import ConfigError
from .features import text_of
from .types import Decision

KEY = "kalibr"
"""Under which answers of the adapters hold their decision's record."""


def read_output(output: object) -> tuple[str, str | None]:
    """An answer's text, and the decision that it holds; None: it holds none.

    Args:
        output: a text, or what `Router.completion`, `ChatKalibr` or `KalibrLLM` gave.

    Raises:
        ConfigError: it is none of these.
    """
    if isinstance(output, str):
        return output, None
    found = _held_by(output)
    if found is None:
        raise ConfigError(
            "output must be a text, or an answer that holds its decision, got "
            f"{type(output).__name__}"
        )
    choices = getattr(output, "choices", None)
    first = choices[0] if isinstance(choices, Sequence) and choices else output
    message = getattr(first, "message", first)
    return text_of(getattr(message, "content", None)), found


def id_of(decision: object) -> object:
    """A decision's id, where an answer, a call's error or the decision itself is given for it.

    Anything else is given back: it is no decision's id, or a decision's.
    """
    if isinstance(decision, Decision):
        return decision.id
    return decision if isinstance(decision, str) else _held_by(decision) or decision


def _held_by(answer: object) -> str | None:
    decision = getattr(answer, KEY, None)
    if isinstance(decision, Decision):
        return decision.id
    for place in ("response_metadata", "additional_kwargs"):
        held = getattr(answer, place, None)
        record = held.get(KEY) if isinstance(held, Mapping) else None
        if isinstance(record, Mapping) and isinstance(found := record.get("decision_id"), str):
            return found
    return None
