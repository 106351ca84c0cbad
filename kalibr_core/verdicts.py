"""Gate 1 on one output: what the gate says, and then whether the caller can parse it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar

from .ports import Gate
from .types import Output, Request, Verdict

T = TypeVar("T")


def verdict_on(
    output: Output, request: Request, *, gate: Gate, broken: Callable[[Exception], object]
) -> Verdict:
    """What gate 1 says of an output, the request's own parsers included.

    Args:
        broken: gets what a gate raises, which must not break calls: such an output passes
            unverified.
    """
    try:
        verdict = _checked(gate.check(request, output))
    except Exception as error:  # noqa: BLE001  # a broken gate must not break calls
        broken(error)
        return Verdict(passed=None)
    if verdict.passed is False:
        return verdict
    if request.parse_calls is not None:
        fault = _fault_of(request.parse_calls, output.tool_calls, "tool_call")
        if fault is not None:
            return fault
    if request.parse is None or output.tool_calls:
        return verdict
    return _fault_of(request.parse, output.text, "schema") or verdict


def _checked(verdict: object) -> Verdict:
    """What a gate of the user's returned, if it is a verdict.

    Raises:
        TypeError: it is none; anything but a bool would be booked as a success.
    """
    if not isinstance(verdict, Verdict):
        raise TypeError(f"a gate must return a Verdict, got {type(verdict).__name__}")
    if verdict.passed is not None and type(verdict.passed) is not bool:
        return replace(verdict, passed=bool(verdict.passed))
    return verdict


def _fault_of(parse: Callable[[T], object], said: T, reason: str) -> Verdict | None:
    """The verdict on what the caller cannot parse; None: it can."""
    try:
        parse(said)
    except Exception as error:  # noqa: BLE001  # a parser raises what it likes
        return Verdict(passed=False, reason=reason, detail=type(error).__name__)
    return None
