"""What was known when a choice was made, small enough to be written down with each decision."""

from __future__ import annotations

from collections.abc import Sequence

from ..types import Basis
from .arms import ArmState, Component

LIGHT = 0.001
"""Components lighter than this share are left out."""


def basis_of(states: Sequence[ArmState], costs: Sequence[float | None]) -> tuple[Basis, ...]:
    """One basis per arm; unchanged ones are reused."""
    return tuple(
        [
            basis
            if (basis := state.basis) is not None and basis.cost_usd == cost
            else _renewed(state, cost)
            for state, cost in zip(states, costs, strict=True)
        ]
    )


def _renewed(state: ArmState, cost: float | None) -> Basis:
    if state.basis is None:
        state.basis = Basis(state.id, cost, state.down, tuple(heavy(state)), round(state.doubt, 4))
    else:
        state.basis = state.basis._replace(cost_usd=cost)
    return state.basis


def heavy(state: ArmState) -> Sequence[Component]:
    """The components that count, rounded."""
    if state.components is None:
        return state.quality.heavy(LIGHT)
    return [(round(w, 4), round(a, 2), round(b, 2)) for w, a, b in state.components if w >= LIGHT]
