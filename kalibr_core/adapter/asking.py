"""What a framework's caller asks for: the arguments that are the Router's, and what they imply."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from ..errors import ConfigError
from ..options import HARMLESS, TAKEN_BY_ROUTER

LIMITS = ("max_tokens", "max_completion_tokens")
"""Two names of one thing."""
FOREIGN = frozenset(TAKEN_BY_ROUTER) - {"model", "stream"}
"""What a routed call does not take; `model` names a path here, `stream` is the framework's."""


def check_call(arguments: Mapping[str, Any], session: object) -> None:
    """Check what one call asks of the Router.

    Raises:
        ConfigError: something that a routed call cannot do.
    """
    for name in FOREIGN:
        value = arguments.get(name)
        if value is not None and value != HARMLESS.get(name):
            raise ConfigError(f"a routed call does not take {name}=; {TAKEN_BY_ROUTER[name]}")
    if session is not None and not isinstance(session, str):
        raise ConfigError(f"session_id must be a string, got {type(session).__name__}")
    only = arguments.get("model")
    if only is not None and not isinstance(only, str):
        raise ConfigError(f"model= names one of the paths, got {type(only).__name__}")


def checked_exhaustion(value: object) -> Literal["raise", "best"] | None:
    """A call's own `on_exhausted`.

    Raises:
        ConfigError: it is neither "raise" nor "best".
    """
    if value == "raise":
        return "raise"
    if value == "best":
        return "best"
    if value is None:
        return None
    raise ConfigError(f"on_exhausted must be 'raise' or 'best', got {value!r}")


def checked_parameters(name: str, parameters: Mapping[str, Any]) -> None:
    """Check what named paths are to be sent beside a model's own settings.

    Raises:
        ValueError: one of them is not the provider's.
    """
    from ..paths import RESERVED

    for parameter in parameters:
        if parameter in RESERVED:
            raise ValueError(f"{name} has {parameter!r}; {RESERVED[parameter]}")


def without_limits(defaults: Mapping[str, Any], given: Mapping[str, Any]) -> Mapping[str, Any]:
    """A model's settings without a limit of tokens, where the call has one."""
    if not any(given.get(name) is not None for name in LIMITS):
        return defaults
    return {name: value for name, value in defaults.items() if name not in LIMITS}


def most_tokens(
    defaults: Mapping[str, Any], given: Mapping[str, Any], own: int | None
) -> int | None:
    """The caller's limit of an answer, where there is one.

    Args:
        own: the limit that the paths' own models have, where they agree.
    """
    asked = {**without_limits(defaults, given), **given}
    known = (asked.get(name) for name in LIMITS)
    return next((most for most in (*known, own) if isinstance(most, int)), None)


def tolerated(*, tools: bool, limited: bool, structured: bool) -> frozenset[str]:
    """Faults with which an answer is still of use where every path has them.

    An agent shows the model what was wrong with a tool call; who sets a limit knows that it cuts;
    what no model will answer is refused in words.
    """
    on = (("tool_call", tools), ("truncated", limited), ("refusal", not structured))
    return frozenset(reason for reason, good in on if good)
