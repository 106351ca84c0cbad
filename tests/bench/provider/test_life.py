"""A provider starts, serves many, and leaves nothing behind; alike in a thread and a process."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import openai
import pytest

from kalibr_bench.provider import DEFAULT_MODELS, Fault, LoopbackProvider, Model
from kalibr_bench.provider.__main__ import main
from kalibr_bench.provider.fault import FAULT_KINDS

from ..signals import interruptible
from .conftest import Ask, joined, until

ROOT = str(Path(__file__).resolve().parents[3])


@pytest.fixture(scope="module", params=[False, True], ids=["thread", "process"])
def either(request: pytest.FixtureRequest) -> Iterator[LoopbackProvider]:
    """A provider in each mode, shared by the tests that compare them."""
    with LoopbackProvider(process=request.param, seed=3) as running:
        yield running


@pytest.fixture
def fresh(either: LoopbackProvider) -> LoopbackProvider:
    either.reset()
    return either


def test_both_modes_serve_degrade_fail_script_and_count(fresh: LoopbackProvider) -> None:
    ask = Ask(fresh)
    assert ask.text()
    assert joined(ask.chunks())
    fresh.degrade("gpt-4o", rate=1.0, kinds=["empty"])
    assert ask.text() == ""
    fresh.restore("gpt-4o")
    fresh.fault("gpt-4o", Fault(kind="unavailable", times=1, retry_after_s=1.5))
    with pytest.raises(openai.InternalServerError) as caught:
        ask()
    assert caught.value.response.headers["retry-after"] == "1.5"
    fresh.script("gpt-4o", ["scripted"])
    assert ask.text() == "scripted"
    counts = fresh.stats()["gpt-4o"]
    assert (counts.requests, counts.completions, counts.injected) == (5, 4, 1)
    assert counts.failed == {"unavailable": 1}
    assert fresh.stats().cpu_s > 0
    assert [r.outcome for r in fresh.requests()][-1] == "scripted"


def test_both_modes_see_the_same_draws() -> None:
    def run(process: bool) -> list[str]:
        with LoopbackProvider(seed=9, process=process) as provider:
            provider.degrade("gpt-4o", rate=0.5)
            ask = Ask(provider)
            return [ask.text(f"Explain topic {i}") for i in range(30)]

    assert run(False) == run(True)


def test_500_concurrent_calls_are_all_answered(fresh: LoopbackProvider) -> None:
    async def storm() -> list[str]:
        limits = {"base_url": fresh.base_url, "api_key": "k", "max_retries": 0, "timeout": 120}
        async with openai.AsyncOpenAI(**limits) as client:  # type: ignore[arg-type]

            async def one(number: int) -> str:
                answer = await client.chat.completions.create(
                    model="gpt-4o", messages=[{"role": "user", "content": f"Explain {number}"}]
                )
                return answer.choices[0].message.content or ""

            return await asyncio.gather(*(one(i) for i in range(500)))

    answers = asyncio.run(storm())
    counts = fresh.stats()["gpt-4o"]
    assert counts.completions == len(answers) == 500
    assert sum(not answer for answer in answers) <= counts.flawed


def test_500_connections_can_hang_at_once(fresh: LoopbackProvider) -> None:
    """Raw sockets, as 500 clients of a slow model; then one more is served."""
    fresh.fault("gpt-4o-mini", Fault(kind="hang"))
    body = b'{"model":"gpt-4o-mini","messages":[{"role":"user","content":"x"}]}'
    head = b"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer k\r\n"
    request = head + b"Content-Length: %d\r\n\r\n" % len(body) + body
    sockets = [socket.create_connection(("127.0.0.1", fresh.port), timeout=60) for _ in range(500)]
    try:
        for opened in sockets:
            opened.sendall(request)
        assert until(lambda: fresh.stats()["gpt-4o-mini"].in_flight == 500)
        assert fresh.stats().open_connections >= 500
        assert Ask(fresh).text()
    finally:
        for opened in sockets:
            opened.close()
    assert until(lambda: fresh.stats()["gpt-4o-mini"].closed_early == 500)
    assert fresh.stats()["gpt-4o-mini"].in_flight == 0


def test_it_listens_on_the_loopback_interface_only(fresh: LoopbackProvider) -> None:
    assert fresh.base_url == f"http://127.0.0.1:{fresh.port}/v1"
    with pytest.raises(OSError):
        socket.create_connection(("127.0.0.2", fresh.port), timeout=0.5)


def test_control_needs_the_providers_own_token(fresh: LoopbackProvider) -> None:
    for headers in ({}, {"x-control-token": "guess"}):
        request = urllib.request.Request(
            f"http://127.0.0.1:{fresh.port}/__control__/reset", data=b"{}", headers=headers
        )
        with pytest.raises(urllib.error.HTTPError) as caught:
            urllib.request.urlopen(request, timeout=60)
        assert caught.value.code == 404
        caught.value.close()


@pytest.mark.parametrize("process", [False, True])
def test_closing_twice_is_closing_once_and_leaves_nothing(process: bool) -> None:
    before = {thread.ident for thread in threading.enumerate()}
    provider = LoopbackProvider(process=process)
    provider.start()
    assert provider.start() is provider
    port = provider.port
    Ask(provider)()
    provider.close()
    provider.close()
    assert {thread.ident for thread in threading.enumerate()} == before
    with pytest.raises(OSError):
        socket.create_connection(("127.0.0.1", port), timeout=0.5)
    with pytest.raises(RuntimeError, match="closed"):
        provider.start()


def test_closing_ends_requests_in_flight_quickly(provider: LoopbackProvider) -> None:
    provider.fault("gpt-4o", Fault(kind="hang"))
    failed: list[BaseException] = []

    def call() -> None:
        try:
            Ask(provider)()
        except openai.APIConnectionError as error:
            failed.append(error)

    caller = threading.Thread(target=call)
    caller.start()
    assert until(lambda: provider.stats()["gpt-4o"].in_flight == 1)
    provider.close()
    caller.join(60)
    assert failed


def test_it_does_not_run_before_start() -> None:
    provider = LoopbackProvider()
    with pytest.raises(RuntimeError, match="not running"):
        _ = provider.base_url
    provider.close()


@pytest.mark.parametrize("process", [False, True])
def test_a_taken_port_is_an_os_error(fresh: LoopbackProvider, process: bool) -> None:
    with pytest.raises(OSError, match=r"in use|bind"):
        LoopbackProvider(port=fresh.port, process=process).start()


def test_the_child_ends_when_its_parent_is_killed() -> None:
    program = (
        "import time; from kalibr_bench.provider import LoopbackProvider\n"
        "p = LoopbackProvider(process=True).start(); print(p.port, flush=True); time.sleep(600)"
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", program],
        stdout=subprocess.PIPE,
        env=os.environ | {"PYTHONPATH": ROOT},
    )
    assert parent.stdout is not None
    port = int(parent.stdout.readline())
    parent.send_signal(signal.SIGKILL)
    parent.wait(60)
    parent.stdout.close()

    def refused() -> bool:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=0.5).close()
        except OSError:
            return True
        return False

    assert until(refused)


def test_the_command_line_prints_its_address_and_serves() -> None:
    command = [sys.executable, "-m", "kalibr_bench.provider", "--port", "0", "--latency-scale", "0"]
    with interruptible():
        running = subprocess.Popen(
            command, stdout=subprocess.PIPE, env=os.environ | {"PYTHONPATH": ROOT}, text=True
        )
    try:
        assert running.stdout is not None
        url = running.stdout.readline().split()[3]
        with openai.OpenAI(base_url=url, api_key="demo", max_retries=0, timeout=60) as client:
            assert next(iter(client.models.list())).id == "gpt-4o"
        running.send_signal(signal.SIGINT)
        assert running.wait(60) == 0
    finally:
        running.kill()
        running.communicate()


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (["--port", "99999"], "must be in [0, 65535]"),
        (["--port", "-1"], "must be in [0, 65535]"),
        (["--latency-scale", "-1"], "must be a number >= 0"),
        (["--latency-scale", "nan"], "must be a number >= 0"),
    ],
)
def test_the_command_line_refuses_what_makes_no_sense(
    given: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        main(given)
    assert caught.value.code == 2
    assert told in capsys.readouterr().err


def test_the_help_names_every_fault_and_fits_a_terminal(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit):
        main(["--help"])
    text = capsys.readouterr().out
    assert all(kind in text for kind in FAULT_KINDS)
    assert "provider.fault(" in text
    assert max(map(len, text.partition("make a path fail")[2].splitlines())) <= 80


def test_without_aiohttp_it_says_what_to_install(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert main(["--port", "0"]) == 1
    assert 'pip install -e ".[bench]"' in capsys.readouterr().err
    assert main(["--child"]) == 1
    assert "aiohttp" in json.loads(capsys.readouterr().out)["error"]


def test_a_client_that_leaves_early_is_no_error_of_the_server(
    provider: LoopbackProvider, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    from kalibr_bench.provider.serving.reply import Reply

    async def gone(reply: Reply) -> None:
        raise ConnectionResetError("Cannot write to closing transport")

    monkeypatch.setattr(Reply, "send", gone)
    with pytest.raises(openai.APIConnectionError):
        Ask(provider)()
    assert provider.stats()["gpt-4o"].closed_early == 1
    assert not caplog.records


def test_importing_the_provider_neither_imports_aiohttp_nor_the_router() -> None:
    program = (
        "import sys, kalibr_bench.provider\n"
        "ours = {'kalibr_core', 'kalibr_langchain', 'kalibr_llama_index'}\n"
        "heavy = {'aiohttp', 'openai', 'pydantic'}\n"
        "print(sorted({m.split('.')[0] for m in sys.modules} & (ours | heavy)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        check=True,
        env=os.environ | {"PYTHONPATH": ROOT},
    )
    assert done.stdout.strip() == "[]"


def test_a_log_gets_one_line_per_request() -> None:
    lines: list[str] = []
    with LoopbackProvider(log=lines.append) as provider:
        Ask(provider)()
        assert until(lambda: len(lines) == 1)
    assert lines[0].startswith("gpt-4o good ")
    with pytest.raises(ValueError, match="thread mode"):
        LoopbackProvider(process=True, log=print)


def test_a_negative_latency_scale_is_refused() -> None:
    with pytest.raises(ValueError, match="latency_scale"):
        LoopbackProvider(latency_scale=-1.0)


def test_models_can_be_changed_with_replace() -> None:
    from dataclasses import replace

    poor: Model = replace(DEFAULT_MODELS[0], quality=0.0)
    with LoopbackProvider([poor]) as provider:
        Ask(provider)()
        assert provider.stats()["gpt-4o"].flawed == 1


def test_one_quality_can_be_set_for_all_models() -> None:
    with LoopbackProvider(quality=0.0) as provider:
        ask = Ask(provider)
        for model in DEFAULT_MODELS:
            ask("Say hello", model.name)
            assert provider.stats()[model.name].flawed == 1
    with pytest.raises(ValueError, match="quality must be in"):
        LoopbackProvider(quality=2.0)
