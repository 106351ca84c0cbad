"""What a call asks of a path: capabilities, a large enough window, a price within its budget."""

from __future__ import annotations

from .costs import Costs
from .types import INPUTS, Outcome, Path, Request


class Eligibility:
    """One call's demands; they grow as its attempts overflow and cost."""

    __slots__ = ("_costs", "_max_cost_usd", "_min_window", "_request", "_spent_usd")

    def __init__(self, costs: Costs, request: Request, *, max_cost_usd: float | None) -> None:
        self._costs = costs
        self._request = request
        self._max_cost_usd = max_cost_usd
        self._min_window = 0
        self._spent_usd = 0.0

    def unable(self, path: Path) -> str | None:
        """Why the path cannot take the request at all, or None."""
        request = self._request
        if request.only is not None and request.only not in (path.id, path.model):
            return f"is not {request.only!r}"
        if request.tools and path.tools is False:
            return "cannot call tools (tools=False)"
        for name in INPUTS:
            if name in request.takes and getattr(path, name) is False:
                return f"cannot read {name} ({name}=False)"
        return None

    def fits(self, path: Path) -> bool:
        """Is it large enough for what overflowed, and within what is left of the budget?"""
        return self._fits_window(path) and self.unaffordable(path) is None

    def unaffordable(self, path: Path) -> str | None:
        """Why an attempt does not fit what is left of `max_cost_usd`, or None."""
        if self._max_cost_usd is None:
            return None
        cost = self._costs.at_most(path, self._request)
        if cost is None:
            return f"{path.id}: its price is unknown"
        if self._spent_usd + cost > self._max_cost_usd:
            return f"{path.id}: about {cost:.6f} USD"
        return None

    def overflowed(self, path: Path) -> None:
        """From now on only larger windows than this path's."""
        window = self._costs.window(path)
        self._min_window = max(self._min_window, window or self._request.features.input_tokens)

    def spent(self, path: Path, outcome: Outcome) -> None:
        """Count an attempt's cost, and learn how long the path's answers are."""
        cost = outcome.cost_usd
        if cost is None:  # no usage came, or the caller left: unknown is not free
            cost = self._costs.at_most(path, self._request)
        self._spent_usd += cost or 0.0
        self._costs.learn(outcome)

    def _fits_window(self, path: Path) -> bool:
        if self._min_window == 0:
            return True
        window = self._costs.window(path)
        return window is not None and window > self._min_window
