"""Chance is a pure function of seeds, model, prompt and repetition: common random numbers."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from kalibr_bench.provider import DEFAULT_MODELS, LoopbackProvider
from kalibr_bench.provider.draws import Draws, key_of

from .conftest import Ask
from .tasks import document, is_valid, prompt_of


def outcomes(provider: LoopbackProvider, key: str) -> list[str]:
    return [r.outcome for r in provider.requests(token=key)]


def run(provider: LoopbackProvider, key: str, order: list[int], **more: Any) -> dict[int, str]:
    ask = Ask(provider, key=key)
    return {i: ask.text(prompt_of(document(i)), **more) for i in order}


def test_two_tokens_with_the_same_documents_see_the_same_draws_in_any_order(
    provider: LoopbackProvider,
) -> None:
    provider.degrade("gpt-4o", rate=0.5)
    forwards = run(provider, "a", list(range(60)))
    backwards = run(provider, "b", list(reversed(range(60))))
    assert forwards == backwards
    assert len(set(outcomes(provider, "a"))) > 3, "with no chance in it this shows nothing"


def test_two_tokens_see_the_same_draws_when_they_run_at_once(provider: LoopbackProvider) -> None:
    provider.degrade("gpt-4o", rate=0.5)
    with ThreadPoolExecutor(4) as pool:
        runs = list(pool.map(lambda key: run(provider, key, list(range(30))), "abcd"))
    assert all(one == runs[0] for one in runs)


def test_the_same_seed_repeats_a_run_and_another_seed_does_not() -> None:
    def once(seed: int) -> dict[int, str]:
        with LoopbackProvider(seed=seed) as provider:
            provider.degrade("gpt-4o", rate=0.5)
            return run(provider, "a", list(range(40)))

    assert once(1) == once(1)
    assert once(1) != once(2)


def test_a_repetition_draws_anew_and_a_reset_starts_over(provider: LoopbackProvider) -> None:
    ask = Ask(provider)
    provider.degrade("gpt-4o", rate=0.5)
    first = [ask.text() for _ in range(30)]
    assert len(set(first)) > 2
    assert [r.n for r in provider.requests()] == list(range(30))
    provider.reset()
    provider.degrade("gpt-4o", rate=0.5)
    assert [ask.text() for _ in range(30)] == first


def test_the_requests_seed_and_the_model_change_the_draws(provider: LoopbackProvider) -> None:
    for name in ("gpt-4o", "gpt-4o-mini"):
        provider.degrade(name, rate=0.5)
    by_seed = [run(provider, "a", list(range(20)), seed=seed) for seed in (0, 1)]
    by_model = run(provider, "b", list(range(20)), model="gpt-4o-mini")
    assert by_seed[0] != by_seed[1]
    assert by_seed[0] != by_model


def test_no_seed_is_seed_0(provider: LoopbackProvider) -> None:
    provider.degrade("gpt-4o", rate=0.5)
    assert run(provider, "a", list(range(20))) == run(provider, "b", list(range(20)), seed=0)


@pytest.mark.parametrize("model", DEFAULT_MODELS[:3], ids=lambda m: m.name)
def test_pass_rates_on_the_benchmarks_task_are_the_models_quality(model: Any) -> None:
    """400 different documents: within 4 standard errors of the set rate."""
    with LoopbackProvider(seed=7) as provider:
        ask = Ask(provider)
        good = sum(is_valid(ask.text(prompt_of(document(i)), model.name)) for i in range(400))
        flawed = provider.stats()[model.name].flawed
    margin = 4 * (model.quality * (1 - model.quality) / 400) ** 0.5
    assert abs(good / 400 - model.quality) <= margin
    assert good == 400 - flawed, "every flaw fails the task and every good answer passes"


def test_draws_of_different_purposes_are_independent() -> None:
    """5,000 keys: the correlation of two uniforms is within 4 standard errors of 0."""
    pairs = [
        (d.uniform("quality") - 0.5, d.uniform("injection") - 0.5)
        for d in (Draws(key=key_of(i)) for i in range(5000))
    ]
    assert abs(sum(a * b for a, b in pairs) / 5000 * 12) < 4 / 5000**0.5
    assert abs(sum(a for a, _ in pairs) / 5000) < 4 * (1 / 12 / 5000) ** 0.5


def test_parts_of_a_key_do_not_run_together() -> None:
    assert key_of("ab", "c") != key_of("a", "bc")


def test_a_prompt_is_the_same_prompt_as_text_or_as_parts(provider: LoopbackProvider) -> None:
    """Clients write the same message in two ways; chance must not depend on it."""
    provider.degrade("gpt-4o", rate=0.5)
    plain, parted = Ask(provider, key="a"), Ask(provider, key="b")
    for i in range(20):
        text = f"Explain topic {i}"
        parts = [{"role": "user", "content": [{"type": "text", "text": text}]}]
        assert plain.text(text) == parted.text(messages=parts)


def test_ids_differ_between_calls_and_tokens(provider: LoopbackProvider) -> None:
    a, b = Ask(provider, key="a"), Ask(provider, key="b")
    assert len({a().id, a().id, b().id, b().id}) == 4


def test_flaws_take_many_forms(provider: LoopbackProvider) -> None:
    ask = Ask(provider)
    for i in range(600):
        ask.text(prompt_of(document(i)), "gpt-3.5-turbo")
    forms = {r.outcome for r in provider.requests() if r.outcome.startswith("flawed")}
    expected = {"broken_json", "missing_field", "wrong_types", "prose_around", "truncated"}
    assert forms == {f"flawed:{form}" for form in expected}
    assert json.dumps(sorted(forms))
