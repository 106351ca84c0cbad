"""Every number that the routing policy rests on, with its meaning."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Constants:
    """The policy's constants; the defaults were found by simulation.

    "Call" means one outcome, "run" a stretch of calls during which an arm's level stayed the same.
    """

    # Beliefs: what is known of one arm.
    prior_successes: float = 3.0
    """An arm begins at Beta(3, 1): paths that someone chose to list mostly work."""
    prior_failures: float = 1.0
    max_runs: int = 24
    """Runs kept per arm; eight are too few."""
    min_weight: float = 1e-4
    """A run less likely than this is forgotten."""
    hazard: float = 0.0005
    """Chance per call that an arm's level changes, in the long run."""
    early_hazard: float = 2.0
    """Added to it: this / (K (hazard_calls + t)); young goals change more often."""
    hazard_calls: float = 50.0

    # Regimes: what counts as a change, and the memory of the level before an outage.
    regime_weight: float = 0.5
    """A run heavier than this is the arm's regime."""
    later_weight: float = 0.7
    """So is the heaviest of the younger runs when they hold this much together."""
    home_counts: float = 30.0
    """The level before an outage is remembered as at most this many calls."""
    home_slack: float = 0.05
    """An arm this close to its level before the outage is up again."""
    return_rate: float = 0.2
    """Chance that an outage ended during a gap: this * gap / (time down + 1) ..."""
    max_return: float = 0.5
    """... but never more than this."""

    # Choice: success first, then cost.
    margin: float = 0.02
    """Success given up at most for a path that is nearly free."""
    sharpening: float = 1.5
    """Draws come from Beta(1.5 a, 1.5 b): narrower than the posterior."""
    doubt: float = 1.5
    """A cheaper arm stays while the evidence against it, in nats, is below this ..."""
    doubt_calls: float = 150.0
    """... times n / (n + this)."""
    doubt_prior: float = 4.0
    """Calls added to n when failures are told from a mean: some of the prior's doubt stays."""
    tested: float = 2.5
    """An arm with a smaller n (the prior's is 2) is untested: no such benefit."""

    # Probes.
    min_interval: float = 5.0
    """Calls between two probes of an arm, at least."""
    interval_factor: float = 2.0
    """Probes come every factor * sqrt(cost of a probe / (gain * hazard)) calls."""
    outage_factor: float = 1.0
    """The same for an arm that is down."""
    ended: float = 0.3
    """Of all outages, (this + those that ended) / (1 + their number) are expected to end: the
    first one is doubted more than a later one that follows others which ended."""
    probe_cost: float = 0.005
    """What a probe costs in any case, in successes."""
    min_gain: float = 0.001
    """An arm that could not gain more than this is never probed."""
    max_follow: int = 20
    """A successful probe is followed at once by at most this many more."""
    lost_after: float = 1000.0
    """A probe without an outcome after this many calls is taken for lost."""

    # Availability: does the provider answer at all? A short memory.
    outage_hazard: float = 0.005
    """Chance per call that an outage begins."""
    availability_counts: float = 50.0
    """Calls that the availability remembers."""
    availability_floor: float = 0.5
    """Failures (and answers) that it never forgets, so that one failure is no proof."""
    outage_level: float = 0.9
    """An arm that answers less often than this is down."""

    # Scores and behaviour.
    score_prior_good: float = 3.0
    """Quality of an unjudged arm: Beta(3, 1), mean .75."""
    score_prior_bad: float = 1.0
    score_counts: float = 4.0
    """One judgement counts as much as this many passes or failures of the gate."""
    score_memory: float = 500.0
    """Judgements remembered per arm."""
    behaviour_share: float = 0.2
    """Weight of the users' behaviour in an arm's value ..."""
    behaviour_from: float = 5.0
    """... from this many signals on."""
    behaviour_memory: float = 500.0
    """Signals remembered per arm."""


DEFAULTS = Constants()
