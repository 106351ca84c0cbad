"""A Router's options, checked: each wrong one is a `ConfigError` when the Router is made."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence

from .choice import Limits
from .errors import ConfigError
from .paths import is_number
from .ports import Policy

TAKEN_BY_ROUTER = {
    "model": "the router chooses the model; name your models in paths=",
    "stream": "call router.stream(...) or router.astream(...) instead",
    "n": "several answers to one call cannot be judged as one; call n times",
    "api_key": "give it to the Router or to a path",
    "base_url": "give it to the Router or to a path",
    "max_retries": "the router owns the retries: max_attempts=",
}

HARMLESS = {"stream": False, "n": 1}
"""What a routed call does anyway."""


def checked_goal(goal: object) -> str:
    if not isinstance(goal, str) or not goal.strip():
        raise ConfigError(
            f"goal must be a non-empty string, got {goal!r}; it names what the calls are for, "
            "and what is learned is kept under it"
        )
    try:
        goal.encode()
    except UnicodeEncodeError as error:
        raise ConfigError(f"goal holds characters that cannot be written: {goal!a}") from error
    return goal


def checked_limits(limits: Limits) -> Limits:
    """Check the budgets of a call.

    Raises:
        ConfigError: says which, which value, what to do.
    """
    attempts = limits.max_attempts
    if not isinstance(attempts, int) or isinstance(attempts, bool) or attempts < 1:
        raise ConfigError(f"max_attempts must be a whole number from 1 on, got {attempts!r}")
    retries = limits.same_path_retries
    if not isinstance(retries, int) or isinstance(retries, bool) or retries < 0:
        raise ConfigError(f"same_path_retries must be a whole number from 0 on, got {retries!r}")
    for name in ("deadline_s", "timeout_s", "first_token_s", "max_cost_usd", "max_wait_s"):
        value = getattr(limits, name)
        if value is None and name in ("first_token_s", "max_cost_usd"):
            continue
        zero_too = name in ("max_wait_s", "max_cost_usd")
        if not is_number(value) or value < 0 or (value == 0 and not zero_too):
            raise ConfigError(
                f"{name} must be a finite number {'from 0 on' if zero_too else 'above 0'}, "
                f"got {value!r}"
            )
    if limits.on_exhausted not in ("raise", "best"):
        raise ConfigError(f"on_exhausted must be 'raise' or 'best', got {limits.on_exhausted!r}")
    return limits


def checked_wait(timeout_s: float) -> float:
    """How long a `flush` waits, in seconds.

    Raises:
        ConfigError: it is no finite number from 0 on.
    """
    if not is_number(timeout_s) or timeout_s < 0:
        raise ConfigError(f"timeout_s must be a finite number from 0 on, got {timeout_s!r}")
    return timeout_s


def checked_policy(policy: Policy) -> Policy:
    if not all(callable(getattr(policy, name, None)) for name in ("pull", "update")):
        raise ConfigError(
            "policy must have methods pull(arms, context) and update(arm, evidence), "
            f"got {policy!r}"
        )
    return policy


def checked_mode(mode: object) -> bool:
    """True: live."""
    if mode not in ("live", "hold"):
        raise ConfigError(f"stream_mode must be 'live' or 'hold', got {mode!r}")
    return mode == "live"


def checked_function(name: str, function: Callable[..., object] | None) -> None:
    if function is None:
        return
    if not callable(function):
        raise ConfigError(f"{name} must be a function of the output's text, got {function!r}")
    if any(map(inspect.iscoroutinefunction, (function, type(function).__call__))):
        raise ConfigError(
            f"{name} is an async function; it is called between answer and caller and must be a "
            "plain one"
        )
    try:
        inspect.signature(function).bind("")
    except TypeError as error:
        raise ConfigError(f"{name} is called with the output's text: {error}") from None
    except ValueError:
        return  # written in C, and says nothing of its parameters


def checked_call(messages: object, asked: Mapping[str, object]) -> Sequence[object]:
    """Check what one call asks for.

    Raises:
        ConfigError: something that the Router cannot do, or that is not the call's to say.
    """
    for name, hint in TAKEN_BY_ROUTER.items():
        if asked.get(name) not in (None, HARMLESS.get(name)):
            raise ConfigError(f"a routed call does not take {name}=; {hint}")
    if isinstance(messages, str) or not isinstance(messages, Sequence):
        raise ConfigError(
            f"messages must be a list of messages, got {type(messages).__name__}; "
            'write messages=[{"role": "user", "content": "..."}]'
        )
    if not messages:
        raise ConfigError("messages is empty; a call needs at least one message")
    for index, message in enumerate(messages):
        if message is None or isinstance(message, str | bytes | int | float | list | tuple):
            raise ConfigError(
                f"messages[{index}] must be a dict with role and content, "
                f"got {type(message).__name__}"
            )
    return messages
