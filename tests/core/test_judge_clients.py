"""What a judge's model is sent, and what is made of its server's answers."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import httpx
import openai
import pytest

from kalibr_bench.provider import DEFAULT_MODELS, Fault, LoopbackProvider
from kalibr_core import Judge
from kalibr_core.budget import Budget
from kalibr_core.gates.judge import messages_for
from kalibr_core.gates.shown import Shown
from kalibr_core.judge_clients import MOST_TOKENS, JudgeClients, _refusal
from kalibr_core.judges import Models, judges_of
from kalibr_core.providers import Endpoint
from kalibr_core.types import Path

KEY = "sk-secret-12345678"
GOOD = '{"reason": "clear", "score": 0.75}'
MESSAGES = messages_for(None, "Name a bird \ud800.", "An owl.")


@pytest.fixture
def provider() -> Iterator[LoopbackProvider]:
    with LoopbackProvider([replace(model, quality=1.0) for model in DEFAULT_MODELS]) as running:
        running.script("deepseek-chat", [GOOD])
        yield running


def judge_at(url: str, **fields: Any) -> tuple[Path, Endpoint]:
    spec = {"model": "deepseek-chat", "base_url": url, "api_key": KEY, **fields}
    return judges_of(Judge(model=spec), {}, base_url=None)[0]


def asked(url: str, **fields: Any) -> Any:
    clients = JudgeClients()
    try:
        return clients.ask(*judge_at(url, **fields), MESSAGES, timeout_s=10.0)
    finally:
        clients.close()


def test_the_request_is_what_the_client_would_send(provider: LoopbackProvider) -> None:
    reply = asked(provider.base_url)
    (sent,) = provider.requests("deepseek-chat")
    assert sent.body == {
        "messages": MESSAGES,
        "model": "deepseek-chat",
        "response_format": {"type": "json_object"},
        "temperature": 0.0,
        "max_tokens": MOST_TOKENS,
    }
    assert (sent.token, sent.path) == (KEY, "/v1/chat/completions")
    assert sent.headers["content-type"] == sent.headers["accept"] == "application/json"
    assert sent.headers["user-agent"].startswith("OpenAI/Python")
    assert not [name for name in sent.headers if name.startswith("x-stainless")]
    assert reply.text == GOOD
    assert reply.usage is not None
    assert reply.usage.input_tokens > 0


def test_a_path_with_headers_of_its_own_sends_them(provider: LoopbackProvider) -> None:
    reply = asked(provider.base_url, params={"extra_headers": {"x-team": "birds"}, "top_k": 3})
    (sent,) = provider.requests("deepseek-chat")
    assert sent.body is not None
    assert (sent.headers["x-team"], sent.body["top_k"]) == ("birds", 3)
    assert reply.text == GOOD
    assert reply.usage is not None


def test_openais_account_goes_to_no_other_server(
    provider: LoopbackProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_ORG_ID", "org-1")
    monkeypatch.setenv("OPENAI_PROJECT_ID", "proj-1")
    asked(provider.base_url)
    (sent,) = provider.requests("deepseek-chat")
    assert not {"openai-organization", "openai-project"} & sent.headers.keys()


def test_one_client_is_made_for_a_judge_and_kept(provider: LoopbackProvider) -> None:
    provider.script("deepseek-chat", [GOOD])
    clients, judge = JudgeClients(), judge_at(provider.base_url)
    assert clients._client(*judge) is clients._client(*judge)
    clients.close()
    assert clients._made == {}


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (302, openai.APIStatusError),
        (400, openai.BadRequestError),
        (401, openai.AuthenticationError),
        (403, openai.PermissionDeniedError),
        (404, openai.NotFoundError),
        (418, openai.APIStatusError),
        (429, openai.RateLimitError),
        (500, openai.InternalServerError),
        (503, openai.InternalServerError),
    ],
)
def test_a_refusal_is_the_error_that_the_client_has_for_it(status: int, kind: type) -> None:
    answer = httpx.Response(status, request=httpx.Request("POST", "http://x.example"))
    error: Any = _refusal(answer)
    assert type(error) is kind
    assert error.status_code == status


@pytest.mark.parametrize(
    ("kind", "paid"), [("server_error", False), ("rate_limit", False), ("reset", True)]
)
def test_a_server_that_refuses_costs_nothing_and_one_that_is_left_may(
    kind: Any, paid: bool, provider: LoopbackProvider
) -> None:
    provider.fault("deepseek-chat", Fault(kind=kind, times=1))
    judge, budget = Judge(), Budget(1.0, lambda: 0.0)
    models = Models(judge, [judge_at(provider.base_url)], budget)
    with pytest.raises(Exception):  # noqa: B017  # each its own
        models.judged(Shown("a", "b"), "gpt-4o")
    models.close()
    assert (budget.spent_usd > 0.0) is paid


class Says:
    """An HTTP client whose server answers the same to all."""

    def __init__(self, content: bytes) -> None:
        self._content = content

    def post(self, url: str, **sent: Any) -> httpx.Response:
        return httpx.Response(200, content=self._content)


@pytest.mark.parametrize(
    "answer",
    [
        {},
        [],
        None,
        7,
        {"choices": []},
        {"choices": None},
        {"choices": [None]},
        {"choices": [{"message": None}]},
        {"choices": [{"message": {"content": {"score": 1}}}], "usage": "many"},
    ],
)
def test_whatever_a_server_answers_is_no_score(answer: object) -> None:
    judge = judge_at("http://x.example/v1")
    models = Models(Judge(), [judge], Budget(1.0, lambda: 0.0))
    models._clients._client(*judge)._http = Says(json.dumps(answer).encode())
    made = models.judged(Shown("a", "b"), "gpt-4o")
    assert made is not None
    assert made[0] is None


def test_what_is_no_json_is_an_error_that_holds_no_key() -> None:
    clients, judge = JudgeClients(), judge_at("http://x.example/v1")
    clients._client(*judge)._http = Says(b"<html>")
    with pytest.raises(ValueError, match="Expecting value"):
        clients.ask(*judge, MESSAGES, timeout_s=1.0)


def test_the_key_is_taken_out_of_what_is_raised() -> None:
    class Echoes:
        def post(self, url: str, *, headers: dict[str, str], **sent: Any) -> Any:
            raise OSError(f"sent {headers['Authorization']}")

    clients, judge = JudgeClients(), judge_at("http://x.example/v1")
    made: Any = clients._client(*judge)
    made._http = Echoes()
    with pytest.raises(OSError, match=r"sent Bearer \[API key\]") as caught:
        clients.ask(*judge, MESSAGES, timeout_s=1.0)
    assert KEY not in repr(caught.value)


def test_a_model_that_thinks_first_is_sent_neither_limit_nor_temperature() -> None:
    sent: list[Any] = []

    class Client:
        def post(self, arguments: Any, timeout_s: float) -> Any:
            sent.append(arguments)
            raise OSError

    path, endpoint = judges_of(Judge(model={"model": "o3", "api_key": KEY}), {}, base_url=None)[0]
    clients: Any = JudgeClients()
    clients._made[path.id] = Client()
    with pytest.raises(OSError):
        clients.ask(path, endpoint, MESSAGES, timeout_s=1.0)
    assert not {"temperature", "max_tokens", "max_completion_tokens"} & sent[0].keys()
    assert sent[0]["response_format"]["type"] == "json_schema"
