"""All errors that this library raises on purpose.

KalibrError
├── ConfigError (ValueError)           the caller asked for something impossible
├── UnknownDecision (KeyError)         no such decision in the ledger
├── UnknownSession (KeyError)          no such conversation in the ledger
├── UnknownGoal (KeyError)             nothing was ever routed for this goal
├── UnknownPath (KeyError)             no path of this goal has this model
├── UnknownAction (ValueError)         users cannot do this with an output
├── LedgerError (OSError)              the record cannot be read or written
├── NoEligiblePath (ValueError)        no path can take this request; nothing was called
├── BudgetExceeded (RuntimeError)      the call's cost budget allows no attempt
├── PathsBlocked (RuntimeError)        every path is blocked for now; see `retry_after_s`
├── RouterClosed (RuntimeError)         a call on a Router after its `close()`
├── StreamInterrupted (ConnectionError) a stream ended before it was finished
├── BadResponse (ConnectionError)      a response that is not the provider's format
├── OutputRejected (ValueError)        gate 1 refused an output
└── AllPathsFailed (RuntimeError)      every path that could be tried failed
"""

from __future__ import annotations

import pickle
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .types import Decision, Outcome


LONGEST_ID = 64
"""What is longer is no id; an answer's text that was given for one is not told in full."""


MOST_LISTED = 20
"""Valid values that an error lists."""


class KalibrError(Exception):
    """Base class: `except KalibrError` catches everything that is raised on purpose."""

    kalibr: Decision | None = None
    """The call's record, where one was made."""

    def __reduce__(self) -> tuple[object, ...]:
        """Pickle what it holds: the default calls `__init__` with the message alone."""
        return _rebuilt, (type(self), self.args), self.__dict__


class ConfigError(KalibrError, ValueError):
    """The caller asked for something impossible; the text says what, which value, what to do."""


class UnknownDecision(KalibrError, KeyError):
    """No decision of this id is in the ledger."""

    def __init__(
        self,
        decision_id: object,
        *,
        hint: str = "",
        place: str = "this ledger",
        known: Sequence[str] = (),
    ) -> None:
        is_id = decision_id is None or isinstance(decision_id, str | int | float)
        self.decision_id = decision_id if is_id else _shown(decision_id)  # not a whole answer
        self.known = tuple(known)
        """Some that there are, the newest first."""
        listed = f"; the newest there: {', '.join(map(repr, known))}" if known else ""
        super().__init__(f"no decision {_shown(decision_id)} in {place}{hint}{listed}")

    def __str__(self) -> str:
        return str(self.args[0])  # KeyError would show the repr


class UnknownSession(KalibrError, KeyError):
    """No conversation of this id is known."""

    def __str__(self) -> str:
        return str(self.args[0])  # KeyError would show the repr


class UnknownGoal(KalibrError, KeyError):
    """Nothing was ever routed for this goal."""

    def __init__(self, goal: str, *, known: Sequence[str]) -> None:
        self.goal = goal
        self.known = tuple(known)
        listed = f"in the record {_listed(known)}"
        super().__init__(f"no decision of goal {_shown(goal)} in this ledger; {listed}")

    def __str__(self) -> str:
        return str(self.args[0])


class UnknownPath(KalibrError, KeyError):
    """No path of this goal has this id or model."""

    def __init__(
        self, model: str, *, goal: str, known: Sequence[str], in_record: bool = False
    ) -> None:
        self.model = model
        self.known = tuple(known)
        where = " with a call in the record" if in_record else ""
        super().__init__(f"goal {goal!r} has no path {_shown(model)}{where}; {_listed(known)}")

    def __str__(self) -> str:
        return str(self.args[0])


class UnknownAction(KalibrError, ValueError):
    """Users cannot do this with an output."""

    def __init__(self, action: object, *, known: Sequence[str]) -> None:
        self.action = _shown(action)
        self.known = tuple(known)
        super().__init__(f"no action {_shown(action)}; {_listed(known)}")


class LedgerError(KalibrError, OSError):
    """The record cannot be read or written."""


class NoEligiblePath(KalibrError, ValueError):
    """No path can take this request; `refusals` has one reason per path."""

    def __init__(self, refusals: Sequence[str]) -> None:
        self.refusals = tuple(refusals)
        super().__init__(
            f"no path can take this request ({'; '.join(refusals)}). "
            "Add a path that can, or change the request."
        )


class BudgetExceeded(KalibrError, RuntimeError):
    """No attempt fits into `max_cost_usd`."""

    def __init__(self, max_cost_usd: float, reasons: Sequence[str]) -> None:
        self.max_cost_usd = max_cost_usd
        self.reasons = tuple(reasons)
        super().__init__(
            f"no path fits max_cost_usd={max_cost_usd!r} ({'; '.join(reasons)}). "
            "Raise the budget, lower max_tokens, or add a cheaper path with a known price."
        )


class PathsBlocked(KalibrError, RuntimeError):
    """Every path is blocked for now, and the deadline does not allow to wait."""

    def __init__(self, retry_after_s: float | None, reasons: Sequence[str]) -> None:
        self.retry_after_s = retry_after_s
        """Seconds until the first path is free; None: not before the configuration changes."""
        self.reasons = tuple(reasons)
        when = (
            "none returns by itself: check keys and model names, then make a new Router"
            if retry_after_s is None
            else f"the first returns in {retry_after_s:.1f} s: try again then"
        )
        super().__init__(f"every path is blocked ({'; '.join(reasons)}); {when}.")


class RouterClosed(KalibrError, RuntimeError):
    """A call on a Router after its `close()`."""

    def __init__(self, goal: str | None = None) -> None:
        of = "" if goal is None else f" of goal {goal!r}"
        super().__init__(f"this Router{of} is closed; make a new one")


class StreamInterrupted(KalibrError, ConnectionError):
    """A stream ended before it was finished: what has come is not the whole answer."""


class BadResponse(KalibrError, ConnectionError):
    """The server's response is not an OpenAI-format answer."""

    code: object = None
    """The code of the error in it, where it holds one."""


class OutputRejected(KalibrError, ValueError):
    """Gate 1 refused an output; `reason` is its code."""

    def __init__(self, reason: str, detail: str | None = None) -> None:
        self.reason = reason
        super().__init__(
            f"gate 1 refused the output: {reason}" + (f" ({detail})" if detail else "")
        )


class AllPathsFailed(KalibrError, RuntimeError):
    """Every path that could be tried failed; raised from the first attempt's error."""

    def __init__(
        self, outcomes: Sequence[Outcome], errors: Sequence[Exception], *, stopped: str
    ) -> None:
        self.outcomes = tuple(outcomes)
        """One record per attempt, in order."""
        self.errors = tuple(errors)
        """The exception of each attempt, in the same order."""
        tried = "; ".join(
            f"{o.number}. {o.path_id}: {describe(e)}" for o, e in zip(outcomes, errors, strict=True)
        )
        super().__init__(f"all {len(self.errors)} attempts failed, {stopped} ({tried})")

    def __reduce__(self) -> tuple[object, ...]:
        state = {**self.__dict__, "errors": tuple(map(_portable, self.errors))}
        return _rebuilt, (type(self), self.args), state


def describe(error: Exception) -> str:
    """An error in a few words, without the text that a provider put into it."""
    if isinstance(error, OutputRejected):
        return error.reason
    status = getattr(error, "status_code", None)
    return type(error).__name__ + (f" {status}" if isinstance(status, int) else "")


def _shown(value: object) -> str:
    """A value in an error's text: not all of it, where it is long."""
    try:
        shown = repr(value)
    except Exception:  # noqa: BLE001  # an object's own may raise, as a number of too many digits
        shown = f"{type(value).__name__}(...)"
    return shown if len(shown) <= LONGEST_ID else f"{shown[:20]}..."


def _listed(known: Sequence[str]) -> str:
    if not known:
        return "there is none yet"
    more = f" and {len(known) - MOST_LISTED} more" if len(known) > MOST_LISTED else ""
    return f"there are {', '.join(map(repr, known[:MOST_LISTED]))}{more}"


def _rebuilt(cls: type[KalibrError], args: tuple[object, ...]) -> KalibrError:
    error = cls.__new__(cls, *args)
    error.args = args
    return error


def _portable(error: Exception) -> Exception:
    """The error, where another process can have it; else one that says the same of it.

    The providers' own hold the request, whose headers hold the key.
    """
    if isinstance(error, KalibrError):
        return error
    if not any("request" in name or "response" in name for name in vars(error)):
        try:
            pickle.loads(pickle.dumps(error))
        except Exception:  # noqa: BLE001  # a foreign class's pickling may raise anything
            return KalibrError(describe(error))
        return error
    return KalibrError(describe(error))
