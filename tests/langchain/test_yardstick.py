"""The public failover yardstick's sixteen provider faults, through ChatKalibr over real HTTP.

The verdicts stand in docs/langchain.md; this test fails where a run's differ from them. Durations
of the faults are scaled down, and the limits with them; what is compared is exact: the whole text,
the number of requests, who answered.
"""

from __future__ import annotations

import itertools
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import openai
import pytest
from langchain_core.exceptions import ContextOverflowError

from kalibr_bench.provider import DEFAULT_MODELS, Answer, Fault, LoopbackProvider
from kalibr_core import Router
from kalibr_core.testing import FakeClock
from kalibr_langchain import ChatKalibr

from .ways import ask, first_arm, record

PRIMARY, FALLBACK = "gpt-4o-mini", "gpt-4o"
QUESTION = "Describe the harbour in the morning."
TEXT = " ".join(f"word{n}" for n in range(60))
"""What both models answer: sixty words, by which a cut or a seam is seen."""
PAGE = Path(__file__).parents[2] / "docs" / "langchain.md"
MODES = ("hold", "live")
_tokens = itertools.count()


@pytest.fixture(scope="module")
def provider() -> Iterator[LoopbackProvider]:
    models = [
        replace(model, accepts_prefill=model.name != FALLBACK)
        for model in DEFAULT_MODELS
        if model.name in (PRIMARY, FALLBACK)
    ]
    with LoopbackProvider(models, responder=lambda body: Answer(text=TEXT)) as running:
        yield running


@dataclass
class Bench:
    """One scenario's provider, model and key."""

    provider: LoopbackProvider
    mode: str
    key: str = field(default_factory=lambda: f"sk-yardstick-{next(_tokens):06}")

    def model(self, **options: Any) -> ChatKalibr:
        settings = {
            "base_url": self.provider.base_url,
            "api_key": self.key,
            "stream_mode": self.mode,
            "max_attempts": 4,
            "same_path_retries": 1,
            "max_wait_s": 2.5,
            "timeout_s": 1.0,
            "first_token_s": 0.5,
            **options,
        }
        return first_arm(PRIMARY, {"model": FALLBACK, "context_window": 10**6}, **settings)

    def fault(self, kind: str, model: str = PRIMARY, **options: Any) -> None:
        self.provider.fault(model, Fault(kind=kind, **options), token=self.key)

    def requests(self, model: str = PRIMARY) -> int:
        return self.provider.stats(self.key)[model].requests


def whole(answer: Any) -> bool:
    return bool(answer.content == TEXT)


def streamed(bench: Bench, **options: Any) -> tuple[str, Exception | None, float]:
    """Everything that a stream gives out, how it ended, and the seconds it took."""
    started, text = time.monotonic(), ""
    try:
        for chunk in bench.model(**options).stream(QUESTION):
            text += str(chunk.content)
    except Exception as error:  # noqa: BLE001  # whatever it is, it is looked at
        return text, error, time.monotonic() - started
    return text, None, time.monotonic() - started


def verdict_of_stream(bench: Bench, **options: Any) -> str:
    """The rule of S08, S09 and S14: the exact text, or an error that is clear and soon."""
    text, error, took_s = streamed(bench, **options)
    if took_s > 10.0:
        return "fail"
    if error is None:
        return "pass" if text == TEXT else "fail"
    return "safe" if TEXT.startswith(text) and text != TEXT else "fail"


def s01(bench: Bench) -> str:
    bench.fault("rate_limit", times=1, retry_after_s=2)
    started = time.monotonic()
    answer = ask(bench.model(), "invoke")
    waited = time.monotonic() - started >= 1.8
    good = whole(answer) and record(answer)["path"] == PRIMARY
    return "pass" if good and waited and bench.requests() == 2 else "fail"


def s02(bench: Bench) -> str:
    bench.fault("rate_limit")
    answer = ask(bench.model(), "invoke")
    good = whole(answer) and record(answer)["path"] == FALLBACK
    return "pass" if good and bench.requests() <= 4 else "fail"


def s03(bench: Bench) -> str:
    bench.fault("server_error", times=1)
    answer = ask(bench.model(), "invoke")
    return "pass" if whole(answer) and record(answer)["path"] == PRIMARY else "fail"


def s04(bench: Bench) -> str:
    bench.fault("unavailable")
    answer = ask(bench.model(), "invoke")
    good = whole(answer) and record(answer)["path"] == FALLBACK
    return "pass" if good and bench.requests() <= 6 else "fail"


def s05(bench: Bench) -> str:
    bench.fault("reset")
    return "pass" if whole(ask(bench.model(), "invoke")) else "fail"


def s06(bench: Bench) -> str:
    bench.fault("hang")
    good = whole(ask(bench.model(), "invoke"))
    return "pass" if good and bench.requests() == 1 else "fail"


def s07(bench: Bench) -> str:
    bench.fault("slow_first_token", delay_s=20.0)
    text, error, took_s = streamed(bench)
    return "pass" if error is None and text == TEXT and took_s < 15.0 else "fail"


def s08(bench: Bench) -> str:
    bench.fault("disconnect", after_tokens=40)
    return verdict_of_stream(bench)


def s09(bench: Bench) -> str:
    bench.fault("stall", after_tokens=20, delay_s=30.0)
    verdict = verdict_of_stream(bench)
    bench.provider.clear_faults(token=bench.key)
    return verdict if whole(ask(bench.model(), "stream")) else "fail"  # alive afterwards


def s10(bench: Bench) -> str:
    bench.fault("bad_event", after_tokens=20)
    text, error, _ = streamed(bench)
    if error is None:
        return "pass" if text == TEXT else "fail"
    return "pass" if TEXT.startswith(text) else "fail"  # "skip or clean error"


def s11(bench: Bench) -> str:
    bench.fault("no_done")
    started = time.monotonic()
    answer = ask(bench.model(), "stream")
    prompt = time.monotonic() - started < 5.0
    told = answer.usage_metadata is not None and answer.usage_metadata["output_tokens"] > 0
    return "pass" if whole(answer) and prompt and told and bench.requests() == 1 else "fail"


def s12(bench: Bench) -> str:
    bench.fault("context_length")
    larger = ask(bench.model(), "invoke")
    if not whole(larger) or bench.requests() != 1:
        return "fail"
    bench.fault("context_length", FALLBACK)
    try:
        ask(bench.model(), "invoke")
    except ContextOverflowError:
        return "pass" if bench.requests(FALLBACK) <= 2 else "fail"
    return "fail"


def s13(bench: Bench) -> str:
    bench.fault("content_filter")
    try:
        ask(bench.model(), "invoke")
    except openai.BadRequestError as error:
        told = "content" in str(error).lower()
        alone = (bench.requests(), bench.requests(FALLBACK)) == (1, 0)
        return "pass" if told and alone else "fail"
    return "fail"


def s14(bench: Bench) -> str:
    """The stream is cut, and the fallback answers 400 to a request that ends in an answer."""
    bench.fault("disconnect", after_tokens=40)
    return verdict_of_stream(bench, same_path_retries=0)


def s15(bench: Bench) -> str:
    """Sixty seconds of 503, by the Router's clock; twenty calls, four seconds apart."""
    clock = FakeClock()
    router = Router(
        "s15",
        paths=[PRIMARY, FALLBACK],
        base_url=bench.provider.base_url,
        api_key=bench.key,
        ledger="memory",
        stream_mode=bench.mode,  # type: ignore[arg-type]
        seed=1,
        **clock.arguments(),
    )
    model = ChatKalibr(router=router)
    for _ in range(5):
        model.invoke(QUESTION)
        clock.advance(4.0)
    began, back = clock.monotonic(), None
    bench.fault("unavailable")
    before = bench.requests()
    probes = 0
    for _ in range(25):
        down = clock.monotonic() - began < 60.0
        if not down:
            bench.provider.clear_faults(token=bench.key)
        answer = model.invoke(QUESTION)
        if not whole(answer):
            return "fail"
        if down:
            probes = bench.requests() - before
        elif back is None and record(answer)["path"] == PRIMARY:
            back = clock.monotonic() - began - 60.0
        clock.advance(4.0)
    router.close()
    return "pass" if back is not None and back <= 30.0 and probes <= 6 else "fail"


def s16(bench: Bench) -> str:
    bench.fault("unavailable")
    answer = ask(bench.model(), "invoke")
    told = answer.response_metadata["model_name"] == "gpt-4o-2024-08-06"
    attempts = record(answer)["attempts"]
    billed = [a["cost_usd"] for a in attempts if a["path"] == PRIMARY]
    usage = answer.usage_metadata["output_tokens"] == attempts[-1]["output_tokens"] > 0
    return "pass" if whole(answer) and told and usage and not any(billed) else "fail"


SCENARIOS: dict[str, Callable[[Bench], str]] = {
    f"S{n:02}": globals()[f"s{n:02}"] for n in range(1, 17)
}


def documented() -> dict[str, dict[str, str]]:
    """The page's table: scenario -> mode -> verdict."""
    rows = re.findall(r"^\| (S\d\d) \|.*\| (\w+) \| (\w+) \|$", PAGE.read_text(), re.MULTILINE)
    return {name: dict(zip(MODES, verdicts, strict=True)) for name, *verdicts in rows}


def test_the_page_has_all_sixteen() -> None:
    assert set(documented()) == set(SCENARIOS)


def test_held_streams_pass_all_and_live_ones_are_safe_where_no_one_can_pass() -> None:
    table = documented()
    assert [verdicts["hold"] for verdicts in table.values()] == ["pass"] * 16
    safe = {name for name, verdicts in table.items() if verdicts["live"] == "safe"}
    assert safe == {"S08", "S09", "S14"}
    assert all(v["live"] == "pass" for name, v in table.items() if name not in safe)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("name", SCENARIOS)
def test_a_fault_of_the_yardstick_ends_as_the_page_says(
    name: str, mode: str, provider: LoopbackProvider
) -> None:
    bench = Bench(provider, mode)
    try:
        assert SCENARIOS[name](bench) == documented()[name][mode]
    finally:
        provider.clear_faults(token=bench.key)
