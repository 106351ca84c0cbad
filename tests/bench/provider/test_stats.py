"""The provider tells what it saw and did."""

from __future__ import annotations

import openai
import pytest

from kalibr_bench.provider import Fault, LoopbackProvider

from .conftest import Ask, until


def test_requests_completions_and_tokens_are_counted(provider: LoopbackProvider, ask: Ask) -> None:
    usages = [ask().usage, ask("Explain gravity").usage]
    ask.chunks()
    counts = provider.stats()["gpt-4o"]
    assert (counts.requests, counts.completions) == (3, 3)
    assert counts.prompt_tokens == sum(u.prompt_tokens for u in usages) + usages[0].prompt_tokens
    spent = sum(u.completion_tokens for u in usages)
    assert counts.completion_tokens == spent + usages[0].completion_tokens
    assert provider.stats()["never asked"].requests == 0
    assert "gpt-4o" in provider.stats()
    assert "never asked" not in provider.stats()


def test_failures_are_counted_by_kind_and_are_no_completions(
    provider: LoopbackProvider, ask: Ask
) -> None:
    provider.fault("gpt-4o", Fault(kind="rate_limit", times=2))
    for _ in range(2):
        with pytest.raises(openai.RateLimitError):
            ask()
    with pytest.raises(openai.BadRequestError):
        ask("word " * 17_000, model="gpt-3.5-turbo")
    stats = provider.stats()
    assert stats["gpt-4o"].failed == {"rate_limit": 2}
    assert stats["gpt-4o"].completions == stats["gpt-4o"].completion_tokens == 0
    assert stats["gpt-3.5-turbo"].failed == {"context_length_exceeded": 1}


def test_tokens_are_counted_apart(provider: LoopbackProvider) -> None:
    Ask(provider, key="a")()
    Ask(provider, key="b")()
    assert provider.stats("a")["gpt-4o"].requests == 1
    assert provider.stats()["gpt-4o"].requests == 2
    assert provider.stats("c").models == {}


def test_leaving_a_stream_closes_the_upstream_connection(
    provider: LoopbackProvider, ask: Ask
) -> None:
    provider.fault("gpt-4o", Fault(kind="slow_tokens", delay_s=0.02))
    stream = ask("Explain gravity", stream=True)
    for _ in range(3):
        next(stream)
    assert provider.stats()["gpt-4o"].in_flight == 1
    stream.close()
    assert until(lambda: provider.stats().closed_early == 1)
    assert until(lambda: provider.stats().open_connections == 0)
    assert provider.stats()["gpt-4o"].completions == 0


def test_finished_calls_are_not_closed_early(provider: LoopbackProvider, ask: Ask) -> None:
    ask()
    ask.chunks()
    ask.client.close()
    assert until(lambda: provider.stats().open_connections == 0)
    assert provider.stats().closed_early == 0


def test_broken_connections_that_the_provider_broke_are_not_the_clients(
    provider: LoopbackProvider, ask: Ask
) -> None:
    provider.fault("gpt-4o", Fault(kind="reset"))
    for _ in range(3):
        with pytest.raises(openai.APIConnectionError):
            ask()
    assert provider.stats().closed_early == 0


def test_received_requests_show_body_headers_token_and_outcome(
    provider: LoopbackProvider, ask: Ask
) -> None:
    provider.degrade("gpt-4o", rate=1.0, kinds=["refusal"], when=(5, 6))
    ask(seed=5, temperature=0.5, extra_headers={"X-Test": "yes"})
    (seen,) = provider.requests()
    assert seen.body is not None
    assert seen.body["temperature"] == 0.5
    assert seen.headers["x-test"] == "yes"
    assert "authorization" not in seen.headers
    assert (seen.token, seen.model, seen.n) == ("key-a", "gpt-4o", 0)
    assert seen.outcome == "injected:refusal"
    assert seen.path == "/v1/chat/completions"


def test_refused_requests_are_remembered_too(provider: LoopbackProvider, ask: Ask) -> None:
    with pytest.raises(openai.NotFoundError):
        ask(model="gpt-9")
    assert [(r.model, r.outcome) for r in provider.requests()] == [("gpt-9", "error:404")]


def test_only_the_last_requests_are_kept() -> None:
    with LoopbackProvider(keep_requests=3) as provider:
        ask = Ask(provider)
        for i in range(5):
            ask(seed=i)
        assert [r.body["seed"] for r in provider.requests() if r.body] == [2, 3, 4]
        assert provider.requests("gpt-4o-mini") == provider.requests(token="x") == []


def test_reset_forgets_everything(provider: LoopbackProvider, ask: Ask) -> None:
    provider.degrade("gpt-4o", rate=1.0, kinds=["empty"])
    provider.fault("gpt-4o", Fault(kind="server_error"))
    provider.script("gpt-4o", ["scripted"])
    provider.reset()
    assert ask.text() not in ("", "scripted")
    assert provider.stats()["gpt-4o"].requests == 1
