"""Beliefs as JSON and back, exactly: floats survive, and what is out of bounds is clamped."""

from __future__ import annotations

from collections.abc import Mapping

from ..types import JSON
from .arms import ArmState, Availability
from .beliefs import Belief
from .bounds import clamped, field, items
from .constants import Constants
from .regime import Regime

FORMAT = "run-length/1"


def read_format(state: object) -> None:
    """Raises ValueError where `state` is not of this format."""
    if (found := field(state, "format")) != FORMAT:
        raise ValueError(f"expected a state of format {FORMAT!r}, got {found!r:.80}")


def written_arm(state: ArmState) -> JSON:
    """One arm's beliefs; what is empty is left out."""
    record: dict[str, JSON] = {
        "last": state.last,
        "runs": state.quality.state(),
        "regime": state.regime.state(),
    }
    if state.availability is not None:
        record["availability"] = [state.availability.since, state.availability.belief.state()]
    if state.scores.count:
        record["scores"] = [state.scores.good, state.scores.count]
    if state.behaviour.count:
        record["behaviour"] = [state.behaviour.good, state.behaviour.count]
    return record


def read_arms(record: object, calls: float, constants: Constants) -> dict[str, ArmState]:
    """All arms of a written state.

    Raises:
        ValueError: it is malformed.
    """
    if not isinstance(record, Mapping):
        raise ValueError(f"expected the arms by id, got {record!r:.80}")
    return {str(arm): _read_arm(str(arm), entry, calls, constants) for arm, entry in record.items()}


def _read_arm(arm: str, record: object, calls: float, constants: Constants) -> ArmState:
    state = ArmState(arm, constants)
    state.last = clamped(field(record, "last"), 0.0, calls)
    state.quality = Belief.restored(field(record, "runs"), calls=calls)
    state.regime = Regime.restored(field(record, "regime"), calls=calls)
    if isinstance(record, Mapping):
        if "availability" in record:
            state.availability = _read_availability(record["availability"], calls, constants)
        if "scores" in record:
            state.scores.restore(record["scores"])
        if "behaviour" in record:
            state.behaviour.restore(record["behaviour"])
    state.refresh(constants)
    return state


def _read_availability(record: object, calls: float, constants: Constants) -> Availability:
    since, runs = items(record, 2)
    availability = Availability(0.0, constants)
    availability.since = None if since is None else clamped(since, 0.0, calls)
    availability.belief = Belief.restored(runs, calls=calls)
    return availability
