"""The provider as its users see it."""

from __future__ import annotations

import http.client
import json
import secrets
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, replace
from types import TracebackType
from typing import Any, Self

from kalibr_bench.provider import answer as answers
from kalibr_bench.provider import stats as counts
from kalibr_bench.provider.answer import Answer, as_answer
from kalibr_bench.provider.conversation import Player
from kalibr_bench.provider.fault import Fault
from kalibr_bench.provider.host import Host, ProcessHost, ThreadHost
from kalibr_bench.provider.injection import INJECTION_KINDS, Degradation
from kalibr_bench.provider.models import DEFAULT_MODELS, Model, catalogue
from kalibr_bench.provider.state import Config, Responder
from kalibr_bench.provider.stats import Received, Stats

CONTROL_TIMEOUT_S = 60.0


class LoopbackProvider:
    """An OpenAI-compatible provider on 127.0.0.1, with real HTTP and no real model.

    Chance: whether an answer is good, whether it is spoilt and how, and its latency are a pure
    function of (the provider's seed, the request's ``seed`` or 0, the requested model, the
    messages, n), where n counts how often this API token has sent this prompt with this seed to
    this model. So two routers with different API keys that send the same prompts meet the same
    luck, in whatever order and however concurrently, and a retry draws anew.

    Args:
        models: What is served.
        seed: Seed of all chance.
        latency_scale: Factor on the models' latencies, >= 0; 0 answers at once.
        quality: Set on every model, in [0, 1]; None keeps each model's own. With 1.0 no answer is
            flawed but by script: the choice for tests that count calls.
        port: TCP port; 0 takes a free one.
        process: Run the server in a process of its own, which does not share this one's
            interpreter lock; else in a daemon thread.
        responder: Called in the server's thread with each request's body, for an answer: an
            Answer, text, a Fault, or None for the model's own answer. Only in thread mode.
        players: By model name, what plays it: called in the server's thread with each
            `Conversation` that reaches the model, for an answer as a responder gives it. Only in
            thread mode.
        keep_requests: How many received requests are remembered, >= 0.
        log: Called with one line per request. Only in thread mode.

    Example:
        >>> with LoopbackProvider() as provider:
        ...     provider.base_url.startswith("http://127.0.0.1:")
        True
    """

    def __init__(
        self,
        models: Iterable[Model] = DEFAULT_MODELS,
        *,
        seed: int = 0,
        latency_scale: float = 0.0,
        quality: float | None = None,
        port: int = 0,
        process: bool = False,
        responder: Responder | None = None,
        players: Mapping[str, Player] | None = None,
        keep_requests: int = 1000,
        log: Callable[[str], None] | None = None,
    ) -> None:
        if not latency_scale >= 0.0:
            raise ValueError(f"latency_scale must be >= 0, got {latency_scale!r}")
        if process and (responder is not None or players or log is not None):
            raise ValueError("responder, players and log need thread mode: pass process=False")
        self.models = tuple(
            model if quality is None else replace(model, quality=quality) for model in models
        )
        catalogue(self.models)
        self._config = Config(
            models=self.models,
            seed=seed,
            latency_scale=latency_scale,
            port=port,
            control_token=secrets.token_urlsafe(24),
            keep_requests=keep_requests,
        )
        self._host: Host = (
            ProcessHost(self._config)
            if process
            else ThreadHost(self._config, responder=responder, players=players, log=log)
        )
        self._port: int | None = None
        self._closed = False

    # -- life ---------------------------------------------------------------------------------

    def start(self) -> Self:
        """Start serving; a second call does nothing. OSError if the port is taken."""
        if self._closed:
            raise RuntimeError("this provider has been closed; make a new one")
        if self._port is None:
            self._port = self._host.start()
        return self

    def close(self) -> None:
        """Stop serving and drop all connections; a second call does nothing."""
        if not self._closed:
            self._closed = True
            if self._port is not None:
                self._host.stop()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    @property
    def port(self) -> int:
        """The TCP port; RuntimeError before ``start``."""
        if self._port is None:
            raise RuntimeError("the provider is not running; call start() or use `with`")
        return self._port

    @property
    def base_url(self) -> str:
        """What an OpenAI client takes as ``base_url``."""
        return f"http://127.0.0.1:{self.port}/v1"

    # -- control ------------------------------------------------------------------------------

    def degrade(
        self,
        model: str,
        *,
        rate: float = 0.7,
        kinds: Iterable[str] = INJECTION_KINDS,
        token: str | None = None,
        when: tuple[int, int] | None = None,
        billed: str = "executed",
    ) -> None:
        """Spoil a requested model's answers; see ``Degradation``.

        Of the rules that fit a request, the one added last holds. A benchmark that sends its
        execution's number as the request's ``seed`` needs one call, before it starts:
        ``degrade("gpt-4o", when=(30, 70))`` degrades executions 30 to 69 of every arm, in whatever
        order the arms come. Else each arm, with a token of its own, calls ``degrade`` and
        ``restore`` with ``token=`` between two of its executions.
        """
        rule = Degradation(
            model=model, rate=rate, kinds=tuple(kinds), token=token, when=when, billed=billed
        )
        self._control("degrade", asdict(rule))

    def restore(self, model: str, *, token: str | None = None) -> None:
        """Drop a model's degradations: all of them, or those that were set for one token."""
        self._control("restore", {"model": model, "token": token})

    def fault(self, model: str | None, fault: Fault, *, token: str | None = None) -> None:
        """Arm a fault for a requested model (None: any), for everybody or one API token.

        Faults that fit the same request are tried in the order in which they were armed.
        """
        self._control("fault", {"model": model, "fault": asdict(fault), "token": token})

    def clear_faults(self, model: str | None = None, *, token: str | None = None) -> None:
        """Disarm faults: all of them, or those of one model or token."""
        self._control("clear_faults", {"model": model, "token": token})

    def script(
        self,
        model: str,
        given: Iterable[Answer | Fault | str | Mapping[str, Any]],
        *,
        token: str | None = None,
    ) -> None:
        """Queue exact answers, used in order by the requests that reach the model.

        They are sent as they are: no flaw, injection, ``stop`` or ``max_tokens`` touches them. A
        bare Fault takes the model's own good answer.
        """
        queue = [answers.to_json(as_answer(one)) for one in given]
        self._control("script", {"model": model, "answers": queue, "token": token})

    def reset(self) -> None:
        """Forget faults, degradations, scripts, counts and how often prompts were seen."""
        self._control("reset", {})

    # -- what happened ------------------------------------------------------------------------

    def stats(self, token: str | None = None) -> Stats:
        """Counts of everybody or of one API token."""
        return counts.from_json(self._control("stats", {"token": token}))

    def requests(self, model: str | None = None, *, token: str | None = None) -> list[Received]:
        """The last chat requests with a key, oldest first, at most ``keep_requests``."""
        found = self._control("requests", {"model": model, "token": token})
        return [Received(**one) for one in found]

    def _control(self, operation: str, arguments: Mapping[str, Any]) -> Any:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=CONTROL_TIMEOUT_S)
        headers = {"x-control-token": self._config.control_token, "Connection": "close"}
        try:
            path = f"/__control__/{operation}"
            connection.request("POST", path, body=json.dumps(arguments), headers=headers)
            result = json.loads(connection.getresponse().read())
        finally:
            connection.close()
        if "error" in result:
            raise ValueError(result["error"])
        return result["value"]
