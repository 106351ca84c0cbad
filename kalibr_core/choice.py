"""Which path a call tries next: blocks, budgets, rounds; then the policy's pull."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from .blocks import Blocks
from .costs import Costs
from .eligibility import Eligibility
from .errors import BudgetExceeded, KalibrError, NoEligiblePath, PathsBlocked
from .failures import RULES
from .sessions import Sessions
from .types import (
    Arm,
    Attempt,
    Context,
    EvidenceKind,
    Failure,
    Outcome,
    Path,
    Pull,
    Request,
    Usage,
    Wait,
)

if TYPE_CHECKING:
    import random

log = logging.getLogger("kalibr")

FIRST_BACKOFF_S = 0.5
LONGEST_BACKOFF_S = 8.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """The budgets of one call."""

    max_attempts: int = 3
    deadline_s: float = 300.0
    """Longest time of the whole call, waits included."""
    timeout_s: float = 120.0
    """Longest time of one attempt; for a stream its longest silence. A path may say otherwise."""
    call_timeout_s: float = math.inf
    """What the caller of this one call set, for paths that say otherwise too."""
    first_token_s: float | None = None
    """Longest time until a stream's first token."""
    max_cost_usd: float | None = None
    """All attempts together; paths of unknown price are not tried then."""
    max_wait_s: float = 1.0
    """A `Retry-After` up to this long is waited for; for a longer one the next path is tried."""
    same_path_retries: int = 0
    """How often a path that failed at once is asked again before the next one is."""
    on_exhausted: Literal["raise", "best"] = "raise"


@dataclass(frozen=True, slots=True, kw_only=True)
class Roster:
    """A Router's paths with what is known of each; shared by all of its calls."""

    paths: Mapping[str, Path]
    costs: Costs
    blocks: Blocks
    sessions: Sessions


class Choice:
    """The state of one call's search for a path."""

    def __init__(
        self,
        roster: Roster,
        request: Request,
        limits: Limits,
        *,
        pull: Callable[[Sequence[Arm], Context], Pull],
        rng: random.Random,
    ) -> None:
        self._roster = roster
        self._request = request
        self._limits = limits
        self._pull = pull
        self._rng = rng
        self._eligibility = Eligibility(roster.costs, request, max_cost_usd=limits.max_cost_usd)
        self._number = 0
        self._round = 1
        self._tried: dict[str, Failure] = {}
        """Paths that failed in this round."""
        self._out: dict[str, str] = {}
        """Paths that this call does not try (again), and why."""
        self._waited: set[str] = set()
        self._retried: dict[str, int] = {}
        self._stay: tuple[Path, float] | None = None
        """A path whose short `Retry-After` is being waited for, and until when."""
        self._nothing: KalibrError | None = None

    def open(self, now: float) -> None:
        """Start the clock and leave out the paths that cannot take the request.

        Raises:
            NoEligiblePath: none can.
        """
        self._ends = now + self._limits.deadline_s
        for path in self._roster.paths.values():
            if reason := self._eligibility.unable(path):
                self._out[path.id] = reason
        if len(self._out) == len(self._roster.paths):
            raise NoEligiblePath([f"{name}: {why}" for name, why in self._out.items()])

    def path(self, path_id: str) -> Path:
        return self._roster.paths[path_id]

    def next(self, now: float, *, wall: float) -> tuple[Attempt, Pull] | Wait | str:
        """The next attempt, a wait before it, or why there is none."""
        if self._number >= self._limits.max_attempts:
            return f"max_attempts={self._limits.max_attempts} reached"
        left_s = self._ends - now
        if left_s <= 0:
            return self._too_late()
        if self._stay is not None and (step := self._stay_with(*self._stay, now=now)) is not None:
            return step
        candidates = self._candidates(now)
        if candidates:
            return self._attempt(candidates, left_s, wall)
        return self._next_round_or_wait(now, left_s)

    def failed(self, path: Path, failure: Failure, *, now: float) -> EvidenceKind:
        """Take note of a failure: what may be tried after it, and what it says of the path."""
        rule = RULES[failure.kind]
        self._tried[path.id] = failure
        if self._roster.blocks.failed(path.id, failure, now=now):
            log.warning(
                "kalibr: path %r answers %s (%s) and is left out from now on; "
                "mend its key or model name and make a new Router",
                path.id,
                failure.status,
                failure.kind,
            )
        if rule.then == "larger":
            self._out[path.id] = "context overflow"
            self._eligibility.overflowed(path)
        elif not rule.again:
            self._out[path.id] = str(failure.kind)
        wait_s = failure.retry_after_s
        if wait_s is not None and rule.again and path.id not in self._waited:
            self._stay_for(path, wait_s, now)
        elif wait_s is None and rule.again and rule.evidence is EvidenceKind.AVAILABILITY:
            self._retry(path, now)
        if rule.often is not None and self._roster.blocks.is_storm(path.id):
            return rule.often
        return rule.evidence

    def passed(self, path: Path, *, now: float) -> None:
        self._roster.blocks.passed(path.id, now=now)

    def answered(self, path: Path, *, wall: float) -> None:
        """Its answer is the call's: the conversation's next turn may want to stay there."""
        self._roster.sessions.answered(self._request.features.session, path.id, at=wall)

    def spent(self, outcome: Outcome) -> None:
        self._eligibility.spent(self.path(outcome.path_id), outcome)

    def cost_usd(self, path: Path, usage: Usage | None) -> float | None:
        return self._roster.costs.of(path, usage)

    def nothing_tried(self, why: str) -> KalibrError:
        """The error of a call that made no attempt."""
        return self._nothing or KalibrError(f"nothing could be tried: {why}")

    def _candidates(self, now: float) -> list[Path]:
        return [
            path
            for path in self._roster.paths.values()
            if path.id not in self._tried
            and path.id not in self._out
            and self._roster.blocks.wait_s(path.id, now=now) == 0.0
            and self._eligibility.fits(path)
        ]

    def _attempt(
        self, candidates: Sequence[Path], left_s: float, wall: float
    ) -> tuple[Attempt, Pull]:
        self._number += 1
        costs = self._roster.costs
        arms = [Arm(path.id, costs.expected(path, self._request)) for path in candidates]
        pull = self._pull(arms, self._context(wall))
        return self._order(self._roster.paths[pull.arm], left_s), pull

    def _context(self, wall: float) -> Context:
        features, previous = self._request.features, None
        if self._number == 1:
            previous = self._roster.sessions.previous(features.session, at=wall)
        return Context(number=self._number, at=wall, features=features, previous=previous)

    def _order(self, path: Path, left_s: float) -> Attempt:
        limits = self._limits
        first = path.first_token_s or limits.first_token_s
        return Attempt(
            path=path,
            number=self._number,
            timeout_s=min(path.timeout_s or limits.timeout_s, limits.call_timeout_s, left_s),
            first_token_s=None if first is None else min(first, left_s),
            ends_at=self._ends,
        )

    def _stay_with(
        self, path: Path, until: float, *, now: float
    ) -> tuple[Attempt, Pull] | Wait | None:
        """Wait for a short `Retry-After`, then go to the same path: cheaper than a switch."""
        if now < until:
            return Wait(until - now)
        self._stay = None
        if self._roster.blocks.wait_s(path.id, now=now) > 0.0:
            return None  # another call has met a longer one meanwhile
        self._number += 1
        self._tried.pop(path.id, None)
        rule = "retry_after" if path.id in self._waited else "retry"
        return self._order(path, self._ends - now), Pull(arm=path.id, rule=rule, propensity=1.0)

    def _stay_for(self, path: Path, wait_s: float, now: float) -> None:
        """Stay with a path that asks for a short wait, if the deadline allows it."""
        if wait_s <= self._limits.max_wait_s and now + wait_s < self._ends:
            self._waited.add(path.id)
            self._stay = (path, now + wait_s)

    def _retry(self, path: Path, now: float) -> None:
        """Ask a path again that failed at once, if the caller wants that and there is time."""
        retried = self._retried.get(path.id, 0)
        if retried < self._limits.same_path_retries:
            wait_s = self._backoff_s()
            if now + wait_s < self._ends:
                self._retried[path.id] = retried + 1
                self._stay = (path, now + wait_s)

    def _next_round_or_wait(self, now: float, left_s: float) -> Wait | str:
        """Nobody is left in this round: begin another, or wait for a block to end."""
        again = [
            name
            for name, failure in self._tried.items()
            if name not in self._out
            and RULES[failure.kind].again
            and self._eligibility.fits(self._roster.paths[name])
        ]
        free = [name for name in again if self._roster.blocks.wait_s(name, now=now) == 0.0]
        if free:
            down = any(
                RULES[self._tried[n].kind].evidence is EvidenceKind.AVAILABILITY for n in free
            )
            wait_s = self._backoff_s() if down else 0.0
            for name in free:
                del self._tried[name]
            self._round += 1
            return Wait(wait_s) if wait_s < left_s else self._too_late()
        return self._wait_for_block(now, left_s, again)

    def _wait_for_block(self, now: float, left_s: float, again: Sequence[str]) -> Wait | str:
        blocked = {
            path.id: wait_s
            for path in self._roster.paths.values()
            if (wait_s := self._roster.blocks.wait_s(path.id, now=now)) > 0.0
            and (path.id in again or path.id not in self._tried)
            and path.id not in self._out
            and self._eligibility.fits(path)
        }
        first_s = min(blocked.values(), default=math.inf)
        if first_s < left_s:
            for name in blocked:
                self._tried.pop(name, None)
            return Wait(first_s)
        return self._nobody_left(blocked, first_s)

    def _nobody_left(self, blocked: Mapping[str, float], first_s: float) -> str:
        unaffordable = map(self._eligibility.unaffordable, self._roster.paths.values())
        dear = [why for why in unaffordable if why is not None]
        if blocked:
            why = [
                f"{name}: {self._out.get(name) or self._roster.blocks.why(name)}"
                for name in self._roster.paths
            ]
            self._nothing = PathsBlocked(first_s if math.isfinite(first_s) else None, why)
            if math.isfinite(first_s):
                return f"every path left is blocked, the first for {first_s:.1f} s"
            return "every path left is blocked until its key or model name is mended"
        if dear and self._limits.max_cost_usd is not None:
            self._nothing = BudgetExceeded(self._limits.max_cost_usd, dear)
            return f"max_cost_usd={self._limits.max_cost_usd:g} reached"
        return "no path was left to try"

    def _too_late(self) -> str:
        return f"deadline_s={self._limits.deadline_s:g} reached"

    def _backoff_s(self) -> float:
        """Half a second, doubled with each round, with jitter."""
        seconds = min(LONGEST_BACKOFF_S, FIRST_BACKOFF_S * 2.0 ** min(self._round - 1, 10))
        return seconds * self._rng.uniform(0.5, 1.0)
