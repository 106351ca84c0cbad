"""The models that the loopback provider serves: quality, speed, list price, context window."""

from __future__ import annotations

import math
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """One served model.

    Attributes:
        name: What clients request, e.g. ``"gpt-4o"``.
        quality: Probability in [0, 1] that an answer is good; the rest is flawed in a natural form.
        latency_s: Median seconds to the first token at ``latency_scale=1``, >= 0.
        tokens_per_s: Completion tokens per second after the first one, > 0.
        input_usd_per_mtok: List price in USD per million prompt tokens, >= 0.
        output_usd_per_mtok: List price in USD per million completion tokens, >= 0.
        context_window: Prompt plus completion tokens that fit, > 0.
        response_name: Name that answers carry; None repeats the name that was requested.
        aliases: Further names that clients may request; they share this model's faults and draws.
        accepts_prefill: False answers 400 when the last message is the assistant's.
        coverage: Mean share in [0, 1] of the points that a prompt asks for which a good answer
            covers; it talks around the rest in as many words, and its form is as good.
        evenness: How alike answers are in that: the sum of their Beta distribution's parameters,
            >= 0; 0: an answer covers all points or none.
        grading_noise: Standard deviation of the model's error as a judge, >= 0; see
            ``answers.grading``.
    """

    name: str
    quality: float
    latency_s: float
    tokens_per_s: float
    input_usd_per_mtok: float
    output_usd_per_mtok: float
    context_window: int = 128_000
    response_name: str | None = None
    aliases: tuple[str, ...] = ()
    accepts_prefill: bool = True
    coverage: float = 1.0
    evenness: float = 8.0
    grading_noise: float = 0.0

    def __post_init__(self) -> None:
        if not self.name:
            raise ValueError("a model's name must not be empty")
        if not 0.0 <= self.quality <= 1.0:
            raise ValueError(f"{self.name}: quality must be in [0, 1], got {self.quality!r}")
        if not self.latency_s >= 0.0:
            raise ValueError(f"{self.name}: latency_s must be >= 0, got {self.latency_s!r}")
        if not self.tokens_per_s > 0.0:
            raise ValueError(f"{self.name}: tokens_per_s must be > 0, got {self.tokens_per_s!r}")
        if not min(self.input_usd_per_mtok, self.output_usd_per_mtok) >= 0.0:
            raise ValueError(f"{self.name}: prices must be >= 0 USD per million tokens")
        if self.context_window <= 0:
            raise ValueError(f"{self.name}: context_window must be > 0 tokens")
        if not 0.0 <= self.coverage <= 1.0:
            raise ValueError(f"{self.name}: coverage must be in [0, 1], got {self.coverage!r}")
        for what in ("evenness", "grading_noise"):
            if not 0.0 <= (value := getattr(self, what)) < math.inf:
                raise ValueError(f"{self.name}: {what} must be a number >= 0, got {value!r}")
        object.__setattr__(self, "aliases", tuple(self.aliases))

    def cost_usd(self, prompt_tokens: int, completion_tokens: int) -> float:
        """List price in USD of one answer.

        >>> round(DEFAULT_MODELS[0].cost_usd(1_000, 100), 6)
        0.0035
        """
        spent = prompt_tokens * self.input_usd_per_mtok
        return (spent + completion_tokens * self.output_usd_per_mtok) / 1_000_000


DEFAULT_MODELS: tuple[Model, ...] = (
    Model(
        name="gpt-4o",
        quality=0.99,
        latency_s=0.55,
        tokens_per_s=90.0,
        input_usd_per_mtok=2.50,
        output_usd_per_mtok=10.00,
        response_name="gpt-4o-2024-08-06",
        aliases=("gpt-4o-2024-08-06",),
    ),
    Model(
        name="gpt-4o-mini",
        quality=0.97,
        latency_s=0.45,
        tokens_per_s=110.0,
        input_usd_per_mtok=0.15,
        output_usd_per_mtok=0.60,
        response_name="gpt-4o-mini-2024-07-18",
        aliases=("gpt-4o-mini-2024-07-18",),
    ),
    Model(
        name="gpt-3.5-turbo",
        quality=0.93,
        latency_s=0.40,
        tokens_per_s=130.0,
        input_usd_per_mtok=0.50,
        output_usd_per_mtok=1.50,
        context_window=16_385,
        response_name="gpt-3.5-turbo-0125",
        aliases=("gpt-3.5-turbo-0125",),
    ),
    Model(
        name="claude-sonnet-4",
        quality=0.99,
        latency_s=0.90,
        tokens_per_s=70.0,
        input_usd_per_mtok=3.00,
        output_usd_per_mtok=15.00,
        context_window=200_000,
        aliases=("claude-sonnet-4-0", "claude-sonnet-4-20250514"),
    ),
    Model(
        name="deepseek-coder",
        quality=0.96,
        latency_s=1.10,
        tokens_per_s=45.0,
        input_usd_per_mtok=0.28,
        output_usd_per_mtok=0.42,
    ),
    Model(
        name="deepseek-chat",
        quality=0.97,
        latency_s=1.00,
        tokens_per_s=50.0,
        input_usd_per_mtok=0.28,
        output_usd_per_mtok=0.42,
    ),
    Model(
        name="llama-3.3-70b",
        quality=0.94,
        latency_s=0.25,
        tokens_per_s=275.0,
        input_usd_per_mtok=0.59,
        output_usd_per_mtok=0.79,
        context_window=131_072,
        aliases=("llama-3.3-70b-versatile", "meta-llama/Llama-3.3-70B-Instruct-Turbo"),
    ),
)
"""The resilience benchmark's three models and four of other makers, at list prices of 2025."""


def catalogue(models: tuple[Model, ...]) -> MappingProxyType[str, Model]:
    """Index models by name and alias; a name used twice raises ValueError."""
    index: dict[str, Model] = {}
    for model in models:
        for name in (model.name, *model.aliases):
            if name in index:
                raise ValueError(f"two models answer to the name {name!r}")
            index[name] = model
    if not index:
        raise ValueError("the provider needs at least one model")
    return MappingProxyType(index)
