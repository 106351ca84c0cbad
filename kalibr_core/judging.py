"""Gate 2 at work: answers are judged in the background, after they have gone back to the caller.

Threads take what is to be judged from a bounded queue, so that it works the same in scripts, in
event loops and in notebooks. What goes wrong here is no evidence, is counted, and fails no call.
"""

from __future__ import annotations

import atexit
import inspect
import logging
import os
import queue
import threading
import time
import weakref
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .arguments import arguments_of, for_create
from .clients import redact
from .gates.judge import SCHEMA, Judge, Judgement, judgement_in, judgement_of, messages_for
from .prices import cost_usd, price_of
from .providers import Endpoint, endpoint_of
from .sampling import Sampler
from .types import Decision, Path, Usage

if TYPE_CHECKING:
    import random

log = logging.getLogger("kalibr")

DAY_S = 86_400.0
MOST_TOKENS = 300
"""Of a judge's answer."""
IDLE_S = 5.0
"""A worker that has had nothing to do for so long ends; the next judgement starts one anew."""
POLL_S = 0.01


@dataclass(frozen=True, slots=True)
class Work:
    """One answer to be judged; held in memory until it is."""

    decision_id: str
    path_id: str
    model: str
    request: str
    output: str


class Judging:
    """Judges one goal's answers.

    Args:
        told: gets each score: the work, the score, and what goes into the record beside it.
        base_url: the Router's server, for judges that name none of their own.
        api_key: the key for that server.

    Raises:
        ConfigError: a judge has no key, or no known server.
    """

    def __init__(
        self,
        judge: Judge,
        *,
        told: Callable[[Work, float, Mapping[str, Any]], object],
        rng: random.Random,
        wall: Callable[[], float] = time.time,
        base_url: str | None = None,
        api_key: str | None = None,
    ) -> None:
        self.judge = judge
        self.counts: Counter[str] = Counter()
        """`judged`, and what came to nothing: `full`, `budget`, `failed`, `unreadable`, `left`."""
        self.spent_usd = 0.0
        """Of all judgements of this process, as far as their cost is known."""
        self._told = told
        self._wall = wall
        self._judges = [
            (path, endpoint_of(path, base_url=base_url, api_key=api_key if base_url else None))
            for path in judge.paths
        ]
        self._sampler = Sampler(judge.rate, informative=judge.sampling == "informative", rng=rng)
        self._day = self._today_usd = 0.0
        self._warned: set[str] = set()
        self._closed = False
        self._begin()

    def offer(self, decision: Decision, request: str, output: str) -> None:
        """Take an answer to be judged, or leave it: by the rate, or where the queue is full."""
        if self._pid != os.getpid():
            self._begin()
            self._sampler.forked()
        if self._closed or not output or not self._sampler.draws(decision.path.id):
            return
        work = Work(decision.id, decision.path.id, decision.path.model, request, output)
        try:
            self._queue.put_nowait(work)
        except queue.Full:
            self._count("full")
            return
        if self._workers < self.judge.concurrency:
            self._start()

    def close(self, *, within_s: float | None = None) -> None:
        """Take nothing more, and wait for what is under way; what is not done then is left."""
        self._closed = True
        ends = time.monotonic() + (self.judge.drain_s if within_s is None else within_s)
        while self._under_way and self._pid == os.getpid() and time.monotonic() < ends:
            time.sleep(POLL_S)
        while True:
            try:
                self._queue.get_nowait()
            except queue.Empty:
                return
            self._count("left")

    @property
    def _under_way(self) -> int:
        return self._queue.qsize() + self._busy

    def _begin(self) -> None:
        """Threads do not go along into a forked child, nor what they had to do."""
        self._pid = os.getpid()
        self._lock = threading.Lock()
        self._queue: queue.Queue[Work] = queue.Queue(self.judge.queue)
        self._workers = self._busy = 0
        self._clients: dict[str, Any] = {}

    def _start(self) -> None:
        with self._lock:
            if self._workers >= self.judge.concurrency:
                return
            self._workers += 1
        _drain_at_exit(self)
        threading.Thread(target=self._work, name="kalibr-judge", daemon=True).start()

    def _work(self) -> None:
        mine = self._queue
        while True:
            try:
                work = mine.get(timeout=IDLE_S)
            except queue.Empty:
                with self._lock:
                    if mine.empty():  # none came while the lock was waited for
                        self._workers -= 1
                        return
                continue
            with self._lock:
                self._busy += 1
            try:
                self._do(work)
            finally:
                with self._lock:
                    self._busy -= 1

    def _do(self, work: Work) -> None:
        try:
            found = self._judged(work)
        except Exception as error:  # noqa: BLE001  # a judge may raise anything
            self._count("failed")
            self._warn("failed", f"the judge failed with {type(error).__name__}")
            return
        if found is None:
            return
        judgement, beside = found
        if judgement is None:
            self._count("unreadable")
            self._warn("unreadable", "the judge answered with no score in [0, 1]")
            return
        self._count("judged")
        self._told(work, judgement.score, beside)

    def _judged(self, work: Work) -> tuple[Judgement | None, Mapping[str, Any]] | None:
        """The judgement and what is recorded beside it; None: there is none to be made."""
        if self.judge.function is not None:
            said = self.judge.function(work.request, work.output)
            if inspect.isawaitable(said):
                said = _awaited(said, self.judge.timeout_s)
            return judgement_of(said), {"judge": "function"}
        if not self._may_spend():
            self._count("budget")
            return None
        path, endpoint = self._other_than(work.model)
        answer = self._asked(path, endpoint, work)
        usage = _usage_of(answer)
        cost = cost_usd(price_of(path, provider=endpoint.provider), usage)
        self._spend(cost)
        text = answer.choices[0].message.content if answer.choices else None
        return judgement_in(text), {"judge": path.id, "cost_usd": cost}

    def _other_than(self, model: str) -> tuple[Path, Endpoint]:
        """The first judge that is another model than the one that made the output."""
        for path, endpoint in self._judges:
            if path.model != model:
                return path, endpoint
        return self._judges[0]

    def _asked(self, path: Path, endpoint: Endpoint, work: Work) -> Any:
        import openai

        from .time_limit import TimeLimit, keep_limits

        client = self._clients.get(path.id)
        if client is None:
            http: Any = openai.DefaultHttpxClient(follow_redirects=False)
            client = self._clients[path.id] = openai.OpenAI(
                api_key=endpoint.api_key,
                base_url=endpoint.base_url,
                max_retries=0,
                http_client=keep_limits(http),
            )
        asked = {
            "messages": messages_for(self.judge.rubric, work.request, work.output),
            "temperature": 0.0,
            "max_tokens": MOST_TOKENS,
            "response_format": _format_of(endpoint),
        }
        arguments = for_create(arguments_of(path, endpoint, asked))
        try:
            with TimeLimit(self.judge.timeout_s):
                return client.chat.completions.create(**arguments, timeout=self.judge.timeout_s)
        except Exception as error:
            redact(error, (endpoint.api_key,))
            raise

    def _may_spend(self) -> bool:
        with self._lock:
            day = self._wall() // DAY_S
            if day != self._day:
                self._day, self._today_usd = day, 0.0
            budget = self.judge.daily_budget_usd
            return budget is None or self._today_usd < budget

    def _spend(self, cost: float | None) -> None:
        if cost is None:
            self._warn("price", "the judge's price is unknown: its budget cannot be kept")
            return
        with self._lock:
            self._today_usd += cost
            self.spent_usd += cost

    def _count(self, what: str) -> None:
        with self._lock:
            self.counts[what] += 1

    def _warn(self, what: str, text: str) -> None:
        if what not in self._warned:
            self._warned.add(what)
            log.warning("kalibr: %s; such answers count as not judged", text)


def _format_of(endpoint: Endpoint) -> dict[str, Any]:
    """Servers of other makes know JSON, and not schemas; what comes is validated in any case."""
    if endpoint.provider in ("openai", "google", None):
        inner = {"name": "judgement", "strict": True, "schema": SCHEMA}
        return {"type": "json_schema", "json_schema": inner}
    return {"type": "json_object"}


def _usage_of(answer: Any) -> Usage | None:
    from .answers import read_usage

    return read_usage(getattr(answer, "usage", None))


def _awaited(said: Any, timeout_s: float) -> object:
    import asyncio

    async def waited() -> object:
        async with asyncio.timeout(timeout_s):
            return await said

    return asyncio.run(waited())


_at_exit: weakref.WeakSet[Judging] = weakref.WeakSet()


def _drain_at_exit(judging: Judging) -> None:
    """Have what is under way at the end of the program waited for."""
    if not _at_exit:
        atexit.register(_drain)
    _at_exit.add(judging)


def _drain() -> None:
    for judging in list(_at_exit):
        judging.close()
