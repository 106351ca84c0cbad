"""Where a provider runs: in a thread of this process, or in a process of its own."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Protocol

from kalibr_bench.provider.conversation import Player
from kalibr_bench.provider.state import Config, Responder, State

START_TIMEOUT_S = 60.0
STOP_TIMEOUT_S = 30.0
NO_AIOHTTP = 'the loopback provider needs aiohttp: pip install -e ".[bench]"'


class Host(Protocol):
    """Something that runs a server."""

    def start(self) -> int:
        """Start it; returns the port."""

    def stop(self) -> None:
        """Stop it and wait until it has stopped."""


async def serve(
    state: State,
    *,
    ready: Callable[[int], None],
    stop: asyncio.Event,
    log: Callable[[str], None] | None = None,
) -> None:
    """Serve until ``stop`` is set; ``ready`` is told the port."""
    try:
        from kalibr_bench.provider.serving.server import Server  # imports aiohttp
    except ModuleNotFoundError as error:
        if error.name != "aiohttp":
            raise
        raise ModuleNotFoundError(NO_AIOHTTP, name="aiohttp") from None
    server = Server(state, log=log)
    try:
        ready(await server.start())
        await stop.wait()
    finally:
        await server.stop()


class ThreadHost:
    """Runs the server on an event loop of its own in a daemon thread."""

    def __init__(
        self,
        config: Config,
        *,
        responder: Responder | None,
        players: Mapping[str, Player] | None,
        log: Callable[[str], None] | None,
    ) -> None:
        self.state = State(config, responder=responder, players=players)
        self._log = log
        self._thread = threading.Thread(target=self._run, name="loopback-provider", daemon=True)
        self._started = threading.Event()
        self._port = 0
        self._error: BaseException | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop: asyncio.Event | None = None

    def start(self) -> int:
        """Start the thread; an error on the way (a port in use) is raised here."""
        self._thread.start()
        if not self._started.wait(START_TIMEOUT_S):
            raise OSError(f"the provider did not start within {START_TIMEOUT_S:.0f} s")
        if self._error is not None:
            self._thread.join(STOP_TIMEOUT_S)
            raise self._error
        return self._port

    def stop(self) -> None:
        """Stop the loop and join the thread."""
        if self._loop is not None and self._stop is not None and self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._stop.set)
            self._thread.join(STOP_TIMEOUT_S)

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        except Exception as error:  # noqa: BLE001 - whatever it is, start() raises it
            self._error = error
        finally:
            self._started.set()

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._stop = asyncio.Event()
        await serve(self.state, ready=self._ready, stop=self._stop, log=self._log)

    def _ready(self, port: int) -> None:
        self._port = port
        self._started.set()


class ProcessHost:
    """Runs the server in a child that ends when this process does, however it ends."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._child: subprocess.Popen[bytes] | None = None

    def start(self) -> int:
        """Start the child and hand it its configuration over its standard input."""
        root = str(Path(__file__).resolve().parents[2])
        inherited = os.environ.get("PYTHONPATH")
        path = os.pathsep.join([root, inherited] if inherited else [root])
        self._child = subprocess.Popen(
            [sys.executable, "-m", "kalibr_bench.provider", "--child"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=os.environ | {"PYTHONPATH": path},
        )
        stdin, stdout = self._child.stdin, self._child.stdout
        assert stdin is not None
        assert stdout is not None
        stdin.write(json.dumps(asdict(self._config)).encode() + b"\n")
        stdin.flush()
        answer = json.loads(stdout.readline() or b'{"error": "the provider process died"}')
        if "error" in answer:
            self.stop()
            raise OSError(answer["error"])
        return int(answer["port"])

    def stop(self) -> None:
        """Close the child's standard input, at which it ends; kill it if it does not."""
        child = self._child
        if child is None:
            return
        assert child.stdin is not None
        assert child.stdout is not None
        child.stdin.close()
        try:
            child.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()
        child.stdout.close()
