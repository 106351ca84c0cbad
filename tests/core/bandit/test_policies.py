"""The check list that every policy passes."""

from __future__ import annotations

import json
import math
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conftest import LOSS, WIN
from kalibr_core.bandit import FixedPolicy, RunLengthPolicy, ThompsonPolicy, UniformPolicy
from kalibr_core.ports import Persistent
from kalibr_core.types import Arm, Context, Evidence, EvidenceKind

POLICIES = [FixedPolicy, RunLengthPolicy, ThompsonPolicy, UniformPolicy]
PERSISTENT = [RunLengthPolicy, ThompsonPolicy]
WILD = [math.nan, math.inf, -math.inf, -1.0, 0.0, 1e-300, 0.3, 1.0, 17.0, 1e300]


@pytest.fixture(params=POLICIES, ids=lambda policy: policy.__name__)
def make(request):
    def build(arms, seed=0):
        return request.param(arms, random.Random(seed))

    return build


@pytest.fixture(params=PERSISTENT, ids=lambda policy: policy.__name__)
def make_persistent(request):
    def build(arms, seed=0):
        return request.param(arms, random.Random(seed))

    return build


def names(count):
    return [f"a{index}" for index in range(count)]


@pytest.mark.parametrize("count", [1, 2, 20, 200])
@pytest.mark.parametrize("price", [None, 0.0, 1.0, math.nan, -1.0, math.inf, "mixed"])
def test_it_chooses_one_of_the_arms(make, count, price):
    policy, world = make(names(count)), random.Random(1)
    costs = [None if i % 3 == 0 else i * 0.1 for i in range(count)]
    arms = [
        Arm(n, c if price == "mixed" else price) for n, c in zip(names(count), costs, strict=True)
    ]
    for _ in range(30):
        pull = policy.pull(arms, Context(number=world.choice([1, 1, 2])))
        assert pull.arm in names(count)
        assert pull.propensity is None or 0.0 < pull.propensity <= 1.0
        policy.update(pull.arm, world.choice([WIN, LOSS]))


def test_one_arm_is_chosen_for_sure(make):
    assert make(["a0"]).pull([Arm("a0", 1.0)], Context()).propensity == 1.0


def test_it_chooses_only_what_is_offered(make):
    policy = make(names(5))
    for _ in range(20):
        assert policy.pull([Arm("a3", 1.0), Arm("a4", 0.1)], Context()).arm in ("a3", "a4")


def test_arms_that_were_never_listed_work(make):
    policy = make(["a0"])
    arms = [Arm("a0", 1.0), Arm("new", 0.1)]
    for _ in range(20):
        policy.update("new", WIN)
        policy.update("newer", LOSS)
        assert policy.pull([*arms, Arm("never", None)], Context()).arm in ("a0", "new", "never")


def test_equal_seeds_and_events_make_equal_choices(make):
    def choices():
        policy, world = make(names(4), 3), random.Random(4)
        arms = [Arm(name, world.random()) for name in names(4)]
        for _ in range(200):
            pull = policy.pull(arms, Context())
            policy.update(pull.arm, WIN if world.random() < 0.8 else LOSS)
            yield pull.arm

    assert list(choices()) == list(choices())


@pytest.mark.parametrize("kind", EvidenceKind)
def test_wild_numbers_in_evidence_never_raise(make, kind):
    policy, arms = make(names(3)), [Arm(name, 1.0) for name in names(3)]
    for gain in WILD:
        for loss in WILD:
            policy.update("a1", Evidence(kind, gain, loss))
            assert policy.pull(arms, Context()).arm in names(3)
    if isinstance(policy, Persistent):
        json.dumps(policy.state(), allow_nan=False)


def lived(policy, calls=300, seed=7):
    """Some history of all kinds; returns it as updates."""
    world, events = random.Random(seed), []
    arms = [Arm(name, world.random()) for name in names(4)]
    for _ in range(calls):
        arm = policy.pull(arms, Context()).arm
        kind = world.choices(list(EvidenceKind), [12, 2, 3, 1, 1, 1])[0]
        gain = world.choice([0.0, 1.0, 1.0, 1.0, 0.7, 5.0])
        events.append((arm, Evidence(kind, gain, max(0.0, 1.0 - gain))))
        policy.update(*events[-1])
    return events


def test_folding_the_same_evidence_gives_the_identical_state(make_persistent):
    live, fold = make_persistent(names(4), 1), make_persistent(names(4), 2)
    for event in lived(live):
        fold.update(*event)
    assert fold.state() == live.state()


def test_a_state_survives_json_exactly_and_behaves_the_same(make_persistent):
    live = make_persistent(names(4))
    lived(live)
    copy = make_persistent(names(4))
    copy.restore(json.loads(json.dumps(live.state(), allow_nan=False)))
    assert copy.state() == live.state()
    for event in lived(make_persistent(names(4)), seed=8):
        live.update(*event)
        copy.update(*event)
    assert copy.state() == live.state()


@pytest.mark.parametrize(
    "garbage",
    [None, 3, "x", [], {}, {"format": "other/9", "arms": {}}, {"arms": {"a0": [1, 2]}}],
)
def test_garbage_is_refused_and_changes_nothing(make_persistent, garbage):
    policy = make_persistent(names(4))
    lived(policy)
    before = policy.state()
    with pytest.raises(ValueError):
        policy.restore(garbage)
    assert policy.state() == before


@given(
    st.lists(
        st.tuples(
            st.sampled_from(names(3)),
            st.sampled_from(list(EvidenceKind)),
            st.floats() | st.floats(0, 1),
            st.floats() | st.floats(0, 1),
        ),
        max_size=40,
    )
)
@settings(max_examples=150, deadline=None)
def test_no_evidence_makes_the_beliefs_leave_their_bounds(events):
    policy, arms = RunLengthPolicy(names(3), random.Random(0)), [Arm(n, 1.0) for n in names(3)]
    for arm, kind, gain, loss in events:
        policy.update(arm, Evidence(kind, gain, loss))
        policy.pull(arms, Context())
    for name in names(3):
        mean, count = policy.belief(name)
        assert 0.0 < mean < 1.0
        assert 0.0 <= count < math.inf


def test_a_long_life_stays_finite(make_persistent):
    """10^6 outcomes in big and small batches, then the single ones still count."""
    policy = make_persistent(names(2))
    for _ in range(1000):
        policy.update("a0", Evidence(EvidenceKind.QUALITY, 990.0, 10.0))
    for _ in range(3000):
        policy.update("a0", WIN)
    json.dumps(policy.state(), allow_nan=False)
    assert policy.pull([Arm("a0", 1.0), Arm("a1", 1.0)], Context()).arm in names(2)
