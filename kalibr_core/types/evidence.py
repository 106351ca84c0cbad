"""What the bandit chooses from and learns from, and the record's lines."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from .exchange import Features
from .path import JSON


class Arm(NamedTuple):
    """A path as the bandit sees it."""

    id: str
    cost_usd: float | None
    """Expected cost of this call on this arm; None: unknown, which is not free."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """What a policy may know about the call it chooses an arm for."""

    number: int = 1
    """1 for a call's first attempt; from 2 on the caller is waiting for a fallback."""
    at: float = 0.0
    """Wall-clock time, seconds since the epoch."""
    features: Features | None = None
    previous: str | None = None
    """The arm that answered the conversation's previous turn; switching away from it has a price.

    Told for a call's first attempt alone. It may not be among the arms that are offered now.
    """


class Basis(NamedTuple):
    """What was known of one arm when a choice was made; the propensity is computed from these."""

    arm: str
    cost_usd: float | None
    down: bool
    runs: tuple[tuple[float, float, float], ...]
    """(weight, alpha, beta) of the posterior's components; weights sum to 1, but for light ones."""
    doubt: float = 0.0
    """How far above its mean, in logits, the arm may still be for all that the evidence says."""


class Pull(NamedTuple):
    """A policy's choice."""

    arm: str
    rule: str
    """What decided: `leader`, `cheaper`, `probe`, `conversation`, `only`, or a baseline's word."""
    propensity: float | None = None
    """The arm's probability, where it is known without an estimate; else see `basis`."""
    basis: tuple[Basis, ...] = ()
    due: str | None = None
    """The arm whose probe was due; it is made with a fixed probability, else an arm is drawn."""
    previous: str | None = None
    """The arm that a conversation may stay with."""


class EvidenceKind(enum.StrEnum):
    """What a piece of evidence speaks about."""

    QUALITY = "quality"
    """Did the output pass gate 1?"""
    AVAILABILITY = "availability"
    """Did the provider answer at all?"""
    SCORE = "score"
    """How good was it, by gate 2 or `score_when`?"""
    BEHAVIOUR = "behaviour"
    """What did the user do with it?"""
    TAKEN_BACK = "taken_back"
    """Behaviour that was told before and counts no more; its sums are taken off."""
    NONE = "none"
    """A pull that taught nothing: cancelled, or the caller's own fault."""


class Evidence(NamedTuple):
    """Outcomes of one arm; several at once where they come from another process."""

    kind: EvidenceKind
    gain: float = 0.0
    """Sum of the rewards, each in [0, 1]."""
    loss: float = 0.0
    """Sum of (1 - reward)."""
    at: float = 0.0
    """Wall-clock time of the newest, seconds since the epoch."""


class Entry(NamedTuple):
    """One line of the record: something that happened, once, to one path of one goal."""

    id: str
    """Unique: the same event written twice counts once. It begins with `decision_id:`."""
    goal: str
    kind: str
    """`attempt`, `report`, `score`, `judge`, `momentum`, `action`, or `replaced`: an action after
    which there was another one."""
    decision_id: str
    path_id: str
    origin: str
    """Which Router wrote it: a worker leaves out its own when it takes others' evidence in."""
    at: float
    """Wall-clock time, seconds since the epoch."""
    evidence: EvidenceKind
    reward: float | None
    """In [0, 1]; None: it says nothing about the path."""
    data: Mapping[str, JSON]
    """What status, explain and replay need; no prompt, output or key."""


class Batch(NamedTuple):
    """Others' evidence about one arm, summed."""

    path_id: str
    evidence: Evidence
