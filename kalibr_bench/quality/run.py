"""Runs: a Router with a judge asks the loopback provider over HTTP, call after call."""

from __future__ import annotations

import random
import secrets
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager

from kalibr_bench.provider import LoopbackProvider
from kalibr_bench.quality import scenario
from kalibr_bench.quality.records import Results, RunResult, Settings
from kalibr_core import Decision, Judge, Policy, Router
from kalibr_core.bandit import ThompsonPolicy
from kalibr_core.ledger import MemoryLedger
from kalibr_core.types import Evidence, EvidenceKind

POLL_S = 0.0005
PATIENCE_S = 60.0


class ScoreThompson(ThompsonPolicy):
    """One Beta per path, of judges' scores too.

    Args:
        alone: Gate 1's verdicts do not count.
    """

    def __init__(self, arms: Sequence[str], rng: random.Random, *, alone: bool) -> None:
        super().__init__(arms, rng)
        self._alone = alone

    def update(self, arm: str, evidence: Evidence) -> None:
        """Count a score like an outcome."""
        if evidence.kind is EvidenceKind.SCORE:
            super().update(arm, evidence._replace(kind=EvidenceKind.QUALITY))
        elif not self._alone:
            super().update(arm, evidence)


def benchmark(
    settings: Settings, seeds: Iterable[int], *, on_run: Callable[[], object] = lambda: None
) -> Results:
    """Run every seed with every arm, against a provider in a process of its own.

    An interrupt (Ctrl-C) ends it with the runs that are done.
    """
    results = Results(settings=settings)
    try:
        with loopback(settings) as provider:
            for seed in seeds:
                for policy, sampling in settings.arms:
                    results.runs.append(run(settings, seed, policy, sampling, provider.base_url))
                    on_run()
    except KeyboardInterrupt:
        results.stopped = True
    return results


@contextmanager
def loopback(settings: Settings) -> Iterator[LoopbackProvider]:
    """The benchmark's provider."""
    models = scenario.models(settings)
    with LoopbackProvider(models, process=True, keep_requests=0) as provider:
        yield provider


def run(settings: Settings, seed: int, policy: str, sampling: str, base_url: str) -> RunResult:
    """One run of one arm; all arms of a seed are asked the same and meet the same luck.

    Args:
        seed: Of requests, answers, and the Router's own chance.
        base_url: A provider that serves `scenario.models(settings)`.
    """
    ledger = MemoryLedger()
    router = _router(settings, seed, policy, sampling, base_url=base_url, ledger=ledger)
    try:
        found = []
        for n, messages in enumerate(scenario.requests(seed, settings.calls)):
            wait(router, settings.behind)
            answer = router.completion(messages, seed=seed * scenario.SEEDS_PER_RUN + n)
            found.append(answer.kalibr)  # type: ignore[attr-defined]  # the Router hangs it on
        wait(router, 0)
    finally:
        router.close()
    return _result(found, router, ledger, seed=seed, policy=policy, sampling=sampling)


def _router(
    settings: Settings,
    seed: int,
    policy: str,
    sampling: str,
    *,
    base_url: str,
    ledger: MemoryLedger,
) -> Router:
    names = scenario.names(seed)
    return Router(
        scenario.GOAL,
        paths=[{"model": name, **scenario.PRICE} for name in names],
        judge=Judge(
            model={"model": scenario.GRADER, **scenario.PRICE},
            rate=settings.rate,
            sampling=sampling,  # type: ignore[arg-type]  # checked by Judge
        ),
        policy=_policy(policy, names, seed),
        ledger=ledger,
        base_url=base_url,
        api_key=secrets.token_hex(8),  # one that was used before would draw anew
        seed=seed,
    )


def _policy(name: str, arms: Sequence[str], seed: int) -> Policy | None:
    """None: the Router's own."""
    if name == "kalibr":
        return None
    return ScoreThompson(arms, random.Random(seed), alone=name == "scores")


def wait(router: Router, behind: int | None) -> None:
    """Let the judge come to all but so many answers.

    Raises:
        TimeoutError: it does not.
    """
    judging = router._judging
    if behind is None or judging is None:
        return
    ends = time.monotonic() + PATIENCE_S
    while judging.under_way > behind:
        if time.monotonic() > ends:
            raise TimeoutError(f"{judging.under_way} answers wait for the judge")
        time.sleep(POLL_S)


def _result(
    found: Sequence[Decision],
    router: Router,
    ledger: MemoryLedger,
    *,
    seed: int,
    policy: str,
    sampling: str,
) -> RunResult:
    best = scenario.best(seed)
    first = [decision.outcomes[0] for decision in found]
    scores = [
        (e.path_id == best, e.reward or 0.0) for _, e in ledger.entries() if e.kind == "judge"
    ]
    of_best = [score for is_best, score in scores if is_best]
    of_others = [score for is_best, score in scores if not is_best]
    return RunResult(
        seed=seed,
        policy=policy,
        sampling=sampling,
        to_best=tuple(outcome.path_id == best for outcome in first),
        passed=sum(outcome.reward == 1.0 for outcome in first),
        judged=dict(router.judgements),
        scores=((sum(of_best), len(of_best)), (sum(of_others), len(of_others))),
    )
