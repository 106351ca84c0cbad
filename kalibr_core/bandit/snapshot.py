"""Beliefs as JSON and back, exactly: floats survive, and what is out of bounds is clamped."""

from __future__ import annotations

from collections.abc import Mapping

from ..types import JSON
from .arms import ArmState
from .beliefs import Belief, whole
from .bounds import clamped, field, items
from .constants import Constants
from .ratings import Availability, Ratings
from .regime import Regime

FORMAT = "run-length/3"


def read_format(state: object) -> None:
    """Raises ValueError where `state` is not of this format."""
    if (found := field(state, "format")) != FORMAT:
        raise ValueError(f"expected a state of format {FORMAT!r}, got {found!r:.80}")


def written_arm(state: ArmState, calls: float) -> JSON:
    """One arm's beliefs, each in a row; what is empty is left out."""
    record: dict[str, JSON] = {
        "last": [whole(state.last), state.last_at, state.since_at],
        "runs": state.quality.state(calls),
        "regime": state.regime.state(calls),
    }
    if state.availability is not None:
        since = state.availability.since
        runs = state.availability.belief.state(calls)
        record["availability"] = [None if since is None else whole(since), *runs]
    for name, ratings in (("scores", state.scores), ("behaviour", state.behaviour)):
        if ratings is not None and ratings.count:
            record[name] = [whole(ratings.good), whole(ratings.count)]
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
    last, last_at, since_at = items(field(record, "last"), 3)
    state.last = clamped(last, 0.0, calls)
    state.last_at, state.since_at = int(clamped(last_at, 0, 1e12)), int(clamped(since_at, 0, 1e12))
    state.quality = Belief.restored(field(record, "runs"), calls=calls)
    state.regime = Regime.restored(field(record, "regime"), calls=calls)
    assert isinstance(record, Mapping)
    if "availability" in record:
        state.availability = _read_availability(record["availability"], calls, constants)
    if "scores" in record:
        state.scores = Ratings(constants.score_memory)
        state.scores.restore(record["scores"])
    if "behaviour" in record:
        state.behaviour = Ratings(constants.behaviour_memory)
        state.behaviour.restore(record["behaviour"])
    state.refresh(constants)
    return state


def _read_availability(record: object, calls: float, constants: Constants) -> Availability:
    since, *runs = items(record)
    availability = Availability(0.0, constants)
    availability.since = None if since is None else clamped(since, 0.0, calls)
    availability.belief = Belief.restored(runs, calls=calls)
    return availability
