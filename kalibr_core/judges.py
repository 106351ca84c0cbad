"""Who judges, and what is asked of it: models by their own clients, never routed; or a function."""

from __future__ import annotations

import inspect
import threading
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from .answers import read_usage
from .arguments import arguments_of, for_create, has_new_limit, is_plain
from .clients import PATH
from .features import estimate_tokens
from .gates.judge import SCHEMA, Judge, Judgement, judgement_in, judgement_of, messages_for
from .prices import cost_usd, price_of
from .providers import NO_KEY, Endpoint, endpoint_of
from .redaction import redact
from .time_limit import TimeLimit, keep_limits
from .types import Path, Usage

DAY_S = 86_400.0
MOST_TOKENS = 300
"""Of a judge's answer; a model that thinks first sets its own limit."""
DEFAULT_PROVIDER = "deepseek"
DEFAULT_MODELS = ("deepseek-chat", "deepseek-reasoner", "deepseek-coder")
"""DeepSeek's own names: who has one has `deepseek-chat`."""

Made = tuple[Judgement | None, Mapping[str, Any]]
"""A judgement, None where it cannot be read, and what is recorded beside it."""


def judges_of(
    judge: Judge, routed: Mapping[str, Endpoint], *, base_url: str | None
) -> list[tuple[Path, Endpoint]]:
    """The models that judge, and where: a key goes to no server but the one that it is for.

    Args:
        routed: the Router's endpoints, whose keys are for their servers.
        base_url: the Router's server, for judges that name none of their own.

    Raises:
        ConfigError: no key, or no known server.
    """
    keys: dict[str, str] = {}
    for endpoint in routed.values():
        if endpoint.api_key != NO_KEY:
            keys.setdefault(endpoint.base_url.rstrip("/"), endpoint.api_key)
    found = []
    for path in judge.paths:
        server = base_url if path.base_url is None else None
        key = None
        if path.api_key is None and path.api_key_env is None:
            asked_at = endpoint_of(path, base_url=server, api_key="any").base_url
            key = keys.get(asked_at.rstrip("/"))
        found.append((path, endpoint_of(path, base_url=server, api_key=key)))
    return found


def default_judges(
    paths: Sequence[Path], routed: Mapping[str, Endpoint]
) -> list[tuple[Path, Endpoint]]:
    """`deepseek-chat` where one of the paths is asked of the same server, with that path's key.

    Not where the server is one of the user's own that has some model of DeepSeek's by another name.
    """
    for path in paths:
        endpoint = routed.get(path.id)
        if endpoint is None or endpoint.provider != DEFAULT_PROVIDER or path.base_url is not None:
            continue
        if endpoint.model in DEFAULT_MODELS:
            return [(judge, replace(endpoint, model=judge.model)) for judge in Judge().paths]
    return []


class Budget:
    """What a Router's judge may spend in a day (UTC); safe for threads."""

    def __init__(self, daily_usd: float | None, wall: Callable[[], float]) -> None:
        self.spent_usd = 0.0
        """In all."""
        self._daily_usd = daily_usd
        self._wall = wall
        self._day = self._today_usd = 0.0
        self._lock = threading.Lock()

    def reserve(self, usd: float) -> bool:
        """Set an amount aside; False: the day's budget is used up."""
        with self._lock:
            day = self._wall() // DAY_S
            if day != self._day:
                self._day, self._today_usd = day, 0.0
            if self._daily_usd is not None and self._today_usd + usd > self._daily_usd:
                return False
            self._today_usd += usd
            return True

    def settle(self, reserved_usd: float, usd: float) -> None:
        """Put what a judgement has cost in the place of what was set aside."""
        with self._lock:
            self._today_usd = max(self._today_usd + usd - reserved_usd, 0.0)
            self.spent_usd += usd

    def forked(self) -> None:
        """One of the parent's threads may have held the lock."""
        self._lock = threading.Lock()


class Models:
    """Judges by models."""

    def __init__(
        self, judge: Judge, judges: Sequence[tuple[Path, Endpoint]], budget: Budget
    ) -> None:
        self._judge = judge
        self._judges = judges
        self._budget = budget
        self._prices = {p.id: price_of(p, provider=e.provider) for p, e in judges}
        self.forked()

    @property
    def priced(self) -> bool:
        """Is every judge's price known? Else the budget cannot be kept."""
        return None not in self._prices.values()

    def forked(self) -> None:
        """Neither connections nor held locks go along into a child."""
        self._budget.forked()
        self._lock = threading.Lock()
        self._clients: dict[str, Any] = {}

    def close(self) -> None:
        with self._lock:
            while self._clients:
                self._clients.popitem()[1].close()

    def judged(self, request: str, output: str, model: str) -> Made | None:
        """Ask the first judge that is another model than made the output; None: no money is left.

        Raises:
            Exception: the client's own, without the key in its text.
        """
        path, endpoint = self._other_than(model)
        price = self._prices[path.id]
        messages = messages_for(self._judge.rubric, request, output)
        guess = _guessed(messages)
        reserved = cost_usd(price, guess) or 0.0
        if not self._budget.reserve(reserved):
            return None
        cost = reserved  # a server that is left may bill all the same
        try:
            answer = self._asked(path, endpoint, messages)
            usage = read_usage(getattr(answer, "usage", None)) or guess
            cost = cost_usd(price, usage) or 0.0
        except Exception as error:
            if getattr(error, "status_code", None) is not None:
                cost = 0.0  # one that refuses does not
            raise
        finally:
            self._budget.settle(reserved, cost)
        text = answer.choices[0].message.content if answer.choices else None
        return judgement_in(text), {"judge": path.id, "cost_usd": cost if price else None}

    def _other_than(self, model: str) -> tuple[Path, Endpoint]:
        for path, endpoint in self._judges:
            if _bare(path.model) != _bare(model):
                return path, endpoint
        return self._judges[0]

    def _asked(self, path: Path, endpoint: Endpoint, messages: list[dict[str, str]]) -> Any:
        from openai.types.chat import ChatCompletion

        asked: dict[str, Any] = {"messages": messages, "response_format": _format_of(endpoint)}
        if not has_new_limit(endpoint):
            asked |= {"temperature": 0.0, "max_tokens": MOST_TOKENS}
        arguments = arguments_of(path, endpoint, asked)
        client, timeout = self._client(path, endpoint), self._judge.timeout_s
        try:
            with TimeLimit(timeout):
                if is_plain(arguments):
                    options = {"timeout": timeout}
                    return client.post(
                        PATH, cast_to=ChatCompletion, body=arguments, options=options
                    )
                return client.chat.completions.create(**for_create(arguments), timeout=timeout)
        except Exception as error:
            redact(error, (endpoint.api_key,))
            raise

    def _client(self, path: Path, endpoint: Endpoint) -> Any:
        import openai

        with self._lock:
            found = self._clients.get(path.id)
            if found is None:
                http: Any = openai.DefaultHttpxClient(follow_redirects=False)
                found = self._clients[path.id] = openai.OpenAI(
                    api_key=endpoint.api_key,
                    base_url=endpoint.base_url,
                    max_retries=0,
                    http_client=keep_limits(http),
                )
                if not endpoint.is_openais:
                    found.organization = found.project = None
            return found


class Function:
    """Judges by a function of the user's; an async one in an event loop that stays."""

    def __init__(self, judge: Judge, function: Callable[[str, str], object]) -> None:
        self._timeout_s = judge.timeout_s
        self._function = function
        self.forked()

    def forked(self) -> None:
        self._lock = threading.Lock()
        self._loop: Any = None

    def close(self) -> None:
        with self._lock:
            if self._loop is not None:
                self._loop.call_soon_threadsafe(_stop, self._loop)
                self._loop = None

    def judged(self, request: str, output: str, model: str) -> Made | None:
        """Call the function.

        Raises:
            Exception: the function's own; TimeoutError: an async one took too long.
        """
        said = self._function(request, output)
        if inspect.isawaitable(said):
            said = self._awaited(said)
        return judgement_of(said), {"judge": "function"}

    def _awaited(self, said: Awaitable[object]) -> object:
        import asyncio

        async def waited() -> object:
            return await said

        with self._lock:
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
                run, loop = _run, self._loop
                threading.Thread(
                    target=run, args=(loop,), name="kalibr-judge-loop", daemon=True
                ).start()
            future = asyncio.run_coroutine_threadsafe(waited(), self._loop)
        try:
            return future.result(self._timeout_s)
        except BaseException:
            future.cancel()
            raise


def _run(loop: Any) -> None:
    try:
        loop.run_forever()
    finally:
        loop.close()


def _stop(loop: Any) -> None:
    """Cancel what is under way, and end the loop once it knows."""
    import asyncio

    for task in asyncio.all_tasks(loop):
        task.cancel()
    loop.call_soon(loop.stop)


def _bare(model: str) -> str:
    return model.rpartition("/")[2].lower()


def _guessed(messages: Sequence[Mapping[str, str]]) -> Usage:
    """Before it is known, or where the server tells nothing."""
    given = sum(estimate_tokens(message["content"]) + 4 for message in messages)
    return Usage(input_tokens=given, output_tokens=MOST_TOKENS // 4)


def _format_of(endpoint: Endpoint) -> dict[str, Any]:
    """Servers of other makes know JSON, and not schemas; what comes is validated in any case."""
    if endpoint.provider in ("openai", "google", None):
        inner = {"name": "judgement", "strict": True, "schema": SCHEMA}
        return {"type": "json_schema", "json_schema": inner}
    return {"type": "json_object"}
