"""OpenAI's Responses as a path: streams that are cut or fail are no answers."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from llama_index.llms.openai import OpenAIResponses

from kalibr_bench.provider import LoopbackProvider

from .ways import ask, failures, first_arm, record, text_of

KEY = "sk-secret-12345678"
WORDS = ("Paris ", "is ", "the ", "capital ", "of ", "France.")
USAGE = {
    "input_tokens": 100,
    "input_tokens_details": {"cached_tokens": 40},
    "output_tokens": 10,
    "output_tokens_details": {"reasoning_tokens": 4},
    "total_tokens": 110,
}


def response(status: str, **more: Any) -> dict[str, Any]:
    content = [{"type": "output_text", "text": "".join(WORDS), "annotations": []}]
    message = {"type": "message", "id": "m", "role": "assistant", "status": "completed"}
    return {
        "id": "r",
        "object": "response",
        "created_at": 1,
        "model": "gpt-4o",
        "status": status,
        "output": [{**message, "content": content}] if status == "completed" else [],
        "usage": USAGE,
        "parallel_tool_calls": True,
        "tool_choice": "auto",
        "tools": [],
        **more,
    }


def events(how: str) -> Iterator[dict[str, Any]]:
    yield {"type": "response.created", "response": response("in_progress")}
    place = {"item_id": "m", "output_index": 0, "content_index": 0, "logprobs": []}
    for word in WORDS if how == "whole" else WORDS[:3]:
        yield {"type": "response.output_text.delta", "delta": word, **place}
    if how == "whole":
        yield {"type": "response.completed", "response": response("completed")}
    if how == "failed":
        error = {"code": "server_error", "message": "boom"}
        yield {"type": "response.failed", "response": response("failed", error=error)}
    if how == "error":
        yield {"type": "error", "code": "server_error", "message": "boom", "param": None}


class Server(ThreadingHTTPServer):
    """Speaks as much of OpenAI's Responses as is needed here."""

    how = "whole"


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        self.send_response(200)
        streams = bool(body.get("stream"))
        kind = "text/event-stream" if streams else "application/json"
        self.send_header("content-type", kind)
        self.end_headers()
        if not streams:
            self.wfile.write(json.dumps(response("completed")).encode())
            return
        for number, event in enumerate(events(self.server.how)):
            data = json.dumps({**event, "sequence_number": number})
            self.wfile.write(f"event: {event['type']}\ndata: {data}\n\n".encode())

    def log_message(self, *args: Any) -> None:
        pass


@pytest.fixture
def responses() -> Iterator[Server]:
    with Server(("127.0.0.1", 0), Handler) as running:
        # It looks once in an interval whether it is to end; by default each test waits 0.5 s.
        threading.Thread(target=running.serve_forever, args=(0.01,), daemon=True).start()
        yield running
        running.shutdown()


def make(responses: Server, provider: LoopbackProvider, **options: Any) -> Any:
    url = f"http://127.0.0.1:{responses.server_address[1]}/v1"
    first = OpenAIResponses(model="gpt-4o", api_base=url, api_key=KEY)
    second = {"model": "gpt-4o-mini", "base_url": provider.base_url, "api_key": KEY}
    return first_arm({"model": first, "name": "responses"}, second, **options)


STREAMS = ("stream_chat", "astream_chat")


@pytest.mark.parametrize("way", ["chat", "achat", *STREAMS])
def test_a_whole_answer_is_read_whole_and_its_cached_tokens_are_known(
    way: str, responses: Server, shared_server: LoopbackProvider
) -> None:
    answer = ask(make(responses, shared_server), way)
    assert failures(answer) == [None]
    assert text_of(answer) == "".join(WORDS)
    told = record(answer)["attempts"][0]
    assert (told["input_tokens"], told["output_tokens"]) == (100, 10)
    assert told["cached_input_tokens"] == 40


@pytest.mark.parametrize("way", STREAMS)
@pytest.mark.parametrize("how", ["cut", "failed", "error"])
def test_a_stream_that_is_cut_or_fails_is_healed_where_it_is_held(
    how: str, way: str, responses: Server, shared_server: LoopbackProvider
) -> None:
    responses.how = how
    answer = ask(make(responses, shared_server, stream_mode="hold"), way)
    assert record(answer)["path"] != "responses"
    assert record(answer)["attempts"][0]["failure"] in ("interrupted", "bad_response")


@pytest.mark.parametrize("way", STREAMS)
@pytest.mark.parametrize("how", ["cut", "failed", "error"])
def test_live_it_raises_and_is_no_success(
    how: str, way: str, responses: Server, shared_server: LoopbackProvider
) -> None:
    responses.how = how
    with pytest.raises(Exception) as caught:
        ask(make(responses, shared_server), way)
    (outcome,) = caught.value.kalibr.outcomes  # type: ignore[attr-defined]
    assert outcome.failure.kind.value in ("interrupted", "bad_response", "server_error")
