"""A judge over HTTP that goes wrong: no evidence, no crash, counted."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from kalibr_bench.provider import Fault, LoopbackProvider
from kalibr_bench.quality import Settings, scenario
from kalibr_core import Judge, Router
from kalibr_core.ledger import MemoryLedger, SQLiteLedger

BAD, GOOD = "bad-grader", scenario.GRADER
SAID = ("8/10", '{"score": "8/10"}', "A fine note.", '{"score": NaN}', '{"score": 7}', "", "null")
PROGRAM = """
import sys
from kalibr_bench.quality import scenario
from kalibr_core import Judge, Router
url, ledger, grader = sys.argv[1:]
router = Router(
    "research", paths=[{"model": scenario.names(0)[0]}],
    base_url=url, api_key="k", ledger=ledger,
    judge=Judge(model={"model": grader}, rate=1.0, drain_s=1.0, daily_budget_usd=None),
)
for messages in scenario.requests(0, 5):
    router.completion(messages)
"""


@pytest.fixture
def provider() -> Iterator[LoopbackProvider]:
    models = scenario.models(Settings(noise=0.0))
    with LoopbackProvider([*models, replace(models[-1], name=BAD, quality=0.0)]) as running:
        yield running


def asked(provider: LoopbackProvider, calls: int, *, grader: str = GOOD, **judge: Any) -> Router:
    """A Router whose answers are all judged by a model, after some calls."""
    model = {"model": grader, **scenario.PRICE}
    router = Router(
        "research",
        paths=[{"model": name, **scenario.PRICE} for name in scenario.names(0)],
        judge=Judge(model=model, **{"rate": 1.0, **judge}),
        ledger=MemoryLedger(),
        base_url=provider.base_url,
        api_key="k",
        seed=0,
    )
    for messages in scenario.requests(0, calls):
        router.completion(messages)
    return router


def scores(ledger: Any) -> list[float]:
    return [entry.reward for _, entry in ledger.entries() if entry.kind == "judge"]


def test_a_good_judge_is_evidence(provider: LoopbackProvider) -> None:
    router = asked(provider, 10)
    router.close()
    assert router.judgements == {"judged": 10}
    assert len(set(scores(router._learner.ledger))) > 1


def test_a_model_that_cannot_keep_to_the_form(provider: LoopbackProvider) -> None:
    """Broken JSON, fields that are missing or of other types, talk around it, a cut end."""
    router = asked(provider, 25, grader=BAD)
    router.close()
    assert router.judgements == {"unreadable": 25}
    assert scores(router._learner.ledger) == []


def test_answers_that_are_no_score(provider: LoopbackProvider) -> None:
    provider.script(GOOD, SAID)
    router = asked(provider, len(SAID))
    router.close()
    assert router.judgements == {"unreadable": len(SAID)}
    assert scores(router._learner.ledger) == []


def test_a_server_that_fails(provider: LoopbackProvider) -> None:
    for kind in ("server_error", "rate_limit", "reset", "html"):
        provider.fault(GOOD, Fault(kind=kind, times=1))
    router = asked(provider, 4)
    router.close()
    assert sum(router.judgements.values()) == 4
    assert router.judgements["failed"] >= 3
    assert scores(router._learner.ledger) == []


def test_a_hanging_server_fills_the_queue_and_holds_up_neither_calls_nor_the_end(
    provider: LoopbackProvider,
) -> None:
    provider.fault(GOOD, Fault(kind="hang"))
    started = time.monotonic()
    router = asked(provider, 12, queue=2, concurrency=1, drain_s=0.1, timeout_s=1.0)
    assert router.judgements == {"full": 9}
    router.close()
    assert time.monotonic() - started < 5.0
    ends = time.monotonic() + 5.0
    while sum(router.judgements.values()) < 12 and time.monotonic() < ends:
        time.sleep(0.01)
    assert router.judgements == {"full": 9, "left": 3}, "also what was under way, once it has ended"
    assert scores(router._learner.ledger) == []


def test_a_budget_that_is_used_up(provider: LoopbackProvider) -> None:
    router = asked(provider, 10, daily_budget_usd=0.0)
    router.close()
    assert router.judgements == {"budget": 10}
    assert provider.stats().models.get(GOOD) is None, "nobody was asked"


@pytest.mark.parametrize(("hangs", "judged"), [(False, 5), (True, 0)])
def test_a_process_that_exits(
    hangs: bool, judged: int, provider: LoopbackProvider, tmp_path: Path
) -> None:
    """It waits for what is under way, and for no longer than `drain_s`."""
    if hangs:
        provider.fault(GOOD, Fault(kind="hang"))
    given = [provider.base_url, str(tmp_path / "k.db"), GOOD]
    started = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, *given], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    assert time.monotonic() - started < 20.0
    assert len(scores(SQLiteLedger(tmp_path / "k.db"))) == judged
