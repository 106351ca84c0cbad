"""Each fault of the provider on one of two paths, through KalibrLLM, in all eight ways."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Iterator
from typing import Any

import openai
import pytest
from llama_index.llms.openai import OpenAI
from llama_index.llms.openai_like import OpenAILike

from kalibr_bench.provider import FAULT_KINDS, Fault, LoopbackProvider
from kalibr_llama_index import KalibrLLM
from tests.core.test_router_http import CHARGED, HARMLESS, RAISED, SLOW, STREAMED, patience

from .ways import STREAMS, WAYS, ask, failures, first_arm, record, text_of

FIRST, SECOND = "gpt-4o", "gpt-4o-mini"
_tokens = itertools.count()


@pytest.fixture(scope="module")
def provider() -> Iterator[LoopbackProvider]:
    with LoopbackProvider(process=True) as running:
        yield running


@pytest.fixture
def key() -> str:
    """Every test has a key of its own, by which the provider tells its requests apart."""
    return f"sk-secret-{os.getpid()}-{next(_tokens):06}"


Make = Callable[..., KalibrLLM]


def named(provider: LoopbackProvider, key: str, **options: Any) -> KalibrLLM:
    """Paths by name."""
    slow = options.pop("first_s", 20.0)
    paths = [
        {"model": FIRST, "timeout_s": slow},
        {"model": SECOND, "timeout_s": 20.0, "context_window": 1_000_000},
    ]
    return first_arm(*paths, base_url=provider.base_url, api_key=key, **options)


def given(provider: LoopbackProvider, key: str, **options: Any) -> KalibrLLM:
    """Paths by LLMs of the user's own, with retries of their own."""
    slow = options.pop("first_s", 20.0)
    server = {"api_base": provider.base_url, "api_key": key, "max_retries": 3}
    first = OpenAI(model=FIRST, **server)  # type: ignore[arg-type]  # as keywords
    second = OpenAILike(model=SECOND, is_chat_model=True, **server)
    paths = [
        {"model": first, "name": FIRST, "timeout_s": slow},
        {"model": second, "name": SECOND, "timeout_s": 20.0, "context_window": 1_000_000},
    ]
    return first_arm(*paths, **options)


@pytest.fixture(params=[named, given], ids=["named", "given"])
def make(request: pytest.FixtureRequest, provider: LoopbackProvider, key: str) -> Iterator[Make]:
    made: list[KalibrLLM] = []

    def make_llm(**options: Any) -> KalibrLLM:
        made.append(request.param(provider, key, **options))
        return made[-1]

    yield make_llm
    provider.clear_faults()
    for llm in made:
        llm.close()


def arm(provider: LoopbackProvider, kind: str, key: str, **options: Any) -> None:
    options.setdefault("delay_s", SLOW.get(kind, 0.05))
    provider.fault(FIRST, Fault(kind=kind, **options), token=key)


every_way = pytest.mark.parametrize("way", WAYS)
FAULTY = [(kind, way) for kind in CHARGED for way in WAYS if kind not in STREAMED or way in STREAMS]


def test_every_fault_of_the_provider_is_in_one_of_the_tables() -> None:
    assert set(CHARGED) | set(HARMLESS) | set(RAISED) == FAULT_KINDS


@pytest.mark.parametrize(("kind", "way"), FAULTY)
def test_a_fault_is_charged_to_its_path_and_the_caller_gets_a_good_answer(
    kind: str, way: str, make: Make, provider: LoopbackProvider, key: str
) -> None:
    arm(provider, kind, key)
    answer = ask(make(stream_mode="hold", first_s=patience(kind), deadline_s=30.0), way)
    assert len(text_of(answer)) > 20
    told = record(answer)
    assert told["verified"]
    failed, passed = told["attempts"]
    assert (failed["path"], passed["path"]) == (FIRST, SECOND)
    assert failed["failure"] in CHARGED[kind]
    assert answer.raw.model == "gpt-4o-mini-2024-07-18", "the answering provider's"
    assert provider.stats(key)[FIRST].requests == 1, "the LLM makes no retries of its own"
    assert provider.stats(key)[SECOND].requests == 1
    assert passed["output_tokens"] > 0


@every_way
@pytest.mark.parametrize("kind", HARMLESS)
def test_what_harms_no_answer_is_no_failure(
    kind: str, way: str, make: Make, provider: LoopbackProvider, key: str
) -> None:
    arm(provider, kind, key)
    answer = ask(make(stream_mode="hold"), way)
    assert len(text_of(answer)) > 20
    assert failures(answer) == [None]
    if kind == "no_usage":
        assert record(answer)["cost_usd"] is None, "unknown, which is not 0"


@every_way
@pytest.mark.parametrize("kind", RAISED)
def test_what_the_caller_must_mend_is_raised_with_the_providers_reason(
    kind: str, way: str, make: Make, provider: LoopbackProvider, key: str
) -> None:
    arm(provider, kind, key)
    with pytest.raises(openai.BadRequestError) as caught:
        ask(make(), way)
    (outcome,) = caught.value.kalibr.outcomes  # type: ignore[attr-defined]
    assert outcome.failure.kind.value == RAISED[kind]
    assert provider.stats(key)[SECOND].requests == 0


@pytest.mark.parametrize("way", STREAMS)
@pytest.mark.parametrize("kind", STREAMED)
def test_a_live_stream_that_dies_after_its_first_token_raises(
    kind: str, way: str, make: Make, provider: LoopbackProvider, key: str
) -> None:
    """It never ends as a success, and its text is never followed by another path's."""
    arm(provider, kind, key)
    with pytest.raises(Exception) as caught:
        ask(make(stream_mode="live", first_s=patience(kind)), way)
    (outcome,) = caught.value.kalibr.outcomes  # type: ignore[attr-defined]
    assert outcome.failure.kind.value in CHARGED[kind]
    assert provider.stats(key)[SECOND].requests == 0


@every_way
def test_one_call_makes_no_more_upstream_calls_than_max_attempts(
    way: str, provider: LoopbackProvider, key: str
) -> None:
    """LlamaIndex's LLM retries, and its client does so once more for each try."""
    for model in (FIRST, SECOND):
        provider.fault(model, Fault(kind="server_error"), token=key)
    llm = given(provider, key, max_attempts=2)
    with pytest.raises(openai.InternalServerError):
        ask(llm, way)
    sent = provider.stats(key)
    assert (sent[FIRST].requests, sent[SECOND].requests) == (1, 1)
    provider.clear_faults()
    llm.close()
