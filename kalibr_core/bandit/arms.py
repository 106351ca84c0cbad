"""All that is known of one arm, brought together into the value that the choice compares."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, TypeAlias

from ..types import Basis
from .beliefs import Belief
from .constants import Constants
from .ratings import Availability, Ratings
from .regime import Regime, Tally
from .runs import UNITS

if TYPE_CHECKING:
    import random

Component: TypeAlias = tuple[float, float, float]
"""(weight, alpha, beta): one Beta of a mixture; the weights need not sum to 1."""

FADE_SLOTS = 64
"""Evidence fades in this many steps per half-life."""


class ArmState:
    """One arm's posteriors, and what rules 3 to 5 see of them.

    Values are success, times availability, score and behaviour where there are any. A *level* is
    their logit, in which an uncertain value is nearly normal.

    Attributes:
        last: the call of its newest outcome.
        last_at: the same in wall time, whole seconds since the epoch; 0: not known.
        since_at: when it went down.
        components: posterior of its value where that is not just success; else None.
        mean: expected value.
        down: its success, or its availability, is below what it was.
        level: logit of the mean.
        doubt: how far above its level the arm may be, for all that the evidence says (rule 4).
        upper: the value at level + doubt.
    """

    __slots__ = (
        "_loc",
        "_scale",
        "_share",
        "availability",
        "basis",
        "behaviour",
        "components",
        "doubt",
        "down",
        "id",
        "judged",
        "last",
        "last_at",
        "level",
        "mean",
        "quality",
        "regime",
        "scores",
        "since_at",
        "upper",
    )

    def __init__(self, arm: str, constants: Constants) -> None:
        self.id = arm
        self.quality = Belief(constants.prior_successes, constants.prior_failures)
        self.regime = Regime(constants.prior_successes, constants.prior_failures)
        self.availability: Availability | None = None
        self.scores: Ratings | None = None
        self.behaviour: Ratings | None = None
        self.last = 0.0
        self.last_at = self.since_at = 0
        self.judged = False
        self.down = False
        self.refresh(constants)

    @property
    def since(self) -> float:
        """The call at which the outage began."""
        if self.availability is not None and self.availability.since is not None:
            return self.availability.since
        return self.regime.since

    @property
    def success(self) -> float:
        """How often a call passes gate 1: scores and behaviour left aside."""
        answers = 1.0 if self.availability is None else self.availability.factor
        return self.quality.mean * answers

    def home_value(self, constants: Constants) -> float:
        """The arm's value before the outage."""
        success = self.regime.home_mean if self.regime.down else self.quality.mean
        return self._worth(success, 1.0, constants)

    def learn(
        self, gain: float, loss: float, tally: Tally, hazard: float, at: float, c: Constants
    ) -> None:
        """Rule 1 and 2 on outcomes of gate 1; an answer also shows that the provider is there."""
        self._fade(at, c)
        gap = tally.calls - self.last
        self.quality.update(
            gain,
            loss,
            birth=tally.calls,
            hazard=hazard,
            comeback=self.regime.comeback(tally, gap, c, turns=self.quality.turns(gain, loss)),
            constants=c,
        )
        self.regime.follow(self.quality, tally, c)
        if len(self.quality.weights) > c.max_runs:
            self.regime.renamed(self.quality.prune(c))
        if self.availability is not None:
            self.availability.update(gain + loss, 0.0, gap, tally, c)
            if self.availability.is_well:
                self.availability = None
        self._seen(tally, at, c)

    def learn_availability(
        self, gain: float, loss: float, tally: Tally, at: float, c: Constants
    ) -> None:
        """The provider answered, or did not; what its answers are worth is another question."""
        if self.availability is None:
            self.availability = Availability(self.quality.count, c)
        self._fade(at, c)
        self.availability.update(gain, loss, tally.calls - self.last, tally, c)
        self._seen(tally, at, c)

    def score(self, gain: float, loss: float, c: Constants) -> None:
        """A judgement of gate 2."""
        self.scores = self.scores or Ratings(c.score_memory)
        self.scores.add(gain, loss)
        self.judged = True
        self.refresh(c)

    def behave(self, gain: float, loss: float, c: Constants) -> None:
        """A signal of gate 3."""
        self.behaviour = self.behaviour or Ratings(c.behaviour_memory)
        self.behaviour.add(gain, loss)
        self.refresh(c)

    def take_back(self, gain: float, loss: float, c: Constants) -> None:
        """A signal of gate 3 that was told before counts no more."""
        if self.behaviour is not None:
            self.behaviour.take_back(gain, loss)
            self.refresh(c)

    def _fade(self, at: float, c: Constants) -> None:
        """Let wall time take its share; a clock that goes backwards takes nothing."""
        if self.last_at <= 0 or at <= self.last_at:
            return
        if (keep := _kept(self.last_at, at, c.halves_s)) is not None:
            self.quality.fade(keep)
        keep = _kept(self.last_at, at, c.available_halves_s)
        if keep is not None and self.availability is not None:
            self.availability.belief.fade(keep)

    def _seen(self, tally: Tally, at: float, c: Constants) -> None:
        was_down = self.down
        self.last, self.last_at = tally.calls, int(at)
        self.refresh(c)
        if self.down and not was_down:
            self.since_at = self.last_at

    def refresh(self, c: Constants) -> None:
        """Recompute what the choice sees; after every change."""
        belief = self.quality
        self.mean = belief.mean
        self.components: Sequence[Component] | None = None
        self.basis: Basis | None = None
        out = self.availability is not None and self.availability.since is not None
        self.down = out or self.regime.down
        if self.judged or self.availability is not None or self._heard(c):
            self._rescale(c)
        if self.components is None:
            self._share = belief.weights[belief.top] / UNITS
            a, b = belief.level
        else:
            self._share, a, b = self.components[0]
        self._loc, self._scale = math.log(a / b), math.sqrt((1.0 / a + 1.0 / b) / c.sharpening)
        self.level = math.log(self.mean / (1.0 - self.mean))
        self.upper = self._upper(c)
        self.doubt = math.log(self.upper / (1.0 - self.upper)) - self.level

    def _upper(self, c: Constants) -> float:
        """The highest value that the evidence on success leaves open (rule 4).

        A score is taken at its mean here: an arm with poor ones is not called for the sake of
        what it may yet turn out to be.
        """
        success, n = self.success, self.quality.count
        spread = (n + c.doubt_prior) * success * (1.0 - success)
        doubt = math.sqrt(2.0 * c.doubt * n / ((n + c.doubt_calls) * spread))
        upper = min(value_at(math.log(success / (1.0 - success)) + doubt), 1.0 - 1e-9)
        return upper if self.components is None else self._worth(upper, 1.0, c)

    def draw(self, best: float, rng: random.Random, c: Constants) -> float:
        """A level that the arm may have, never below its own (optimistic Thompson sampling).

        Where the heaviest component comes up and hardly ever (four deviations) reaches `best`, a
        level that other arms have for sure, nothing is drawn.
        """
        rest = rng.random()
        if rest < self._share:
            if self._loc + 4.0 * self._scale <= best:
                return self.level
            return max(self.level, self._loc + self._scale * rng.gauss(0.0, 1.0))
        rest -= self._share
        a, b = self._component(rest)
        scale = math.sqrt((1.0 / a + 1.0 / b) / c.sharpening)
        return max(self.level, math.log(a / b) + scale * rng.gauss(0.0, 1.0))

    def _component(self, rest: float) -> tuple[float, float]:
        """The component at `rest` of the cumulated weights, the heaviest left out."""
        mixture = self.mixture()
        for weight, a, b in mixture[1:]:
            rest -= weight
            if rest < 0.0:
                return a, b
        return mixture[0][1:]

    def mixture(self) -> Sequence[Component]:
        """The components, the heaviest first."""
        return self.quality.heavy(0.0) if self.components is None else self.components

    def _heard(self, c: Constants) -> bool:
        return self.behaviour is not None and self.behaviour.count >= c.behaviour_from

    def _rescale(self, c: Constants) -> None:
        """Move each run's mean from success to value, and its spread with it."""
        answers = 1.0 if self.availability is None else self.availability.factor
        components = []
        for weight, a, b in self.mixture():
            worth = self._worth(a / (a + b), answers, c)
            size = self._size(a, b, answers, worth, c) if self.judged else a + b
            components.append((weight, size * worth, size * (1.0 - worth)))
        self.components = components
        self.mean = self._worth(self.quality.mean, answers, c)

    def _size(self, a: float, b: float, answers: float, worth: float, c: Constants) -> float:
        """The counts of a Beta with the variance of the product: success times (1 + score) / 2."""
        success = a / (a + b)
        good, total = self._scored(c)
        score = good / total
        of_success = success * (1.0 - success) / (a + b + 1.0)
        of_score = score * (1.0 - score) / (total + 1.0)
        factor = 0.5 + 0.5 * score
        variance = answers**2 * (factor**2 * of_success + 0.25 * success**2 * of_score)
        return max(worth * (1.0 - worth) / max(variance, 1e-12) - 1.0, 1.0)

    def _scored(self, c: Constants) -> tuple[float, float]:
        """(good, all) judgements as Beta counts, the prior's included."""
        good, total = c.score_prior_good, c.score_prior_good + c.score_prior_bad
        if self.scores is not None:
            good += c.score_counts * self.scores.good
            total += c.score_counts * self.scores.count
        return good, total

    def _worth(self, success: float, answers: float, c: Constants) -> float:
        """Success, availability, score and behaviour as one value in [0, 1]."""
        value = success * answers
        if self.judged:
            good, total = self._scored(c)
            value *= 0.5 + 0.5 * good / total
        if self.behaviour is not None and self._heard(c):
            count = self.behaviour.count
            liked = _beside(self.behaviour.good / count, value, c.behaviour_ordinary)
            liked = (c.behaviour_from * value + count * liked) / (c.behaviour_from + count)
            value = (1.0 - c.behaviour_share) * value + c.behaviour_share * liked
        return min(max(value, 1e-6), 1.0 - 1e-6)


def _beside(reward: float, value: float, ordinary: float) -> float:
    """What users' mean reward makes of a value: an ordinary one leaves it, 0 and 1 are 0 and 1.

    Taken as it is, a weak praise of .75 would speak against an arm that succeeds more often than
    that, and for one that nobody was heard of.
    """
    if reward < ordinary:
        return value * reward / ordinary
    return value + (1.0 - value) * (reward - ordinary) / (1.0 - ordinary)


def value_at(level: float) -> float:
    """The value in (0, 1) of a level, its logit."""
    return 1.0 / (1.0 + math.exp(-level))


def _kept(before: float, now: float, halves_s: float) -> float | None:
    """Share of the evidence that is left, where another slot of the half-life has begun."""
    slot = halves_s / FADE_SLOTS
    slots = now // slot - before // slot
    return 0.5 ** (slots / FADE_SLOTS) if slots > 0 else None
