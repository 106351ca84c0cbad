"""What was known when a choice was made, small enough to be written down with each decision."""

from __future__ import annotations

from collections.abc import Sequence

from ..types import Basis
from .arms import ArmState

BASIS_RUNS = 3
"""Components recorded per arm; the lighter ones are merged into the last."""


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
    state.basis = Basis(state.id, cost, state.down, heaviest(state.components))
    return state.basis


def heaviest(components: Sequence[tuple[float, ...]]) -> tuple[tuple[float, float, float], ...]:
    """The heaviest components as (weight, alpha, beta), rounded; the rest merged into one.

    Merging keeps the mixture's mean and count, and thus rule 4; only draws from the merged part
    are approximate.
    """
    if len(components) > BASIS_RUNS:
        components = [*components[: BASIS_RUNS - 1], merged(components[BASIS_RUNS - 1 :])]
    return tuple([(round(w, 4), round(a, 2), round(b, 2)) for w, a, b, *_ in components])


def merged(components: Sequence[tuple[float, ...]]) -> tuple[float, float, float]:
    """One Beta with the weight, mean and mean count of several."""
    weight = sum([part[0] for part in components])
    mean = sum([part[0] * part[1] / (part[1] + part[2]) for part in components]) / weight
    size = sum([part[0] * (part[1] + part[2]) for part in components]) / weight
    return weight, mean * size, (1.0 - mean) * size
