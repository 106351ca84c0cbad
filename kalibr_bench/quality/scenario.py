"""The world: three paths that all pass gate 1, one of which writes better answers."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, TypeAlias

from kalibr_bench.provider import Model
from kalibr_bench.quality.records import Settings

Messages: TypeAlias = Sequence[Mapping[str, Any]]
"""A conversation."""
GOAL = "research"
QUALITIES = (0.85, 0.60, 0.60)
"""Mean share of the points asked for that the paths' answers cover; the first is the best."""
PLACES = "abc"
"""The paths' places in the Router's list, and in the order of their names."""
GRADER = "grader"
PRICE: Mapping[str, float] = MappingProxyType(
    {"input_usd_per_mtok": 0.5, "output_usd_per_mtok": 1.5}
)
"""Of all paths alike, and of the judge."""
SEEDS_PER_RUN = 100_000
_POINTS = 10
_SUBJECTS = (
    "tidal power", "night trains", "seed banks", "desalination", "river ports", "peat bogs",
    "wool mills", "bike lanes", "rain gardens", "salt mines", "kelp farms", "ice roads",
)  # fmt: skip
_PLACES = (
    "Norway", "Chile", "Wales", "Kenya", "Japan", "Ontario", "Estonia", "Portugal", "Vietnam",
    "Uruguay", "Iceland", "Bavaria", "Tasmania", "Morocco", "Quebec", "Galicia",
)  # fmt: skip
_ASPECTS = (
    "running costs", "legal limits", "public funding", "water use", "skilled labour",
    "land rights", "export demand", "early failures", "noise complaints", "insurance terms",
    "spare parts", "seasonal peaks", "carbon balance", "local ownership",
)  # fmt: skip


def models(settings: Settings) -> list[Model]:
    """What the provider serves: in each place a good and a dull writer, and the judge."""
    served = [
        _model(name_of(place, quality), coverage=quality, evenness=settings.evenness)
        for place in PLACES
        for quality in sorted(set(QUALITIES))
    ]
    return [*served, _model(GRADER, grading_noise=settings.noise)]


def name_of(place: str, quality: float) -> str:
    """The model of this quality in this place.

    >>> name_of("a", 0.85)
    'writer-a-85'
    """
    return f"writer-{place}-{100 * quality:.0f}"


def names(seed: int) -> tuple[str, ...]:
    """A run's models, by their places; the best one's place goes round with the seed.

    >>> names(1)
    ('writer-a-60', 'writer-b-85', 'writer-c-60')
    """
    turn = seed % len(PLACES)
    return tuple(name_of(place, QUALITIES[at - turn]) for at, place in enumerate(PLACES))


def best(seed: int) -> str:
    """The run's best path.

    >>> best(1)
    'writer-b-85'
    """
    return names(seed)[seed % len(PLACES)]


def requests(seed: int, count: int) -> list[Messages]:
    """A run's conversations: each asks for a note on ten points."""
    rng = random.Random(seed)
    return [[{"role": "user", "content": _prompt(rng)}] for _ in range(count)]


def _prompt(rng: random.Random) -> str:
    points = "\n".join(f"- {point}" for point in rng.sample(_ASPECTS, _POINTS))
    subject, place = rng.choice(_SUBJECTS), rng.choice(_PLACES)
    return (
        f"Write a short research note on {subject} in {place}. Cover each of these points:\n"
        f"{points}"
    )


def _model(
    name: str, *, coverage: float = 1.0, evenness: float = 0.0, grading_noise: float = 0.0
) -> Model:
    return Model(
        name=name,
        quality=1.0,
        latency_s=0.5,
        tokens_per_s=90.0,
        input_usd_per_mtok=PRICE["input_usd_per_mtok"],
        output_usd_per_mtok=PRICE["output_usd_per_mtok"],
        coverage=coverage,
        evenness=evenness,
        grading_noise=grading_noise,
    )
