"""Real providers behind the pass-through; here a second loopback provider plays the real one."""

from __future__ import annotations

import json
from collections.abc import Iterator

import openai
import pytest

from kalibr_bench.provider import INJECTION_KINDS, LoopbackProvider
from kalibr_bench.resilience import Settings, documents, is_valid, messages_for, scenario, summaries
from kalibr_bench.resilience import live as real
from kalibr_bench.resilience.passthrough import Passthrough, ProviderRefused

from .conftest import settings_of

KEY = "sk-the-real-key"


@pytest.fixture
def upstream() -> Iterator[LoopbackProvider]:
    with LoopbackProvider() as running:
        yield running


def ask(url: str, token: str, model: str, *, seed: int, document: str = "") -> str | None:
    with openai.OpenAI(base_url=url, api_key=token, max_retries=0) as client:
        answer = client.chat.completions.create(
            model=model,
            messages=messages_for(document or documents(0, 1)[0]),  # type: ignore[arg-type]  # dicts
            seed=seed,
        )
    return answer.choices[0].message.content


def test_answers_pass_through_with_the_real_key(upstream: LoopbackProvider) -> None:
    with Passthrough(upstream.base_url, key=KEY) as server:
        assert is_valid(ask(server.base_url, "arm", "gpt-4o", seed=1))
    received = upstream.requests()[-1]
    assert received.token == KEY
    assert received.body is not None
    assert received.body["seed"] == 1
    assert "arm" not in json.dumps(dict(received.headers))


def test_only_the_requested_model_within_the_window_is_spoilt(upstream: LoopbackProvider) -> None:
    with Passthrough(upstream.base_url, key=KEY) as server:
        server.degrade("gpt-4o", rate=1.0, when=(10, 20))
        good = [ask(server.base_url, "a", "gpt-4o", seed=n) for n in (9, 20)]
        bad = [ask(server.base_url, "a", "gpt-4o", seed=n) for n in range(10, 20)]
        other = [ask(server.base_url, "a", "gpt-4o-mini", seed=n) for n in (10, 11, 12)]
        server.restore("gpt-4o")
        restored = ask(server.base_url, "a", "gpt-4o", seed=12)
    assert not any(map(is_valid, bad))
    assert all(map(is_valid, [*good, *other, restored]))
    assert len(set(bad)) >= 3, f"the kinds are {INJECTION_KINDS}"


def test_every_arm_meets_the_same_injection_and_a_retry_draws_anew(
    upstream: LoopbackProvider,
) -> None:
    with Passthrough(upstream.base_url, key=KEY) as server:
        server.degrade("gpt-4o", rate=0.5, when=None)

        def verdicts(token: str) -> list[bool]:
            return [is_valid(ask(server.base_url, token, "gpt-4o", seed=n // 2)) for n in range(30)]

        one, other = verdicts("one"), verdicts("other")
    assert one == other
    assert one[0::2] != one[1::2]


def test_a_degraded_answer_is_still_billed(upstream: LoopbackProvider) -> None:
    with Passthrough(upstream.base_url, key=KEY) as server:
        server.degrade("gpt-4o", rate=1.0, when=None)
        with openai.OpenAI(base_url=server.base_url, api_key="a") as client:
            answer = client.chat.completions.create(
                model="gpt-4o",
                messages=messages_for(documents(0, 1)[0]),  # type: ignore[arg-type]  # dicts
            )
    assert answer.usage is not None
    assert answer.usage.completion_tokens > 40


def test_the_whole_benchmark_runs_on_an_upstream(
    upstream: LoopbackProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", upstream.base_url)
    found = summaries(results := real.benchmark(settings_of(), [4], key=KEY))
    assert results.live
    assert found["hard-coded"].overall.success.trials == 35
    # 25 documents at .297: below 16 but for 1 in 10^4.
    assert (found["hard-coded"].degraded.success.successes) <= 16
    assert (found["kalibr"].overall.success.value or 0) >= 0.94
    assert found["oracle"].degraded.routing["gpt-4o"] == 0.0
    assert {request.token for request in upstream.requests()} == {KEY}


def test_a_key_that_is_refused_ends_it(monkeypatch: pytest.MonkeyPatch) -> None:
    from kalibr_bench.provider import Fault

    with LoopbackProvider() as upstream:
        upstream.fault(None, Fault(kind="unauthorized"))
        monkeypatch.setenv("OPENAI_BASE_URL", upstream.base_url)
        with pytest.raises(ProviderRefused, match="check the key"):
            real.benchmark(settings_of(arms=("hard-coded",)), [4, 5], key=KEY)
        assert upstream.stats()["gpt-4o"].requests <= 2


def test_an_upstream_that_is_away_is_an_error_to_the_client() -> None:
    with (
        Passthrough("http://127.0.0.1:9/v1", key=KEY) as server,
        pytest.raises(openai.APIStatusError) as caught,
    ):
        ask(server.base_url, "a", "gpt-4o", seed=1)
    assert caught.value.status_code == 502
    assert KEY not in str(caught.value)


def test_the_estimate_grows_with_what_is_asked_for() -> None:
    whole = Settings(scenario=scenario("original"), arms=("hard-coded", "kalibr"))
    text = real.estimate(whole, 2)
    assert text.startswith("200 documents x 2 arms")
    # 200 x (400 x 2.5 + 200 x 10) / 10^6 = 0.6 USD hard-coded, and less than that for Kalibr.
    about = float(text.partition("about $")[2].split(",")[0])
    most = float(text.partition("at most $")[2].split(".  ")[0].split(". G")[0])
    assert 0.5 < about < 1.3
    assert most > about
