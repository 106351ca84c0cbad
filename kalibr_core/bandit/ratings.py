"""What is known of an arm beside gate 1: judgements, behaviour, and the provider's availability."""

from __future__ import annotations

from .beliefs import Belief
from .bounds import clamped, items
from .constants import Constants
from .regime import Tally
from .runs import Return


class Ratings:
    """Judgements of one kind: their number and sum, the oldest fading out."""

    __slots__ = ("count", "good", "memory")

    def __init__(self, memory: float) -> None:
        self.memory = memory
        self.good = 0.0
        self.count = 0.0

    def add(self, gain: float, loss: float) -> None:
        self.good += gain
        self.count += gain + loss
        if self.count > self.memory:
            self.good *= self.memory / self.count
            self.count = self.memory

    def take_back(self, gain: float, loss: float) -> None:
        """Take off what was added before; what has faded meanwhile is not there to be taken."""
        self.count = max(0.0, self.count - gain - loss)
        self.good = clamped(self.good - gain, 0.0, self.count)

    def restore(self, state: object) -> None:
        good, count = items(state, 2)
        self.count = clamped(count, 0.0, self.memory)
        self.good = clamped(good, 0.0, self.count)


class Availability:
    """Does the provider answer at all? Kept apart, so that quality survives an outage."""

    __slots__ = ("belief", "since")

    def __init__(self, answers: float, constants: Constants) -> None:
        known = constants.prior_successes + min(answers, constants.availability_counts)
        self.belief = Belief(known, constants.availability_floor)
        self.since: float | None = None
        """The call at which the outage began; None while there is none."""

    @property
    def factor(self) -> float:
        """Share of a healthy arm's answers that this one gives, in (0, 1]."""
        answers, _ = self.belief.level
        return min(1.0, self.belief.mean * (1.0 + 0.5 / max(answers, 1.0)))

    @property
    def is_well(self) -> bool:
        """Nothing is left of an outage: as good as never seen."""
        return self.since is None and self.factor > 0.999

    def update(
        self, gain: float, loss: float, gap: float, tally: Tally, constants: Constants
    ) -> None:
        limit, floor = constants.availability_counts, constants.availability_floor
        comeback = None
        if self.since is not None:
            chance = constants.availability_return * gap / (tally.calls - self.since + 1.0)
            comeback = Return(min(constants.max_return, chance), limit, floor)
        self.belief.update(
            gain,
            loss,
            birth=tally.calls,
            hazard=constants.outage_hazard,
            comeback=comeback,
            constants=constants,
        )
        self.belief.shorten(limit, floor)
        if len(self.belief.weights) > constants.max_runs:
            self.belief.prune(constants)
        self._mark(tally, constants)

    def _mark(self, tally: Tally, constants: Constants) -> None:
        if self.since is None and self.belief.mean < constants.outage_level:
            self.since = tally.calls
            tally.drops += 1.0
        elif self.since is not None and self.belief.mean > constants.answering_level:
            self.since = None
            tally.returns += 1.0
