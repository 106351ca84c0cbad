"""What is to be run, and what came of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from kalibr_bench.policies import detection
from kalibr_bench.policies.batch import batch_of
from kalibr_bench.policies.chance import generator
from kalibr_bench.policies.contenders import CONTENDERS, OURS
from kalibr_bench.policies.detection import CASES, RATES, Detection
from kalibr_bench.policies.drive import play_policies, play_twin
from kalibr_bench.policies.figures import Figures, Suite, figures, suite
from kalibr_bench.policies.pool import Job, spread
from kalibr_bench.policies.scenarios import SCENARIOS
from kalibr_bench.policies.tally import Tally, merged, tally

DETECTION, RULER = "detection", "cusum"
DETECTION_SEEDS = (60, 600)
"""Of a default, and of a full run."""
FIRST_FULL = 50_000
"""A full run's first seed: what is tuned on the default run's seeds is reported on others."""
TOGETHER = 400
"""Runs that a twin plays at once."""
ALONE = 60_000
"""Calls of a policy's job, one run after another."""
TWIN_US, POLICY_US, ALARM_US = 60.0, 30.0, 15.0
"""Time of a twin's step, a policy's call, an alarm's; only for the progress and the order."""


Key = tuple[str, str]
"""(scenario, policy)."""
Keyed = tuple[Key, Job]


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What is to be run.

    Attributes:
        scenarios: Their names, `detection` may be among them.
        policies: Their names.
        seeds: Of each scenario.
    """

    scenarios: tuple[str, ...]
    policies: tuple[str, ...]
    seeds: Mapping[str, range]


@dataclass(slots=True, kw_only=True)
class Results:
    """What came of it; after an interrupt only what was finished.

    Attributes:
        settings: What was to be run.
        tallies: By (scenario, policy).
        detections: By case.
        stopped: An interrupt came.
    """

    settings: Settings
    tallies: dict[tuple[str, str], Tally] = field(default_factory=dict)
    detections: dict[str, Detection] = field(default_factory=dict)
    stopped: bool = False

    def table(self) -> dict[tuple[str, str], Figures]:
        """Every cell's figures."""
        return {key: figures(SCENARIOS[key[0]], sums) for key, sums in self.tallies.items()}

    def suite(self, table: Mapping[tuple[str, str], Figures], policy: str) -> Suite | None:
        """A policy beside the best published one of these results."""
        return suite(table, policy, self.settings.policies)


def seeds_for(scenario: str, *, full: bool) -> range:
    """The seeds of a run that names none; empty: the scenario is too long for a default run."""
    if scenario == DETECTION:
        first, count = FIRST_FULL if full else 0, DETECTION_SEEDS[full]
    else:
        one = SCENARIOS[scenario]
        first, count = (one.first_full, one.full) if full else (0, one.quick)
    return range(first, first + count)


def laboratory(
    settings: Settings,
    *,
    workers: int = 1,
    on_done: Callable[[float], object] = lambda weight: None,
) -> Results:
    """Run all scenarios with all policies.

    The outcome depends on the seeds and on which of them are run together, not on the workers.

    Args:
        settings: What is to be run.
        workers: Processes.
        on_done: Called with each finished job's weight; they add up to `work`.
    """
    results = Results(settings=settings)
    keys, jobs = zip(*_jobs(settings), strict=True)
    found, results.stopped = spread(jobs, workers, on_done)
    whole = _whole(keys, found)
    for (scenario, policy), parts in whole.items():
        if scenario in SCENARIOS:
            results.tallies[scenario, policy] = merged(parts)
    for case in CASES:
        if (case, OURS) in whole and (case, RULER) in whole:
            watched = [one for part in whole[case, OURS] for one in part]
            delays = dict(zip(RATES, whole[case, RULER], strict=True))
            results.detections[case] = detection.compared(watched, delays)
    return results


def _whole(keys: Sequence[Key], found: Sequence[Any]) -> dict[Key, list[Any]]:
    """What came of each key's jobs, where all of them were done."""
    parts: dict[Key, list[Any]] = {}
    for key, part in zip(keys, found, strict=True):
        parts.setdefault(key, []).append(part)
    return {key: some for key, some in parts.items() if all(part is not None for part in some)}


def work(settings: Settings) -> float:
    """The weight of it all."""
    return sum(job.weight for _, job in _jobs(settings))


def _jobs(settings: Settings) -> list[Keyed]:
    jobs: list[Keyed] = []
    for scenario in settings.scenarios:
        seeds = settings.seeds[scenario]
        if scenario == DETECTION:
            jobs += _detection_jobs(seeds)
            continue
        for policy in settings.policies:
            jobs += _cell_jobs(scenario, policy, seeds)
    return jobs


def _cell_jobs(scenario: str, policy: str, seeds: range) -> list[Keyed]:
    chosen = SCENARIOS[scenario]
    of_seed = chosen.calls * chosen.runs
    alone = CONTENDERS[policy].twin is None
    size = max(1, ALONE // of_seed if alone else TOGETHER // chosen.runs)
    jobs = []
    for part in parts_of(seeds, size):
        weight = POLICY_US * of_seed * len(part) if alone else TWIN_US * chosen.calls
        jobs.append(((scenario, policy), Job(weight, play, (scenario, policy, part))))
    return jobs


def _detection_jobs(seeds: range) -> list[Keyed]:
    jobs: list[Keyed] = []
    for case in CASES:
        for part in parts_of(seeds, 10):
            weight = ALARM_US * detection.STABLE * len(part)
            jobs.append(((case, OURS), Job(weight, detection.watch, (case, part))))
        for rate in RATES:
            jobs.append(((case, RULER), Job(2e6, detection.cusum_delays, (case, rate))))
    return jobs


def parts_of(seeds: range, size: int) -> Sequence[range]:
    """Consecutive seeds, at most `size` together."""
    return [seeds[at : at + size] for at in range(0, len(seeds), size)]


def play(scenario: str, policy: str, seeds: range) -> Tally:
    """One policy through all runs of these seeds."""
    batch, contender = batch_of(scenario, seeds), CONTENDERS[policy]
    if contender.twin is not None:
        rng = generator("twin", policy, scenario, seeds.start, len(seeds))
        return tally(batch, play_twin(contender.twin, batch, rng))
    if contender.policy is None:
        raise ValueError(f"{policy} has neither a twin nor a policy")
    return tally(batch, play_policies(contender.policy, batch))
