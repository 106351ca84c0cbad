"""Sends a decided request's response: whole, slowly, or not at all."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from kalibr_bench.provider.decide import Turn
from kalibr_bench.provider.draws import key_of
from kalibr_bench.provider.fault import HTTP_FAULTS, Fault
from kalibr_bench.provider.problem import of_fault
from kalibr_bench.provider.serving import transport
from kalibr_bench.provider.serving.events import CUT, RESET, Pause, Step, Token, steps_of
from kalibr_bench.provider.wire import compact, completion_body, head_of, usage_body

PAGE = b"""<!DOCTYPE html>
<html><head><title>502 Bad Gateway</title></head>
<body><center><h1>502 Bad Gateway</h1></center><hr><center>nginx</center></body></html>
"""
_TICK_S = 0.02
_JITTER = 0.25


@dataclass(slots=True, kw_only=True)
class Reply:
    """One response on its way.

    Attributes:
        request: The HTTP request.
        turn: What was decided.
        latency_scale: Factor on the model's latency, >= 0.
        complete: Whether an answer went out whole.
    """

    request: web.BaseRequest
    turn: Turn
    latency_scale: float
    complete: bool = False

    async def send(self) -> web.StreamResponse:
        """Send it; returns the response for aiohttp to finish."""
        fault = self.turn.fault
        if fault is not None and not self.turn.answers:
            return await self._unanswered(fault)
        if self.turn.chat.stream:
            return await self._stream()
        return await self._whole()

    # -- no answer ----------------------------------------------------------------------------

    async def _unanswered(self, fault: Fault) -> web.StreamResponse:
        if fault.kind in HTTP_FAULTS:
            if fault.delay_s:
                await asyncio.sleep(fault.delay_s)
            raise of_fault(fault)
        if fault.kind == "html":
            page = (fault.message or "").encode() or PAGE
            return web.Response(body=page, status=fault.status or 200, content_type="text/html")
        if fault.kind == "trickle":
            return await self._trickle(fault)
        if fault.kind == "hang":
            await transport.wait(fault.delay_s)
        return await self._reset()

    async def _reset(self) -> web.StreamResponse:
        await transport.reset(self.request)
        return web.Response()

    async def _trickle(self, fault: Fault) -> web.StreamResponse:
        stream = self.turn.chat.stream
        beat = b": keep-alive\n\n" if stream else b"\n"
        response = await self._opened("text/event-stream" if stream else "application/json")
        while True:
            await response.write(beat)
            await asyncio.sleep(fault.pause_s)

    # -- a whole answer -----------------------------------------------------------------------

    async def _whole(self) -> web.StreamResponse:
        turn, fault = self.turn, self.turn.fault
        kind = fault.kind if fault else None
        await transport.wait(self._first_s() + self._rest_s())
        if fault is not None and kind == "slow_first_token":
            await asyncio.sleep(fault.pause_s)
        usage = None if kind == "no_usage" else self._usage()
        body = compact(completion_body(self._head(), turn.answers, usage))
        if kind == "cut_body":
            return await self._half(body)
        if kind == "cut_json":
            body = body[: len(body) // 2]
        self.complete = True
        return web.Response(
            body=body, content_type="application/json", headers={"x-request-id": self._id("req_")}
        )

    async def _half(self, body: bytes) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "application/json"})
        response.content_length = len(body)
        await response.prepare(self.request)
        await response.write(body[: len(body) // 2])
        transport.hang_up(self.request)
        return response

    # -- a stream -----------------------------------------------------------------------------

    async def _stream(self) -> web.StreamResponse:
        await transport.wait(self._first_s())
        response = await self._opened("text/event-stream; charset=utf-8")
        pace = self.latency_scale / self.turn.model.tokens_per_s
        held: list[bytes] = []
        owed_s = 0.0
        for step in steps_of(self.turn, self._head(), self._usage()):
            if isinstance(step, Token):
                owed_s += pace
                held.append(step.event)
            elif isinstance(step, bytes):
                held.append(step)
            if isinstance(step, Pause | str) or owed_s >= _TICK_S:
                await self._flush(response, held)
                await transport.wait(owed_s)
                owed_s = 0.0
                if await self._broken(step):
                    return response
        await response.write_eof(b"".join(held))
        self.complete = True
        return response

    async def _flush(self, response: web.StreamResponse, held: list[bytes]) -> None:
        if held:
            await response.write(b"".join(held))
            held.clear()

    async def _broken(self, step: Step) -> bool:
        """Carry out a step that is no event; True if it ended the connection."""
        if isinstance(step, Pause):
            await transport.wait(step.seconds)
        elif step == RESET:
            await self._reset()
        elif step == CUT:
            transport.hang_up(self.request)
        return step in (RESET, CUT)

    async def _opened(self, content_type: str) -> web.StreamResponse:
        headers = {"Content-Type": content_type, "Cache-Control": "no-cache"}
        response = web.StreamResponse(headers=headers | {"x-request-id": self._id("req_")})
        response.enable_chunked_encoding()
        await response.prepare(self.request)
        return response

    # -- shared -------------------------------------------------------------------------------

    def _first_s(self) -> float:
        if not self.latency_scale:
            return 0.0
        jitter = self.turn.draws.jitter("latency", sigma=_JITTER)
        return self.latency_scale * self.turn.model.latency_s * jitter

    def _rest_s(self) -> float:
        return self.latency_scale * self.turn.completion_tokens / self.turn.model.tokens_per_s

    def _usage(self) -> dict[str, Any]:
        return usage_body(
            prompt=self.turn.chat.prompt_tokens,
            completion=self.turn.completion_tokens,
            cached=self.turn.answers[0].cached_tokens,
        )

    def _head(self) -> dict[str, Any]:
        return head_of(
            id=self._id("chatcmpl-"),
            created=int(time.time()),
            model=self.turn.served_as,
            fingerprint=f"fp_{key_of(self.turn.served_as).hex()[:10]}",
        )

    def _id(self, prefix: str) -> str:
        return prefix + key_of(prefix, self.turn.draws.key.hex(), self.turn.token).hex()[:29]
