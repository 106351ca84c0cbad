"""The benchmark on real models: a pass-through on this machine that injects on the way back."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

from kalibr_bench.provider import count_tokens
from kalibr_bench.resilience.arms import PRICES
from kalibr_bench.resilience.documents import documents
from kalibr_bench.resilience.many import run_here
from kalibr_bench.resilience.passthrough import Passthrough
from kalibr_bench.resilience.records import Results, Settings
from kalibr_bench.resilience.task import messages_for
from kalibr_core.prices import cost_usd
from kalibr_core.providers import PROVIDERS
from kalibr_core.types import Usage

KEY = "OPENAI_API_KEY"
ANSWER_TOKENS = 200
"""What a real answer has, about."""

CALLS: Mapping[str, Mapping[str, float]] = MappingProxyType(
    {
        "hard-coded": {"gpt-4o": 1.0},
        "kalibr": {"gpt-4o": 0.25, "gpt-4o-mini": 0.7, "gpt-3.5-turbo": 0.2},
        "no-healing": {"gpt-4o": 0.25, "gpt-4o-mini": 0.6, "gpt-3.5-turbo": 0.15},
        "chain": {"gpt-4o": 1.0, "gpt-4o-mini": 0.5},
        "uniform": {"gpt-4o": 0.4, "gpt-4o-mini": 0.4, "gpt-3.5-turbo": 0.4},
        "oracle": {"gpt-4o": 0.4, "gpt-4o-mini": 0.6, "gpt-3.5-turbo": 0.1},
    }
)
"""Calls per document that an arm makes, about."""
MOST_CALLS = 3


def estimate(settings: Settings, runs: int) -> str:
    """The question that is asked before money is spent."""
    documents_in_all = runs * settings.scenario.length
    each = {model: _usd(model, settings) for model in PRICES}
    about = sum(each[model] * n for arm in settings.arms for model, n in CALLS[arm].items())
    single = sum(arm in ("hard-coded", "no-healing") for arm in settings.arms)
    most = (single + MOST_CALLS * (len(settings.arms) - single)) * max(each.values())
    return (
        f"{documents_in_all} documents x {len(settings.arms)} arms on real models cost about "
        f"${about * documents_in_all:.2f}, at most ${most * documents_in_all:.2f}. Go on?"
    )


def _usd(model: str, settings: Settings) -> float:
    sample = documents(0, min(settings.scenario.length, 40))
    texts = ["".join(message["content"] for message in messages_for(d)) for d in sample]
    tokens = sum(map(count_tokens, texts)) // len(texts)
    usage = Usage(input_tokens=tokens, output_tokens=ANSWER_TOKENS)
    return cost_usd(PRICES[model], usage) or 0.0


def benchmark(
    settings: Settings,
    seeds: Sequence[int],
    *,
    key: str,
    on_row: Callable[[], object] = lambda: None,
) -> Results:
    """Run every seed on real models; all arms analyse a document at the same time.

    The documents and the injected failures are the same for every arm; what the models answer is
    theirs. `OPENAI_BASE_URL` names another server than OpenAI's.
    """
    openai = PROVIDERS["openai"]
    upstream = os.environ.get(openai.base_url_env or "") or openai.base_url
    results = Results(settings=settings, runs=[], live=True)
    try:
        with Passthrough(upstream, key=key) as provider:

            def after_row() -> None:
                provider.check()
                on_row()

            run_here(results, seeds, provider, together=True, on_row=after_row)
    except KeyboardInterrupt:
        results.stopped = True
    results.runs = [run for run in results.runs if run.length]
    return results
