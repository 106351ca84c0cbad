"""When every path has failed, `except` clauses that were written for one model still match."""

from __future__ import annotations

import pickle
from typing import Any

import httpx
import openai
import pytest
from langchain_core.exceptions import (
    ContextOverflowError,
    ModelError,
    ModelRateLimitError,
    ModelRefusalError,
    OutputParserException,
)
from pydantic import SecretStr

from kalibr_bench.provider import Answer, Fault, LoopbackProvider
from kalibr_core import AllPathsFailed, BadResponse, KalibrError, OutputRejected
from kalibr_core.types import EvidenceKind, Outcome
from kalibr_langchain import ChatKalibr
from kalibr_langchain.errors import as_overflow, like_first

KEY = "sk-secret-12345678"
OUTCOME = Outcome(
    path_id="gpt-4o",
    number=1,
    reward=0.0,
    evidence=EvidenceKind.AVAILABILITY,
    failure=None,
    latency_s=1.0,
    first_token_s=None,
    usage=None,
    cost_usd=None,
    finish_reason=None,
    model=None,
)


def openai_error(kind: type[openai.APIStatusError], status: int) -> openai.APIStatusError:
    headers = {"authorization": f"Bearer {KEY}"}
    request = httpx.Request("POST", "http://localhost/v1", headers=headers)
    response: Any = httpx.Response(status, request=request, headers={"retry-after": "3"})
    return kind("said so", response=response, body={"code": "x"})


def failed(*errors: Exception) -> AllPathsFailed:
    return AllPathsFailed([OUTCOME] * len(errors), errors, stopped="max_attempts reached")


def like(*errors: Exception, structured: bool = False) -> AllPathsFailed:
    return like_first(failed(*errors), structured=structured)


RATE_LIMIT = openai_error(openai.RateLimitError, 429)


@pytest.mark.parametrize(
    "kind", [openai.RateLimitError, openai.APIStatusError, openai.OpenAIError, AllPathsFailed,
             KalibrError, RuntimeError]
)  # fmt: skip
def test_an_error_of_openais_is_matched_by_its_kinds_and_ours(kind: type[Exception]) -> None:
    with pytest.raises(kind):
        raise like(RATE_LIMIT, OutputRejected("empty"))


def test_it_is_of_the_first_attempts_kind_alone() -> None:
    error = like(OutputRejected("empty"), RATE_LIMIT)
    assert not isinstance(error, openai.OpenAIError)
    assert not isinstance(like(RATE_LIMIT), openai.AuthenticationError)


def test_the_first_errors_attributes_are_there_beside_our_own() -> None:
    second = openai_error(openai.InternalServerError, 500)
    error: Any = like(RATE_LIMIT, second)
    assert (error.status_code, error.body, error.code) == (429, {"code": "x"}, "x")
    assert error.response.headers["retry-after"] == "3"
    assert error.errors == (RATE_LIMIT, second)
    assert error.outcomes == (OUTCOME, OUTCOME)


def test_its_text_is_ours() -> None:
    plain = failed(RATE_LIMIT)
    assert str(like(RATE_LIMIT)) == str(plain)
    assert type(like(RATE_LIMIT)).__name__ == "AllPathsFailed"
    assert KEY not in str(like(RATE_LIMIT)) + repr(like(RATE_LIMIT))


def test_it_is_pickled_as_ours_without_the_request() -> None:
    error = like(RATE_LIMIT)
    text = pickle.dumps(error)
    assert KEY.encode() not in text
    other = pickle.loads(text)
    assert type(other) is AllPathsFailed
    assert str(other) == str(error)
    assert other.outcomes == (OUTCOME,)
    assert list(map(str, other.errors)) == ["RateLimitError 429"]


@pytest.mark.parametrize("error", [BadResponse("HTML"), OutputRejected("empty")])
def test_errors_of_ours_stay_as_they_are(error: Exception) -> None:
    plain = failed(error)
    assert like_first(plain, structured=False) is plain


@pytest.mark.parametrize(
    "error",
    [KeyError("a"), TimeoutError("a"), ConnectionResetError(104, "a"), ModelRateLimitError("a")],
)
def test_any_other_model_may_raise_what_it_likes(error: Exception) -> None:
    found = like(error)
    assert isinstance(found, type(error))
    assert isinstance(found, AllPathsFailed)
    assert str(found) == str(failed(error))


def test_what_cannot_be_both_is_ours_alone() -> None:
    plain = failed(ExceptionGroup("several", [ValueError("a")]))
    assert like_first(plain, structured=False) is plain


@pytest.mark.parametrize("reason", ["schema", "malformed_json", "no_json", "empty"])
def test_a_structure_that_does_not_fit_is_langchains(reason: str) -> None:
    error: Any = like(OutputRejected(reason), structured=True)
    assert isinstance(error, OutputParserException)
    assert (error.llm_output, error.observation, error.send_to_llm) == (None, None, False)
    assert type(like(OutputRejected(reason))) is AllPathsFailed


def test_a_refusal_to_give_a_structure_is_langchains() -> None:
    error: Any = like(OutputRejected("refusal"), structured=True)
    assert isinstance(error, ModelRefusalError)
    assert error.raw_message is None
    assert isinstance(error, OutputParserException), "what parsing it raises"


def test_an_overflow_is_langchains_and_openais() -> None:
    error = openai_error(openai.BadRequestError, 400)
    told: Any = as_overflow(error)
    assert isinstance(told, ContextOverflowError)
    assert isinstance(told, openai.BadRequestError)
    assert (told.status_code, told.__cause__) == (400, error)
    assert as_overflow(told) is told


def test_an_overflow_of_another_models_is_langchains() -> None:
    error = ValueError("too long")
    told = as_overflow(error)
    assert isinstance(told, ContextOverflowError)
    assert (str(told), told.__cause__) == ("too long", error)


@pytest.mark.parametrize(
    ("fault", "kinds"),
    [
        ("rate_limit", (openai.RateLimitError, ModelRateLimitError)),
        ("server_error", (openai.InternalServerError, ModelError)),
        ("unauthorized", (openai.AuthenticationError, ModelError)),
        ("reset", (openai.APIConnectionError, ModelError)),
    ],
)
def test_what_a_provider_does_is_raised_as_langchains_and_openais(
    fault: str, kinds: tuple[type[Exception], ...], server: LoopbackProvider
) -> None:
    server.fault("gpt-4o", Fault(kind=fault, times=None))
    model = ChatKalibr(
        goal="errors",
        paths=["gpt-4o"],
        base_url=server.base_url,
        api_key=SecretStr(KEY),
        max_attempts=1,
        ledger="memory",
    )
    for kind in kinds:
        model = model.model_copy(update={"goal": f"errors {kind.__name__}"})
        with pytest.raises(kind) as caught:
            model.invoke("Hi")
        assert isinstance(caught.value, AllPathsFailed)
        assert isinstance(caught.value.__cause__, kind)
        assert caught.value.kalibr is not None


def test_a_refused_structure_is_raised_as_langchains(server: LoopbackProvider) -> None:
    server.script("gpt-4o", [Answer(text=None, refusal="I cannot.")])
    model = ChatKalibr(
        goal="errors",
        paths=["gpt-4o"],
        base_url=server.base_url,
        max_attempts=1,
        ledger="memory",
    )
    schema = {"title": "City", "type": "object", "properties": {"name": {"type": "string"}}}
    with pytest.raises(ModelRefusalError) as caught:
        model.with_structured_output(schema).invoke("Hi")
    assert isinstance(caught.value, AllPathsFailed)
