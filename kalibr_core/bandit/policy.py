"""The routing policy: run-length posteriors, success first and then cost, earned probes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ..types import JSON, Arm, Context, Evidence, EvidenceKind, Pull
from .arms import ArmState
from .basis import basis_of
from .bounds import counts, field, known_cost
from .choosing import Order, drawn_leader, good_enough, rising_cost, settled
from .constants import DEFAULTS, Constants
from .probes import Probes
from .regime import Tally
from .snapshot import FORMAT, read_arms, read_format, written_arm

if TYPE_CHECKING:
    import random

QUALITY, AVAILABILITY = EvidenceKind.QUALITY, EvidenceKind.AVAILABILITY
SCORE, BEHAVIOUR = EvidenceKind.SCORE, EvidenceKind.BEHAVIOUR
LATEST = 1e12
"""What is later than this, in seconds since the epoch, is no time."""


class Menu:
    """The arms of a pull with what is known of them; kept while the same arms are asked for."""

    __slots__ = ("asked", "costs", "ids", "order", "states")

    def __init__(self, ids: Sequence[str], states: Sequence[ArmState]) -> None:
        self.ids = ids
        self.states = states
        self.asked: Sequence[float | None] | None = None

    def price(self, asked: Sequence[float | None]) -> None:
        """Take note of what this call costs on each arm."""
        if asked != self.asked:
            self.asked = asked
            self.costs = [known_cost(cost) for cost in asked]
            self.order: Order = rising_cost(self.costs)


class RunLengthPolicy:
    """Chooses the cheapest arm whose success is within a small margin of the best.

    Args:
        arms: ids of the goal's arms; others may turn up later.
        rng: source of chance; equal seeds and equal events make equal choices.
        constants: the numbers; the defaults are the simulated ones.
    """

    FORMAT = FORMAT

    def __init__(
        self, arms: Sequence[str], rng: random.Random, *, constants: Constants = DEFAULTS
    ) -> None:
        self._rng = rng
        self._constants = constants
        self._tally = Tally()
        self._arms = {arm: ArmState(arm, constants) for arm in arms}
        self._probes = Probes(constants)
        self._judged = False
        self._menu = Menu((), ())

    def pull(self, arms: Sequence[Arm], context: Context) -> Pull:
        """Choose an arm.

        A first attempt may explore. A later one has a caller waiting who has just seen a failure:
        it takes the arm that is best by what is known, at the margin for cost, without a draw and
        without a probe; what it learns comes for free. A conversation is not probed in either: its
        previous turn's arm stays unless the choice is better by more than a switch costs.
        """
        menu = self._menu_of(arms)
        if len(menu.states) == 1:
            return Pull(arm=menu.ids[0], rule="only", propensity=1.0)
        if context.number > 1:
            leader, chosen = self._usual(menu)
            return self._pulled(menu, chosen, "leader" if chosen == leader else "cheaper", 1.0)
        before = self._previous(menu, context.previous)
        due = self._due(menu, context.at) if before is None else None
        if due is not None and self._rng.random() < self._constants.probe_chance:
            self._probes.begin(menu.states[due], self._tally.calls, context.at)
            return self._pulled(menu, due, "probe", None, due=menu.ids[due])
        chosen, rule = self._drawn(menu, before)
        return self._pulled(
            menu,
            chosen,
            rule,
            None,
            due=None if due is None else menu.ids[due],
            previous=None if before is None else menu.ids[before],
        )

    def _drawn(self, menu: Menu, before: int | None) -> tuple[int, str]:
        """Rules 3 and 4, and the price of a conversation's switch."""
        c, states = self._constants, menu.states
        best = max([state.level for state in states])
        leader, target = drawn_leader(states, best, self._rng, c)
        chosen = good_enough(states, menu.costs, menu.order, leader, target, c)
        stays = settled(states, menu.costs, chosen, before, target, c)
        if stays != chosen:
            return stays, "conversation"
        return chosen, "leader" if chosen == leader else "cheaper"

    def _usual(self, menu: Menu) -> tuple[int, int]:
        """The best arm by what is known, and the one that rule 4 takes for it."""
        means = [state.mean for state in menu.states]
        best = max(means)
        leader = means.index(best)
        costs, order = menu.costs, menu.order
        return leader, good_enough(menu.states, costs, order, leader, best, self._constants)

    def _due(self, menu: Menu, at: float) -> int | None:
        """The arm to probe (rule 5)."""
        if self._probes.quiet(self._tally.calls, at):
            return None
        _, usual = self._usual(menu)
        return self._probes.due(menu.states, menu.costs, usual, self._tally, len(self._arms), at)

    @staticmethod
    def _previous(menu: Menu, arm: str | None) -> int | None:
        """A conversation's arm, if it is offered and well."""
        if arm is None or arm not in menu.ids:
            return None
        index = menu.ids.index(arm)
        return None if menu.states[index].down else index

    @staticmethod
    def _pulled(
        menu: Menu,
        index: int,
        rule: str,
        propensity: float | None,
        *,
        due: str | None = None,
        previous: str | None = None,
    ) -> Pull:
        return Pull(
            arm=menu.ids[index],
            rule=rule,
            propensity=propensity,
            basis=basis_of(menu.states, menu.costs),
            due=due,
            previous=previous,
        )

    def _menu_of(self, arms: Sequence[Arm]) -> Menu:
        ids = [arm.id for arm in arms]
        menu = self._menu
        if menu.ids != ids:
            menu = Menu(ids, [self._arms.get(arm) or self._fresh(arm) for arm in ids])
            self._probes.wake()
            if all(arm in self._arms for arm in ids):
                self._menu = menu
        menu.price([arm.cost_usd for arm in arms])
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
            self._probes.end(arm, self._tally.calls)
            return
        state = self._arms.get(arm)
        if state is None:
            state = self._arms[arm] = self._fresh(arm)
        if kind in (QUALITY, AVAILABILITY):
            at = evidence.at if 0.0 < evidence.at < LATEST else 0.0  # NaN and such are not known
            self._learn_outcome(state, kind, gain, loss, at)
        elif kind == SCORE:
            self._learn_score(state, gain, loss)
        elif kind == BEHAVIOUR:
            state.behave(gain, loss, self._constants)
        else:
            state.take_back(gain, loss, self._constants)

    def _learn_outcome(
        self, state: ArmState, kind: EvidenceKind, gain: float, loss: float, at: float
    ) -> None:
        constants, tally, down = self._constants, self._tally, state.down
        size = gain + loss  # births are whole, see `Run`, whatever a batch's rewards sum to
        tally.calls += size if size == 1.0 else max(1.0, round(size))
        if kind == QUALITY:
            hazard = constants.hazard + constants.early_hazard / (
                len(self._arms) * (constants.hazard_calls + tally.calls)
            )
            hazard = min(0.5, hazard * max(1.0, gain + loss))  # it may have changed within a batch
            state.learn(gain, loss, tally, hazard, at, constants)
        else:
            state.learn_availability(gain, loss, tally, at, constants)
        if state.down != down:
            self._probes.wake()
        self._probes.learned(state, gain, loss)

    def _learn_score(self, state: ArmState, gain: float, loss: float) -> None:
        state.score(gain, loss, self._constants)
        if not self._judged:  # the first score of all: from now on the others count as unjudged
            self._judge_all()

    def _judge_all(self) -> None:
        self._judged = True
        for state in self._arms.values():
            state.judged = True
            state.refresh(self._constants)

    def belief(self, arm: str) -> tuple[float, float]:
        """An arm's mean success in [0, 1], and how many outcomes it rests on."""
        state = self._arms.get(arm) or self._fresh(arm)
        return state.mean, state.quality.count

    def scored(self, arm: str) -> float:
        """How many scores an arm has, the oldest fading out."""
        state = self._arms.get(arm)
        return 0.0 if state is None or state.scores is None else state.scores.count

    def is_down(self, arm: str) -> bool:
        """Is the arm taken for failing, and only probed?"""
        state = self._arms.get(arm)
        return state is not None and state.down

    def state(self) -> JSON:
        """All beliefs, exactly; probes under way are not part of them."""
        calls = self._tally.calls
        return {
            "format": FORMAT,
            "tally": self._tally.state(),
            "arms": {arm: written_arm(state, calls) for arm, state in self._arms.items()},
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
        self._menu = Menu((), ())
        self._judged = False
        if any(arm.scores is not None for arm in self._arms.values()):
            self._judge_all()
