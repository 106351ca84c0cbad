"""The control endpoints: how a test or benchmark steers a provider in any thread or process."""

from __future__ import annotations

import hmac
import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, replace
from typing import Any

from aiohttp import web

from kalibr_bench.provider.answer import as_answer
from kalibr_bench.provider.fault import Fault
from kalibr_bench.provider.injection import Degradation
from kalibr_bench.provider.state import State
from kalibr_bench.provider.stats import Received, to_json
from kalibr_bench.provider.wire import compact

Arguments = Mapping[str, Any]


class Control:
    """Answers ``POST /__control__/OPERATION`` with ``{"value": ...}`` or ``{"error": text}``."""

    def __init__(self, state: State, open_connections: Callable[[], int]) -> None:
        self._state = state
        self._open_connections = open_connections
        self._operations: dict[str, Callable[[Arguments], Any]] = {
            "degrade": lambda a: state.degrade(Degradation(**a)),
            "restore": lambda a: state.restore(a["model"], a["token"]),
            "fault": lambda a: state.fault(a["model"], Fault(**a["fault"]), a["token"]),
            "clear_faults": lambda a: state.clear_faults(a["model"], a["token"]),
            "script": self._script,
            "reset": lambda a: state.reset(),
            "stats": self._stats,
            "requests": self._requests,
        }

    async def handle(self, request: web.BaseRequest) -> web.Response:
        """Serve one control request; without the provider's own token it is a 404."""
        sent = request.headers.get("x-control-token", "")
        operation = self._operations.get(request.path.removeprefix("/__control__/"))
        if operation is None or not hmac.compare_digest(sent, self._state.config.control_token):
            return web.Response(status=404)
        try:
            result = {"value": operation(json.loads(await request.read()))}
        except (ValueError, TypeError, KeyError) as error:
            result = {"error": str(error)}
        return web.Response(body=compact(result), content_type="application/json")

    def _script(self, arguments: Arguments) -> None:
        answers = [as_answer(answer) for answer in arguments["answers"]]
        self._state.script(arguments["model"], answers, arguments["token"])

    def _stats(self, arguments: Arguments) -> dict[str, Any]:
        open_connections = self._open_connections()
        return to_json(self._state.stats(arguments["token"], open_connections=open_connections))

    def _requests(self, arguments: Arguments) -> list[dict[str, Any]]:
        found = self._state.received(arguments["model"], arguments["token"])
        return [asdict(_plain(received)) for received in found]


def _plain(received: Received) -> Received:
    headers = {name.lower(): value for name, value in received.headers.items()}
    headers.pop("authorization", None)
    return replace(received, headers=headers)
