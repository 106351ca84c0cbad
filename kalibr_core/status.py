"""A ledger -> what is known of each goal's paths."""

from __future__ import annotations

import random
from collections import Counter, deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from .bandit import RunLengthPolicy
from .learner import evidence_of
from .paths import is_number
from .types import Entry, EvidenceKind

RECENT = 100
"""Decisions that a path's share is taken over."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PathStatus:
    """One path of one goal."""

    path_id: str
    success: float
    """How likely a call is to succeed now: reachable, passing gate 1, as good as its scores."""
    evidence: float
    """How many outcomes that rests on."""
    share: float
    """Of the last `RECENT` decisions, in [0, 1]."""
    attempts: int
    failures: int
    cost_usd: float | None
    """Of all attempts; None where none had a known price."""
    unpriced: int
    """Attempts of unknown cost."""
    latency_s: float | None
    """Median of the last attempts."""
    down: bool
    """True: taken for failing, and only probed."""
    changed_at: float | None
    """When it last went down or came back, seconds since the epoch."""
    last_at: float
    """Its last attempt, seconds since the epoch."""
    signals: int
    """Reports, scores, and what users did."""
    score: float | None
    """Mean of its answers' scores, in [0, 1]; None: none was scored."""
    users: float | None
    """Mean reward of what users did with its answers, in [0, 1]; None: nothing is known."""
    user_signals: int
    """How many that is of; from the fifth on they count."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GoalStatus:
    goal: str
    decisions: int
    judged: int
    """Answers that a judge scored."""
    judging_usd: float | None
    """What that cost; None where no price is known."""
    paths: tuple[PathStatus, ...]


@dataclass(slots=True)
class _Tally:
    attempts: int = 0
    failures: int = 0
    cost_usd: float = 0.0
    unpriced: int = 0
    signals: int = 0
    scores: int = 0
    scored: float = 0.0
    user_signals: int = 0
    used: float = 0.0
    down: bool = False
    changed_at: float | None = None
    last_at: float = 0.0
    latencies: deque[float] = field(default_factory=lambda: deque(maxlen=RECENT))


def goal_status(goal: str, entries: Iterable[Entry]) -> GoalStatus:
    """Fold a goal's entries, in the record's order."""
    policy = RunLengthPolicy([], random.Random(0))
    tallies: dict[str, _Tally] = {}
    recent: deque[str] = deque(maxlen=RECENT)
    decisions = judged = 0
    judging: list[float] = []
    for entry in entries:
        tally = tallies.setdefault(entry.path_id, _Tally())
        policy.update(entry.path_id, evidence_of(entry))
        if entry.kind == "attempt":
            _count(tally, entry)
            if entry.id.endswith(":1"):
                decisions += 1
                recent.append(entry.path_id)
        else:
            _hear(tally, entry)
            if entry.kind == "judge":
                judged += 1
                if is_number(cost := entry.data.get("cost_usd")):
                    judging.append(cost)
        down = policy.is_down(entry.path_id)
        if down != tally.down:
            tally.down, tally.changed_at = down, entry.at
    shares = Counter(recent)
    return GoalStatus(
        goal=goal,
        decisions=decisions,
        judged=judged,
        judging_usd=sum(judging) if judging else None,
        paths=tuple(
            _status(path_id, tally, policy, shares[path_id] / max(1, len(recent)))
            for path_id, tally in sorted(tallies.items(), key=lambda item: -shares[item[0]])
        ),
    )


def _hear(tally: _Tally, entry: Entry) -> None:
    """Count a later signal, or take one back."""
    change = -1 if entry.evidence is EvidenceKind.TAKEN_BACK else 1
    tally.signals += change
    if entry.reward is None:
        return
    if entry.kind in ("score", "judge"):
        tally.scores += 1
        tally.scored += entry.reward
    if entry.evidence in (EvidenceKind.BEHAVIOUR, EvidenceKind.TAKEN_BACK):
        tally.user_signals += change
        tally.used += change * entry.reward


def _count(tally: _Tally, entry: Entry) -> None:
    data = entry.data
    tally.attempts += 1
    tally.failures += "failure" in data
    cost, latency = data.get("cost_usd"), data.get("latency_s")
    if is_number(cost):
        tally.cost_usd += cost
    else:
        tally.unpriced += 1
    if is_number(latency):
        tally.latencies.append(float(latency))
    tally.last_at = max(tally.last_at, entry.at)


def _status(path_id: str, tally: _Tally, policy: RunLengthPolicy, share: float) -> PathStatus:
    success, evidence = policy.belief(path_id)
    return PathStatus(
        path_id=path_id,
        success=success,
        evidence=evidence,
        share=share,
        attempts=tally.attempts,
        failures=tally.failures,
        cost_usd=tally.cost_usd if tally.unpriced < tally.attempts else None,
        unpriced=tally.unpriced,
        latency_s=_median(tally.latencies),
        down=tally.down,
        changed_at=tally.changed_at,
        last_at=tally.last_at,
        signals=tally.signals,
        score=tally.scored / tally.scores if tally.scores else None,
        users=tally.used / tally.user_signals if tally.user_signals else None,
        user_signals=tally.user_signals,
    )


def _median(values: Sequence[float]) -> float | None:
    return sorted(values)[len(values) // 2] if values else None
