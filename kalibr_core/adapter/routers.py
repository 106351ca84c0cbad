"""The Routers behind a routed model, its copies, and all routed models of this process."""

from __future__ import annotations

import contextlib
import threading
import weakref
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import fields
from typing import TYPE_CHECKING, Any, Generic, Protocol, Self, TypeVar

from ..errors import ConfigError, KalibrError, LedgerError, RouterClosed, UnknownDecision
from ..gates.judge import DEFAULT
from ..router import Router
from ..types import Path

if TYPE_CHECKING:
    from ..conversations import Made

MOST_ROUTERS = 64
"""Settings of one model that are remembered; the ones not used for longest are let go."""
LOOKS = 100
"""At the routed models of this process, while others are made."""

SETTINGS = (
    "goal",
    "task",
    "success_when",
    "score_when",
    "gate",
    "judge",
    "policy",
    "ledger",
    "deadline_s",
    "first_token_s",
    "max_cost_usd",
    "max_wait_s",
    "same_path_retries",
    "stream_mode",
    "on_exhausted",
    "base_url",
    "seed",
)
"""The Router's settings that routed models have under the same names."""


UNSAID = {"judge": DEFAULT}
"""What says nothing, where None does: it turns the judge off."""


class Routing(Protocol):
    """A Router and its models."""

    router: Router

    def close(self) -> None:
        """Close the connections, and the Router where it was made here."""


R = TypeVar("R", bound=Routing)


def settings_of(
    model: object, *, max_attempts: int | None, max_retries: int | None, timeout_s: float | None
) -> dict[str, Any]:
    """A Router's settings, as far as a model's fields of these names say anything.

    Args:
        max_retries: the frameworks' word: so many attempts after the first.

    Raises:
        ConfigError: both words are used.
    """
    given = {name: getattr(model, name) for name in SETTINGS}
    given["timeout_s"], given["max_attempts"] = timeout_s, max_attempts
    if max_retries is not None:
        if max_attempts is not None:
            raise ConfigError("give max_attempts or max_retries, not both")
        given["max_attempts"] = max_retries + 1
    return {name: value for name, value in given.items() if value is not UNSAID.get(name)}


def checked_router(router: object) -> Router:
    """A ready Router that the user gave.

    Raises:
        ConfigError: it is none.
    """
    if not isinstance(router, Router):
        raise ConfigError(f"router must be a kalibr_core.Router, got {type(router).__name__}")
    return router


class Routers(Generic[R]):
    """The routings of a model and of the copies that frameworks make of it.

    LangChain's `configurable_fields` makes a new model for each call. All copies share this, so
    that the same settings have one Router, one ledger and one set of connections.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._found: OrderedDict[Hashable, R] = OrderedDict()

    def get(self, key: Hashable, make: Callable[[], R]) -> R:
        """The routing of these settings; made where there is none yet."""
        with self._lock:
            found = self._found.get(key)
            if found is None:
                found = self._found[key] = make()
                LIVE.add(found)
                if len(self._found) > MOST_ROUTERS:
                    self._found.popitem(last=False)  # calls may be under way: not closed
            self._found.move_to_end(key)
            return found

    def close(self) -> None:
        with self._lock:
            while self._found:
                closed = self._found.popitem()[1]
                LIVE.discard(closed)
                closed.close()

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        """Another process makes its own."""
        return type(self), ()


def key_of(paths: Iterable[object], settings: Mapping[str, Any]) -> Hashable:
    """Equal for settings that one Router can serve.

    Models and functions are told apart by where they are; whoever keeps the key holds on to them.
    """
    return (
        tuple(map(_spec_key, paths)),
        tuple((name, _value_key(value)) for name, value in sorted(settings.items())),
    )


def _spec_key(spec: object) -> Hashable:
    if isinstance(spec, Mapping):
        return tuple((name, _value_key(value)) for name, value in spec.items())
    return _value_key(spec)


def _value_key(value: object) -> Hashable:
    if isinstance(value, Path):
        return tuple(_value_key(getattr(value, field.name)) for field in fields(Path))
    if isinstance(value, str):
        return str.__str__(value)  # a key too, which its repr does not tell from another
    if isinstance(value, int | float | bool | None):
        return type(value), value
    if isinstance(value, Mapping):
        return tuple((name, _value_key(held)) for name, held in value.items())
    if isinstance(value, list | tuple):
        return tuple(map(_value_key, value))
    return id(value)


LIVE: weakref.WeakSet[Routing] = weakref.WeakSet()
"""What `report` looks for an answer's Router in: an answer holds no more than its decision's id."""


def live() -> list[Routing]:
    """All that are in use."""
    for _ in range(LOOKS):
        with contextlib.suppress(RuntimeError):  # one was made meanwhile
            return list(LIVE)
    return []


def report(
    decision_id: str,
    *,
    goal: str | None,
    success: bool | None,
    score: float | None,
    reason: str | None,
    model: str,
) -> bool:
    """Report to the Router of this process that has the decision; see `Router.report`.

    Args:
        goal: of the decision; None: unknown.
        model: what the adapter calls its routed models, for the error.

    Raises:
        UnknownDecision: no Router of this process has it in its ledger.
    """
    return _asked(
        lambda router: router.report(decision_id, success=success, score=score, reason=reason),
        decision_id,
        goal=goal,
        model=model,
    )


def act(decision_id: str, action: str, *, goal: str | None, model: str) -> bool:
    """Tell the Router that has the decision what the user did with its answer.

    Args: as `report`'s; `action` is one of `ACTIONS`.

    Returns:
        False: this was reported before of this answer, and nothing has moved.

    Raises:
        UnknownAction: none of `ACTIONS`.
        UnknownDecision: no Router of this process has it in its ledger.
    """
    from ..gates.behaviour import checked_action  # users of gates 1 and 2 need not wait for it

    checked_action(action)
    try:
        router, of = made(decision_id, goal=goal, model=model)
    except UnknownDecision:
        if (beside := _beside(decision_id)) is None:
            raise
        router, of = beside
    return router.feedback.signals.acted(of, action)


def made(decision_id: str, *, goal: str | None, model: str) -> tuple[Router, Made]:
    """The Router that has a decision, and whose work it was; arguments and errors as `report`'s."""
    return _asked(
        lambda router: (router, router.feedback.made([decision_id])[0]),
        decision_id,
        goal=goal,
        model=model,
    )


def _beside(decision_id: str) -> tuple[Router, Made] | None:
    """A decision of a goal that no Router here has, in a ledger that one of them writes to."""
    for routing in live():
        with contextlib.suppress(KalibrError):
            return routing.router, routing.router.feedback.made_of_any_goal(decision_id)
    return None


T = TypeVar("T")


def _asked(ask: Callable[[Router], T], decision_id: str, *, goal: str | None, model: str) -> T:
    """What the Router says that has the decision; errors as `report`'s."""
    unread: LedgerError | None = None
    for routing in live():
        if goal is not None and routing.router.goal != goal:
            continue
        try:
            return ask(routing.router)
        except (UnknownDecision, RouterClosed):
            continue
        except LedgerError as error:  # of a Router that was closed elsewhere; another may know it
            unread = error
    if unread is not None:
        raise unread
    raise UnknownDecision(decision_id, hint=_hint(decision_id, goal=goal, model=model))


def _hint(decision_id: str, *, goal: str | None, model: str) -> str:
    """Why a decision is not found."""
    if (beside := _beside(decision_id)) is not None:
        return (
            f" under the goal of an open {model}: it is of {beside[1].goal!r}; report it with a "
            f"{model} or a Router of that goal"
        )
    of = "" if goal is None else f" of goal {goal!r}"
    return (
        f", nor in that of any {model}{of} in this process; make one with the same ledger, or tell "
        "the Router that gave it"
    )
