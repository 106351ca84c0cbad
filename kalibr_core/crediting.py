"""Whose work an answer is: by its decision, or by its goal and model."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from .conversations import Made
from .errors import ConfigError, UnknownGoal, UnknownPath
from .features import hash_of
from .outputs import id_of
from .reports import Record, answer_in, answered_by
from .session_ids import shown
from .types import Entry, Features, Path

LOOK = 2_000
"""Entries of a goal that are looked through for a conversation's decision."""


def of_decision(record: Record, decision: object, *, goal: str | None) -> Made:
    """Whose work a decision's answer is.

    Args:
        decision: its id, or an answer that holds it.

    Raises:
        UnknownDecision: it is not in the record, or of another goal.
    """
    found = answered_by(record, id_of(decision), entries_of(record, decision), goal=goal)
    return Made(found.goal, found.decision_id, found.path_id)


def entries_of(record: Record, decision: object) -> list[Entry]:
    """What is recorded of a decision; arguments as `of_decision`'s."""
    decision_id = id_of(decision)
    is_id = isinstance(decision_id, str) and decision_id.isascii()
    return record.entries(str(decision_id)) if is_id else []


def was_asked_in(session_id: str, entries: Sequence[Entry]) -> bool:
    """Was a decision made for this conversation, as `completion(session_id=)` tells?"""
    return any(_session_of(entry) == hash_of(session_id) for entry in entries)


def of_model(
    record: Record,
    *,
    goal: str,
    model: str | None,
    session_id: str,
    paths: Sequence[Path] | None,
) -> Made:
    """The path of this goal that has this model, and its last decision in the conversation; "":
    none is known.

    Args:
        model: a path's id or model; None: whichever answered in the conversation.
        session_id: the conversation's.
        paths: the goal's; None: those in the record.

    Raises:
        UnknownGoal: the record holds nothing of it.
        UnknownPath: the goal has no such path.
        ConfigError: several have this model and none has answered in the conversation; or no model
            is given, and nothing has.
    """
    recent = [entry for entry in record.recent(goal, LOOK) if entry.kind == "attempt"]
    if paths is None and not recent and goal not in record.goals():
        raise UnknownGoal(goal, known=record.goals())
    known = _models(recent, paths)
    wanted = set(known) if model is None else _matching(known, model)
    made = _last_answer(recent, hash_of(session_id), goal, wanted)
    if made is not None:
        return made
    if model is None:
        raise ConfigError(
            f"nothing tells whose answer this is: no call of goal {goal!r} was made with "
            f"completion(session_id={shown(session_id)}). Give the answer itself as output=, or "
            f"decision_id=, or model= with the model or path that gave it, of {sorted(known)}"
        )
    return Made(goal, "", _only(wanted, known, goal=goal, model=model, in_record=paths is None))


def _last_answer(
    recent: Sequence[Entry], session: str, goal: str, wanted: Collection[str]
) -> Made | None:
    """The last of a conversation's answers that one of these paths gave."""
    attempts: dict[str, list[Entry]] = {}
    for entry in reversed(recent):
        attempts.setdefault(entry.decision_id, []).append(entry)
    for decision_id, entries in reversed(attempts.items()):
        if any(_session_of(entry) == session for entry in entries):
            found = answer_in(entries)
            if found is not None and found.path_id in wanted:
                return Made(goal, decision_id, found.path_id)
    return None


def _only(
    wanted: Collection[str],
    known: Collection[str],
    *,
    goal: str,
    model: str,
    in_record: bool,
) -> str:
    """The one path that is meant; errors as `of_model`'s."""
    if len(wanted) > 1:
        raise ConfigError(
            f"model {model!r} is that of {len(wanted)} paths of goal {goal!r}; give decision_id=, "
            f"or one of them: {sorted(wanted)}"
        )
    if not wanted:
        raise UnknownPath(model, goal=goal, known=sorted(known), in_record=in_record)
    return next(iter(wanted))


def _models(recent: Sequence[Entry], paths: Sequence[Path] | None) -> dict[str, set[str]]:
    """Paths' ids -> the names that their models go by."""
    if paths is not None:
        known = {path.id: {path.id, path.model} for path in paths}
    else:
        known = {entry.path_id: {entry.path_id} for entry in recent}
    for entry in recent:
        if entry.path_id in known and isinstance(model := entry.data.get("model"), str):
            known[entry.path_id].add(model)
    return known


def _matching(known: Mapping[str, set[str]], model: str) -> set[str]:
    """By id or model; else by an id that begins with the model and goes on with its parameters."""
    exact = {path_id for path_id, names in known.items() if model in names}
    begun = {i for i in known if i.startswith(model) and i[len(model) :][:1] in ("@", "?", "#")}
    return {model} if model in exact else exact or begun


def _session_of(entry: Entry) -> str | None:
    features = entry.data.get("features")
    at = Features._fields.index("session")
    found = features[at] if isinstance(features, list) and len(features) > at else None
    return found if isinstance(found, str) else None
