"""What every `Policy` must keep."""

from __future__ import annotations

import json
import math
import random
from collections.abc import Callable, Sequence

from ..ports import Persistent, Policy
from ..types import JSON, Arm, Context, Evidence, EvidenceKind, Pull

MakePolicy = Callable[[Sequence[str], random.Random], Policy]

NAMES = ("a", "b", "c")
ARMS = tuple(Arm(name, cost) for name, cost in zip(NAMES, (0.01, 0.001, None), strict=True))
NUMBERS = (0.0, 1.0, 0.5, -1.0, 1e300, math.inf, -math.inf, math.nan)
NO_STATES: tuple[JSON, ...] = (None, 5, "x", True, [], [1], {}, {"format": "other/9"}, {"arms": {}})


def check_policy(make_policy: MakePolicy) -> None:
    """Check a policy against all rules.

    Args:
        make_policy: makes a new one from arm ids and a source of chance; the class itself will do.

    Raises:
        AssertionError: names the rule that does not hold.

    >>> from kalibr_core.bandit import UniformPolicy
    >>> check_policy(UniformPolicy)
    """
    for rule in (
        _chooses_an_offered_arm,
        _same_seed_and_events_same_choices,
        _survives_any_evidence,
        _learns_nothing_by_pulling,
        _state_is_exact_json,
        _refuses_what_is_no_state,
    ):
        rule(make_policy)


def _chooses_an_offered_arm(make_policy: MakePolicy) -> None:
    policy = make_policy(NAMES, random.Random(1))
    rng = random.Random(2)
    stranger = Arm("never heard of", 0.0)
    for number in range(300):
        offered = rng.sample([*ARMS, stranger], rng.randint(1, 4))
        pull = policy.pull(offered, Context(number=1 + number % 3, at=float(number)))
        assert pull.arm in {arm.id for arm in offered}, f"chose {pull.arm!r}, not offered"
        assert pull.rule, "a pull names the rule that decided"
        known = pull.propensity
        assert known is None or 0.0 <= known <= 1.0, f"propensity {known!r} is no probability"
        policy.update(pull.arm, _random_evidence(rng))


def _same_seed_and_events_same_choices(make_policy: MakePolicy) -> None:
    first, second = (_history(make_policy(NAMES, random.Random(7)), random.Random(8)) for _ in "ab")
    assert first == second, "the same seed and events gave other choices"


def _survives_any_evidence(make_policy: MakePolicy) -> None:
    policy = make_policy(NAMES, random.Random(3))
    for kind in EvidenceKind:
        for gain in NUMBERS:
            for loss in NUMBERS:
                for arm in ("a", "never offered"):
                    policy.update(arm, Evidence(kind, gain, loss, at=gain))
    for number in range(50):
        pull = policy.pull(ARMS, Context(at=float(number)))
        assert pull.arm in NAMES, "evidence out of bounds broke the choice"
        policy.update(pull.arm, Evidence(EvidenceKind.QUALITY, 1.0, 0.0))


def _learns_nothing_by_pulling(make_policy: MakePolicy) -> None:
    policy = make_policy(NAMES, random.Random(4))
    if not isinstance(policy, Persistent):
        return
    _history(policy, random.Random(5))
    before = _written(policy)
    for _ in range(50):
        policy.pull(ARMS, Context())
    assert _written(policy) == before, "pull changed the beliefs; only update may"


def _state_is_exact_json(make_policy: MakePolicy) -> None:
    chance, others = random.Random(5), random.Random(5)
    policy, other = make_policy(NAMES, chance), make_policy(NAMES, others)
    if not isinstance(policy, Persistent) or not isinstance(other, Persistent):
        return
    _history(policy, random.Random(6))
    _history(other, random.Random(99))  # what it believed before goes
    other.restore(json.loads(_written(policy)))
    others.setstate(chance.getstate())
    assert _written(other) == _written(policy), "restore(state()) changed the beliefs"
    for arm in NAMES:  # and they move alike from there on
        for each in (policy, other):
            each.update(arm, Evidence(EvidenceKind.QUALITY, 0.0, 1.0, at=500.0))
    assert _written(other) == _written(policy), "restored beliefs move differently"
    same = _history(policy, random.Random(7)) == _history(other, random.Random(7))
    assert same, "restored beliefs choose differently: the state does not hold all of them"


def _refuses_what_is_no_state(make_policy: MakePolicy) -> None:
    policy = make_policy(NAMES, random.Random(5))
    if not isinstance(policy, Persistent):
        return
    _history(policy, random.Random(6))
    before = _written(policy)
    for garbage in NO_STATES:
        try:
            policy.restore(garbage)
        except ValueError:
            pass
        else:
            raise AssertionError(f"restore took {garbage!r} for a state; it must raise ValueError")
        assert _written(policy) == before, f"restore({garbage!r}) raised, and changed the beliefs"


def _history(policy: Policy, rng: random.Random) -> list[Pull]:
    pulls = []
    for number in range(200):
        pulls.append(policy.pull(ARMS, Context(at=float(number))))
        policy.update(pulls[-1].arm, _random_evidence(rng))
    return pulls


def _random_evidence(rng: random.Random) -> Evidence:
    gain = float(rng.random() < 0.7)
    return Evidence(rng.choice(list(EvidenceKind)), gain, 1.0 - gain, at=rng.uniform(0, 100))


def _written(policy: Persistent) -> str:
    """Exact, and free of NaN, which is no JSON."""
    return json.dumps(policy.state(), sort_keys=True, allow_nan=False)
