"""The HTTP server: routes, keys, errors, counts."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any
from weakref import WeakSet

from aiohttp import web

from kalibr_bench.provider.decide import Turn, decide
from kalibr_bench.provider.models import Model
from kalibr_bench.provider.problem import Problem, no_key
from kalibr_bench.provider.serving import transport
from kalibr_bench.provider.serving.control import Control
from kalibr_bench.provider.serving.reply import Reply
from kalibr_bench.provider.state import State
from kalibr_bench.provider.stats import Received
from kalibr_bench.provider.validation import read_request
from kalibr_bench.provider.wire import compact

MAX_BODY_BYTES = 64 * 1024 * 1024
BACKLOG = 1024
SHUTDOWN_S = 0.2
_log = logging.getLogger(__name__)


class Server:
    """Serves one State on 127.0.0.1; start and stop it on one event loop."""

    def __init__(self, state: State, *, log: Callable[[str], None] | None = None) -> None:
        self._state = state
        self._log = log
        self._callers: WeakSet[asyncio.BaseTransport] = WeakSet()
        self._low = web.Server(
            self._handle, request_factory=_request, handler_cancellation=True, access_log=None
        )
        self._runner = web.ServerRunner(self._low, shutdown_timeout=SHUTDOWN_S)
        self._control = Control(state, self.open_connections)
        self._stopping = False

    async def start(self) -> int:
        """Listen; returns the port."""
        await self._runner.setup()
        config = self._state.config
        site = web.TCPSite(self._runner, "127.0.0.1", config.port, backlog=BACKLOG)
        await site.start()
        return int(self._runner.addresses[0][1])

    async def stop(self) -> None:
        """Stop listening and drop all connections."""
        self._stopping = True
        await self._runner.cleanup()

    def open_connections(self) -> int:
        """Connections open now that have carried an API request."""
        return sum(not transport.is_closing() for transport in self._callers)

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        try:
            if request.path.startswith("/__control__/"):
                return await self._control.handle(request)
            if request.transport is not None:
                self._callers.add(request.transport)
            token = _bearer(request)
            if request.path.endswith("/chat/completions") and request.method == "POST":
                return await self._chat(request, token)
            return self._other(request)
        except Problem as problem:
            return _refused(problem)
        except ConnectionError:  # the client has left, and nobody reads an answer
            return _nothing(request)

    def _other(self, request: web.BaseRequest) -> web.StreamResponse:
        root, _, name = request.path.partition("/models")
        if request.method != "GET" or "/models" not in request.path or root.count("/") > 3:
            where = f"{request.method} {request.path}"
            raise Problem(404, f"Invalid URL ({where})", code="unknown_url")
        if name.strip("/"):
            return _json(_model_body(self._state.model(name.strip("/"))))
        listed = [_model_body(model) for model in self._state.config.models]
        return _json({"object": "list", "data": listed})

    # -- chat ---------------------------------------------------------------------------------

    async def _chat(self, request: web.BaseRequest, token: str) -> web.StreamResponse:
        raw = await request.read()
        seen = Received(
            token=token,
            path=request.path,
            model=None,
            headers=request.headers,
            body=None,
            outcome="",
        )
        try:
            chat = read_request(raw)
            seen = replace(seen, model=chat.model, body=chat.body)
            turn = decide(self._state, chat, token)
        except Problem as problem:
            self._refuse(seen, problem)
            raise
        except Exception as error:
            _log.exception("the responder, or the provider itself, failed")
            broken = Problem(500, f"{type(error).__name__}: {error}", type="server_error")
            self._refuse(seen, broken)
            raise broken from error
        self._state.note(replace(seen, model=turn.model.name, outcome=turn.outcome, n=turn.n))
        return await self._served(request, turn)

    def _refuse(self, seen: Received, problem: Problem) -> None:
        self._state.note(replace(seen, outcome=f"error:{problem.status}"))
        model = self._state.catalogue.get(seen.model or "")
        if model is not None and seen.token is not None:
            tally = self._state.tally(seen.token, model.name)
            tally.counts["requests"] += 1
            tally.failed[problem.body["error"]["code"] or f"status_{problem.status}"] += 1

    async def _served(self, request: web.BaseRequest, turn: Turn) -> web.StreamResponse:
        tally = self._state.tally(turn.token, turn.model.name)
        self._book(turn)
        reply = Reply(request=request, turn=turn, latency_scale=self._state.config.latency_scale)
        started = time.perf_counter()
        tally.counts["in_flight"] += 1
        try:
            return await reply.send()
        except (asyncio.CancelledError, ConnectionError):
            if not self._stopping:
                tally.counts["closed_early"] += 1
            raise
        finally:
            tally.counts["in_flight"] -= 1
            self._finish(reply, (time.perf_counter() - started) * 1000)

    def _book(self, turn: Turn) -> None:
        tally = self._state.tally(turn.token, turn.model.name)
        tally.counts["requests"] += 1
        cause, _, kind = turn.outcome.partition(":")
        if cause == "fault":
            tally.failed[kind] += 1
        elif cause in ("injected", "flawed"):
            tally.counts[cause] += 1

    def _finish(self, reply: Reply, spent_ms: float) -> None:
        turn = reply.turn
        if reply.complete:
            counts = self._state.tally(turn.token, turn.model.name).counts
            counts["completions"] += 1
            counts["prompt_tokens"] += turn.chat.prompt_tokens
            counts["completion_tokens"] += turn.completion_tokens
        if self._log is not None:
            self._log(
                f"{turn.model.name} {turn.outcome} {turn.chat.prompt_tokens}+"
                f"{turn.completion_tokens} tokens {spent_ms:.1f} ms"
            )


def _request(
    message: Any, payload: Any, protocol: Any, writer: Any, task: asyncio.Task[None]
) -> web.BaseRequest:
    """A request whose body may be larger than aiohttp's one MiB: pictures travel in it."""
    loop = asyncio.get_running_loop()
    return web.BaseRequest(
        message, payload, protocol, writer, task, loop, client_max_size=MAX_BODY_BYTES
    )


def _bearer(request: web.BaseRequest) -> str:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise no_key()
    return token.strip()


def _json(body: dict[str, Any], *, status: int = 200) -> web.Response:
    return web.Response(body=compact(body), status=status, content_type="application/json")


def _refused(problem: Problem) -> web.Response:
    response = _json(problem.body, status=problem.status)
    response.headers.update(problem.headers)
    return response


def _nothing(request: web.BaseRequest) -> web.Response:
    transport.hang_up(request)
    return web.Response()


def _model_body(model: Model) -> dict[str, Any]:
    return {"id": model.name, "object": "model", "created": 1_715_367_049, "owned_by": "loopback"}
