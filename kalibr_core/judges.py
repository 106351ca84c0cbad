"""Who judges, and what is asked of it: models by their own clients, never routed; or a function."""

from __future__ import annotations

import inspect
import threading
from collections.abc import Awaitable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from .budget import Budget
from .errors import ConfigError
from .features import estimate_tokens
from .gates.judge import (
    Judge,
    JudgeFunction,
    Judgement,
    conversation_for,
    judgement_in,
    judgement_of,
    messages_for,
)
from .gates.shown import Shown
from .judge_clients import MOST_TOKENS, JudgeClients
from .prices import cost_usd, price_of
from .providers import NO_KEY, Endpoint, endpoint_of
from .scores import no_score
from .types import Path, Usage

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
        try:
            found.append((path, _judges_endpoint(path, keys, base_url)))
        except ConfigError as error:
            raise ConfigError(f"the judge's model: {error}") from None
    return found


def _judges_endpoint(path: Path, keys: Mapping[str, str], base_url: str | None) -> Endpoint:
    server = base_url if path.base_url is None else None
    key = None
    if path.api_key is None and path.api_key_env is None:
        asked_at = endpoint_of(path, base_url=server, api_key="any").base_url
        key = keys.get(asked_at.rstrip("/"))
    return endpoint_of(path, base_url=server, api_key=key)


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


class Models:
    """Judges by models."""

    def __init__(
        self, judge: Judge, judges: Sequence[tuple[Path, Endpoint]], budget: Budget
    ) -> None:
        self._judge = judge
        self._judges = judges
        self._budget = budget
        self._prices = {p.id: price_of(p, provider=e.provider) for p, e in judges}
        self._clients = JudgeClients()

    @property
    def priced(self) -> bool:
        """Is every judge's price known? Else the budget cannot be kept."""
        return None not in self._prices.values()

    def forked(self) -> None:
        """Neither connections nor held locks go along into a child."""
        self._budget.forked()
        self._clients.forked()

    def close(self) -> None:
        self._clients.close()

    def judged(self, shown: Shown, model: str) -> Made | None:
        """Ask the first judge that is another model than made the output; None: no money is left.

        Raises:
            Exception: the client's own, without the key in its text.
        """
        path, endpoint = self._other_than(model)
        price = self._prices[path.id]
        messages = messages_for(self._judge.rubric, shown.request, shown.output, shown.conversation)
        guess = _guessed(messages)
        reserved = self._budget.reserve(cost_usd(price, guess) or 0.0)
        if reserved is None:
            return None
        cost = reserved.usd  # a server that is left may bill all the same
        try:
            answer = self._clients.ask(path, endpoint, messages, timeout_s=self._judge.timeout_s)
            cost = cost_usd(price, answer.usage or guess) or 0.0
        except Exception as error:
            if getattr(error, "status_code", None) is not None:
                cost = 0.0  # one that refuses does not
            raise
        finally:
            self._budget.settle(reserved, cost)
        return judgement_in(answer.text), {"judge": path.id, "cost_usd": cost if price else None}

    def _other_than(self, model: str) -> tuple[Path, Endpoint]:
        for path, endpoint in self._judges:
            if _bare(path.model) != _bare(model):
                return path, endpoint
        return self._judges[0]


class Function:
    """Judges by a function of the user's; an async one in an event loop that stays."""

    def __init__(self, judge: Judge, function: JudgeFunction) -> None:
        self._timeout_s = judge.timeout_s
        self._function = function
        self._name = name_of(function)
        self.forked()

    def forked(self) -> None:
        self._lock = threading.Lock()
        self._loop: Any = None

    def close(self) -> None:
        with self._lock:
            if self._loop is not None:
                self._loop.call_soon_threadsafe(_stop, self._loop)
                self._loop = None

    def judged(self, shown: Shown, model: str) -> Made | None:
        """Call the function.

        Raises:
            Exception: the function's own; TimeoutError: an async one took too long.
        """
        besides = conversation_for(self._function, list(shown.conversation))
        said = self._function(shown.request, shown.output, **besides)
        if inspect.isawaitable(said):
            said = self._awaited(said)
        found = judgement_of(said)
        return found, {"judge": self._name} if found else {"said": no_score(said)}

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


def name_of(function: JudgeFunction) -> str:
    """What a function is called in the record; an object by its class.

    >>> name_of(name_of), name_of(lambda request, output: 1.0)
    ('name_of', '<lambda>')
    """
    inner = getattr(function, "func", function)
    return str(getattr(inner, "__name__", type(inner).__name__))


def _bare(model: str) -> str:
    return model.rpartition("/")[2].lower()


def _guessed(messages: Sequence[Mapping[str, str]]) -> Usage:
    """Before it is known, or where the server tells nothing."""
    given = sum(estimate_tokens(message["content"]) + 4 for message in messages)
    return Usage(input_tokens=given, output_tokens=MOST_TOKENS // 4)
