"""Propensities worked out from the record are those with which the choices were made."""

from __future__ import annotations

import json
import math
import random
from collections.abc import Callable, Sequence
from functools import cache
from typing import NamedTuple

import pytest

from conftest import OUTAGE, frequencies, router
from kalibr_core.bandit import RunLengthPolicy, propensity
from kalibr_core.bandit.propensity import propensities
from kalibr_core.booking import basis_data, basis_from
from kalibr_core.types import Arm, Basis, Context, Evidence, EvidenceKind, Pull

QUALITY, SCORE = EvidenceKind.QUALITY, EvidenceKind.SCORE
BEHAVIOUR = EvidenceKind.BEHAVIOUR
Costs = Sequence[float | None]


def recorded(pull: Pull) -> tuple[Basis, ...]:
    """What a ledger gives back of a pull's basis."""
    return basis_from(json.loads(json.dumps([basis_data(basis) for basis in pull.basis])))


def lived(costs: Costs, rates: Sequence[float], calls: int, seed: int) -> RunLengthPolicy:
    policy, world = router(len(costs), seed), random.Random(seed)
    arms = [Arm(f"a{index}", cost) for index, cost in enumerate(costs)]
    for _ in range(calls):
        pull = policy.pull(arms, Context())
        gain = float(world.random() < rates[int(pull.arm[1:])])
        policy.update(pull.arm, Evidence(QUALITY, gain, 1.0 - gain))
    return policy


def nothing(policy: RunLengthPolicy) -> None:
    pass


def scored(policy: RunLengthPolicy) -> None:
    for number in range(12):
        good = 0.8 if number % 3 == 0 else 0.7
        policy.update(f"a{number % 3}", Evidence(SCORE, good, 1.0 - good))


def liked(policy: RunLengthPolicy) -> None:
    for number in range(30):
        good = (0.75, 0.25, 1.0)[number % 3]
        policy.update(f"a{number % 3}", Evidence(BEHAVIOUR, good, 1.0 - good))


def scored_and_liked(policy: RunLengthPolicy) -> None:
    scored(policy)
    liked(policy)


def out(policy: RunLengthPolicy) -> None:
    for _ in range(2):
        policy.update("a0", OUTAGE)


def idle(policy: RunLengthPolicy) -> None:
    """Hundreds of calls on the first arm: the others are due for a probe."""
    for call in range(400):
        gain = float(call % 4 > 0)
        policy.update("a0", Evidence(QUALITY, gain, 1.0 - gain))


SITUATIONS: dict[str, tuple[Costs, Sequence[float], int, Callable[[RunLengthPolicy], None]]] = {
    "two, nothing known": ([1.0, 1.0], [0.7] * 2, 0, nothing),
    "two equals": ([1.0, 1.0], [0.7] * 2, 60, nothing),
    "two, one cheap": ([1.0, 0.2], [0.8, 0.75], 60, nothing),
    "three": ([1.0, 0.06, 0.2], [0.9, 0.85, 0.8], 80, nothing),
    "three, free": ([0.0] * 3, [0.7] * 3, 80, nothing),
    "three, unknown": ([None] * 3, [0.7] * 3, 80, nothing),
    "three, one unknown": ([None, 0.5, 0.1], [0.7] * 3, 80, nothing),
    "six": ([1.0, 0.5, 0.4, 0.3, 0.2, 0.1], [0.8] * 6, 150, nothing),
    "six equals": ([1.0] * 6, [0.7] * 6, 150, nothing),
    "three with scores": ([1.0, 0.5, 0.8], [0.8] * 3, 80, scored),
    "three with users": ([1.0, 0.5, 0.8], [0.8] * 3, 80, liked),
    "three with scores and users": ([1.0, 0.5, 0.8], [0.8] * 3, 80, scored_and_liked),
    "three, an outage": ([0.5, 1.0, 1.0], [0.9, 0.7, 0.7], 80, out),
    "three, a probe due": ([1.0, 0.9, 0.8], [0.7] * 3, 60, idle),
    "two, a probe due": ([1.0, 1.0], [0.7] * 2, 20, idle),
}


@pytest.mark.parametrize("talk", ["alone", "conversation"])
@pytest.mark.parametrize("situation", SITUATIONS)
def test_they_equal_the_shares_of_4000_pulls_at_the_same_point(situation: str, talk: str) -> None:
    """To within .035: four standard errors of the share at worst, and .003 of the integral."""
    costs, rates, calls, then = SITUATIONS[situation]
    arms = [Arm(f"a{index}", cost) for index, cost in enumerate(costs)]
    previous = f"a{len(arms) - 1}" if talk == "conversation" else None
    for seed in range(3):
        policy = lived(costs, rates, calls, seed)
        then(policy)
        pull, shares = frequencies(policy, arms, Context(previous=previous), draws=4000, seed=seed)
        chances = propensities(recorded(pull), previous=pull.previous, due=pull.due)
        assert sum(chances) == pytest.approx(1.0)
        assert chances == pytest.approx(shares, abs=0.035)
        assert propensity(pull) == pytest.approx(chances[int(pull.arm[1:])], abs=1e-9)


def test_the_situations_are_hard_ones() -> None:
    """Among them are probes, conversations that stay, and choices that chance decides."""
    seen, open_choices = set(), 0
    for costs, rates, calls, then in SITUATIONS.values():
        policy = lived(costs, rates, calls, 0)
        then(policy)
        arms = [Arm(f"a{index}", cost) for index, cost in enumerate(costs)]
        for previous in (None, arms[-1].id):
            pull, shares = frequencies(policy, arms, Context(previous=previous), draws=200)
            seen |= {pull.rule, "due" if pull.due else "", "stays" if pull.previous else ""}
            open_choices += max(shares) < 0.9
    assert seen >= {"probe", "due", "stays", "leader", "cheaper", "conversation"}
    assert open_choices >= 10


def test_a_probe_that_is_due_leaves_each_arm_its_chance() -> None:
    policy = lived([1.0, 1.0], [0.7, 0.7], 20, 0)
    idle(policy)
    pull = policy.pull([Arm("a0", 1.0), Arm("a1", 1.0)], Context())
    assert pull.due == "a1"
    without = propensities(pull.basis)
    for chance, alone, probed in zip(
        propensities(pull.basis, due="a1"), without, (0.0, 1.0), strict=True
    ):
        assert chance == pytest.approx(0.2 * alone + 0.8 * probed)


def test_fallbacks_and_single_arms_are_certain() -> None:
    policy = lived([1.0, 1.0], [0.7, 0.7], 20, 0)
    arms = [Arm("a0", 1.0), Arm("a1", 1.0)]
    assert propensity(policy.pull(arms, Context(number=2))) == 1.0
    assert propensity(policy.pull(arms[:1], Context())) == 1.0


def test_arms_that_are_known_alike_share_alike() -> None:
    """Of K arms of which nothing is known, the first has a little more: it wins the ties."""
    for count in (2, 6, 20):
        arms = [Arm(f"a{index}", 1.0) for index in range(count)]
        chances = propensities(router(count).pull(arms, Context()).basis)
        assert max(chances[1:]) == pytest.approx(min(chances[1:]))
        assert chances[0] >= chances[1]


def test_200_arms_are_no_trouble() -> None:
    arms = [Arm(f"a{index}", 1.0 / (index + 1)) for index in range(200)]
    chances = propensities(router(200).pull(arms, Context()).basis)
    assert sum(chances) == pytest.approx(1.0)
    assert min(chances) >= 0.0


def test_they_are_the_same_each_time() -> None:
    pull = lived([1.0, 0.5], [0.7, 0.7], 50, 1).pull([Arm("a0", 1.0), Arm("a1", 0.5)], Context())
    assert propensities(pull.basis) == propensities(pull.basis)


@pytest.mark.parametrize("basis", [(), (Basis("b", 1.0, False, ((1.0, 3.0, 1.0),)),)])
def test_without_a_basis_of_its_arm_a_pull_is_refused(basis: tuple[Basis, ...]) -> None:
    with pytest.raises(ValueError):
        propensity(Pull(arm="a", rule="leader", basis=basis))


# Replay: what another policy would have reached, told from this one's record.

RATES, COSTS = (0.72, 0.70, 0.66), (1.0, 0.9, 0.8)
LEAST = 0.02
"""An arm has support in a decision that would choose it with this probability at least."""


class Logged(NamedTuple):
    chosen: int
    passed: float
    chances: Sequence[float]


@cache
def record() -> Sequence[Logged]:
    """20,000 decisions of a router in a world of nearly equal arms; one in four is a turn."""
    policy, world = router(3, 11), random.Random(12)
    arms = [Arm(f"a{index}", cost) for index, cost in enumerate(COSTS)]
    log: list[Logged] = []
    for call in range(20_000):
        previous = f"a{log[-1].chosen}" if call % 4 == 3 else None
        pull = policy.pull(arms, Context(previous=previous))
        chosen = int(pull.arm[1:])
        passed = float(world.random() < RATES[chosen])
        policy.update(pull.arm, Evidence(QUALITY, passed, 1.0 - passed))
        chances = propensities(recorded(pull), previous=pull.previous, due=pull.due)
        log.append(Logged(chosen, passed, chances))
    return log


class Estimate(NamedTuple):
    value: float
    error: float
    """Half of the 95 % interval."""
    truth: float


Target = Callable[[Sequence[bool]], Sequence[float]]
"""Which arms have support -> each arm's probability under the policy that is evaluated."""


def evaluated(target: Target, *, sure: bool = False) -> Estimate:
    """Inverse-propensity weighting, over the decisions in which the target has support."""
    terms, truths = [], []
    for chosen, passed, chances in record():
        wanted = target([chance >= LEAST for chance in chances])
        if sum(wanted):
            terms.append(wanted[chosen] * passed / (1.0 if sure else chances[chosen]))
            truths.append(sum(w * rate for w, rate in zip(wanted, RATES, strict=True)))
    count, value = len(terms), sum(terms) / len(terms)
    spread = math.sqrt(sum((term - value) ** 2 for term in terms) / count)
    return Estimate(value, 1.96 * spread / math.sqrt(count), sum(truths) / count)


def mixed(support: Sequence[bool]) -> Sequence[float]:
    """Each arm with a fixed probability, among those with support."""
    shares = [share * has for share, has in zip((0.2, 0.3, 0.5), support, strict=True)]
    return [share / sum(shares) for share in shares]


def second_best(support: Sequence[bool]) -> Sequence[float]:
    return (0.0, float(support[1]), 0.0)


@pytest.mark.parametrize("target", [mixed, second_best])
def test_a_record_tells_what_another_policy_would_have_reached(target: Target) -> None:
    """Within its 95 % interval, which is narrow enough to mean something."""
    estimate = evaluated(target)
    assert estimate.error < 0.06
    assert abs(estimate.value - estimate.truth) <= estimate.error


@pytest.mark.parametrize("target", [mixed, second_best])
def test_with_wrong_propensities_it_does_not(target: Target) -> None:
    """As if each choice had been certain: far outside the interval."""
    wrong = evaluated(target, sure=True)
    assert abs(wrong.value - wrong.truth) > 5 * evaluated(target).error


def test_each_arm_was_chosen_as_often_as_its_propensities_say() -> None:
    """Within three standard deviations of the sum."""
    for arm in range(3):
        chances = [logged.chances[arm] for logged in record()]
        deviation = math.sqrt(sum(chance * (1.0 - chance) for chance in chances))
        times = sum(logged.chosen == arm for logged in record())
        assert abs(times - sum(chances)) <= 3.0 * deviation
