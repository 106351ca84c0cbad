"""Time limits against servers that keep sending bytes, but no answer; and what a client refuses."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from typing import Any

import openai
import pytest

from kalibr_core import Path
from kalibr_core.clients import Clients
from kalibr_core.errors import KalibrError
from kalibr_core.providers import endpoint_of
from kalibr_core.time_limit import keep_limits
from kalibr_core.types import Attempt

HELLO: list[dict[str, Any]] = [{"role": "user", "content": "hello"}]
PARTS: list[dict[str, Any]] = [{"role": "user", "content": [{"type": "text", "text": "hello"}]}]
WAYS = ("complete", "acomplete", "stream", "astream")
every_way = pytest.mark.parametrize("way", WAYS)

Send = Callable[[bytes], None]
Script = Callable[[Send], None]

EVENTS = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n"
ANSWER: dict[str, Any] = {
    "id": "1",
    "object": "chat.completion",
    "created": 1,
    "model": "m",
    "choices": [
        {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "ok"}}
    ],
}


class Server:
    """A server that answers each connection by a script, and notes what it was sent."""

    def __init__(self, script: Script) -> None:
        self._script = script
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}/v1"
        self.bodies: list[dict[str, Any]] = []
        self.ends = threading.Event()
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self.ends.set()
        self._socket.close()

    def _accept(self) -> None:
        while True:
            try:
                connection = self._socket.accept()[0]
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with connection, connection.makefile("rb") as file:
            length = 0
            while (line := file.readline().strip().lower()) != b"":
                if line.startswith(b"content-length:"):
                    length = int(line.split(b":")[1])
            self.bodies.append(json.loads(file.read(length)))
            with suppress(OSError):  # the client left
                self._script(connection.sendall)


@contextmanager
def serving(script: Script, **params: Any) -> Iterator[tuple[Server, Path, Clients]]:
    with closing(Server(script)) as server:
        path = Path(model="m", base_url=server.url, api_key="sk-12345678", params=params)
        with closing(Clients({path.id: endpoint_of(path, environ={})})) as clients:
            yield server, path, clients


def attempt_of(path: Path, **limits: float) -> Attempt:
    return Attempt(path=path, number=1, **limits)


def ask(way: str, clients: Clients, attempt: Attempt, **asked: Any) -> list[Any]:
    """One call any way: its answer, or its chunks."""
    asked = {"messages": HELLO, **asked}
    if way == "complete":
        return [clients.complete(attempt, asked)]
    if way == "stream":
        return list(clients.stream(attempt, asked))

    async def run() -> list[Any]:
        try:
            if way == "acomplete":
                return [await clients.acomplete(attempt, asked)]
            return [chunk async for chunk in clients.astream(attempt, asked)]
        finally:
            await clients.aclose()

    return asyncio.run(run())


def every(pause_s: float, data: bytes, send: Send, *, seconds: float = 3.0) -> None:
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        send(data)
        time.sleep(pause_s)


def event(finish: str | None = None, **delta: Any) -> bytes:
    chunk = {
        "id": "1",
        "object": "chat.completion.chunk",
        "created": 1,
        "model": "m",
        "choices": [{"index": 0, "delta": delta, "finish_reason": finish}],
    }
    return b"data: " + json.dumps(chunk).encode() + b"\n\n"


END = event("stop") + b"data: [DONE]\n\n"


def answers(send: Send) -> None:
    body = json.dumps(ANSWER).encode()
    send(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close\r\n")
    send(b"content-length: %d\r\n\r\n" % len(body) + body)


def drips_headers(send: Send) -> None:
    send(b"HTTP/1.1 200 OK\r\n")
    every(0.05, b"x-a: b\r\n", send)


def drips_interim_responses(send: Send) -> None:
    every(0.05, b"HTTP/1.1 102 Processing\r\n\r\n", send)


def drips_blank_lines(send: Send) -> None:
    send(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close\r\n\r\n")
    every(0.05, b"\n", send)


def drips_comments(send: Send) -> None:
    send(EVENTS)
    every(0.05, b": busy\n\n", send)


def drips_roles(send: Send) -> None:
    send(EVENTS)
    every(0.05, event(role="assistant", content=""), send)


def drips_comments_after_content(send: Send) -> None:
    send(EVENTS + event(content="a"))
    every(0.05, b": busy\n\n", send)


def assert_cut(way: str, script: Script, **limits: Any) -> None:
    with serving(script) as (_, path, clients):
        began = time.monotonic()
        with pytest.raises(Exception) as raised:  # of either HTTP library
            ask(way, clients, attempt_of(path, **{"timeout_s": 0.3, **limits}))
        assert 0.25 < time.monotonic() - began < 2.5
        names = [kind.__name__ for kind in type(raised.value).__mro__]
        assert "APITimeoutError" in names or "ReadTimeout" in names


@every_way
@pytest.mark.parametrize("script", [drips_headers, drips_interim_responses])
def test_bytes_before_the_answer_put_no_limit_off(way: str, script: Script) -> None:
    assert_cut(way, script)


@pytest.mark.parametrize("way", ["complete", "acomplete"])
def test_blank_lines_put_no_limit_off(way: str) -> None:
    assert_cut(way, drips_blank_lines)


@pytest.mark.parametrize("way", ["stream", "astream"])
@pytest.mark.parametrize("script", [drips_comments, drips_roles, drips_comments_after_content])
def test_a_stream_of_signs_of_life_is_silence(way: str, script: Script) -> None:
    assert_cut(way, script)


@pytest.mark.parametrize("way", ["stream", "astream"])
def test_first_token_s_limits_what_comes_before_the_first_token(way: str) -> None:
    assert_cut(way, drips_comments, timeout_s=5.0, first_token_s=0.3)


@pytest.mark.parametrize("way", ["stream", "astream"])
def test_first_token_s_limits_no_later_silence(way: str) -> None:
    def script(send: Send) -> None:
        send(EVENTS + event(content="a"))
        time.sleep(1.2)
        send(event(content="b") + END)

    with serving(script) as (_, path, clients):
        got = ask(way, clients, attempt_of(path, timeout_s=4.0, first_token_s=0.8))
    assert [chunk.choices[0].delta.content for chunk in got] == ["a", "b", None]


@pytest.mark.parametrize("way", ["stream", "astream"])
@pytest.mark.parametrize("name", ["reasoning_content", "reasoning"])
def test_reasoning_breaks_the_silence(way: str, name: str) -> None:
    def script(send: Send) -> None:
        send(EVENTS)
        every(0.1, event(**{name: "hm"}), send, seconds=0.8)
        send(event(content="a") + END)

    with serving(script) as (_, path, clients):
        got = ask(way, clients, attempt_of(path, timeout_s=0.4))
        assert got[-2].choices[0].delta.content == "a"


@pytest.mark.parametrize("way", ["stream", "astream"])
def test_reasoning_is_no_first_token(way: str) -> None:
    def script(send: Send) -> None:
        send(EVENTS)
        every(0.05, event(reasoning_content="hm"), send)

    assert_cut(way, script, timeout_s=5.0, first_token_s=0.3)


def test_a_slow_reader_of_a_stream_is_not_the_servers_silence() -> None:
    def script(send: Send) -> None:
        send(EVENTS + event(content="a"))
        time.sleep(0.1)
        send(event(content="b"))
        time.sleep(0.5)
        send(END)

    with serving(script) as (_, path, clients):
        read = []
        for chunk in clients.stream(attempt_of(path, timeout_s=0.4), {"messages": HELLO}):
            if chunk.choices[0].delta.content:
                read.append(chunk.choices[0].delta.content)
                time.sleep(0.5)
    assert read == ["a", "b"]


@every_way
def test_a_redirect_is_not_followed(way: str) -> None:
    with closing(Server(answers)) as other:

        def script(send: Send) -> None:
            send(f"HTTP/1.1 307 Go\r\nlocation: {other.url}/chat/completions\r\n".encode())
            send(b"content-length: 0\r\nconnection: close\r\n\r\n")

        with serving(script) as (server, path, clients):
            with pytest.raises(openai.APIStatusError):
                ask(way, clients, attempt_of(path, timeout_s=2.0))
            assert len(server.bodies) == 1
        assert other.bodies == []


@every_way
@pytest.mark.parametrize("messages", [HELLO, PARTS], ids=["text", "parts"])
def test_a_providers_own_parameter_reaches_it(way: str, messages: list[dict[str, Any]]) -> None:
    def script(send: Send) -> None:
        if way.endswith("complete"):
            answers(send)
        else:
            send(EVENTS + event(content="a") + END)

    with serving(script) as (server, path, clients):
        attempt = attempt_of(path, timeout_s=2.0)
        ask(way, clients, attempt, messages=messages, top_k=5, extra_body={"min_p": 1})
        (body,) = server.bodies
    assert (body["top_k"], body["min_p"], body["messages"]) == (5, 1, messages)
    assert "extra_body" not in body


@every_way
def test_a_closed_client_makes_no_connection(way: str) -> None:
    with serving(answers) as (server, path, clients):
        ask("complete", clients, attempt_of(path, timeout_s=2.0))
        clients.close()
        with pytest.raises(KalibrError, match="closed"):
            ask(way, clients, attempt_of(path, timeout_s=2.0))
        assert len(server.bodies) == 1


def test_a_key_in_an_errors_fields_or_a_paths_headers_shows_up_nowhere() -> None:
    secrets = ("sk-12345678", "header-secret", "token-secret")

    def script(send: Send) -> None:
        said = {"message": secrets[1], "code": secrets[0], "param": secrets[2], "type": secrets[0]}
        body = json.dumps({"error": said}).encode()
        send(b"HTTP/1.1 400 Bad\r\ncontent-type: application/json\r\nconnection: close\r\n")
        send(b"content-length: %d\r\n\r\n" % len(body) + body)

    headers = {"x-key": secrets[1], "x-auth": f"Bearer {secrets[2]}"}
    with (
        serving(script, extra_headers=headers) as (_, path, clients),
        pytest.raises(openai.BadRequestError) as raised,
    ):
        ask("complete", clients, attempt_of(path, timeout_s=2.0))
    error = raised.value
    shown = f"{error} {error.message} {error.body} {error.code} {error.param} {error.type}"
    assert not any(secret in shown for secret in secrets)


def test_the_installed_http_library_has_a_place_for_limits(
    monkeypatch: pytest.MonkeyPatch, recwarn: pytest.WarningsRecorder
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("NO_PROXY", "example.org")
    client: Any = keep_limits(openai.DefaultHttpxClient())
    pools = [t._pool for t in (client._transport, *client._mounts.values()) if t is not None]
    assert len(pools) == 2
    assert {type(pool._network_backend).__name__ for pool in pools} == {"_Backend"}
    assert not recwarn.list


def test_a_client_without_a_place_for_limits_still_works_but_says_so() -> None:
    with pytest.warns(RuntimeWarning, match="time limits"):
        keep_limits(type("Client", (), {"_transport": object()})())
