"""What the paths of a Router cost: of calls that were made, and of calls to come."""

from __future__ import annotations

from collections.abc import Mapping

from .paths import is_number
from .prices import Price, cost_usd
from .types import Outcome, Path, Request, Usage

TYPICAL_OUTPUT_TOKENS = 256.0
"""Assumed where no path has answered yet."""
LEARNING_RATE = 0.1
"""Of the running mean of a path's answers."""


class Costs:
    """Prices of paths, and how long their answers are; shared by all calls of a Router."""

    def __init__(self, prices: Mapping[str, Price | None]) -> None:
        self._prices = prices
        self._typical_output_tokens: dict[str, float] = {}

    def window(self, path: Path) -> int | None:
        """The path's context window, in tokens."""
        price = self._prices[path.id]
        return path.context_window or (price.context_window if price else None)

    def of(self, path: Path, usage: Usage | None) -> float | None:
        """What an attempt cost, in USD; None: unknown."""
        return cost_usd(self._prices[path.id], usage)

    def learn(self, outcome: Outcome) -> None:
        """Take note of how long an answer was."""
        if outcome.usage is not None:
            new = float(outcome.usage.output_tokens)
            seen = self._typical_output_tokens.get(outcome.path_id, new)
            self._typical_output_tokens[outcome.path_id] = seen + LEARNING_RATE * (new - seen)

    def expected(self, path: Path, request: Request) -> float | None:
        """What the policy compares; to two digits, so that like calls offer it equal arms."""
        cost = self._estimate(path, request, self._typical(path))
        return None if cost is None else float(f"{cost:.2g}")

    def at_most(self, path: Path, request: Request) -> float | None:
        """What a call may cost: with as many output tokens as it allows, else as is typical."""
        limits = (path.params.get(name) for name in ("max_completion_tokens", "max_tokens"))
        limit = next((limit for limit in limits if is_number(limit)), request.max_output_tokens)
        return self._estimate(path, request, limit or self._typical(path))

    def _typical(self, path: Path) -> float:
        """As the path has answered, else as the others have: untried is no reason to be dearer."""
        typical = self._typical_output_tokens
        if path.id in typical or not typical:
            return typical.get(path.id, TYPICAL_OUTPUT_TOKENS)
        return sum(seen := list(typical.values())) / len(seen)

    def _estimate(self, path: Path, request: Request, output_tokens: float) -> float | None:
        price = self._prices[path.id]
        if price is None:
            return None
        tokens = request.features.input_tokens
        return (tokens * price.input + output_tokens * price.output) / 1_000_000
