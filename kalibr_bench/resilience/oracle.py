"""The oracle: a policy that knows the true rates. Nobody can; it shows what is possible."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from kalibr_core.bandit import Constants
from kalibr_core.types import Arm, Context, Evidence, Pull

MARGIN = Constants().margin
"""Success given up at most for a path that is nearly free; the router's own."""


class OraclePolicy:
    """Takes the cheapest arm whose true success is within the margin of the best.

    Args:
        rates: Tells each arm's true success now.
    """

    def __init__(self, rates: Callable[[], Mapping[str, float]]) -> None:
        self._rates = rates

    def pull(self, arms: Sequence[Arm], context: Context) -> Pull:
        """Choose an arm by the truth."""
        rates = self._rates()
        best = max(arms, key=lambda arm: rates[arm.id])
        for arm in sorted(arms, key=_cost):
            saved = 1.0 - _cost(arm) / _cost(best) if _cost(best) else 0.0
            if rates[arm.id] >= rates[best.id] - MARGIN * max(saved, 0.0):
                return Pull(arm=arm.id, rule="oracle", propensity=1.0)
        return Pull(arm=best.id, rule="oracle", propensity=1.0)

    def update(self, arm: str, evidence: Evidence) -> None:
        """Learn nothing; it is all known."""


def _cost(arm: Arm) -> float:
    return float("inf") if arm.cost_usd is None else arm.cost_usd
