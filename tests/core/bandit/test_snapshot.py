"""Beliefs written down: exact, short, and safe to read back whatever has become of the file."""

from __future__ import annotations

import copy
import json
import math
import random
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conftest import NOON, WIN, router
from kalibr_core.bandit import RunLengthPolicy
from kalibr_core.types import JSON, Arm, Context, Evidence, EvidenceKind

NAMES = ["a0", "a1", "a2"]
ARMS = [Arm(name, cost) for name, cost in zip(NAMES, (1.0, 0.2, None), strict=True)]
WILD = [
    math.nan, math.inf, -math.inf, 0, -1, -1e-300, 1e-300, 0.5, 1e300, 10**400, -(10**400), 2**63,
]  # fmt: skip
ODD = [None, "x", True, [], [1.0], {}]


def lived(seed: int) -> RunLengthPolicy:
    """A history with everything in it: drops, returns, an outage, scores, behaviour, time."""
    policy, world = router(3, seed), random.Random(seed)
    for call in range(400):
        bad = 100 <= call < 180
        arm = policy.pull(ARMS, Context(at=NOON + call * 900.0)).arm
        kind = world.choices(list(EvidenceKind), [12, 2, 2, 1, 1, 1])[0]
        gain = float(world.random() < (0.2 if bad and arm == "a1" else 0.9))
        if kind == EvidenceKind.SCORE:
            gain = world.random()
        policy.update(arm, Evidence(kind, gain, 1.0 - gain, NOON + call * 900.0))
    return policy


def written(seed: int = 1) -> JSON:
    return json.loads(json.dumps(lived(seed).state(), allow_nan=False))


STATES = [written(seed) for seed in range(3)]


def places(state: JSON, path: tuple[object, ...] = ()) -> Iterator[tuple[object, ...]]:
    """Where there is a number in a state, or nothing."""
    if isinstance(state, dict):
        for key, value in state.items():
            yield from places(value, (*path, key))
    elif isinstance(state, list):
        for index, value in enumerate(state):
            yield from places(value, (*path, index))
    elif not isinstance(state, str):
        yield path


def numbers(state: JSON) -> Iterator[float]:
    """All that a state holds, in no order."""
    if isinstance(state, dict | list):
        for value in state.values() if isinstance(state, dict) else state:
            yield from numbers(value)
    elif isinstance(state, int | float):
        yield state


def spoiled(state: JSON, path: tuple[object, ...], value: object) -> JSON:
    state = copy.deepcopy(state)
    inner = state
    for key in path[:-1]:
        inner = inner[key]  # type: ignore[index, call-overload]
    inner[path[-1]] = value  # type: ignore[index, call-overload]
    return state


def harm(policy: RunLengthPolicy) -> list[str]:
    """What is wrong with a policy that goes on: it is to choose and to learn, to believe nothing
    that cannot be, and to be written down again."""
    found, world = [], random.Random(0)
    for number in range(6):
        for name in NAMES:
            mean, count = policy.belief(name)
            if not (0.0 < mean < 1.0 and 0.0 <= count < math.inf):
                found.append(f"{name} is believed {mean} of {count}")
        at = NOON + number * 900.0
        arm = policy.pull(ARMS, Context(number=1 + number % 2, at=at, previous="a1")).arm
        if arm not in NAMES:
            found.append(f"{arm} was chosen")
        arm = world.choice(NAMES)
        kind = world.choice([EvidenceKind.QUALITY, EvidenceKind.AVAILABILITY])
        policy.update(arm, Evidence(kind, float(number % 2), float(1 - number % 2), at))
    if not all(math.isfinite(number) for number in numbers(policy.state())):
        found.append("its state holds what is no number")
    return found


def restored(state: JSON) -> RunLengthPolicy:
    policy = router(3)
    policy.restore(state)
    return policy


def refusal(policy: RunLengthPolicy, state: JSON) -> str | None:
    try:
        policy.restore(state)
    except ValueError as error:
        return str(error)
    return None


def test_a_state_survives_json_exactly():
    for state in STATES:
        policy = router(3)
        policy.restore(state)
        assert json.loads(json.dumps(policy.state())) == state


def test_restored_beliefs_move_alike_from_there_on():
    """Whatever the next outcome is: the same again, another one, a batch, an outage."""
    kinds = [EvidenceKind.QUALITY, EvidenceKind.AVAILABILITY, EvidenceKind.SCORE]
    batches = [(1.0, 0.0), (0.0, 1.0), (0.5, 0.5), (7.0, 2.0)]
    for seed in range(3):
        live, copied = lived(seed), router(3)
        copied.restore(live.state())
        world = random.Random(seed)
        for _ in range(60):
            kind, name, batch = (world.choice(each) for each in (kinds, NAMES, batches))
            for policy in (live, copied):
                policy.update(name, Evidence(kind, *batch, NOON + 4e5))
            assert copied.state() == live.state()


def test_a_history_of_all_kinds_is_in_these_states():
    """Else the tests here would spoil nothing."""
    rows = {key for state in STATES for arm in state["arms"].values() for key in arm}
    assert rows == {"last", "runs", "regime", "availability", "scores", "behaviour"}
    lengths = {len(arm["regime"]) for state in STATES for arm in state["arms"].values()}
    assert 15 in lengths


@pytest.mark.parametrize("value", WILD, ids=lambda value: f"{value!r:.9}")
def test_no_number_in_any_one_place_of_a_state_does_harm(value):
    """It is clamped, and what is believed is sound from then on."""
    for path in places(STATES[0]):
        assert harm(restored(spoiled(STATES[0], path, value))) == [], path


@pytest.mark.parametrize("value", ODD, ids=repr)
def test_what_is_no_number_is_refused_and_changes_nothing(value):
    """Or it is taken for what it may be: an availability without an outage has None there."""
    policy = lived(2)
    before = policy.state()
    for path in places(STATES[0]):
        if (why := refusal(policy, spoiled(STATES[0], path, value))) is None:
            assert harm(policy) == []
            policy.restore(before)
        else:
            assert "expected" in why
            assert policy.state() == before


@given(data=st.data(), state=st.sampled_from(STATES))
@settings(max_examples=150, deadline=None)
def test_nor_do_several_at_once(data, state):
    where = list(places(state))
    for path in data.draw(st.lists(st.sampled_from(where), max_size=8)):
        number = data.draw(st.floats() | st.integers() | st.sampled_from(WILD))
        state = spoiled(state, path, number)
    assert harm(restored(state)) == []


@pytest.mark.parametrize("value", WILD, ids=lambda value: f"{value!r:.9}")
def test_nor_does_the_same_number_everywhere(value):
    state = STATES[1]
    for path in places(state):
        state = spoiled(state, path, value)
    assert harm(restored(state)) == []


@pytest.mark.parametrize(
    "garbage", [None, 3, "x", [], {}, {"format": "other/9", "tally": [0] * 4, "arms": {}}]
)
def test_what_is_no_state_is_refused_and_changes_nothing(garbage):
    policy = lived(1)
    before = policy.state()
    with pytest.raises(ValueError):
        policy.restore(garbage)
    assert policy.state() == before


@pytest.mark.parametrize("most", [1e9, 1e12, 1e300])
@pytest.mark.parametrize("least", [0.0, 1e-3, 1.0])
@pytest.mark.parametrize("failing", [False, True])
def test_a_belief_as_sure_as_can_be_does_no_harm(most, least, failing):
    """Of a path that never failed, or never passed, in all its calls."""
    good = 0.0 if failing else most
    runs = [good, most + least, -1, 10**8, -least if failing else 0.0, -least, 0]
    arm = {"last": [most, 0, 0], "runs": runs, "regime": [0, 3, 1]}
    state = {"format": RunLengthPolicy.FORMAT, "tally": [most, 0, 0, 0], "arms": {"a1": arm}}
    assert harm(restored(state)) == []


def test_numbers_missing_from_a_row_are_refused():
    for path in places(STATES[0]):
        if path[0] == "arms":
            with pytest.raises(ValueError):
                router(3).restore(spoiled(STATES[0], path[:3], []))


def test_an_arm_that_the_state_does_not_know_begins_anew():
    policy = lived(1)
    policy.restore({"format": policy.FORMAT, "tally": [0, 0, 0, 0], "arms": {}})
    assert policy.belief("a1") == router(3).belief("a1")


def test_an_unjudged_arm_is_still_one_after_a_restore():
    live, copied = router(2), router(2)
    live.update("a1", Evidence(EvidenceKind.SCORE, 0.9, 0.1))
    copied.restore(live.state())
    assert copied.belief("a0")[0] == live.belief("a0")[0] == 0.75 * 0.875


def steady(arms: int, calls: int) -> RunLengthPolicy:
    policy, world = router(arms, 3), random.Random(4)
    offered = [Arm(f"a{index}", 1.0 / (index + 1)) for index in range(arms)]
    for call in range(calls):
        at = NOON + call * 60.0
        arm = policy.pull(offered, Context(at=at)).arm
        policy.update(
            arm, (WIN if world.random() < 0.97 else Evidence(WIN.kind, 0.0, 1.0))._replace(at=at)
        )
    return policy


@pytest.mark.parametrize("arms", [3, 20])
def test_a_steady_world_takes_300_bytes_of_json_per_arm(arms):
    """On the mean, after 5000 calls."""
    state = json.dumps(steady(arms, 5000).state(), separators=(",", ":"))
    assert len(state) <= 300 * arms
