"""The routing policy: run-length posteriors, success first and then cost, earned probes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ..types import JSON, Arm, Context, Evidence, EvidenceKind, Pull
from .arms import ArmState
from .basis import basis_of
from .bounds import counts, field, known_cost
from .choosing import Order, drawn_leader, good_enough, rising_cost
from .constants import DEFAULTS, Constants
from .probes import Probes
from .regime import Tally
from .snapshot import FORMAT, read_arms, read_format, written_arm

if TYPE_CHECKING:
    import random

QUALITY, AVAILABILITY = EvidenceKind.QUALITY, EvidenceKind.AVAILABILITY
SCORE, BEHAVIOUR = EvidenceKind.SCORE, EvidenceKind.BEHAVIOUR


class Menu:
    """The arms of a pull with what is known of them; kept while the same arms are asked for."""

    __slots__ = ("arms", "costs", "order", "states")

    def __init__(self, arms: tuple[Arm, ...], states: list[ArmState]) -> None:
        self.arms = arms
        self.states = states
        self.costs = [known_cost(arm.cost_usd) for arm in arms]
        self.order: Order = rising_cost(self.costs)


class RunLengthPolicy:
    """Chooses the cheapest arm whose success is within a small margin of the best.

    Args:
        arms: ids of the goal's arms; others may turn up later.
        rng: source of chance; equal seeds and equal events make equal choices.
        constants: the numbers; the defaults are the simulated ones.
    """

    def __init__(
        self, arms: Sequence[str], rng: random.Random, *, constants: Constants = DEFAULTS
    ) -> None:
        self._rng = rng
        self._constants = constants
        self._tally = Tally()
        self._arms = {arm: ArmState(arm, constants) for arm in arms}
        self._probes = Probes(constants)
        self._judged = False
        self._menu = Menu((), [])

    def pull(self, arms: Sequence[Arm], context: Context) -> Pull:
        """Choose an arm.

        A first attempt may explore. A later one has a caller waiting who has just seen a failure:
        it takes the arm that is best by what is known, at the margin for cost, without a draw and
        without a probe; what it learns comes for free.
        """
        menu = self._menu if self._menu.arms == tuple(arms) else self._new_menu(tuple(arms))
        states = menu.states
        if len(states) == 1:
            return Pull(arm=states[0].id, rule="only", propensity=1.0)
        means = [state.mean for state in states]
        best = max(means)
        leader = means.index(best)
        usual = good_enough(states, menu.order, leader, best, self._constants)
        if context.number > 1:
            return self._decided(menu, usual, "leader" if usual == leader else "cheaper")
        probed = self._probes.due(states, menu.costs, usual, self._tally, len(self._arms))
        if probed is not None:
            self._probes.begin(states[probed], self._tally.calls)
            return self._decided(menu, probed, "probe")
        leader, target = drawn_leader(states, best, self._rng, self._constants)
        chosen = good_enough(states, menu.order, leader, target, self._constants)
        rule = "leader" if chosen == leader else "cheaper"
        return Pull(arm=states[chosen].id, rule=rule, basis=basis_of(states, menu.costs))

    def _decided(self, menu: Menu, index: int, rule: str) -> Pull:
        """A choice in which chance had no part."""
        states = menu.states
        basis = basis_of(states, menu.costs)
        return Pull(arm=states[index].id, rule=rule, propensity=1.0, basis=basis)

    def _new_menu(self, arms: tuple[Arm, ...]) -> Menu:
        states = [self._arms.get(arm.id) or self._fresh(arm.id) for arm in arms]
        menu = Menu(arms, states)
        if all(arm.id in self._arms for arm in arms):
            self._menu = menu
        return menu

    def _fresh(self, arm: str) -> ArmState:
        """What is known of an arm that nothing is known of; only `update` makes it known."""
        state = ArmState(arm, self._constants)
        if self._judged:
            state.judged = True
            state.refresh(self._constants)
        return state

    def update(self, arm: str, evidence: Evidence) -> None:
        """Learn from evidence; numbers out of bounds are clamped, NaN counts as nothing."""
        kind = evidence.kind
        gain, loss = counts(evidence.gain, evidence.loss)
        if kind == EvidenceKind.NONE or gain + loss <= 0.0:
            self._probes.end(arm)
            return
        state = self._arms.get(arm)
        if state is None:
            state = self._arms[arm] = self._fresh(arm)
        if kind in (QUALITY, AVAILABILITY):
            self._learn_outcome(state, kind, gain, loss)
        elif kind == SCORE:
            self._learn_score(state, gain, loss)
        else:
            state.behaviour.add(gain, loss)
            state.refresh(self._constants)

    def _learn_outcome(self, state: ArmState, kind: EvidenceKind, gain: float, loss: float) -> None:
        constants, tally = self._constants, self._tally
        tally.calls += gain + loss
        if kind == QUALITY:
            hazard = constants.hazard + constants.early_hazard / (
                len(self._arms) * (constants.hazard_calls + tally.calls)
            )
            hazard = min(0.5, hazard * max(1.0, gain + loss))  # it may have changed within a batch
            state.learn(gain, loss, tally, hazard, constants)
        else:
            state.learn_availability(gain, loss, tally, constants)
        self._probes.learned(state, gain, loss)

    def _learn_score(self, state: ArmState, gain: float, loss: float) -> None:
        state.scores.add(gain, loss)
        if self._judged:
            state.refresh(self._constants)
        else:  # the first score of all: from now on the others count as unjudged
            self._judge_all()

    def _judge_all(self) -> None:
        self._judged = True
        for state in self._arms.values():
            state.judged = True
            state.refresh(self._constants)

    def belief(self, arm: str) -> tuple[float, float]:
        """An arm's mean success in [0, 1], and how many outcomes it rests on."""
        state = self._arms.get(arm) or self._fresh(arm)
        return state.mean, state.count

    def is_down(self, arm: str) -> bool:
        """Is the arm taken for failing, and only probed?"""
        state = self._arms.get(arm)
        return state is not None and state.down

    def state(self) -> JSON:
        """All beliefs, exactly; probes under way are not part of them."""
        return {
            "format": FORMAT,
            "tally": self._tally.state(),
            "arms": {arm: written_arm(state) for arm, state in self._arms.items()},
        }

    def restore(self, state: JSON) -> None:
        """Take up a written state; values out of bounds are clamped.

        Raises:
            ValueError: this is no state of this policy. Nothing has changed then.
        """
        read_format(state)
        tally = Tally.restored(field(state, "tally"))
        arms = read_arms(field(state, "arms"), tally.calls, self._constants)
        self._arms = {arm: ArmState(arm, self._constants) for arm in self._arms} | arms
        self._tally = tally
        self._probes = Probes(self._constants)
        self._menu = Menu((), [])
        self._judged = False
        if any(arm.scores.count for arm in self._arms.values()):
            self._judge_all()
