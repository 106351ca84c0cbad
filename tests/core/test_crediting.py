"""Whose work an answer is."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from kalibr_core import ConfigError, Path, UnknownDecision, UnknownGoal, UnknownPath
from kalibr_core.conversations import Made
from kalibr_core.crediting import of_decision, of_model
from kalibr_core.features import hash_of
from kalibr_core.testing.ledger_checks import entry
from kalibr_core.types import JSON, Entry


class Kept:
    """A record in a list, oldest first."""

    place = "this ledger"

    def __init__(self, *entries: Entry) -> None:
        self._entries = entries

    def entries(self, decision_id: str) -> list[Entry]:
        return [entry for entry in self._entries if entry.decision_id == decision_id]

    def recent(self, goal: str, most: int) -> Sequence[Entry]:
        return [entry for entry in reversed(self._entries) if entry.goal == goal][:most]

    def newest(self, goal: str) -> Sequence[str]:
        return ()

    def goals(self) -> Sequence[str]:
        return sorted({entry.goal for entry in self._entries})


def answer(decision: str, path: str, session: str | None = None, **data: JSON) -> Entry:
    told = None if session is None else hash_of(session)
    features: list[JSON] = [20, 1, 0, False, 0, "latin", told]
    return entry(decision, path=path, data={"features": features, **data})


def made_by(
    record: Kept,
    model: str | None,
    *,
    session: str = "here",
    goal: str = "g",
    paths: Sequence[Path] | None = None,
) -> Made:
    return of_model(record, goal=goal, model=model, session_id=session, paths=paths)


RECORD = Kept(
    answer("d1", "gpt-4o", "here"),
    answer("d2", "gpt-4o", "elsewhere"),
    answer("d3", "claude@temperature=0", "here", model="claude"),
    answer("d4", "gpt-4o-mini"),
    entry("d4", 2, path="gpt-4o")._replace(kind="judge", id="d4:judge"),
)


def test_a_decision_s_work_is_its_answering_path_s() -> None:
    failed = answer("d", "a", failure="server_error")
    record = Kept(failed, answer("d", "b")._replace(id="d:2"))
    assert of_decision(record, "d", goal=None) == Made("g", "d", "b")


@pytest.mark.parametrize("unknown", ["none", "", None, 5, ["d1"]])
def test_a_decision_that_is_not_there_is_unknown(unknown: object) -> None:
    with pytest.raises(UnknownDecision):
        of_decision(RECORD, unknown, goal=None)


def test_a_decision_of_another_goal_is_told_as_such() -> None:
    with pytest.raises(UnknownDecision, match="it is of 'g'"):
        of_decision(RECORD, "d1", goal="h")


def test_a_model_stands_for_the_conversation_s_last_decision_there() -> None:
    assert made_by(RECORD, "gpt-4o") == Made("g", "d1", "gpt-4o")
    assert made_by(RECORD, "claude") == Made("g", "d3", "claude@temperature=0")
    assert made_by(RECORD, None) == Made("g", "d3", "claude@temperature=0")


def test_a_model_that_has_not_answered_in_the_conversation_stands_for_its_path() -> None:
    assert made_by(RECORD, "gpt-4o-mini") == Made("g", "", "gpt-4o-mini")
    assert made_by(RECORD, "gpt-4o", session="new") == Made("g", "", "gpt-4o")
    assert made_by(RECORD, "claude", session="new").path_id == "claude@temperature=0"


def test_a_path_s_id_that_begins_with_the_model_is_meant_where_none_is_it() -> None:
    record = Kept(answer("d1", "m?temperature=0"), answer("d2", "model"))
    assert made_by(record, "m").path_id == "m?temperature=0"
    with pytest.raises(UnknownPath, match="'model'"):
        made_by(record, "mod")


def test_paths_that_have_answered_nothing_yet_are_known_to_their_router() -> None:
    paths = [Path(model="new"), Path(model="gpt-4o", name="mine")]
    assert made_by(Kept(), "new", paths=paths).path_id == "new"
    assert made_by(Kept(), "gpt-4o", paths=paths).path_id == "mine"
    with pytest.raises(UnknownPath, match="'mine', 'new'"):
        made_by(Kept(), "gone", paths=paths)


def test_a_model_of_several_paths_needs_the_decision_or_the_path() -> None:
    paths = [Path(model="m", params={"temperature": t}) for t in (0.1, 0.9)]
    with pytest.raises(ConfigError, match="2 paths of goal 'g'"):
        made_by(Kept(), "m", paths=paths)
    assert made_by(Kept(), paths[1].id, paths=paths).path_id == paths[1].id
    record = Kept(answer("d1", paths[0].id, "here"))
    assert made_by(record, "m", paths=paths).decision_id == "d1"


def test_a_path_of_the_model_s_own_name_is_meant_before_others_of_that_model() -> None:
    paths = [Path(model="m"), Path(model="m", params={"temperature": 0.1})]
    assert made_by(Kept(), "m", paths=paths).path_id == "m"


def test_what_cannot_be_told_is_an_error_that_lists_what_can() -> None:
    with pytest.raises(UnknownGoal, match="there are 'g'"):
        made_by(RECORD, "gpt-4o", goal="h")
    with pytest.raises(UnknownPath, match="'gpt-4o-mini'"):
        made_by(RECORD, "gpt-5")
    with pytest.raises(ConfigError, match="decision_id="):
        made_by(RECORD, None, session="new")


@pytest.mark.parametrize("features", [None, "text", [], [1], [0] * 9, {"session": "here"}])
def test_odd_features_name_no_conversation(features: JSON) -> None:
    record = Kept(entry("d1", path="p", data={"features": features}))
    assert made_by(record, "p").decision_id == ""
