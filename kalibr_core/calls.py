"""Calls that are made by closures: each opens a plan, is driven to its end, and is then scored."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from dataclasses import replace
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeVar

from . import drive
from .booking import Books
from .choice import Choice, Limits, Roster
from .learner import Learner
from .lifetime import Lifetime
from .options import checked_limits
from .plan import Call, Done, Plan, plan_call
from .ports import Gate
from .scoring import Scoring
from .types import Attempt, Output, Request

if TYPE_CHECKING:
    import random

T = TypeVar("T")
C = TypeVar("C")


class Terms(NamedTuple):
    """What one call asks for in place of its Router's own; see `Router.call_stream`."""

    timeout_s: float | None = None
    on_exhausted: Literal["raise", "best"] | None = None
    hold: bool = False


class Calls:
    """One Router's calls; each method as the Router's of the same name.

    Args:
        live: do streams pass chunks on as they come?
        clock: monotonic, seconds.
        wall: seconds since the epoch.
    """

    def __init__(
        self,
        *,
        life: Lifetime,
        roster: Roster,
        learner: Learner,
        gate: Gate,
        limits: Limits,
        live: bool,
        scoring: Scoring,
        rng: random.Random,
        clock: Callable[[], float],
        wall: Callable[[], float],
        sleep: Callable[[float], object],
    ) -> None:
        self._life = life
        self._roster = roster
        self._learner = learner
        self._gate = gate
        self._limits = limits
        self._live = live
        self._scoring = scoring
        self._rng = rng
        self._clock = clock
        self._wall = wall
        self._sleep = sleep

    def call(
        self,
        request: Request,
        invoke: Callable[[Attempt], T],
        read: Callable[[T], Output],
        terms: Terms,
    ) -> Done[T]:
        plan = self._plan(request, read, terms, live=False)
        return self._scoring.after(drive.call(plan, invoke, sleep=self._sleep), request)

    async def acall(
        self,
        request: Request,
        invoke: Callable[[Attempt], Awaitable[T]],
        read: Callable[[T], Output],
        terms: Terms,
    ) -> Done[T]:
        plan = self._plan(request, read, terms, live=False)
        return self._scoring.after(await drive.acall(plan, invoke), request)

    def call_stream(
        self,
        request: Request,
        invoke: Callable[[Attempt], Generator[C, None, None]],
        read: Callable[[tuple[C, ...]], Output],
        terms: Terms,
        *,
        opens: Callable[[C], bool],
        finish: Callable[[Done[tuple[C, ...]]], object],
    ) -> Generator[C, None, None]:
        live = self._live and not terms.hold
        return drive.stream(
            self._plan(request, read, terms, live=live),
            invoke,
            opens=opens,
            live=live,
            finish=lambda done: finish(self._scoring.after(done, request)),
            clock=self._clock,
            sleep=self._sleep,
        )

    def acall_stream(
        self,
        request: Request,
        invoke: Callable[[Attempt], AsyncGenerator[C, None]],
        read: Callable[[tuple[C, ...]], Output],
        terms: Terms,
        *,
        opens: Callable[[C], bool],
        finish: Callable[[Done[tuple[C, ...]]], object],
    ) -> AsyncGenerator[C, None]:
        live = self._live and not terms.hold
        return drive.astream(
            self._plan(request, read, terms, live=live),
            invoke,
            opens=opens,
            live=live,
            finish=lambda done: finish(self._scoring.after(done, request)),
            clock=self._clock,
        )

    def _plan(
        self, request: Request, read: Callable[[T], Output], terms: Terms, *, live: bool
    ) -> Plan[T]:
        self._life.check()
        limits = self._limits_of(terms)
        return plan_call(
            Call(
                choice=Choice(
                    self._roster, request, limits, pull=self._learner.pull, rng=self._rng
                ),
                books=Books(self._learner, self._wall),
                gate=self._gate,
                request=request,
                read=read,
                limits=limits,
                live=live,
                clock=self._clock,
                wall=self._wall,
            )
        )

    def _limits_of(self, terms: Terms) -> Limits:
        limits, timeout_s = self._limits, terms.timeout_s
        if timeout_s is not None:
            limits = checked_limits(replace(limits, timeout_s=timeout_s, call_timeout_s=timeout_s))
        if terms.on_exhausted is not None:
            limits = replace(limits, on_exhausted=terms.on_exhausted)
        return limits
