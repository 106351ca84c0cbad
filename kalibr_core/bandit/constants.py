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
    new_run: float = 0.5
    """After a change, each side's count (Jeffreys' prior): most changes are to near 0 or 1."""
    max_runs: int = 8
    """More runs than this are thinned out, to one of each age."""
    ages: float = 0.4
    """Ages told apart in each doubling: calls 1-5, 6-31, 32-181, 182-1,024, ..."""
    min_weight: float = 1e-4
    """A run less likely than this is forgotten ..."""
    young: float = 20.0
    """... unless it has seen no more than this many calls."""
    hazard: float = 0.00045
    """Chance that an arm's level changes where its outcomes turn, in the long run."""
    early_hazard: float = 3.15
    """Added to it: this / (K (hazard_calls + t)); young goals change more often."""
    hazard_calls: float = 70.0

    # Regimes: what counts as a change, and the memory of the level before an outage.
    regime_weight: float = 0.58
    """A run heavier than this is the arm's regime."""
    later_weight: float = 0.68
    """So is the heaviest of the younger runs when they hold this much together."""
    home_counts: float = 100.0
    """The level before an outage is remembered as at most this many calls."""
    home_slack: float = 0.05
    """An arm this close to its level before the outage is up again."""
    return_rate: float = 1.2
    """Chance that an outage ended during a gap: this * gap / (time down + 1) ..."""
    return_doubt: float = 0.1
    """... times (this + outages that ended) / (1 + outages) ..."""
    max_return: float = 0.5
    """... but never more than this."""

    # Choice: success first, then cost.
    margin: float = 0.02
    """Success given up at most for a path that is nearly free."""
    sharpening: float = 1.3
    """Draws are narrower than the posterior: their variance is divided by this."""
    doubt: float = 1.45
    """A cheaper arm stays while the evidence against it, in nats, is below this ..."""
    doubt_calls: float = 20.0
    """... times n / (n + this); an untested arm has no such benefit."""
    doubt_prior: float = 3.0
    """Calls added to n when an arm's uncertainty is told from its mean and n."""

    # Probes.
    probe_chance: float = 0.8
    """A probe that is due is made with this probability, so that every arm keeps its chance."""
    min_interval: float = 5.0
    """Calls between two probes of an arm, at least."""
    interval_factor: float = 0.5
    """Probes come every factor * sqrt(cost of a probe / (gain * hazard)) calls."""
    outage_factor: float = 1.0
    """The same for an arm that is down."""
    rise_calls: float = 50.0
    """An arm that is up rises above what it was with chance (1 + rises) / (K (this + t))."""
    ended: float = 0.08
    """Of all outages, (this + those that ended) / (1 + their number) are short: the chance of such
    an end falls with the time down. Until one has ended, hardly any is taken for short."""
    lasting: float = 0.27
    """Any outage ends with chance lasting / (lasting_calls + time down) per call ..."""
    lasting_calls: float = 800.0
    patience: float = 15_000.0
    """... divided by 1 + time down / patience: what has been down for long stays down."""
    probe_cost: float = 0.005
    """What a probe costs in any case, in successes."""
    min_gain: float = 0.002
    """An arm that could not gain more than this is never probed."""
    max_follow: int = 20
    """A successful probe is followed at once by at most this many more."""
    lost_after: float = 1000.0
    """A probe without an outcome after this many calls is taken for lost."""

    # Wall time, for goals whose calls are too few for the rules above.
    halves_s: float = 14 * 86_400.0
    """Evidence on answers counts half after this time ..."""
    available_halves_s: float = 600.0
    """... and on whether the provider answers at all, after this."""
    return_share: float = 0.25
    """An arm that is down is also due when it was idle for this share of its time down ..."""
    return_least_s: float = 30.0
    """... but not before this time ..."""
    return_most_s: float = 3600.0
    """... and at the latest after this."""
    return_calls: float = 20.0
    """The same share of its calls lies in between, from `min_interval` up to this: a goal with few
    calls must not spend them all on dead paths."""
    look_calls: float = 300.0
    """A cheaper arm that is up is due after as many calls if an hour has passed: it may have become
    better, however little its probes could win by the rule above."""

    # Conversations.
    switch_price: float = 0.05
    """A conversation stays with its path unless that is worse than the choice by more than this
    (a switch throws the provider's prompt cache away) ..."""
    switch_saving: float = 0.5
    """... or dearer, so that the choice would save more than this share of its cost."""

    # Availability: does the provider answer at all? A short memory.
    outage_hazard: float = 0.005
    """Chance per call that an outage begins."""
    availability_counts: float = 50.0
    """Calls that the availability remembers."""
    availability_floor: float = 0.5
    """Failures (and answers) that it never forgets, so that one failure is no proof."""
    availability_return: float = 0.2
    """Chance that an outage ended during a gap: this * gap / (time down + 1)."""
    outage_level: float = 0.9
    """An arm that answers less often than this is down ..."""
    answering_level: float = 0.95
    """... until it answers more often than this."""

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
    behaviour_ordinary: float = 0.6
    """Mean reward of an arm whose users are neither for nor against it: between a weak praise's .75
    and an edited answer's .5."""
    behaviour_memory: float = 500.0
    """Signals remembered per arm."""


DEFAULTS = Constants()
