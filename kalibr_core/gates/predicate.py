"""`success_when`: the caller's own check in the place of the built-in one."""

from __future__ import annotations

import inspect
import logging
import threading
from collections.abc import Callable

from ..errors import ConfigError
from ..ports import Gate
from ..types import Output, Request, Verdict
from .finish import bad_ending
from .reasons import PASSED, Reason, failed
from .tool_calls import check_tool_calls

LOG = logging.getLogger("kalibr")


class ToolCallGate:
    """Judges an answer by its tool calls and its finish reason alone."""

    def check(self, request: Request, output: Output) -> Verdict:
        ending = bad_ending(request, output, "general")
        if ending is not None:
            return failed(ending)
        return check_tool_calls(request, output.tool_calls)


class PredicateGate:
    """A gate that asks a function of the caller's.

    An answer that is only tool calls has no text to ask about: a predicate such as
    `lambda text: "def " in text` would refuse every one of them, and with it every turn of an
    agent but the last. Those are judged by `fallback`.

    Args:
        predicate: gets the output's text, gives a bool; called from any thread.
        goal: named in the log when the predicate cannot be used.
        fallback: judges answers that are only tool calls; by default the structural gate's check
            of tool calls.

    Raises:
        ConfigError: `predicate` cannot be called, or is async.
    """

    def __init__(
        self, predicate: Callable[[str], object], *, goal: str, fallback: Gate | None = None
    ) -> None:
        _refuse_unusable(predicate, goal)
        self._predicate = predicate
        self._goal = goal
        self._fallback: Gate = fallback or ToolCallGate()
        self._lock = threading.Lock()
        self._has_warned = False

    def check(self, request: Request, output: Output) -> Verdict:
        """Ask the predicate; where it raises or gives no bool, the verdict is `None`."""
        if output.tool_calls and not (output.text or "").strip():
            return self._fallback.check(request, output)
        try:
            answer = self._predicate(output.text)
        except Exception as error:  # noqa: BLE001 - any bug of the caller's is no evidence
            return self._unusable(f"raised {type(error).__name__}")
        if not _is_bool(answer):
            _close(answer)
            return self._unusable(f"returned {type(answer).__name__} instead of bool")
        return PASSED if answer else failed(Reason.PREDICATE)

    def _unusable(self, what: str) -> Verdict:
        """Log once per gate; the error's own text may quote the output and stays out."""
        with self._lock:
            first, self._has_warned = not self._has_warned, True
        if first:
            LOG.warning(
                "success_when of goal %r %s: its outputs count as neither good nor bad; "
                "make it return True or False for any text",
                self._goal,
                what,
            )
        return Verdict(passed=None, reason=Reason.PREDICATE_UNUSABLE)


def _refuse_unusable(predicate: object, goal: str) -> None:
    if not callable(predicate):
        raise ConfigError(
            f"success_when of goal {goal!r} must be a function of the output's text, "
            f"got {type(predicate).__name__}"
        )
    kinds = (inspect.iscoroutinefunction, inspect.isasyncgenfunction)
    if any(is_kind(f) for is_kind in kinds for f in (predicate, type(predicate).__call__)):
        raise ConfigError(
            f"success_when of goal {goal!r} is async, and the gate cannot wait; "
            "give a plain function, or use score_when for slow checks"
        )


def _is_bool(answer: object) -> bool:
    """A bool, or numpy's, which is told by its name so that numpy is not imported."""
    kind = type(answer)
    return kind is bool or (kind.__module__ == "numpy" and kind.__name__ in ("bool", "bool_"))


def _close(answer: object) -> None:
    """An un-awaited coroutine would warn on standard error."""
    if inspect.iscoroutine(answer):
        answer.close()
