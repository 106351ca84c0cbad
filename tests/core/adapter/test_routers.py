"""The Routers of a routed model and its copies, and reports that find theirs."""

from __future__ import annotations

import copy
import gc
import pickle
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import Any

import pytest

from kalibr_core import ConfigError, Path, Router, UnknownDecision
from kalibr_core.adapter.routers import (
    LIVE,
    MOST_ROUTERS,
    SETTINGS,
    Routers,
    checked_router,
    key_of,
    live,
    report,
    settings_of,
)
from kalibr_core.conversations import Made
from kalibr_core.gates.judge import DEFAULT
from kalibr_core.paths import Secret


class FakeRouter:
    """Has some decisions."""

    def __init__(self, goal: str, *decisions: str) -> None:
        self.goal, self.decisions = goal, decisions
        self.reported: list[str] = []
        self.feedback = self

    def made_of_any_goal(self, decision_id: str) -> Made:
        if decision_id not in self.decisions:
            raise UnknownDecision(decision_id)
        return Made(self.goal, decision_id, "path")

    def report(self, decision_id: str, **outcome: Any) -> bool:
        if decision_id not in self.decisions:
            raise UnknownDecision(decision_id)
        self.reported.append(decision_id)
        return True


class Held:
    """A routing."""

    def __init__(self, router: Any = None) -> None:
        self.router, self.closed = router, 0

    def close(self) -> None:
        self.closed += 1


@pytest.fixture(autouse=True)
def _nobody_else() -> Iterator[None]:
    """Other tests' models are none of these tests' business."""
    gc.collect()
    before = list(LIVE)
    LIVE.clear()
    yield
    LIVE.clear()
    for held in before:
        LIVE.add(held)


def told(decision_id: str = "d", *, goal: str | None = None) -> bool:
    return report(decision_id, goal=goal, success=True, score=None, reason=None, model="Routed")


# One Router for equal settings.


def test_equal_keys_share_one_and_it_is_made_once() -> None:
    routers: Routers[Held] = Routers()
    with ThreadPoolExecutor(8) as pool:
        found = set(pool.map(lambda _: routers.get("a", Held), range(64)))
    assert len(found) == 1
    assert routers.get("b", Held) not in found


def test_the_ones_not_used_for_longest_are_let_go_and_not_closed() -> None:
    routers: Routers[Held] = Routers()
    first, second = routers.get(-1, Held), routers.get(-2, Held)
    for key in range(MOST_ROUTERS - 1):
        routers.get(key, Held)
        assert routers.get(-1, Held) is first, "in use"
    assert routers.get(-2, Held) is not second
    assert second.closed == 0, "a call of it may be under way"


def test_closing_closes_each_once() -> None:
    routers: Routers[Held] = Routers()
    both = [routers.get(key, Held) for key in "ab"]
    routers.close()
    routers.close()
    assert [held.closed for held in both] == [1, 1]
    assert routers.get("a", Held) is not both[0]


def test_copies_share_and_another_process_makes_its_own() -> None:
    routers: Routers[Held] = Routers()
    assert copy.deepcopy(routers) is routers
    other = pickle.loads(pickle.dumps(routers))
    assert other is not routers
    assert isinstance(other, Routers)


def test_one_that_cannot_be_made_leaves_nothing_behind() -> None:
    routers: Routers[Held] = Routers()

    def broken() -> Held:
        raise ConfigError("no")

    with pytest.raises(ConfigError):
        routers.get("a", broken)
    assert routers.get("a", Held)


# Keys.

SAME: list[tuple[Any, Any]] = [
    (["a"], ["a"]),
    ([{"model": "a", "params": {"x": 1}}], [{"model": "a", "params": {"x": 1}}]),
    ([Path(model="a", params={"x": 1})], [Path(model="a", params={"x": 1})]),
    (("a", "b"), ["a", "b"]),
]
DIFFERENT: list[tuple[Any, Any]] = [
    (["a"], ["b"]),
    (["a", "b"], ["b", "a"]),
    ([{"model": "a"}], [{"model": "a", "api_key": "k"}]),
    ([{"model": "a", "api_key": Secret("k")}], [{"model": "a", "api_key": Secret("l")}]),
    ([Path(model="a", api_key="k")], [Path(model="a", api_key="l")]),
    ([object()], [object()]),
    ([{"model": "a", "params": {"x": 1}}], [{"model": "a", "params": {"x": 2}}]),
]


@pytest.mark.parametrize(("one", "other"), SAME)
def test_equal_paths_have_equal_keys(one: Any, other: Any) -> None:
    assert key_of(one, {}) == key_of(other, {})
    assert hash(key_of(one, {})) == hash(key_of(other, {}))


@pytest.mark.parametrize(("one", "other"), DIFFERENT)
def test_different_paths_have_different_keys(one: Any, other: Any) -> None:
    assert key_of(one, {}) != key_of(other, {})


def test_paths_that_differ_by_a_hidden_header_have_different_keys() -> None:
    """Else a copy of a model with another user's header would be answered with the first's."""
    one, other = (
        {"model": "a", "params": {"extra_headers": {"authorization": Secret(key)}}}
        for key in ("key of alice", "key of bob")
    )
    assert key_of([one], {}) != key_of([other], {})


def test_the_order_of_settings_tells_nothing_and_their_values_do() -> None:
    assert key_of([], {"a": 1, "b": [2]}) == key_of([], {"b": [2], "a": 1})
    assert key_of([], {"a": 1}) != key_of([], {"a": 2})
    gate, other = object(), object()
    assert key_of([], {"gate": gate}) == key_of([], {"gate": gate})
    assert key_of([], {"gate": gate}) != key_of([], {"gate": other})


# Settings.


def settings(**given: Any) -> dict[str, Any]:
    words = {"max_attempts": None, "max_retries": None, "timeout_s": None}
    for name in words:
        words[name] = given.pop(name, None)
    model = SimpleNamespace(**{**dict.fromkeys(SETTINGS), "judge": DEFAULT, **given})
    return settings_of(model, **words)


@pytest.mark.parametrize(
    ("given", "found"),
    [
        ({}, {}),
        ({"goal": "g", "seed": 0}, {"goal": "g", "seed": 0}),
        ({"max_retries": 0}, {"max_attempts": 1}),
        ({"max_retries": 2}, {"max_attempts": 3}),
        ({"max_attempts": 2}, {"max_attempts": 2}),
        ({"timeout_s": 3.0}, {"timeout_s": 3.0}),
        ({"judge": None}, {"judge": None}),
    ],
)
def test_only_what_is_said_is_passed_on(given: Any, found: dict[str, Any]) -> None:
    assert settings(**given) == found


def test_two_words_for_attempts_are_one_too_many() -> None:
    with pytest.raises(ConfigError, match="max_attempts or max_retries, not both"):
        settings(max_attempts=2, max_retries=1)


def test_every_setting_is_one_of_the_routers() -> None:
    import inspect

    assert set(SETTINGS) <= set(inspect.signature(Router.__init__).parameters)


@pytest.mark.parametrize("router", [None, "router", Router, Held()])
def test_what_is_no_router_is_told(router: Any) -> None:
    with pytest.raises(ConfigError, match=r"router must be a kalibr_core\.Router, got "):
        checked_router(router)


# Reports.


def kept(*routers: FakeRouter) -> list[Held]:
    held = [Held(router) for router in routers]
    LIVE.update(held)
    return held


def test_a_report_goes_to_the_router_that_has_the_decision() -> None:
    held = kept(FakeRouter("g", "a"), FakeRouter("g", "d"), FakeRouter("h", "b"))
    assert told("d", goal="g")
    assert told("b")
    assert [one.router.reported for one in held] == [[], ["d"], ["b"]]


def test_a_router_of_another_goal_is_not_asked() -> None:
    held = kept(FakeRouter("other", "d"))
    with pytest.raises(UnknownDecision, match="nor in that of any Routed of goal 'g'"):
        told("e", goal="g")
    with pytest.raises(UnknownDecision, match="under the goal of an open Routed: it is of 'other'"):
        told("d", goal="g")
    assert held[0].router.reported == []


def test_routers_that_are_gone_are_not_asked() -> None:
    held = kept(FakeRouter("g", "d"))
    assert live() == held
    held.clear()
    gc.collect()
    with pytest.raises(UnknownDecision, match="nor in that of any Routed in this process"):
        told()
