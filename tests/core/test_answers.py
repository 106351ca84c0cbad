"""Answers in the OpenAI format, and what comes in their place: any field may be of any type."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace as Thing
from typing import Any

import pytest

from kalibr_core import BadResponse, Router
from kalibr_core.answers import is_content, read_chunks, read_completion, read_usage
from kalibr_core.testing import FirstArm

MESSAGES = [{"role": "user", "content": "Name the capital of France."}]
GOOD = {"message": {"role": "assistant", "content": "It is Paris."}, "finish_reason": "stop"}
GOOD_CHUNK = {"delta": {"content": "It is Paris."}, "finish_reason": "stop", "index": 0}

ODD_CHOICES: list[Any] = [
    None,
    [],
    {},
    "x",
    5,
    {"a": 1},
    [None],
    ["x"],
    [5],
    [{}],
    [{"message": None, "delta": None}],
    [{"message": "x", "delta": "x"}],
    [{"message": [], "delta": []}],
    [{"message": {}, "delta": {}}],
    [{"message": {"content": 5}, "delta": {"content": 5}}],
    [{"message": {"content": {"a": 1}}, "delta": {"content": {"a": 1}}}],
    [{"message": {"tool_calls": "x"}, "delta": {"tool_calls": "x"}}],
    [{"message": {"tool_calls": [None]}, "delta": {"tool_calls": [None]}}],
    [{"message": {"tool_calls": [{"function": 5}]}, "delta": {"tool_calls": [{"function": 5}]}}],
    [{"message": {"refusal": 5}, "delta": {"refusal": 5}}],
]
ODD_BODIES: list[Any] = [None, [], {}, "x", 5, *({"choices": choices} for choices in ODD_CHOICES)]


class Server(ThreadingHTTPServer):
    """Answers the path `/odd/...` with one body, and any other with a good one."""

    daemon_threads = True
    body: Any = None


class Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["content-length"])))
        assert isinstance(self.server, Server)
        streamed = asked.get("stream")
        good: Any = {"choices": [GOOD_CHUNK if streamed else GOOD], "model": "m", "id": "1"}
        body = json.dumps(self.server.body if self.path.startswith("/odd") else good)
        if streamed:
            body = f"data: {body}\n\ndata: [DONE]\n\n"
        self.send_response(200)
        self.send_header("content-type", "text/event-stream" if streamed else "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, *arguments: object) -> None:
        pass


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with Server(("127.0.0.1", 0), Handler) as running:
        thread = threading.Thread(target=running.serve_forever, args=(0.01,))
        thread.start()
        yield running
        running.shutdown()
        thread.join()


def routed(server: Server) -> Router:
    address = f"http://127.0.0.1:{server.server_port}"
    paths = [
        {"model": "odd", "name": "odd", "base_url": f"{address}/odd"},
        {"model": "good", "name": "good", "base_url": f"{address}/good"},
    ]
    return Router("answers", paths=paths, ledger="memory", policy=FirstArm(), stream_mode="hold")


@pytest.mark.parametrize("body", ODD_BODIES, ids=str)
@pytest.mark.parametrize("way", ["completion", "acompletion", "stream", "astream"])
def test_what_is_no_answer_is_charged_to_its_path_and_healed(
    way: str, body: Any, server: Server
) -> None:
    """It is the provider's fault, and never taken for a bug of the caller's."""
    server.body = body

    async def main(router: Router) -> Any:
        if way == "acompletion":
            return (await router.acompletion(MESSAGES)).kalibr  # type: ignore[attr-defined]
        chunks = router.astream(MESSAGES)
        assert [chunk async for chunk in chunks]
        return chunks.kalibr

    with routed(server) as router:
        if way == "completion":
            decision = router.completion(MESSAGES).kalibr  # type: ignore[attr-defined]
        elif way == "stream":
            chunks = router.stream(MESSAGES)
            assert list(chunks)
            decision = chunks.kalibr
        else:
            decision = asyncio.run(main(router))
    assert [o.path_id for o in decision.outcomes] == ["odd", "good"]
    assert decision.outcomes[0].failure.kind in ("bad_response", "bad_output", "interrupted")


ODD_USAGES: list[Any] = [
    None,
    "x",
    {},
    {"prompt_tokens": None, "completion_tokens": 5},
    {"prompt_tokens": "5", "completion_tokens": 5},
    {"prompt_tokens": -1, "completion_tokens": 5},
]


@pytest.mark.parametrize("usage", ODD_USAGES, ids=str)
def test_an_odd_usage_is_unknown_and_the_answer_good(usage: Any, server: Server) -> None:
    server.body = {"choices": [GOOD], "usage": usage, "model": 5}
    with routed(server) as router:
        decision = router.completion(MESSAGES).kalibr  # type: ignore[attr-defined]
    (outcome,) = decision.outcomes
    assert outcome.usage is None
    assert outcome.cost_usd is None


def delta(**fields: Any) -> Thing:
    return Thing(choices=[Thing(delta=Thing(content=None, **fields), finish_reason=None)])


def test_the_pieces_of_streamed_tool_calls_are_joined_by_their_index() -> None:
    def piece(index: int, **function: Any) -> Thing:
        call = Thing(index=index, id=function.pop("id", None), function=Thing(**function))
        return delta(tool_calls=[call])

    output = read_chunks(
        [
            piece(0, id="c0", name="f", arguments=""),
            piece(1, id="c1", name="g", arguments='{"b":'),
            piece(0, name=None, arguments='{"a":1}'),
            piece(1, name=None, arguments="2}"),
        ]
    )
    assert [(c.id, c.name, c.arguments) for c in output.tool_calls] == [
        ("c0", "f", '{"a":1}'),
        ("c1", "g", '{"b":2}'),
    ]


def test_usage_names_of_several_providers() -> None:
    openai = Thing(
        prompt_tokens=10,
        completion_tokens=5,
        prompt_tokens_details=Thing(cached_tokens=4),
        completion_tokens_details=Thing(reasoning_tokens=3),
    )
    found = read_usage(openai)
    assert found is not None
    assert (found.cached_input_tokens, found.reasoning_tokens) == (4, 3)
    deepseek = Thing(prompt_tokens=10, completion_tokens=5, prompt_cache_hit_tokens=6)
    found = read_usage(deepseek)
    assert found is not None
    assert (found.cached_input_tokens, found.reasoning_tokens) == (6, None)


def test_what_counts_as_content() -> None:
    assert not is_content(delta(role="assistant"))
    assert not is_content(Thing(choices=[]))
    assert not is_content(Thing(choices=None))
    assert is_content(delta(tool_calls=[Thing()]))
    assert is_content(delta(refusal="no"))
    text = Thing(choices=[Thing(delta=Thing(content="x"), finish_reason=None)])
    assert is_content(text)


def test_no_answer_is_told_as_what_it_is() -> None:
    with pytest.raises(BadResponse, match="HTML"):
        read_completion("<html></html>")  # type: ignore[arg-type]
    with pytest.raises(BadResponse, match="no choices"):
        read_completion(Thing(choices=None))  # type: ignore[arg-type]
    with pytest.raises(BadResponse, match="no answer"):
        read_chunks([])


def completion(content: Any = "x", **choice: Any) -> Any:
    message = Thing(content=content)
    return Thing(choices=[Thing(message=message, **choice)], usage=None, model="m")


def test_a_content_of_parts_is_their_text() -> None:
    parts = [{"type": "text", "text": "It is"}, {"type": "text", "text": "Paris."}, 5]
    assert read_completion(completion(parts)).text == "It is\nParis."
    chunk = Thing(choices=[Thing(delta=Thing(content=parts[:1]), finish_reason=5)])
    output = read_chunks([chunk])  # type: ignore[list-item]
    assert (output.text, output.finish_reason) == ("It is", None)


@pytest.mark.parametrize("reason", [5, ["stop"], {"a": 1}, None])
def test_a_finish_reason_that_is_no_word_is_none(reason: Any) -> None:
    assert read_completion(completion(finish_reason=reason)).finish_reason is None


@pytest.mark.parametrize("count", [2**53, 10**400, True, 1.5])
def test_a_count_beyond_any_use_is_unknown(count: Any) -> None:
    assert read_usage(Thing(prompt_tokens=count, completion_tokens=5)) is None
    assert read_usage(Thing(prompt_tokens=2**53 - 1, completion_tokens=5)) is not None


def test_an_error_in_a_200_keeps_its_meaning(server: Server) -> None:
    server.body = {"error": {"code": 429, "message": "slow down"}}
    with routed(server) as router:
        decision = router.completion(MESSAGES).kalibr  # type: ignore[attr-defined]
    assert [o.path_id for o in decision.outcomes] == ["odd", "good"]
    assert decision.outcomes[0].failure.kind == "rate_limit"
