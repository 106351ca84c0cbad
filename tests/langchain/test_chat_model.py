"""ChatKalibr as a chat model among others: what a user of ChatOpenAI does with it."""

from __future__ import annotations

import asyncio
import copy
import json
import pickle
import re
import time
from collections import Counter
from typing import Any

import openai
import pytest
from langchain_core.caches import InMemoryCache
from langchain_core.exceptions import ModelRateLimitError
from langchain_core.language_models import BaseChatModel, FakeListChatModel
from langchain_core.load import dumpd
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from langchain_core.rate_limiters import InMemoryRateLimiter
from langchain_core.runnables import ConfigurableField
from langchain_openai import ChatOpenAI
from pydantic import BaseModel, ValidationError

from kalibr_bench.provider import Answer, Fault, LoopbackProvider, ToolCall
from kalibr_core import (
    AllPathsFailed,
    ConfigError,
    NoEligiblePath,
    Path,
    PathsBlocked,
    Router,
    RouterClosed,
)
from kalibr_langchain import ChatKalibr, report

from .ways import QUESTION, WAYS, aask, ask, failures, first_arm, joined, record

FIRST, SECOND = "gpt-4o", "gpt-4o-mini"
KEY = "sk-of-the-test-123456"
every_way = pytest.mark.parametrize("way", WAYS)


def make(server: LoopbackProvider, *paths: Any, **options: Any) -> ChatKalibr:
    options = {"base_url": server.base_url, "api_key": KEY, **options}
    return first_arm(*(paths or (FIRST, SECOND)), **options)


def openai_model(server: LoopbackProvider, name: str = FIRST, **options: Any) -> ChatOpenAI:
    return ChatOpenAI(model=name, base_url=server.base_url, api_key=KEY, **options)  # type: ignore[arg-type]


# Event loops, threads, copies.


def test_a_model_is_well_in_any_number_of_event_loops(server: LoopbackProvider) -> None:
    """ChatOpenAI's cached async client keeps connections of a dead loop; each loop has its own."""
    model = make(server, {"model": openai_model(server), "name": FIRST}, SECOND)
    for _ in range(12):
        answer = asyncio.run(aask(model, "ainvoke"))
        assert failures(answer) == [None]


def test_chat_openai_alone_fails_there() -> None:
    """What the trap is; where this no longer fails, the copies for each loop may go."""
    with LoopbackProvider(quality=1.0) as server:
        model = openai_model(server, max_retries=0)
        ended = []
        for _ in range(4):
            try:
                asyncio.run(model.ainvoke(QUESTION))
                ended.append("well")
            except Exception as error:  # noqa: BLE001  # the SDK wraps it
                ended.append(type(error).__name__)
        assert any(name != "well" for name in ended), ended


async def test_a_users_own_connections_of_a_dead_loop_are_no_fault_of_the_path(
    server: LoopbackProvider,
) -> None:
    client = openai.DefaultAsyncHttpxClient()
    given = openai_model(server, http_async_client=client)
    model = make(server, {"model": given, "name": FIRST}, SECOND)

    def call() -> AIMessage:
        return asyncio.run(aask(model, "ainvoke"))  # type: ignore[no-any-return]

    for _ in range(6):
        answer = await asyncio.to_thread(call)
        assert failures(answer) == [None]


def test_many_loops_and_models_leave_the_shared_clients_as_they_were(
    server: LoopbackProvider,
) -> None:
    """LangChain shares one HTTP client among all models; nobody else's may be changed."""
    other = openai_model(server, SECOND)
    pools = [
        other.root_client._client._transport._pool,
        other.root_async_client._client._transport._pool,
    ]
    before = [type(pool._network_backend) for pool in pools]
    for _ in range(3):
        model = make(server, {"model": openai_model(server), "name": FIRST})
        model.invoke(QUESTION)
        asyncio.run(aask(model, "ainvoke"))
    assert [type(pool._network_backend) for pool in pools] == before


def test_copies_share_what_is_learned_and_pickles_do_not(
    server: LoopbackProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KALIBR_BASE_URL", server.base_url)
    model = ChatKalibr(goal="copies", paths=[FIRST, SECOND], ledger="memory")
    assert copy.deepcopy(model).core is copy.copy(model).core is model.core
    other = pickle.loads(pickle.dumps(model))
    assert other.core is not model.core
    assert other.core.goal == "copies"
    assert ask(other, "invoke").content


# LangChain's own ways of wrapping.


def test_configured_copies_share_one_router(server: LoopbackProvider) -> None:
    model = make(server)
    configured = model.configurable_fields(temperature=ConfigurableField(id="temperature"))
    for temperature in (0.0, 0.5, 1.0):
        answer = configured.with_config(configurable={"temperature": temperature}).invoke(QUESTION)
        assert record(answer)["goal"] == "test"
    sent = [request.body["temperature"] for request in server.requests(FIRST)]  # type: ignore[index]
    assert sent == [0.0, 0.5, 1.0]
    booked = [e for _, e in model.core._learner.ledger.entries()]
    assert len(booked) == 3, "all of them in this model's own record"


def test_a_goal_may_be_configured_too(server: LoopbackProvider) -> None:
    model = make(server).configurable_fields(goal=ConfigurableField(id="goal"))
    answer = model.with_config(configurable={"goal": "another"}).invoke(QUESTION)
    assert record(answer)["goal"] == "another"


def test_the_cache_answers_without_a_call(server: LoopbackProvider) -> None:
    model = make(server, cache=InMemoryCache())
    first, second = model.invoke(QUESTION), model.invoke(QUESTION)
    assert second.content == first.content
    assert server.stats(KEY)[FIRST].requests == 1
    model.invoke(QUESTION, session_id="of another conversation")
    assert server.stats(KEY)[FIRST].requests == 1, "the conversation is no part of the request"
    model.invoke(QUESTION, temperature=0.5)
    assert server.stats(KEY)[FIRST].requests == 2


async def test_batches_keep_their_order_and_their_limit(server: LoopbackProvider) -> None:
    model = make(server)
    questions = [f"Extract the email of person{n}@example.com." for n in range(8)]
    for answers in (
        model.batch(questions, config={"max_concurrency": 2}),
        await model.abatch(questions, config={"max_concurrency": 2}),
    ):
        assert all(f"person{n}" in str(a.content) for n, a in enumerate(answers))


def test_with_retry_and_with_fallbacks_catch_by_the_first_errors_class(
    server: LoopbackProvider,
) -> None:
    server.fault(None, Fault(kind="rate_limit", retry_after_s=60))
    caught = (openai.RateLimitError, ModelRateLimitError)
    spare = FakeListChatModel(responses=["spare"])
    for kind in caught:
        model = make(server, deadline_s=1.0).with_fallbacks([spare], exceptions_to_handle=(kind,))
        assert model.invoke(QUESTION).content == "spare"
    with pytest.raises(AllPathsFailed):
        make(server, max_attempts=1, deadline_s=1.0).with_retry(
            retry_if_exception_type=(openai.RateLimitError,),
            stop_after_attempt=2,
            wait_exponential_jitter=False,
        ).invoke(QUESTION)


def test_dumps_reprs_and_pickles_hold_no_key(server: LoopbackProvider) -> None:
    secret = "sk-SECRET-0123456789"
    headers = {"extra_headers": {"Authorization": f"Bearer {secret}", "x-team": "blue"}}
    model = make(
        server,
        {"model": FIRST, "api_key": secret, "params": headers},
        Path(model=SECOND, api_key=secret),
        {"model": openai_model(server), "name": "given"},
        api_key=secret,
        model_kwargs=headers,
    )
    bound = model.bind_tools([]) | (lambda x: x)
    shown = [repr(model), str(model), repr(bound), json.dumps(dumpd(model)), repr(model.asdict())]
    shown += [repr(model.model_dump()), model.model_dump_json(exclude={"profile"})]
    assert not [text for text in shown if secret in text]
    assert secret.encode() not in pickle.dumps(model)
    sent = model.invoke(QUESTION)
    assert record(sent)["verified"]
    assert server.stats(secret)[FIRST].requests == 1, "it is used all the same"


def test_report_takes_the_message(server: LoopbackProvider) -> None:
    model = make(server)
    answer = model.invoke(QUESTION)
    assert report(answer, success=False)
    assert not report(answer, success=False), "once"
    assert "reported as a failure" in str(model.core.explain(record(answer)["decision_id"]))


def test_a_ready_router_is_shared_and_stays_open(server: LoopbackProvider) -> None:
    router = Router("ready", paths=[FIRST], base_url=server.base_url, ledger="memory")
    model = ChatKalibr(router=router)
    assert record(model.invoke(QUESTION))["goal"] == "ready"
    model.close()
    assert router.completion([{"role": "user", "content": QUESTION}]).choices
    router.close()
    with pytest.raises(RouterClosed):
        model.invoke(QUESTION)


# What reaches the provider.


def test_the_users_objects_stay_as_they_were(server: LoopbackProvider) -> None:
    given = openai_model(server, max_retries=4, streaming=True)
    before = {name: getattr(given, name) for name in ("max_retries", "streaming", "client")}
    messages = [SystemMessage("Be brief."), HumanMessage(QUESTION)]
    dumped = [message.model_dump() for message in messages]
    kwargs: dict[str, Any] = {"stop": ["zzz"], "temperature": 0.5}
    make(server, {"model": given, "name": FIRST}).invoke(messages, **kwargs)
    assert {name: getattr(given, name) for name in before} == before
    assert [message.model_dump() for message in messages] == dumped
    assert kwargs == {"stop": ["zzz"], "temperature": 0.5}
    assert given.root_client.max_retries == 4


def test_a_named_call_goes_to_that_path_alone(server: LoopbackProvider) -> None:
    paths = ({"model": FIRST, "params": {"temperature": 0.2}}, {"model": FIRST}, SECOND)
    model = make(server, *paths)
    assert record(model.invoke(QUESTION, model=SECOND))["path"] == SECOND
    answer = model.invoke(QUESTION, model="gpt-4o?temperature=0.2")
    assert record(answer)["path"] == "gpt-4o?temperature=0.2"
    assert answer.response_metadata["model_name"] == "gpt-4o-2024-08-06"
    with pytest.raises(NoEligiblePath, match="is not 'gpt-9'"):
        model.invoke(QUESTION, model="gpt-9")


def test_unknown_arguments_are_refused_in_every_way(server: LoopbackProvider) -> None:
    for way in WAYS:
        with pytest.raises(TypeError, match="foo"):
            ask(make(server), way, foo=3)
    assert server.stats(KEY)[FIRST].requests == 0


OWN = {"model": FIRST, "params": {"stop": ["OWN"], "max_tokens": 90}}


@pytest.mark.parametrize(
    ("path", "call", "stop", "most"),
    [
        (FIRST, {}, ["DEFAULT"], 70),
        (FIRST, {"stop": ["CALL"]}, ["CALL"], 70),
        (FIRST, {"max_completion_tokens": 80}, ["DEFAULT"], 80),
        (FIRST, {"max_tokens": 80}, ["DEFAULT"], 80),
        (OWN, {}, ["OWN"], 90),
        (OWN, {"stop": ["CALL"], "max_tokens": 80}, ["OWN"], 90),
    ],
)
def test_a_paths_own_parameters_win_then_the_calls_then_the_models(
    path: Any, call: dict[str, Any], stop: list[str], most: int, server: LoopbackProvider
) -> None:
    make(server, path, stop="DEFAULT", max_tokens=70).invoke(QUESTION, **call)
    body = server.requests(FIRST)[-1].body
    assert body is not None
    assert body["stop"] == stop
    assert body["max_completion_tokens"] == most


def test_a_models_settings_are_not_for_chat_models(server: LoopbackProvider) -> None:
    given = {"model": openai_model(server, stop=["MODEL"]), "name": FIRST}
    make(server, given, stop=["DEFAULT"], temperature=0.5).invoke(QUESTION)
    body = server.requests(FIRST)[-1].body
    assert body is not None
    assert body["stop"] == ["MODEL"]
    assert "temperature" not in body


@pytest.mark.parametrize("name", ["n", "model", "stream", "messages", "max_retries", "tools"])
def test_model_kwargs_are_parameters_only(name: str, server: LoopbackProvider) -> None:
    with pytest.raises(ValidationError, match=f"model_kwargs has '{name}'"):
        make(server, model_kwargs={name: 1})


def test_models_of_other_paths_have_other_routers(server: LoopbackProvider) -> None:
    """Also where a `Path` of before is gone, and another is where it was."""
    model = make(server)

    def paths(name: str) -> list[str]:
        return list(model.model_copy(update={"paths": [Path(model=name)]})._routing.models)

    names = ["gpt-4o-mini", "gpt-4o", "gpt-4.1"]
    assert [paths(name) for name in names] == [[name] for name in names]


def test_unknown_model_kwargs_are_sent(server: LoopbackProvider) -> None:
    for way in WAYS:
        ask(make(server, model_kwargs={"top_k": 5}), way)
    assert [r.body["top_k"] for r in server.requests(FIRST)] == [5] * 4  # type: ignore[index]


@pytest.mark.parametrize("way", WAYS)
def test_a_limit_of_the_callers_own_cuts_and_charges_nobody(
    way: str, server: LoopbackProvider
) -> None:
    answer = ask(make(server, max_tokens=5), way)
    assert answer.content
    assert failures(answer) == [None]


def test_where_all_reach_the_callers_limit_the_text_comes_back(server: LoopbackProvider) -> None:
    answer = make(server).invoke("Explain the tides of the sea.", max_tokens=40)
    assert answer.content
    assert not record(answer)["verified"]


# Requests that cannot be sent, and answers that cannot be used.


@pytest.mark.parametrize("tools", [[3], [{"foo": 1}], "weather", 7])
def test_tools_that_are_none_are_told_before_any_path_is_tried(
    tools: Any, server: LoopbackProvider
) -> None:
    model = make(server)
    with pytest.raises(ConfigError, match="tools"):
        model.invoke(QUESTION, tools=tools)
    assert [e for _, e in model.core._learner.ledger.entries()] == []


def test_a_request_that_a_models_class_refuses_goes_to_the_next_and_charges_nobody(
    server: LoopbackProvider,
) -> None:
    from langchain_anthropic import ChatAnthropic

    claude = ChatAnthropic(model_name="claude-sonnet-4-0", api_key="x" * 12)  # type: ignore[call-arg,arg-type]
    model = make(server, {"model": claude, "name": "claude"}, SECOND)
    odd = [SystemMessage("One."), HumanMessage("Hi."), SystemMessage("Two."), HumanMessage("Bye.")]
    answer = model.invoke(odd)
    assert failures(answer) == ["unsupported", None]
    booked = [e.reward for _, e in model.core._learner.ledger.entries()]
    assert booked == [None, 1.0]


def test_a_server_without_the_responses_api_is_not_blocked_for_it(server: LoopbackProvider) -> None:
    given = openai_model(server, use_responses_api=True)
    model = make(server, {"model": given, "name": "responses"}, SECOND)
    assert failures(model.invoke(QUESTION)) == ["unsupported", None]
    assert failures(model.invoke(QUESTION)) == ["unsupported", None], "not blocked, nor charged"


INVALID = {"title": "x", "type": "object", "properties": {"a": {"type": "nonsense"}}}


class Person(BaseModel):
    name: str
    age: int


@every_way
@pytest.mark.parametrize("method", ["json_schema", "function_calling"])
@pytest.mark.parametrize(
    "bad",
    [
        Answer(text='{"name": "Anna"}'),
        Answer(text="I am sorry."),
        Answer(text='{"na', finish_reason="length"),
        Answer(text='{"na', finish_reason="content_filter"),
        Answer(text=""),
    ],
    ids=["schema", "prose", "cut", "filtered", "empty"],
)
def test_a_structured_answer_that_does_not_fit_is_healed(
    bad: Answer, method: Any, way: str, server: LoopbackProvider
) -> None:
    server.script(FIRST, [bad])
    structured = make(server).with_structured_output(Person, method=method)
    found = ask(structured, way, "Anna is 32 years old.")
    assert isinstance(found, Person)
    assert server.stats(KEY)[SECOND].requests == 1


@pytest.mark.parametrize("arguments", ["no JSON", '{"name": "Anna"', '{"name": 5}', ""])
def test_tool_arguments_that_do_not_fit_are_healed(
    arguments: str, server: LoopbackProvider
) -> None:
    """LangChain alone gives `parsed=None, parsing_error=None` for arguments that are no JSON."""
    call = ToolCall(name="Person", arguments=arguments)
    server.script(FIRST, [Answer(text=None, tool_calls=(call,))])
    structured = make(server).with_structured_output(
        Person, method="function_calling", include_raw=True
    )
    found = structured.invoke("Anna is 32 years old.")
    assert isinstance(found["parsed"], Person)
    assert failures(found["raw"]) == ["bad_output", None]


def test_where_no_path_fits_include_raw_tells_and_raises_nothing(server: LoopbackProvider) -> None:
    for name in (FIRST, SECOND):
        server.script(name, ['{"name": "Anna"}'] * 4)
    model = make(server)
    found = model.with_structured_output(Person, include_raw=True).invoke("Anna is 32.")
    assert found["parsed"] is None
    assert found["parsing_error"] is not None
    assert found["raw"].content == '{"name": "Anna"}'
    from langchain_core.exceptions import OutputParserException

    with pytest.raises(OutputParserException):
        model.with_structured_output(Person).invoke("Anna is 32.")


# Rate limiters and time limits.


def test_a_limiter_that_gives_no_leave_sends_the_call_elsewhere_soon(
    server: LoopbackProvider,
) -> None:
    limiter = InMemoryRateLimiter(requests_per_second=0.001, max_bucket_size=1)
    limiter.acquire(blocking=False)
    model = make(
        server,
        {"model": openai_model(server, rate_limiter=limiter), "name": FIRST},
        SECOND,
        max_wait_s=0.1,
    )
    started = time.monotonic()
    assert failures(model.invoke(QUESTION)) == ["rate_limit", None]
    assert time.monotonic() - started < 5.0
    assert server.stats(KEY)[FIRST].requests == 0


def test_a_limiter_of_the_only_path_is_waited_for(server: LoopbackProvider) -> None:
    limiter = InMemoryRateLimiter(requests_per_second=20, check_every_n_seconds=0.01)
    model = make(server, {"model": openai_model(server, rate_limiter=limiter), "name": FIRST})
    for _ in range(4):
        assert failures(model.invoke(QUESTION)) == [None]


class Sleeper(BaseChatModel):
    """A model of nobody's SDK, which takes its time."""

    @property
    def _llm_type(self) -> str:
        return "sleeper"

    def _generate(self, *args: Any, **kwargs: Any) -> ChatResult:
        raise NotImplementedError

    async def _agenerate(self, *args: Any, **kwargs: Any) -> ChatResult:
        await asyncio.sleep(60)
        return ChatResult(generations=[ChatGeneration(message=AIMessage("late"))])


async def test_an_awaited_model_of_any_make_is_ended_by_the_time_limit(
    server: LoopbackProvider,
) -> None:
    model = make(server, {"model": Sleeper(), "name": "sleeper", "timeout_s": 0.2}, SECOND)
    assert failures(await model.ainvoke(QUESTION)) == ["timeout", None]


def test_a_users_own_http_client_is_used_and_ends_in_time(server: LoopbackProvider) -> None:
    client = openai.DefaultHttpxClient(headers={"x-mine": "yes"})
    given = openai_model(server, http_client=client)
    model = make(server, {"model": given, "name": FIRST, "timeout_s": 0.3}, SECOND)
    model.invoke(QUESTION)
    assert server.requests(FIRST)[-1].headers["x-mine"] == "yes"
    server.fault(FIRST, Fault(kind="hang"))
    assert failures(model.invoke(QUESTION)) == ["timeout", None]


# Multimodal content.


@pytest.mark.parametrize(
    ("part", "lacks"),
    [
        ({"type": "image", "url": "https://example.com/cat.png"}, "images"),
        ({"type": "image_url", "image_url": {"url": "https://example.com/cat.png"}}, "images"),
        ({"type": "media", "mime_type": "image/png", "data": "aGk="}, "images"),
        ({"type": "audio", "base64": "aGk=", "mime_type": "audio/wav"}, "audio"),
        ({"type": "file", "base64": "aGk=", "mime_type": "application/pdf"}, "files"),
    ],
)
def test_content_goes_only_to_paths_that_take_it(
    part: dict[str, Any], lacks: str, server: LoopbackProvider
) -> None:
    blind = {"model": FIRST, lacks: False}
    model = make(server, blind, {"model": SECOND, "images": True, "audio": True, "files": True})
    message = HumanMessage([{"type": "text", "text": "What is this?"}, part])
    if part["type"] == "media":
        with pytest.raises(NoEligiblePath, match="cannot read images"):
            make(server, blind).invoke([message])
        return
    assert record(model.invoke([message]))["path"] == SECOND
    with pytest.raises(NoEligiblePath, match=f"cannot read {lacks}"):
        make(server, blind).invoke([message])


# Bad input.


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"goal": "g"}, "needs goal and paths"),
        ({"paths": ["gpt-4o"]}, "needs goal and paths"),
        ({"goal": "g", "paths": []}, "paths is empty"),
        ({"goal": "g", "paths": "gpt-4o"}, "paths must be a list"),
        ({"goal": "g", "paths": [7]}, "a path is a model's name"),
        ({"goal": "g", "paths": [object()]}, "a path is a model's name"),
        ({"goal": "", "paths": ["ollama/a"]}, "goal must be a non-empty string"),
        ({"goal": "g", "paths": ["ollama/a", "ollama/a"]}, "two paths have the id"),
        ({"goal": "g", "paths": ["ollama/a"], "max_attempts": 0}, "max_attempts"),
        ({"goal": "g", "paths": ["ollama/a"], "max_retries": 1, "max_attempts": 1}, "not both"),
        ({"router": object()}, "must be a kalibr_core.Router"),
    ],
)
def test_what_cannot_be_made_is_told_as_it_is(options: dict[str, Any], text: str) -> None:
    with pytest.raises((ConfigError, ValidationError), match=text):
        ChatKalibr(**{"ledger": "memory", **options} if "router" not in options else options)


def test_a_bound_model_is_no_path() -> None:
    bound = FakeListChatModel(responses=["x"]).bind(stop=["x"])
    with pytest.raises(ConfigError, match="go on ChatKalibr itself"):
        ChatKalibr(goal="g", paths=[bound], ledger="memory")


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda m: m.invoke([]), "messages is empty"),
        (lambda m: m.invoke("hi", n=2), "does not take n="),
        (lambda m: m.invoke("hi", session_id=object()), "session_id must be a string"),
        (lambda m: m.invoke("hi", on_exhausted="zzz"), "on_exhausted must be"),
        (lambda m: m.with_structured_output(None), "schema is None"),
        (lambda m: m.with_structured_output(INVALID), "schema"),
        (lambda m: m.with_structured_output(Person, method="xml"), "method must be one of"),
    ],
)
def test_what_cannot_be_called_is_a_clear_error(
    call: Any, text: str, server: LoopbackProvider
) -> None:
    with pytest.raises(ConfigError, match=text):
        call(make(server))
    assert server.stats(KEY)[FIRST].requests == 0


def test_tools_where_no_path_can_call_them(server: LoopbackProvider) -> None:
    def weather(city: str) -> str:
        """The weather in a city."""
        return city

    model = make(server, {"model": FIRST, "tools": False}, FakeListChatModel(responses=["x"]))
    with pytest.raises(NoEligiblePath, match=r"gpt-4o: cannot call tools.*cannot call tools"):
        model.bind_tools([weather]).invoke(QUESTION)


def test_counts_of_failures_by_kind_stand_in_the_ledger(server: LoopbackProvider) -> None:
    server.fault(FIRST, Fault(kind="server_error", times=2))
    model = make(server, policy=None, seed=3)
    for _ in range(10):
        model.invoke(QUESTION)
    told = Counter(e.data.get("failure") for _, e in model.core._learner.ledger.entries())
    assert told["server_error"] <= 2
    assert told[None] == 10


def test_text_of_a_joined_stream_is_that_of_its_chunks(server: LoopbackProvider) -> None:
    chunks = list(make(server).stream(QUESTION))
    assert joined(chunks).content == "".join(str(chunk.content) for chunk in chunks)
    assert [c.chunk_position for c in chunks].count("last") == 1


@every_way
def test_where_every_path_is_limited_it_is_langchains_rate_limit(
    way: str, server: LoopbackProvider
) -> None:
    server.fault(None, Fault(kind="rate_limit", retry_after_s=60))
    model = make(server, deadline_s=1.0)
    for _ in range(2):
        with pytest.raises(ModelRateLimitError) as caught:
            ask(model, way)
    assert isinstance(caught.value, PathsBlocked)
    assert caught.value.retry_after_s is not None
    assert 0 < caught.value.retry_after_s <= 60
    assert type(pickle.loads(pickle.dumps(caught.value))) is PathsBlocked


@pytest.mark.parametrize("way", ["invoke", "ainvoke"])
def test_what_all_refuse_is_refused_in_words(way: str, server: LoopbackProvider) -> None:
    server.fault(None, Fault(kind="refusal"))
    answer = ask(make(server), way)
    assert answer.content
    assert not record(answer)["verified"]
    assert set(failures(answer)) == {"bad_output"}


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"model": "gpt-4o"}, "name your models in paths="),
        ({"top_p": 0.5}, "model_kwargs={'top_p': ...}"),
        ({"tempreature": 0}, "did you mean temperature="),
        ({"sucess_when": bool}, "did you mean success_when="),
        ({"use_responses_api": True}, "set it on a ChatOpenAI"),
    ],
)
def test_arguments_of_others_are_told_where_they_go(options: dict[str, Any], text: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(text)):
        ChatKalibr(goal="g", paths=["ollama/a"], ledger="memory", **options)


def test_settings_that_reach_no_path_are_told(
    server: LoopbackProvider, caplog: pytest.LogCaptureFixture
) -> None:
    make(server, {"model": openai_model(server), "name": FIRST}, temperature=0.0)
    assert "temperature of ChatKalibr is for paths that are named" in caplog.text
