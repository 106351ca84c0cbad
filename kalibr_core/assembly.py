"""A Router's parts, made from its arguments."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from .appointing import judging_for
from .bandit import RunLengthPolicy
from .blocks import Blocks
from .choice import Roster
from .costs import Costs
from .errors import ConfigError
from .gates.judge import DEFAULT
from .judging import Judging, Work
from .learner import Learner
from .ports import Conversations, Gate, Shared
from .prices import price_of
from .providers import Endpoint
from .reports import Reports
from .sessions import Sessions
from .types import JSON, Entry, Path

if TYPE_CHECKING:
    from .reporter import Reporter


def gate_of(
    goal: str,
    task: str | None,
    success_when: Callable[[str], bool] | None,
    gate: Gate | None,
) -> Gate:
    """Gate 1: the user's own, or the built-in check of the task.

    Raises:
        ConfigError: no such task, no gate, or two that replace the same check.
    """
    # Here, since its patterns are most of what importing this package would cost.
    from .gates.structural import TASKS, PredicateGate, StructuralGate

    built_in = StructuralGate(task if task is not None else goal if goal in TASKS else "general")
    if gate is not None:
        if success_when is not None:
            raise ConfigError("give success_when or gate, not both: each replaces gate 1's check")
        if not callable(getattr(gate, "check", None)):
            raise ConfigError(f"gate must have a method check(request, output), got {gate!r}")
        return gate
    return built_in if success_when is None else PredicateGate(success_when, goal=goal)


def roster_of(paths: Sequence[Path], endpoints: Mapping[str, Endpoint]) -> Roster:
    """The paths with their prices; an adapter's own paths have no endpoint."""
    providers = {path_id: endpoint.provider for path_id, endpoint in endpoints.items()}
    return Roster(
        paths={path.id: path for path in paths},
        costs=Costs({p.id: price_of(p, provider=providers.get(p.id)) for p in paths}),
        blocks=Blocks(),
        sessions=Sessions(),
    )


def judge_beside(score_when: object, judge: object) -> object:
    """The judge of answers that may be scored at once.

    Raises:
        ConfigError: two that would score the same answers.
    """
    if score_when is None:
        return judge
    if judge is not None and judge != DEFAULT:
        raise ConfigError("give score_when or judge, not both: each scores the answers")
    return None


def judging_of(
    judge: object,
    reports: Reports,
    learner: Learner,
    *,
    paths: Sequence[Path],
    endpoints: Mapping[str, Endpoint],
    base_url: str | None,
    seed: int | None,
    wall: Callable[[], float],
) -> Judging | None:
    """Gate 2, as `judging_for`: its scores are booked as reports."""

    def told(work: Work, score: float, beside: Mapping[str, JSON]) -> bool:
        return reports.judged(work.decision_id, work.path_id, score, beside)

    policy = learner.policy
    learns = policy if isinstance(policy, RunLengthPolicy) else None
    return judging_for(
        judge,
        goal=learner.goal,
        paths=paths,
        endpoints=endpoints,
        base_url=base_url,
        seed=seed,
        wall=wall,
        known=None if learns is None else learns.scored,
        answers=None if learns is None else lambda path_id: learns.belief(path_id)[1],
        told=told,
    )


def reporter_of(learner: Learner, *, paths: Sequence[Path], wall: Callable[[], float]) -> Reporter:
    """Gate 3 on a Router's ledger; what other goals are to learn is only passed on."""
    from .ledger.memory import MemoryConversations
    from .reporter import Reporter  # users of the first two gates need not wait for it
    from .signals import Signals

    def book(entry: Entry) -> bool:
        own = entry.goal == learner.goal
        return learner.book(entry) if own else learner.pass_on(entry)

    ledger = learner.ledger
    signals = Signals(
        keeper=ledger if isinstance(ledger, Conversations) else MemoryConversations(),
        book=book,
        told=learner.entries,
        origin=lambda: learner.origin,
        wall=wall,
        scope="" if isinstance(ledger, Shared) else f"{learner.goal}\n",
    )
    return Reporter(signals, learner, goal=learner.goal, paths=paths)
