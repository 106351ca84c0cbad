"""A local server that hands requests on to a real provider and spoils answers on the way back.

Injection happens after the model has run and before its answer is judged, by the model that was
*requested*: real providers answer with dated names. Clients send a token of their own; the real key
stays in here.
"""

from __future__ import annotations

import asyncio
import json
import threading
from collections import Counter
from collections.abc import Coroutine
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from kalibr_bench.provider import Answer, Degradation
from kalibr_bench.provider.draws import Draws, key_of
from kalibr_bench.provider.injection import spoil

if TYPE_CHECKING:
    import aiohttp
    from aiohttp import web

TIMEOUT_S = 120.0
START_S = 10.0
REFUSED = (401, 403)


class ProviderRefused(RuntimeError):
    """The provider does not take the key."""


class Passthrough:
    """Serves one OpenAI-compatible upstream.

    Args:
        upstream: Its base URL.
        key: The key that it wants.
        seed: Of the injection; draws are shared by all clients, as the loopback provider's.
    """

    def __init__(self, upstream: str, *, key: str, seed: int = 0) -> None:
        self._upstream = upstream.rstrip("/")
        self._key = key
        self._seed = seed
        self._rules: list[Degradation] = []
        self._seen: Counter[tuple[str, str]] = Counter()
        self._port = 0
        self._refused: int | None = None
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._runner: web.AppRunner | None = None
        self._session: aiohttp.ClientSession | None = None

    @property
    def base_url(self) -> str:
        """What an OpenAI client takes as ``base_url``."""
        return f"http://127.0.0.1:{self._port}/v1"

    def degrade(self, model: str, *, rate: float, when: tuple[int, int] | None) -> None:
        """Spoil a requested model's answers, as `LoopbackProvider.degrade`."""
        self._rules.append(Degradation(model=model, rate=rate, when=when))

    def restore(self, model: str) -> None:
        """Drop a model's degradations."""
        self._rules = [rule for rule in self._rules if rule.model != model]

    def check(self) -> None:
        """Raise ProviderRefused if the upstream has refused the key: the rest is worthless."""
        if self._refused is not None:
            raise ProviderRefused(f"{self._upstream} answers {self._refused}: check the key")

    def __enter__(self) -> Self:
        self._thread.start()
        self._wait(self._start())
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._wait(self._stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(START_S)
        self._loop.close()

    def _wait(self, work: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(START_S)

    async def _start(self) -> None:
        import aiohttp
        from aiohttp import web

        self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=TIMEOUT_S))
        app = web.Application()
        app.router.add_post("/v1/chat/completions", self._chat)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.2)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self._port = int(self._runner.addresses[0][1])

    async def _stop(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()
        if self._session is not None:
            await self._session.close()

    async def _chat(self, request: web.Request) -> web.Response:
        from aiohttp import ClientError, web

        asked = json.loads(await request.read())
        token = request.headers.get("Authorization", "")
        try:
            status, body = await self._forward(asked)
        except (ClientError, TimeoutError) as error:
            message = {"error": {"message": f"upstream: {type(error).__name__}"}}
            return web.json_response(message, status=502)
        if status in REFUSED:
            self._refused = status
        if status == 200:
            body = self._after(asked, token, body)
        return web.Response(body=body, status=status, content_type="application/json")

    async def _forward(self, asked: dict[str, Any]) -> tuple[int, bytes]:
        assert self._session is not None
        url = f"{self._upstream}/chat/completions"
        headers = {"Authorization": f"Bearer {self._key}"}
        async with self._session.post(url, json=asked, headers=headers) as response:
            return response.status, await response.read()

    def _after(self, asked: dict[str, Any], token: str, body: bytes) -> bytes:
        """The answer as it leaves: spoilt, if a rule and chance will it so."""
        model, number = str(asked.get("model")), int(asked.get("seed") or 0)
        prompt = json.dumps(asked.get("messages"), sort_keys=True)
        what = f"{number}\x1f{model}\x1f{prompt}"
        n = self._seen[token, what]
        self._seen[token, what] += 1
        rule = self._rule(model, number)
        draws = Draws(key=key_of("injection", self._seed, what, n))
        if rule is None or draws.uniform("injection") >= rule.rate:
            return body
        return _spoilt(body, draws.pick("injection kind", rule.kinds), draws)

    def _rule(self, model: str, number: int) -> Degradation | None:
        for rule in self._rules:
            if rule.model == model and (rule.when is None or rule.when[0] <= number < rule.when[1]):
                return rule
        return None


def _spoilt(body: bytes, kind: str, draws: Draws) -> bytes:
    value = json.loads(body)
    for choice in value.get("choices", []):
        message = choice["message"]
        message["content"] = spoil(Answer(text=message.get("content")), kind, draws).text
        choice["finish_reason"] = "stop"
    return json.dumps(value).encode()
