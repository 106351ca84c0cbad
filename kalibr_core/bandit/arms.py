"""All that is known of one arm, brought together into the value that the choice compares."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

from ..types import Basis
from .beliefs import Belief
from .bounds import clamped, items
from .constants import Constants
from .regime import Regime, Tally

Component: TypeAlias = tuple[float, ...]
"""(weight, alpha, beta, ...): one Beta of a mixture."""


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
        run = self.belief.runs[0]
        return min(1.0, self.belief.mean * (1.0 + 0.5 / max(run[1], 1.0)))

    def update(
        self, gain: float, loss: float, gap: float, tally: Tally, constants: Constants
    ) -> None:
        limit, floor = constants.availability_counts, constants.availability_floor
        comeback = None
        if self.since is not None:
            chance = constants.return_rate * gap / (tally.calls - self.since + 1.0)
            comeback = min(constants.max_return, chance), limit, floor
        self.belief.update(
            gain,
            loss,
            birth=tally.calls,
            hazard=constants.outage_hazard,
            comeback=comeback,
            constants=constants,
        )
        self.belief.shorten(limit, floor)
        self._mark(tally, constants)

    def _mark(self, tally: Tally, constants: Constants) -> None:
        out = self.belief.mean < constants.outage_level
        if out and self.since is None:
            self.since = tally.calls
            tally.drops += 1.0
        elif not out and self.since is not None:
            self.since = None
            tally.returns += 1.0


class ArmState:
    """One arm's posteriors, and the mixture of Betas that rules 3 to 5 see.

    Attributes:
        last: the call of its newest outcome.
        components: posterior of its value: success, times availability and score if there are any.
        mean: expected value.
        count: outcomes behind it.
        down: its level, or its availability, is below what it was.
        ceiling: a draw from the heaviest component hardly ever exceeds this.
    """

    __slots__ = (
        "availability",
        "basis",
        "behaviour",
        "ceiling",
        "components",
        "count",
        "down",
        "id",
        "judged",
        "last",
        "mean",
        "quality",
        "regime",
        "scores",
    )

    def __init__(self, arm: str, constants: Constants) -> None:
        self.id = arm
        self.quality = Belief(constants.prior_successes, constants.prior_failures)
        self.regime = Regime(constants.prior_successes, constants.prior_failures)
        self.availability: Availability | None = None
        self.scores = Ratings(constants.score_memory)
        self.behaviour = Ratings(constants.behaviour_memory)
        self.last = 0.0
        self.judged = False
        self.refresh(constants)

    @property
    def since(self) -> float:
        """The call at which the outage began."""
        if self.availability is not None and self.availability.since is not None:
            return self.availability.since
        return self.regime.since

    def home_value(self, constants: Constants) -> float:
        """The arm's value before the outage."""
        success = self.regime.home_mean if self.regime.down else self.quality.mean
        return self._worth(success, 1.0, constants)

    def learn(self, gain: float, loss: float, tally: Tally, hazard: float, c: Constants) -> None:
        """Rule 1 and 2 on outcomes of gate 1; an answer also shows that the provider is there."""
        gap = tally.calls - self.last
        self.quality.update(
            gain,
            loss,
            birth=tally.calls,
            hazard=hazard,
            comeback=self.regime.comeback(tally.calls, gap, c),
            constants=c,
        )
        self.regime.follow(self.quality.runs, tally, c)
        if self.availability is not None:
            self.availability.update(gain + loss, 0.0, gap, tally, c)
        self.last = tally.calls
        self.refresh(c)

    def learn_availability(self, gain: float, loss: float, tally: Tally, c: Constants) -> None:
        """The provider answered, or did not; what its answers are worth is another question."""
        if self.availability is None:
            self.availability = Availability(self.quality.count, c)
        self.availability.update(gain, loss, tally.calls - self.last, tally, c)
        self.last = tally.calls
        self.refresh(c)

    def refresh(self, c: Constants) -> None:
        """Recompute what the choice sees; after every change."""
        belief = self.quality
        self.components: Sequence[Component] = belief.runs
        self.mean, self.count = belief.mean, belief.count
        self.basis: Basis | None = None
        out = self.availability is not None and self.availability.since is not None
        self.down = out or self.regime.down
        if self.judged or self.availability is not None or self._heard(c):
            self._rescale(c)
        _, a, b, *_ = self.components[0]
        mean, size = a / (a + b), c.sharpening * (a + b) + 1.0
        self.ceiling = mean + 4.0 * (mean * (1.0 - mean) / size) ** 0.5

    def _heard(self, c: Constants) -> bool:
        return self.behaviour.count >= c.behaviour_from

    def _rescale(self, c: Constants) -> None:
        """Move each run's mean from success to value, and its spread with it."""
        answers = 1.0 if self.availability is None else self.availability.factor
        components = []
        for weight, a, b, *_ in self.quality.runs:
            worth = self._worth(a / (a + b), answers, c)
            size = self._size(a, b, answers, worth, c) if self.judged else a + b
            components.append((weight, size * worth, size * (1.0 - worth)))
        self.components = components
        self.mean = self._worth(self.quality.mean, answers, c)

    def _size(self, a: float, b: float, answers: float, worth: float, c: Constants) -> float:
        """The counts of a Beta with the variance of the product: success times (1 + score) / 2.

        What is not known of the score widens what the arm is drawn from; it takes nothing from
        what is known of its success.
        """
        success = a / (a + b)
        good = c.score_prior_good + c.score_counts * self.scores.good
        total = c.score_prior_good + c.score_prior_bad + c.score_counts * self.scores.count
        score = good / total
        of_success = success * (1.0 - success) / (a + b + 1.0)
        of_score = score * (1.0 - score) / (total + 1.0)
        factor = 0.5 + 0.5 * score
        variance = answers**2 * (factor**2 * of_success + 0.25 * success**2 * of_score)
        return min(max(worth * (1.0 - worth) / max(variance, 1e-12) - 1.0, 1.0), a + b)

    def _worth(self, success: float, answers: float, c: Constants) -> float:
        """Success, availability, score and behaviour as one value in [0, 1]."""
        value = success * answers
        if self.judged:
            good = c.score_prior_good + c.score_counts * self.scores.good
            total = c.score_prior_good + c.score_prior_bad + c.score_counts * self.scores.count
            value *= 0.5 + 0.5 * good / total
        if self._heard(c):
            liked = (c.behaviour_from * value + self.behaviour.good) / (
                c.behaviour_from + self.behaviour.count
            )
            value = (1.0 - c.behaviour_share) * value + c.behaviour_share * liked
        return min(max(value, 1e-6), 1.0 - 1e-6)
