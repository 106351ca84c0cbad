"""List prices -> the cost of a call. An unknown price is `None`: never the dearest, never 0.

In order: what the path says, this table, `genai-prices` where it is installed (extra `prices`).
Prices are looked up once per path, when a Router is made, and never during a call.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from .types import Path, Usage

AS_OF = "2026-11-01"
"""When the table was compared with the providers' list prices as genai-prices 0.2.3 has them."""


class Price(NamedTuple):
    """USD per million tokens, and the context window in tokens."""

    input: float
    output: float
    cached_input: float | None = None
    context_window: int | None = None


FREE = Price(0.0, 0.0, 0.0)
"""Models on the user's own machine."""

TABLE: dict[str, Price] = {
    "gpt-3.5-turbo": Price(0.50, 1.50, None, 16_385),
    "gpt-4o": Price(2.50, 10.00, 1.25, 128_000),
    "gpt-4o-mini": Price(0.15, 0.60, 0.075, 128_000),
    "gpt-4.1": Price(2.00, 8.00, 0.50, 1_000_000),
    "gpt-4.1-mini": Price(0.40, 1.60, 0.10, 1_000_000),
    "gpt-4.1-nano": Price(0.10, 0.40, 0.025, 1_000_000),
    "gpt-5": Price(1.25, 10.00, 0.125, 400_000),
    "gpt-5-mini": Price(0.25, 2.00, 0.025, 400_000),
    "gpt-5-nano": Price(0.05, 0.40, 0.005, 400_000),
    "gpt-5.1": Price(1.25, 10.00, 0.125, 400_000),
    "o3": Price(2.00, 8.00, 0.50, 200_000),
    "o3-mini": Price(1.10, 4.40, 0.55, 200_000),
    "o4-mini": Price(1.10, 4.40, 0.275, 200_000),
    "claude-3-5-haiku": Price(0.80, 4.00, 0.08, 200_000),
    "claude-haiku-4-5": Price(1.00, 5.00, 0.10, 200_000),
    "claude-sonnet-4": Price(3.00, 15.00, 0.30, 200_000),
    "claude-sonnet-4-5": Price(3.00, 15.00, 0.30, 200_000),
    "claude-opus-4": Price(15.00, 75.00, 1.50, 200_000),
    "deepseek-chat": Price(0.27, 1.10, 0.07, 64_000),
    "deepseek-coder": Price(0.27, 1.10, 0.07, 64_000),
    "deepseek-reasoner": Price(0.55, 2.19, 0.14, 64_000),
    "gemini-2.0-flash": Price(0.10, 0.40, 0.025, 1_000_000),
    "gemini-2.5-flash": Price(0.30, 2.50, 0.03, 1_048_576),
    "gemini-2.5-flash-lite": Price(0.10, 0.40, 0.01, 1_000_000),
    "gemini-2.5-pro": Price(1.25, 10.00, 0.125, 1_048_576),
    "llama-3.1-8b-instant": Price(0.05, 0.08, None, 131_072),
    "llama-3.3-70b": Price(0.59, 0.79, None, 131_072),
    "mistral-large": Price(2.00, 6.00, None, 131_072),
    "mistral-small": Price(0.15, 0.60, None, 131_072),
    "codestral": Price(0.30, 0.90, None, 256_000),
}

# `gpt-4o-2024-08-06`, `claude-sonnet-4-20250514`, `mistral-large-latest`, `llama-3.3-70b-versatile`
_VERSION = re.compile(r"-(20\d\d-?\d\d-?\d\d|\d{4}|latest|versatile|0)$")


def price_of(path: Path, *, provider: str | None = None) -> Price | None:
    """The price of a path's calls, or None where nobody knows it.

    >>> price_of(Path(model="openai/gpt-4o-2024-08-06")).input
    2.5
    """
    listed = _listed(path.model, provider)
    window = path.context_window or (listed.context_window if listed else None)
    if path.input_usd_per_mtok is not None and path.output_usd_per_mtok is not None:
        return Price(
            path.input_usd_per_mtok,
            path.output_usd_per_mtok,
            path.cached_input_usd_per_mtok,
            window,
        )
    return None if listed is None else listed._replace(context_window=window)


def cost_usd(price: Price | None, usage: Usage | None) -> float | None:
    """What a call cost, in USD; None where price or usage is unknown.

    >>> cost_usd(Price(2.5, 10.0), Usage(input_tokens=1000, output_tokens=100))
    0.0035
    """
    if price is None or usage is None:
        return None
    cached = 0
    if price.cached_input is not None:
        cached = min(usage.cached_input_tokens or 0, usage.input_tokens)
    return (
        (usage.input_tokens - cached) * price.input
        + cached * (price.cached_input or 0.0)
        + usage.output_tokens * price.output
    ) / 1_000_000


def _listed(model: str, provider: str | None) -> Price | None:
    if provider == "ollama":
        return FREE
    name = model.rpartition("/")[2].lower()
    while name not in TABLE:
        shorter = _VERSION.sub("", name)
        if shorter == name:
            return _from_genai_prices(model, provider)
        name = shorter
    return TABLE[name]


def _from_genai_prices(model: str, provider: str | None) -> Price | None:
    try:
        from genai_prices import Usage as Tokens
        from genai_prices import calc_price
    except ImportError:
        return None
    try:
        name = model.rpartition("/")[2]
        found = calc_price(Tokens(input_tokens=1_000), model_ref=name, provider_id=provider)
        written = calc_price(Tokens(output_tokens=1_000), model_ref=name, provider_id=provider)
    except (LookupError, ValueError):
        return None
    return Price(
        float(found.total_price) * 1_000,
        float(written.total_price) * 1_000,
        None,
        found.model.context_window,
    )
