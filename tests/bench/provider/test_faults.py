"""Every scripted fault looks to the official client as the real one does."""

from __future__ import annotations

import json
import time
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

import openai
import pytest

from kalibr_bench.provider import (
    CONTENT_FAULTS,
    FAULT_KINDS,
    HTTP_FAULTS,
    STREAM_FAULTS,
    TRANSPORT_FAULTS,
    Fault,
    LoopbackProvider,
    count_tokens,
)

from .conftest import BROKEN, Ask, drain, joined, until

PROMPT = "Explain gravity"
ERRORS: list[tuple[str, type[openai.APIStatusError], int, str | None]] = [
    ("server_error", openai.InternalServerError, 500, None),
    ("unavailable", openai.InternalServerError, 503, None),
    ("rate_limit", openai.RateLimitError, 429, "rate_limit_exceeded"),
    ("quota", openai.RateLimitError, 429, "insufficient_quota"),
    ("unauthorized", openai.AuthenticationError, 401, "invalid_api_key"),
    ("forbidden", openai.PermissionDeniedError, 403, "unsupported_country_region_territory"),
    ("not_found", openai.NotFoundError, 404, "model_not_found"),
    ("context_length", openai.BadRequestError, 400, "context_length_exceeded"),
    ("content_filter", openai.BadRequestError, 400, "content_filter"),
    ("bad_request", openai.BadRequestError, 400, "invalid_value"),
]


def arm(provider: LoopbackProvider, kind: str, **more: Any) -> None:
    provider.fault("gpt-4o", Fault(kind=kind, times=1, **more))


def test_every_kind_is_tested_here() -> None:
    assert {kind for kind, *_ in ERRORS} == set(HTTP_FAULTS)
    source = Path(__file__).read_text(encoding="utf-8")
    for kind in TRANSPORT_FAULTS | CONTENT_FAULTS | STREAM_FAULTS:
        assert f'"{kind}"' in source, kind
    assert set(HTTP_FAULTS) | TRANSPORT_FAULTS | CONTENT_FAULTS | STREAM_FAULTS == FAULT_KINDS


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(("kind", "error", "status", "code"), ERRORS)
def test_error_kinds_are_the_clients_typed_errors(
    provider: LoopbackProvider,
    ask: Ask,
    kind: str,
    error: type[openai.APIStatusError],
    status: int,
    code: str | None,
    stream: bool,
) -> None:
    arm(provider, kind)
    with pytest.raises(error) as caught:
        ask(PROMPT, stream=stream)
    assert caught.value.status_code == status
    assert caught.value.code == code
    assert "retry-after" not in caught.value.response.headers
    assert ask.text(PROMPT), "a fault with times=1 hits once"


def test_retry_after_in_seconds(provider: LoopbackProvider, ask: Ask) -> None:
    arm(provider, "rate_limit", retry_after_s=2)
    with pytest.raises(openai.RateLimitError) as caught:
        ask()
    assert caught.value.response.headers["retry-after"] == "2"


def test_retry_after_as_an_http_date(provider: LoopbackProvider, ask: Ask) -> None:
    arm(provider, "rate_limit", retry_after_s=30, retry_after_date=True)
    before = time.time()
    with pytest.raises(openai.RateLimitError) as caught:
        ask()
    due = parsedate_to_datetime(caught.value.response.headers["retry-after"]).timestamp()
    assert before + 30 <= due <= time.time() + 31


def test_another_status_and_message(provider: LoopbackProvider, ask: Ask) -> None:
    arm(provider, "unavailable", status=529, message="Overloaded")
    with pytest.raises(openai.APIStatusError, match="Overloaded") as caught:
        ask()
    assert caught.value.status_code == 529


# -- transport --------------------------------------------------------------------------------


@pytest.mark.parametrize("stream", [False, True])
def test_reset_comes_before_headers(provider: LoopbackProvider, ask: Ask, stream: bool) -> None:
    arm(provider, "reset")
    with pytest.raises(openai.APIConnectionError) as caught:
        ask(stream=stream)
    assert not isinstance(caught.value, openai.APITimeoutError)
    assert "reset" in repr(_root(caught.value)).lower()
    assert ask.text()


def _root(error: BaseException) -> BaseException:
    while error.__cause__ or error.__context__:
        error = error.__cause__ or error.__context__ or error
    return error


@pytest.mark.parametrize("stream", [False, True])
def test_hang_never_answers_and_leaves_nothing_open(
    provider: LoopbackProvider, stream: bool
) -> None:
    arm(provider, "hang")
    ask = Ask(provider, timeout=0.5)
    with pytest.raises(openai.APITimeoutError):
        ask(stream=stream)
    assert until(lambda: provider.stats()["gpt-4o"].closed_early == 1)
    assert until(lambda: provider.stats()["gpt-4o"].in_flight == 0)


def test_slow_first_token_delays_a_whole_answer(provider: LoopbackProvider, ask: Ask) -> None:
    arm(provider, "slow_first_token", delay_s=0.2)
    started = time.monotonic()
    assert ask.text()
    assert time.monotonic() - started >= 0.2


def test_slow_first_token_sends_the_role_at_once_and_then_waits(
    provider: LoopbackProvider, ask: Ask
) -> None:
    arm(provider, "slow_first_token", delay_s=600)
    with ask(stream=True) as waiting:
        assert next(waiting).choices[0].delta.role == "assistant"
    provider.clear_faults()
    arm(provider, "slow_first_token", delay_s=0.2)
    started = time.monotonic()
    assert ask.chunks()
    assert time.monotonic() - started >= 0.2


@pytest.mark.parametrize("stream", [False, True])
def test_trickle_keeps_alive_and_says_nothing(provider: LoopbackProvider, stream: bool) -> None:
    """A read time-out does not end it: bytes keep coming."""
    arm(provider, "trickle", delay_s=0.02)
    ask = Ask(provider, timeout=0.5)
    started = time.monotonic()
    raw = ask.client.chat.completions.with_streaming_response.create(
        model="gpt-4o", messages=[{"role": "user", "content": "hi"}], stream=stream
    )
    seen = b""
    with raw as response:
        for part in response.iter_bytes():
            seen += part
            if time.monotonic() - started > 0.8:
                break
    assert seen.strip(b"\n").replace(b": keep-alive", b"").strip() == b""
    assert len(seen) >= 5
    assert (b": keep-alive" in seen) is stream
    assert until(lambda: provider.stats()["gpt-4o"].closed_early == 1)


def test_cut_body_sends_less_than_it_announced(provider: LoopbackProvider, ask: Ask) -> None:
    arm(provider, "cut_body")
    with pytest.raises(BROKEN):
        ask()


def test_cut_body_ends_a_stream_within_its_last_chunk(provider: LoopbackProvider, ask: Ask) -> None:
    arm(provider, "cut_body", after_tokens=3)
    seen: list[Any] = []
    with pytest.raises(BROKEN):
        drain(ask(PROMPT, stream=True), seen)
    assert count_tokens(joined(seen)) == 3


def test_cut_json_is_a_whole_body_that_does_not_parse(provider: LoopbackProvider, ask: Ask) -> None:
    arm(provider, "cut_json")
    raw = ask.client.chat.completions.with_raw_response.create(
        model="gpt-4o", messages=[{"role": "user", "content": "hi"}]
    )
    assert raw.status_code == 200
    assert int(raw.headers["content-length"]) == len(raw.content)
    with pytest.raises(json.JSONDecodeError):
        json.loads(raw.content)


def test_cut_json_ends_a_stream_with_half_an_event(provider: LoopbackProvider, ask: Ask) -> None:
    arm(provider, "cut_json", after_tokens=3)
    seen: list[Any] = []
    with pytest.raises(json.JSONDecodeError):
        drain(ask(PROMPT, stream=True), seen)
    assert count_tokens(joined(seen)) == 3


def test_html_with_status_200_and_502(provider: LoopbackProvider, ask: Ask) -> None:
    arm(provider, "html")
    raw = ask.client.chat.completions.with_raw_response.create(
        model="gpt-4o", messages=[{"role": "user", "content": "hi"}]
    )
    assert raw.headers["content-type"].startswith("text/html")
    assert b"<html>" in raw.content
    arm(provider, "html", status=502)
    with pytest.raises(openai.InternalServerError) as caught:
        ask()
    assert caught.value.status_code == 502
    assert "<html>" in caught.value.response.text


def test_no_usage_leaves_usage_out(provider: LoopbackProvider, ask: Ask) -> None:
    arm(provider, "no_usage")
    assert ask().usage is None
    arm(provider, "no_usage")
    chunks = ask.chunks(stream_options={"include_usage": True})
    assert all(c.usage is None and c.choices for c in chunks)


# -- content ----------------------------------------------------------------------------------


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("malformed_json", "{"),
        ("empty_content", ""),
        ("refusal", "can't|unable"),
        ("error_text", "rror"),
        ("error_json", "rate_limit_exceeded"),
    ],
)
def test_content_kinds_are_bad_answers_with_status_200(
    provider: LoopbackProvider, ask: Ask, kind: str, words: str, stream: bool
) -> None:
    arm(provider, kind)
    text = joined(ask.chunks(PROMPT)) if stream else ask.text(PROMPT)
    assert any(word in text for word in words.split("|"))
    if kind == "empty_content":
        assert text == ""
    if kind == "malformed_json":
        with pytest.raises(json.JSONDecodeError):
            json.loads(text)


def test_length_cuts_and_says_so(provider: LoopbackProvider, ask: Ask) -> None:
    arm(provider, "length", after_tokens=4)
    answer = ask(PROMPT)
    assert answer.choices[0].finish_reason == "length"
    assert answer.usage.completion_tokens == 4


# -- streams ----------------------------------------------------------------------------------


def test_disconnect_resets_after_k_tokens(provider: LoopbackProvider, ask: Ask) -> None:
    arm(provider, "disconnect", after_tokens=7)
    seen: list[Any] = []
    with pytest.raises(BROKEN):
        drain(ask(PROMPT, stream=True), seen)
    assert count_tokens(joined(seen)) == 7


def test_silent_end_is_clean_and_has_no_finish_reason(provider: LoopbackProvider, ask: Ask) -> None:
    arm(provider, "silent_end", after_tokens=7)
    chunks = ask.chunks(PROMPT)
    assert count_tokens(joined(chunks)) == 7
    assert all(c.choices[0].finish_reason is None for c in chunks)


def test_error_event_raises_in_the_middle_of_the_stream(
    provider: LoopbackProvider, ask: Ask
) -> None:
    arm(provider, "error_event", after_tokens=4)
    seen: list[Any] = []
    with pytest.raises(openai.APIError, match="error while processing"):
        drain(ask(PROMPT, stream=True), seen)
    assert count_tokens(joined(seen)) == 4


def test_stall_stops_after_k_tokens_and_then_goes_on(provider: LoopbackProvider, ask: Ask) -> None:
    arm(provider, "stall", after_tokens=4, delay_s=0.3)
    started = time.monotonic()
    times = [time.monotonic() - started for c in ask(PROMPT, stream=True)]
    assert times[6] >= 0.3


def test_stall_for_ever_runs_into_the_clients_time_out(provider: LoopbackProvider) -> None:
    arm(provider, "stall", after_tokens=4)
    seen: list[Any] = []
    with pytest.raises((*BROKEN, openai.APITimeoutError)):
        drain(Ask(provider, timeout=1.0)(PROMPT, stream=True), seen)
    assert count_tokens(joined(seen)) == 4
    assert until(lambda: provider.stats()["gpt-4o"].closed_early == 1)


def test_bad_event_is_one_malformed_event_in_a_good_stream(
    provider: LoopbackProvider, ask: Ask
) -> None:
    arm(provider, "bad_event", after_tokens=4)
    raw = ask.client.chat.completions.with_raw_response.create(
        model="gpt-4o", messages=[{"role": "user", "content": PROMPT}], stream=True
    )
    lines = list(raw.http_response.iter_lines())
    events = [line.removeprefix("data: ") for line in lines if line.startswith("data: {")]
    broken = [event for event in events if not _parses(event)]
    assert len(broken) == 1
    assert lines[-2:] == ["data: [DONE]", ""]
    said = "".join(
        json.loads(e)["choices"][0]["delta"].get("content", "") for e in events if _parses(e)
    )
    assert said == Ask(provider, key="other").text(PROMPT)


def _parses(text: str) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True


def test_no_done_ends_without_the_marker_and_with_everything_else(
    provider: LoopbackProvider, ask: Ask
) -> None:
    arm(provider, "no_done")
    chunks = ask.chunks(PROMPT, stream_options={"include_usage": True})
    assert chunks[-1].usage.completion_tokens == count_tokens(joined(chunks))
    assert joined(chunks) == Ask(provider, key="other").text(PROMPT)


def test_slow_tokens_come_one_by_one(provider: LoopbackProvider, ask: Ask) -> None:
    arm(provider, "slow_tokens", delay_s=0.02)
    started = time.monotonic()
    chunks = ask.chunks(PROMPT, max_tokens=10)
    assert count_tokens(joined(chunks)) == 10
    assert time.monotonic() - started >= 0.2


@pytest.mark.parametrize("kind", sorted(STREAM_FAULTS))
def test_a_whole_response_neither_meets_nor_uses_up_a_stream_fault(
    provider: LoopbackProvider, ask: Ask, kind: str
) -> None:
    arm(provider, kind)
    assert ask.text(PROMPT)
    assert provider.stats()["gpt-4o"].failed == {}


# -- arming -----------------------------------------------------------------------------------


def _failures(ask: Ask, calls: int, model: str = "gpt-4o", **more: Any) -> list[bool]:
    failed = []
    for _ in range(calls):
        try:
            ask(model=model, **more)
            failed.append(False)
        except openai.InternalServerError:
            failed.append(True)
    return failed


def test_a_fault_hits_as_often_as_it_says(provider: LoopbackProvider, ask: Ask) -> None:
    provider.fault("gpt-4o", Fault(kind="server_error", times=2))
    assert _failures(ask, 4) == [True, True, False, False]


def test_a_fault_without_times_hits_until_it_is_cleared(
    provider: LoopbackProvider, ask: Ask
) -> None:
    provider.fault("gpt-4o", Fault(kind="server_error"))
    assert _failures(ask, 3) == [True, True, True]
    provider.clear_faults("gpt-4o")
    assert _failures(ask, 1) == [False]


def test_a_fault_of_one_model_or_token_leaves_others_alone(provider: LoopbackProvider) -> None:
    a, b = Ask(provider, key="a"), Ask(provider, key="b")
    provider.fault("gpt-4o", Fault(kind="server_error"), token="a")
    assert _failures(a, 1) == [True]
    assert _failures(b, 1) == _failures(a, 1, "gpt-4o-mini") == [False]
    provider.fault(None, Fault(kind="server_error"))
    assert _failures(b, 1) == _failures(a, 1, "gpt-4o-mini") == [True]
    provider.clear_faults(token="a")
    provider.clear_faults()
    assert _failures(a, 1) == [False]


def test_faults_strike_in_the_order_in_which_they_were_armed(
    provider: LoopbackProvider, ask: Ask
) -> None:
    provider.fault("gpt-4o", Fault(kind="rate_limit", times=1))
    provider.fault("gpt-4o", Fault(kind="server_error", times=1))
    with pytest.raises(openai.RateLimitError):
        ask()
    with pytest.raises(openai.InternalServerError):
        ask()
    assert ask.text()


def test_a_fault_with_a_rate_hits_that_share_and_the_same_for_every_token(
    provider: LoopbackProvider,
) -> None:
    """200 calls at rate 0.3: within 4 standard errors, 0.13."""
    provider.fault("gpt-4o", Fault(kind="server_error", rate=0.3))
    first = _failures(Ask(provider, key="a"), 200)
    assert abs(sum(first) / 200 - 0.3) < 0.13
    assert _failures(Ask(provider, key="b"), 200) == first


def test_a_fault_may_hold_for_a_range_of_request_seeds(
    provider: LoopbackProvider, ask: Ask
) -> None:
    provider.fault("gpt-4o", Fault(kind="server_error", when=(2, 4)))
    assert [_failures(ask, 1, seed=i)[0] for i in range(6)] == [
        False,
        False,
        True,
        True,
        False,
        False,
    ]


@pytest.mark.parametrize(
    ("bad", "words"),
    [
        ({"kind": "gremlin"}, "unknown fault"),
        ({"kind": "reset", "times": 0}, "times must be"),
        ({"kind": "reset", "rate": 1.2}, "rate must be"),
        ({"kind": "hang", "delay_s": -1.0}, "delay_s must be"),
        ({"kind": "rate_limit", "retry_after_s": float("nan")}, "retry_after_s must be"),
        ({"kind": "html", "status": 99}, "status must be"),
        ({"kind": "reset", "when": (5, 2)}, "when must be"),
    ],
)
def test_a_bad_fault_is_refused_when_it_is_made(bad: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        Fault(**bad)


def test_a_fault_for_an_unknown_model_is_refused(provider: LoopbackProvider) -> None:
    with pytest.raises(ValueError, match="unknown model 'gpt-9'; served: gpt-4o"):
        provider.fault("gpt-9", Fault(kind="reset"))
