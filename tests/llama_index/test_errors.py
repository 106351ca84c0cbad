"""When every path has failed, `except` clauses that were written for one LLM still match."""

from __future__ import annotations

import pickle
from typing import Any

import httpx
import openai
import pytest
from llama_index.core import PromptTemplate
from pydantic import BaseModel, SecretStr

from kalibr_bench.provider import Answer, Fault, LoopbackProvider
from kalibr_core import AllPathsFailed, BadResponse, KalibrError, OutputRejected
from kalibr_core.types import EvidenceKind, Outcome
from kalibr_llama_index import KalibrLLM
from kalibr_llama_index.errors import raised

from .ways import WAYS, ask

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


class City(BaseModel):
    """A city."""

    name: str


def openai_error(kind: type[openai.APIStatusError], status: int) -> openai.APIStatusError:
    headers = {"authorization": f"Bearer {KEY}"}
    request = httpx.Request("POST", "http://localhost/v1", headers=headers)
    return kind("said so", response=httpx.Response(status, request=request), body={"code": "x"})


def failed(*errors: Exception) -> AllPathsFailed:
    found = AllPathsFailed([OUTCOME] * len(errors), errors, stopped="max_attempts reached")
    found.__cause__ = errors[0]
    return found


def told(error: Exception, *, structured: bool = False) -> Exception:
    with pytest.raises(Exception) as caught:
        raised(error, structured=structured)
    return caught.value


LIMITED = openai_error(openai.RateLimitError, 429)


@pytest.mark.parametrize("kind", [openai.RateLimitError, openai.APIError, AllPathsFailed])
@pytest.mark.parametrize("structured", [False, True])
def test_it_is_of_the_firsts_kind_and_ours(kind: type[Exception], structured: bool) -> None:
    error = told(failed(LIMITED, OutputRejected("empty")), structured=structured)
    assert isinstance(error, kind)
    assert error.__cause__ is LIMITED
    assert KEY not in f"{error} {error!r}"
    assert KEY.encode() not in pickle.dumps(error)


def test_a_structure_that_does_not_fit_is_a_value_error() -> None:
    rejected = failed(OutputRejected("schema"))
    assert isinstance(told(rejected, structured=True), ValueError)
    assert told(rejected) is rejected
    assert not isinstance(told(rejected), ValueError)


@pytest.mark.parametrize("error", [LIMITED, KeyError("a"), BadResponse("a"), KalibrError("a")])
@pytest.mark.parametrize("structured", [False, True])
def test_any_other_error_is_raised_as_it_is(error: Exception, structured: bool) -> None:
    assert told(error, structured=structured) is error


def llm(server: LoopbackProvider, **settings: Any) -> KalibrLLM:
    given = {"goal": "errors", "paths": ["gpt-4o"], "max_attempts": 1, "ledger": "memory"}
    return KalibrLLM(**given, base_url=server.base_url, api_key=SecretStr(KEY), **settings)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        ("rate_limit", openai.RateLimitError),
        ("unauthorized", openai.AuthenticationError),
        ("reset", openai.APIConnectionError),
    ],
)
def test_what_a_provider_does_is_raised_as_openais(
    fault: str, kind: type[Exception], way: str, server: LoopbackProvider
) -> None:
    server.fault("gpt-4o", Fault(kind=fault, times=None))
    with pytest.raises(kind) as caught:
        ask(llm(server), way)
    assert isinstance(caught.value, AllPathsFailed)
    assert caught.value.kalibr is not None
    assert KEY not in f"{caught.value} {caught.value!r} {caught.value.__cause__}"


def test_a_structure_that_no_path_gives_is_a_value_error(server: LoopbackProvider) -> None:
    server.script("gpt-4o", [Answer(text='{"nam": 1}')])
    with pytest.raises(ValueError, match="schema") as caught:
        llm(server).structured_predict(City, PromptTemplate("Name a city."))
    assert isinstance(caught.value, AllPathsFailed)
