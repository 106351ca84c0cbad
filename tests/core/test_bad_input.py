"""What a Router refuses, and when: a typed error that says what, which value, what to do."""

from __future__ import annotations

import asyncio
import math
import re
from collections.abc import Callable
from typing import Any

import pytest

from kalibr_core import ConfigError, KalibrError, Path, Router, UnknownDecision
from kalibr_core.testing import FixedGate

from .scene import Scene, named, warnings_of

MESSAGES = [{"role": "user", "content": "hello"}]
HERE = "http://127.0.0.1:9"
NAN, INF = math.nan, math.inf


async def later(text: str) -> bool:
    return True


class AsyncCallable:
    async def __call__(self, text: str) -> bool:
        return True


def router(**options: Any) -> Router:
    return Router(
        options.pop("goal", "g"),
        **{"paths": ["gpt-4o"], "base_url": HERE, "ledger": "memory", **options},
    )


def ask(asked: Router, way: str, messages: Any, **arguments: Any) -> None:
    answer = getattr(asked, way)(messages, **arguments)
    if way == "acompletion":
        asyncio.run(answer)


def path(**fields: Any) -> Callable[[], object]:
    return lambda: router(paths=[{"model": "gpt-4o", **fields}])


def made(**options: Any) -> Callable[[], object]:
    return lambda: router(**options)


# Each row: what is done, and what the error must name: the thing, the value, the way out.
AT_CONSTRUCTION: dict[str, tuple[Callable[[], object], list[str]]] = {
    "no paths": (made(paths=[]), ["paths is empty", "name at least one model"]),
    "paths none": (made(paths=None), ["paths must be a list", "None"]),
    "paths a number": (made(paths=5), ["paths must be a list", "5"]),
    "paths a string": (made(paths="gpt-4o"), ["paths must be a list", "'gpt-4o'", "[...]"]),
    "paths one dict": (made(paths={"model": "x"}), ["paths must be a list", "dict with 'model'"]),
    "duplicate paths": (made(paths=["gpt-4o", "gpt-4o"]), ["'gpt-4o'", "name="]),
    "duplicate names": (
        made(paths=[Path(model="a", name="x"), Path(model="b", name="x")]),
        ["'x'", "tell them apart"],
    ),
    "a path a number": (made(paths=[5]), ["a path is a model name, a dict or a Path", "5"]),
    "an empty model": (made(paths=[""]), ["model must be a non-empty string", "''"]),
    "a path without a model": (made(paths=[{"params": {}}]), ["needs a model", "'params'"]),
    "an unknown field": (path(temperature=0.2), ["'temperature'", "params={...}"]),
    "a model that is a number": (made(paths=[{"model": 5}]), ["model", "5 (int)"]),
    "an unknown provider": (path(provider="acme"), ["unknown provider 'acme'", "groq/"]),
    "an unknown model": (
        made(paths=["acme-9000"], base_url=None, api_key="sk-12345678"),
        ["no provider is known for model 'acme-9000'", "base_url="],
    ),
    "a negative price": (
        path(input_usd_per_mtok=-1, output_usd_per_mtok=1),
        ["input_usd_per_mtok must not be negative", "-1"],
    ),
    "a price of NaN": (
        path(input_usd_per_mtok=1, output_usd_per_mtok=NAN),
        ["output_usd_per_mtok must be a finite number", "nan"],
    ),
    "an endless price": (
        path(input_usd_per_mtok=INF, output_usd_per_mtok=1),
        ["input_usd_per_mtok must be a finite number", "inf"],
    ),
    "a price in words": (
        path(input_usd_per_mtok="1", output_usd_per_mtok=1),
        ["input_usd_per_mtok must be a finite number", "'1' (str)"],
    ),
    "a price of True": (path(input_usd_per_mtok=True, output_usd_per_mtok=1), ["True (bool)"]),
    "one price of two": (path(input_usd_per_mtok=1), ["only one of", "give both"]),
    "a path's time-out of 0": (path(timeout_s=0), ["timeout_s must not be zero or negative", "0"]),
    "a window of -5": (path(context_window=-5), ["context_window", "-5"]),
    "tools a list": (path(tools=[]), ["tools says whether", "[] (list)"]),
    "params a list": (path(params=[1]), ["params must be a dict", "[1] (list)"]),
    "params that are no JSON": (path(params={"x": object()}), ["JSON values", "object"]),
    "params of NaN": (path(params={"temperature": NAN}), ["JSON values"]),
    "params in a set": (path(params={"stop": {"a"}}), ["JSON values", "set"]),
    "a key of params that is no string": (path(params={1: 2}), ["params", "1"]),
    "reserved params": (path(params={"model": "x"}), ["params has 'model'", "its own field"]),
    "stream in params": (path(params={"stream": True}), ["'stream'", "router.stream"]),
    "an api_key in params": (path(params={"api_key": "sk-1"}), ["'api_key'", "api_key="]),
    "a base_url that is none": (path(base_url="example.com/v1"), ["base_url", "http://"]),
    "a base_url without a host": (path(base_url="https://"), ["base_url", "name a host"]),
    "a base_url with a bad host": (path(base_url="http://[::1"), ["base_url", "[::1"]),
    "a base_url with a bad port": (path(base_url="http://h:x/v1"), ["base_url", "h:x"]),
    "the router's base_url": (made(base_url="ftp://example.com"), ["base_url", "ftp://"]),
    "the router's base_url empty": (made(base_url=""), ["base_url", "''"]),
    "the router's base_url a number": (made(base_url=5), ["base_url", "5"]),
    "an empty key": (path(api_key=""), ["api_key must be a non-empty string"]),
    "a key of blanks": (path(api_key="  \n"), ["api_key must be a non-empty string"]),
    "the router's key of blanks": (made(api_key="  "), ["api_key", "copy it again"]),
    "the router's key a number": (made(api_key=5), ["api_key", "string"]),
    "a key with a line break inside": (made(api_key="sk-1\nsk-2"), ["api_key", "printable ASCII"]),
    "a typographic key": (made(api_key="sk-“1”"), ["api_key", "printable ASCII"]),
    "a missing key": (
        made(base_url=None),
        ["'gpt-4o' needs a key for openai", "OPENAI_API_KEY", "api_key="],
    ),
    "a missing key of two names": (
        made(paths=["gemini-2.5-flash"], base_url=None),
        ["GEMINI_API_KEY or GOOGLE_API_KEY"],
    ),
    "a missing key by name": (path(api_key_env="MY_KEY"), ["environment variable MY_KEY"]),
    "an empty goal": (made(goal=""), ["goal must be a non-empty string", "''"]),
    "a goal of blanks": (made(goal="  "), ["goal must be a non-empty string", "'  '"]),
    "a goal that is a number": (made(goal=5), ["goal must be a non-empty string", "5"]),
    "a goal that cannot be written": (made(goal="g\ud800"), ["goal", "\\ud800"]),
    "an unknown task": (made(task="cooking"), ["unknown task 'cooking'", "summarization"]),
    "an unknown task beside a gate": (
        made(task="cooking", gate=FixedGate()),
        ["unknown task 'cooking'"],
    ),
    "max_attempts 0": (made(max_attempts=0), ["max_attempts", "from 1 on", "0"]),
    "max_attempts a float": (made(max_attempts=2.0), ["max_attempts", "2.0"]),
    "max_attempts True": (made(max_attempts=True), ["max_attempts", "True"]),
    "deadline_s 0": (made(deadline_s=0), ["deadline_s", "above 0", "0"]),
    "deadline_s NaN": (made(deadline_s=NAN), ["deadline_s", "nan"]),
    "timeout_s endless": (made(timeout_s=INF), ["timeout_s", "finite", "inf"]),
    "timeout_s none": (made(timeout_s=None), ["timeout_s", "None"]),
    "timeout_s in words": (made(timeout_s="30"), ["timeout_s", "'30'"]),
    "first_token_s negative": (made(first_token_s=-1), ["first_token_s", "-1"]),
    "max_cost_usd negative": (made(max_cost_usd=-0.01), ["max_cost_usd", "from 0 on", "-0.01"]),
    "max_wait_s negative": (made(max_wait_s=-1), ["max_wait_s", "-1"]),
    "stream_mode": (made(stream_mode="fast"), ["stream_mode", "'live' or 'hold'", "'fast'"]),
    "on_exhausted": (made(on_exhausted="give up"), ["on_exhausted", "'raise' or 'best'"]),
    "success_when async": (made(success_when=later), ["success_when", "async", "plain"]),
    "success_when async by its class": (made(success_when=AsyncCallable()), ["success_when"]),
    "success_when no function": (made(success_when="yes"), ["success_when", "function"]),
    "score_when async": (made(score_when=later), ["score_when", "async", "plain"]),
    "score_when async by its class": (made(score_when=AsyncCallable()), ["score_when", "async"]),
    "score_when of two": (made(score_when=lambda a, b: 1.0), ["score_when", "output's text"]),
    "score_when no function": (made(score_when=0.5), ["score_when", "function", "0.5"]),
    "a gate without check": (made(gate=object()), ["gate must have a method check"]),
    "a gate that is a function": (made(gate=lambda r, o: True), ["check(request, output)"]),
    "gate and success_when": (
        made(gate=FixedGate(), success_when=bool),
        ["success_when or gate, not both"],
    ),
    "a policy that is none": (made(policy=object()), ["policy", "pull", "update"]),
    "a ledger that is none": (made(ledger=5), ["ledger must be a file", "int"]),
}


@pytest.mark.parametrize("what", AT_CONSTRUCTION)
def test_a_router_is_not_made_from(what: str) -> None:
    make, texts = AT_CONSTRUCTION[what]
    with pytest.raises(ConfigError) as caught:
        make()
    assert isinstance(caught.value, ValueError), "what a caller expects"
    for text in texts:
        assert text in str(caught.value)


def test_a_login_in_a_base_url_is_not_shown() -> None:
    for make in (
        path(base_url="ftp://user:hunter2@example.com"),
        path(base_url="https://user:hunter2@exa mple:99999/v1"),
        made(base_url="ftp://user:hunter2@example.com"),
    ):
        with pytest.raises(ConfigError) as caught:
            make()
        assert "hunter2" not in str(caught.value)
    fine = Path(model="m", base_url="https://user:hunter2@example.com/v1")
    assert "hunter2" not in repr(fine)
    assert fine.id == "m@example.com/v1"


def test_a_key_is_not_shown_by_the_error_about_it() -> None:
    for make in (made(api_key="sk-hunter2\u2019"), path(api_key="sk-hunter2\nx"), path(api_key=7)):
        with pytest.raises(ConfigError) as caught:
            make()
        assert "hunter2" not in str(caught.value)


def test_a_key_of_blanks_in_the_environment_is_a_missing_key(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "  ")
    with pytest.raises(ConfigError, match="set the environment variable OPENAI_API_KEY"):
        router(base_url=None)
    monkeypatch.setenv("MY_KEY", " ")
    with pytest.raises(ConfigError, match="set the environment variable MY_KEY"):
        path(api_key_env="MY_KEY")()


def test_params_changed_after_the_router_was_made_change_nothing() -> None:
    params = {"temperature": 0.2}
    made_path = Path(model="gpt-4o", params=params)
    params["temperature"] = 2.0
    assert made_path.params == {"temperature": 0.2}
    assert made_path.id == "gpt-4o?temperature=0.2"


# Calls.

AT_CALL: dict[str, tuple[dict[str, Any], list[str]]] = {
    "messages a string": ({"messages": "hello"}, ["messages must be a list", "str", '"role"']),
    "messages none": ({"messages": None}, ["messages must be a list", "NoneType"]),
    "messages a dict": ({"messages": {"role": "user"}}, ["messages must be a list", "dict"]),
    "no messages": ({"messages": []}, ["messages is empty"]),
    "a message that is none": ({"messages": ["hello"]}, ["messages", "0", "str"]),
    "model": ({"model": "gpt-4o"}, ["does not take model=", "paths="]),
    "stream": ({"stream": True}, ["does not take stream=", "router.stream"]),
    "n": ({"n": 2}, ["does not take n=", "call n times"]),
    "api_key": ({"api_key": "sk-1"}, ["does not take api_key="]),
    "max_retries": ({"max_retries": 3}, ["does not take max_retries=", "max_attempts="]),
    "timeout 0": ({"timeout": 0}, ["timeout", "above 0"]),
    "timeout NaN": ({"timeout": NAN}, ["timeout", "nan"]),
    "tools a string": ({"tools": "weather"}, ["tools must be a list", "str"]),
    "session_id a number": ({"session_id": 5}, ["session_id must be a string", "int"]),
    "response_format a string": (
        {"response_format": "json"},
        ["response_format must be a dict", "'json'"],
    ),
    "response_format a class": ({"response_format": int}, ["response_format", "int"]),
    "response_format without a schema": (
        {"response_format": {"type": "json_schema"}},
        ["json_schema has no schema"],
    ),
    "an invalid schema": (
        {"response_format": {"type": "json_schema", "json_schema": {"schema": {"type": "no"}}}},
        ["schema", "no"],
    ),
    "a schema that is no JSON": (
        {"response_format": {"type": "json_schema", "json_schema": {"schema": {"a": object()}}}},
        ["schema cannot be written as JSON"],
    ),
    "response_format of no type": (
        {"response_format": {"schema": {}}},
        ["response_format", "type"],
    ),
}


@pytest.mark.parametrize("way", ["completion", "acompletion", "stream", "astream"])
@pytest.mark.parametrize("what", AT_CALL)
def test_a_call_is_refused_before_anything_is_sent(what: str, way: str) -> None:
    arguments, texts = AT_CALL[what]
    arguments = {"messages": MESSAGES, **arguments}
    with router() as made_router, pytest.raises(ConfigError) as caught:
        ask(made_router, way, **arguments)
    for text in texts:
        assert text in str(caught.value)
    assert caught.value.kalibr is None, "no attempt was made"


def test_what_is_harmless_is_taken() -> None:
    """`n=1` and `stream=False` say what a routed call does anyway."""
    from kalibr_core.options import checked_call

    taken = checked_call(MESSAGES, {"n": 1, "stream": False, "model": None})
    assert taken is MESSAGES


@pytest.mark.parametrize("way", ["completion", "acompletion", "stream", "astream"])
def test_a_closed_router_raises(way: str) -> None:
    made_router = router()
    made_router.close()
    made_router.close()
    with pytest.raises(KalibrError, match=r"'g' is closed; make a new one"):
        ask(made_router, way, MESSAGES)


def test_a_router_closes_with_its_block() -> None:
    with router() as first:
        pass

    async def main() -> Router:
        async with router() as second:
            pass
        return second

    for closed in (first, asyncio.run(main())):
        with pytest.raises(KalibrError, match="is closed"):
            closed.completion(MESSAGES)


# Reports.

REPORTS: dict[str, tuple[dict[str, Any], str]] = {
    "nothing": ({}, "report needs success=True, success=False, or score="),
    "only a reason": ({"reason": "bad"}, "report needs success"),
    "success in words": ({"success": "yes"}, "success must be True or False, got 'yes'"),
    "success 1": ({"success": 1}, "success must be True or False, got 1"),
    "score 8": ({"score": 8}, r"score must be a number in \[0, 1\], got 8"),
    "score NaN": ({"score": NAN}, r"score must be a number in \[0, 1\], got nan"),
    "score in words": ({"score": "8/10"}, "got '8/10'"),
    "score negative": ({"score": -0.1}, "got -0.1"),
    "a reason that is none": ({"success": True, "reason": 5}, "reason must be a string, got int"),
}


@pytest.mark.parametrize("what", REPORTS)
def test_a_report_is_refused(what: str) -> None:
    scene = Scene({"a": "good"})
    decision = scene.run().decision
    arguments, text = REPORTS[what]
    with pytest.raises(ConfigError, match=text):
        scene.router.report(decision.id, **arguments)
    assert len(scene.entries) == 1


@pytest.mark.parametrize("bad", ["", "nothing", "%", "' OR 1=1", "0" * 32, 5, None])
def test_an_unknown_decision_is_told(bad: Any) -> None:
    scene = Scene({"a": "good"})
    scene.run()
    for ask in (lambda: scene.router.report(bad, success=True), lambda: scene.router.explain(bad)):
        with pytest.raises(UnknownDecision, match=re.escape(f"no decision {bad!r}")) as caught:
            ask()
        assert isinstance(caught.value, KeyError)
        assert caught.value.decision_id == bad


def test_a_decision_of_another_goal_is_told_as_such() -> None:
    scene = Scene({"a": "good"})
    decision = scene.run().decision
    other = Router("another", paths=named("a"), ledger=scene.ledger)
    with pytest.raises(UnknownDecision, match="under goal 'another'; it is of 'scene'"):
        other.report(decision.id, success=True)


def test_nothing_of_this_is_only_a_warning(caplog: pytest.LogCaptureFixture) -> None:
    for make, _ in AT_CONSTRUCTION.values():
        with pytest.raises(ConfigError):
            make()
    assert warnings_of(caplog) == []
