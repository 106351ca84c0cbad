"""What the provider has seen, as records that a test or a benchmark reads."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelStats:
    """Counts of one requested model, all >= 0.

    Attributes:
        requests: Well-formed requests that named it.
        completions: Responses with status 200 and an answer, good or bad, sent to their end.
        injected: Answers spoilt by ``degrade``.
        flawed: Answers that the model itself got wrong (probability ``1 - quality``).
        failed: Requests hit by a scripted fault, or refused with a 400, by kind.
        prompt_tokens: Billed, over all completions.
        completion_tokens: Billed, over all completions.
        closed_early: Clients that left before their response was whole.
        in_flight: Requests being served now.
    """

    requests: int = 0
    completions: int = 0
    injected: int = 0
    flawed: int = 0
    failed: Mapping[str, int] = field(default_factory=dict)
    prompt_tokens: int = 0
    completion_tokens: int = 0
    closed_early: int = 0
    in_flight: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Stats:
    """Counts of the whole provider or of one API token.

    Attributes:
        models: By requested model.
        open_connections: TCP connections that have carried an API request and are open now; of
            all tokens, as several may share one.
        closed_early: Sum over models.
        cpu_s: CPU seconds that the serving thread has used since it started.
    """

    models: Mapping[str, ModelStats]
    open_connections: int
    closed_early: int
    cpu_s: float

    def __getitem__(self, model: str) -> ModelStats:
        """A model's counts; all zero if it has had no request."""
        return self.models.get(model) or ModelStats()

    def __contains__(self, model: object) -> bool:
        """Has it had a request?"""
        return model in self.models


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """One request as it came.

    Attributes:
        token: API token (the key after ``Bearer``), or None.
        path: URL path.
        model: Canonical name of the requested model, or what was sent if it is unknown.
        headers: Lower-case names; ``authorization`` is left out, ``token`` has it.
        body: The parsed body, or None if it is not a JSON object.
        outcome: ``"good"``, ``"flawed:FORM"``, ``"injected:KIND"``, ``"fault:KIND"``,
            ``"scripted"``, or ``"error:STATUS"``.
        n: How often this token had sent this prompt and seed to this model before.
    """

    token: str | None
    path: str
    model: str | None
    headers: Mapping[str, str]
    body: Mapping[str, Any] | None
    outcome: str
    n: int = 0


class Tally:
    """Mutable counts of one (API token, model)."""

    __slots__ = ("counts", "failed")

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.failed: Counter[str] = Counter()


def summed(tallies: list[Tally]) -> ModelStats:
    """Add tallies up."""
    counts: Counter[str] = Counter()
    failed: Counter[str] = Counter()
    for tally in tallies:
        counts.update(tally.counts)
        failed.update(tally.failed)
    return ModelStats(failed=dict(failed), **counts)


def to_json(stats: Stats) -> dict[str, Any]:
    """JSON-able values; ``from_json`` reads them back."""
    return asdict(stats)


def from_json(value: Mapping[str, Any]) -> Stats:
    """Read what ``to_json`` made."""
    models = {name: ModelStats(**counts) for name, counts in value["models"].items()}
    return Stats(**{**value, "models": models})
