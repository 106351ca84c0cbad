"""Router: the one object that users and adapters hold."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import (
    AsyncGenerator,
    Awaitable,
    Callable,
    Generator,
    Mapping,
    Sequence,
)
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Literal, TypeVar

from . import drive
from .answers import choices_of, is_content, read_chunks, read_completion
from .bandit import RunLengthPolicy
from .blocks import Blocks
from .booking import Books
from .choice import Choice, Limits, Roster
from .clients import Clients
from .costs import Costs
from .errors import ConfigError, RouterClosed, UnknownDecision
from .explain import Explanation, explain_entries
from .gates.judge import DEFAULT, Judge, JudgeFunction
from .judging import Judging, Work, judging_for
from .learner import Learner
from .ledger import open_ledger
from .options import (
    checked_function,
    checked_goal,
    checked_limits,
    checked_mode,
    checked_policy,
)
from .paths import PathSpec, parse_paths
from .plan import Call, Done, Plan, plan_call
from .ports import Conversations, Gate, Ledger, Policy, Shared
from .prices import price_of
from .providers import endpoints_of
from .reports import Reports
from .requests import Messages, ResponseFormat, asked_of
from .sessions import Sessions
from .streams import AsyncRoutedStream, RoutedStream
from .types import JSON, Attempt, Entry, Output, Path, Request

if TYPE_CHECKING:
    from typing import Self

    from openai.types.chat import ChatCompletion, ChatCompletionChunk

    from .reporter import Reporter
    from .signals import Classify

T = TypeVar("T")
C = TypeVar("C")

log = logging.getLogger("kalibr")

DRAIN_POLL_S = 0.01


class Router:
    """Routes each call to the path that works now, at the lowest price, and learns from outcomes.

    One Router may be shared by threads and event loops; there is no state of a "last call".

    Args:
        goal: what the calls are for, free text; what is learned is kept under it.
        paths: model names, dicts of `Path`'s fields, or `Path`s.
        task: which built-in check gate 1 makes, one of `TASKS`; by default the goal where that is
            one of them, else "general".
        success_when: replaces the built-in check; gets the output's text, returns a bool.
        score_when: how good the output is, in [0, 1]; gets the output's text.
        gate: replaces gate 1 altogether; sees the whole output.
        judge: gate 2: a `Judge`, or a function of request and output that returns a score in
            [0, 1], async or not; None: answers are not judged. By default those of the goals
            `research` and `outreach_generation` are, by `deepseek-chat` where one of the paths is
            DeepSeek's, so that nobody gets to see prompts who does not see them anyway.
            `score_when` replaces it.
        policy: replaces the bandit.
        ledger: a file, "memory", or a `Ledger`; by default `KALIBR_LEDGER` or `.kalibr/kalibr.db`.
        max_attempts: most provider calls of one call.
        deadline_s: longest time of one call, waits included.
        timeout_s: longest time of one attempt; for a stream its longest silence.
        first_token_s: longest time until a stream's first token.
        max_cost_usd: most that one call may cost, all attempts together.
        max_wait_s: a `Retry-After` up to this long is waited for rather than switched from.
        same_path_retries: how often a path that answers with a server error or loses the
            connection is asked again, half a second later, before the next one is; for callers
            that would rather stay, such as for a cached prompt. Each try is one of `max_attempts`.
        stream_mode: "live" passes tokens on as they come; "hold" holds them until gate 1 has
            passed, so that a stream is healed like any other call.
        on_exhausted: "raise" `AllPathsFailed`, or give out the "best" refused answer, unverified.
        base_url: an OpenAI-compatible server for all paths that name none of their own, such as a
            gateway; by default `KALIBR_BASE_URL` where it is set, else each model's provider.
        api_key: the key for paths that name none of their own; by default the providers' own
            environment variables (`OPENAI_API_KEY`, `ANTHROPIC_API_KEY`, ...).
        seed: makes the policy's draws reproducible.

    Raises:
        ConfigError: says what, which value, what to do.
    """

    def __init__(
        self,
        goal: str,
        *,
        paths: Sequence[PathSpec],
        task: str | None = None,
        success_when: Callable[[str], bool] | None = None,
        score_when: Callable[[str], float] | None = None,
        gate: Gate | None = None,
        judge: Judge | JudgeFunction | Literal["default"] | None = DEFAULT,
        policy: Policy | None = None,
        ledger: str | os.PathLike[str] | Ledger | None = None,
        max_attempts: int = 3,
        deadline_s: float = 300.0,
        timeout_s: float = 120.0,
        first_token_s: float | None = None,
        max_cost_usd: float | None = None,
        max_wait_s: float = 1.0,
        same_path_retries: int = 0,
        stream_mode: Literal["live", "hold"] = "live",
        on_exhausted: Literal["raise", "best"] = "raise",
        base_url: str | None = None,
        api_key: str | None = None,
        seed: int | None = None,
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
        sleep: Callable[[float], object] = time.sleep,
    ) -> None:
        self.goal = checked_goal(goal)
        self.paths = parse_paths(paths)
        self.limits = checked_limits(
            Limits(
                max_attempts=max_attempts,
                deadline_s=deadline_s,
                timeout_s=timeout_s,
                first_token_s=first_token_s,
                max_cost_usd=max_cost_usd,
                max_wait_s=max_wait_s,
                same_path_retries=same_path_retries,
                on_exhausted=on_exhausted,
            )
        )
        self._live = checked_mode(stream_mode)
        checked_function("score_when", score_when)
        self._score_when = score_when
        self._gate = _gate_of(self.goal, task, success_when, gate)
        self._clock, self._wall, self._sleep = clock, wall, sleep
        import random  # slow to import

        self._rng = random.Random(seed)
        self._reseed = seed is None
        self._pid = os.getpid()
        self._closed = False
        self.endpoints = endpoints_of(self.paths, base_url=base_url, api_key=api_key)
        self._clients = Clients(self.endpoints)
        self._roster = Roster(
            paths={p.id: p for p in self.paths},
            costs=Costs({p.id: price_of(p, provider=self._provider(p)) for p in self.paths}),
            blocks=Blocks(),
            sessions=Sessions(),
        )
        if policy is None:
            policy = RunLengthPolicy([p.id for p in self.paths], rng=self._rng)
        self._learner = Learner(
            self.goal, policy=checked_policy(policy), ledger=open_ledger(ledger), clock=clock
        )
        self._owns_ledger = ledger is None or isinstance(ledger, str | os.PathLike)
        self._reports = Reports(self._learner, wall)
        self._judging = (
            judging_for(
                judge,
                goal=self.goal,
                paths=self.paths,
                endpoints=self.endpoints,
                base_url=base_url,
                seed=seed,
                wall=wall,
                known=policy.scored if isinstance(policy, RunLengthPolicy) else None,
                told=self._judged,
            )
            if score_when is None
            else None
        )

    # What users call: OpenAI's messages and parameters in, OpenAI's objects out.

    def completion(
        self,
        messages: Messages,
        *,
        session_id: str | None = None,
        timeout: float | None = None,
        response_format: ResponseFormat = None,
        **params: object,
    ) -> ChatCompletion:
        """Answer a conversation, on the path that works now.

        Args:
            messages: in OpenAI's format.
            session_id: names the conversation; the policy is told which path answered its last
                turn. Only its hash is kept.
            timeout: longest time of each attempt of this call, in seconds.
            response_format: OpenAI's, or a pydantic model (then `message.parsed` is an instance).
            params: further parameters of OpenAI's chat completions, sent as they are.

        Returns:
            The provider's answer; its `kalibr` is the `Decision`.

        Raises:
            AllPathsFailed: no path gave an answer that passes gate 1.
            ConfigError: a parameter that a routed call does not take.
            openai.APIStatusError: what is the caller's to mend, such as an invalid request.
        """
        asked = asked_of(messages, session_id, response_format, params)
        done = self.call(
            asked.request,
            lambda attempt: self._clients.complete(attempt, asked.arguments),
            read=read_completion,
            timeout_s=timeout,
        )
        return asked.answered(done.answer, done.decision)

    async def acompletion(
        self,
        messages: Messages,
        *,
        session_id: str | None = None,
        timeout: float | None = None,
        response_format: ResponseFormat = None,
        **params: object,
    ) -> ChatCompletion:
        """`completion`, awaited; cancelling it closes the connection and teaches nothing."""
        asked = asked_of(messages, session_id, response_format, params)
        done = await self.acall(
            asked.request,
            lambda attempt: self._clients.acomplete(attempt, asked.arguments),
            read=read_completion,
            timeout_s=timeout,
        )
        return asked.answered(done.answer, done.decision)

    def stream(
        self,
        messages: Messages,
        *,
        session_id: str | None = None,
        timeout: float | None = None,
        response_format: ResponseFormat = None,
        **params: object,
    ) -> RoutedStream[ChatCompletionChunk]:
        """Answer a conversation in chunks; arguments and errors as `completion`'s.

        The stream's `kalibr` is the `Decision` once it has ended. Closing it early closes the
        connection and teaches nothing.
        """
        asked = asked_of(messages, session_id, response_format, params)
        return RoutedStream(
            lambda finish: self.call_stream(
                asked.request,
                lambda attempt: self._clients.stream(attempt, asked.arguments),
                read=read_chunks,
                opens=is_content,
                finish=finish,
                timeout_s=timeout,
            ),
            shows=lambda chunk: asked.shows_usage or bool(choices_of(chunk)),
        )

    def astream(
        self,
        messages: Messages,
        *,
        session_id: str | None = None,
        timeout: float | None = None,
        response_format: ResponseFormat = None,
        **params: object,
    ) -> AsyncRoutedStream[ChatCompletionChunk]:
        """`stream`, for `async for`."""
        asked = asked_of(messages, session_id, response_format, params)
        return AsyncRoutedStream(
            lambda finish: self.acall_stream(
                asked.request,
                lambda attempt: self._clients.astream(attempt, asked.arguments),
                read=read_chunks,
                opens=is_content,
                finish=finish,
                timeout_s=timeout,
            ),
            shows=lambda chunk: asked.shows_usage or bool(choices_of(chunk)),
        )

    # What adapters call: their own answers, by closures.

    def call(
        self,
        request: Request,
        invoke: Callable[[Attempt], T],
        *,
        read: Callable[[T], Output],
        timeout_s: float | None = None,
        on_exhausted: Literal["raise", "best"] | None = None,
    ) -> Done[T]:
        """Route one call: `invoke` makes an attempt, `read` shows its answer to the gates.

        Args:
            timeout_s: for this call; None: the Router's.
            on_exhausted: for this call; None: the Router's.
        """
        plan = self._plan(request, read, live=False, timeout_s=timeout_s, on_exhausted=on_exhausted)
        return self._finished(drive.call(plan, invoke, sleep=self._sleep), request)

    async def acall(
        self,
        request: Request,
        invoke: Callable[[Attempt], Awaitable[T]],
        *,
        read: Callable[[T], Output],
        timeout_s: float | None = None,
        on_exhausted: Literal["raise", "best"] | None = None,
    ) -> Done[T]:
        """`call`, awaited."""
        plan = self._plan(request, read, live=False, timeout_s=timeout_s, on_exhausted=on_exhausted)
        return self._finished(await drive.acall(plan, invoke), request)

    def call_stream(
        self,
        request: Request,
        invoke: Callable[[Attempt], Generator[C, None, None]],
        *,
        read: Callable[[tuple[C, ...]], Output],
        opens: Callable[[C], bool],
        finish: Callable[[Done[tuple[C, ...]]], object],
        timeout_s: float | None = None,
        on_exhausted: Literal["raise", "best"] | None = None,
        hold: bool = False,
    ) -> Generator[C, None, None]:
        """Route one stream: `opens` tells whether a chunk holds content, `finish` gets the end.

        Args:
            hold: hold this one back until gate 1 has passed, whatever the Router's `stream_mode`.
        """
        live = self._live and not hold
        plan = self._plan(request, read, live=live, timeout_s=timeout_s, on_exhausted=on_exhausted)
        return drive.stream(
            plan,
            invoke,
            opens=opens,
            live=live,
            finish=lambda done: finish(self._finished(done, request)),
            clock=self._clock,
            sleep=self._sleep,
        )

    def acall_stream(
        self,
        request: Request,
        invoke: Callable[[Attempt], AsyncGenerator[C, None]],
        *,
        read: Callable[[tuple[C, ...]], Output],
        opens: Callable[[C], bool],
        finish: Callable[[Done[tuple[C, ...]]], object],
        timeout_s: float | None = None,
        on_exhausted: Literal["raise", "best"] | None = None,
        hold: bool = False,
    ) -> AsyncGenerator[C, None]:
        """`call_stream`, awaited."""
        live = self._live and not hold
        plan = self._plan(request, read, live=live, timeout_s=timeout_s, on_exhausted=on_exhausted)
        return drive.astream(
            plan,
            invoke,
            opens=opens,
            live=live,
            finish=lambda done: finish(self._finished(done, request)),
            clock=self._clock,
        )

    # After the call.

    def report(
        self,
        decision_id: str,
        *,
        success: bool | None = None,
        score: float | None = None,
        reason: str | None = None,
    ) -> bool:
        """Tell how a call turned out later: an explicit outcome of the path that answered.

        Args:
            success: counts as one more outcome, beside gate 1's.
            score: how good the answer was, in [0, 1].
            reason: recorded as it is; do not put text of the conversation into it.

        Returns:
            False: this decision was reported before, and nothing has moved.

        Raises:
            UnknownDecision: no such decision of this goal.
            ConfigError: neither success nor score, or a score out of range.
        """
        if self._pid != os.getpid():
            self._after_fork()
        return self._reports.report(decision_id, success=success, score=score, reason=reason)

    def report_pipeline(
        self,
        session_id: str,
        *,
        prompt: str,
        output: object,
        model: str | None = None,
        decision_id: str | None = None,
        event_id: str | None = None,
    ) -> bool:
        """An answer has been given; see `feedback.report_pipeline`."""
        return self.feedback.pipeline(
            session_id,
            goal=self.goal,
            prompt=prompt,
            output=output,
            model=model,
            decision_id=decision_id,
            event_id=event_id,
        )

    def report_user_turn(
        self,
        session_id: str,
        *,
        user_message: str,
        event_id: str | None = None,
        classify: Classify | None = None,
    ) -> bool:
        """The user has said something; see `feedback.report_user_turn`."""
        return self.feedback.user_turn(
            session_id, user_message=user_message, event_id=event_id, classify=classify
        )

    def report_session_end(self, session_id: str) -> bool:
        """The user has left; see `feedback.report_session_end`."""
        return self.feedback.session_end(session_id)

    def report_action(
        self, session_id: str, action: str, *, decision_id: str | None = None
    ) -> bool:
        """The user has done something with an answer; see `feedback.report_action`."""
        return self.feedback.action(session_id, action, decision_id=decision_id)

    @property
    def feedback(self) -> Reporter:
        """Gate 3 on this Router's ledger, for adapters.

        Raises:
            RouterClosed: after `close`.
        """
        if self._closed:
            raise RouterClosed(self.goal)
        if self._pid != os.getpid():
            self._after_fork()
        return self._reporter

    @cached_property
    def _reporter(self) -> Reporter:
        from .ledger.memory import MemoryConversations
        from .reporter import Reporter  # users of the first two gates need not wait for it
        from .signals import Signals

        ledger = self._learner.ledger
        signals = Signals(
            keeper=ledger if isinstance(ledger, Conversations) else MemoryConversations(),
            book=self._book_signal,
            origin=lambda: self._learner.origin,
            wall=self._wall,
            scope="" if isinstance(ledger, Shared) else f"{self.goal}\n",
        )
        return Reporter(signals, self._learner, goal=self.goal, paths=self.paths)

    def _book_signal(self, entry: Entry) -> bool:
        own = entry.goal == self.goal
        return self._learner.book(entry) if own else self._learner.pass_on(entry)

    def explain(self, decision_id: str) -> Explanation:
        """Why this path, with what probability, against what, and what became of it.

        Raises:
            UnknownDecision: no such decision in the ledger.
        """
        entries = self._learner.entries(decision_id)
        if not entries:
            raise UnknownDecision(decision_id)
        return explain_entries(entries)

    @property
    def unwritten(self) -> int:
        """Entries that the ledger has not taken (a full disk, a locked file); 0 is well."""
        return self._learner.unwritten

    @property
    def judgements(self) -> Mapping[str, int]:
        """How many answers were `judged`, and how many came to nothing: `full` (the queue was),
        `budget` (it was used up), `failed`, `unreadable`, `left` (at the end)."""
        return {} if self._judging is None else dict(self._judging.counts)

    @property
    def is_closed(self) -> bool:
        """Has `close` been called? Then it takes no more calls."""
        return self._closed

    def close(self) -> None:
        """Write the beliefs down and close the clients; further calls raise.

        A ledger that was given as an object stays open: others may use it.
        """
        if not self._closed:
            self._closed = True
            try:
                self._sweep()
                if self._judging is not None:
                    self._judging.close()
            finally:
                self._learner.close(ledger=self._owns_ledger)
                self._clients.close()

    async def aclose(self) -> None:
        """`close`, and the running event loop's connections too."""
        if not self._closed:
            self._closed = True
            try:
                self._sweep()
                if self._judging is not None:
                    await self._drained(self._judging)
            finally:
                self._learner.close(ledger=self._owns_ledger)
                await self._clients.aclose()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.aclose()

    def __repr__(self) -> str:
        return f"Router({self.goal!r}, paths={[p.id for p in self.paths]})"

    def _plan(
        self,
        request: Request,
        read: Callable[[T], Output],
        *,
        live: bool,
        timeout_s: float | None,
        on_exhausted: Literal["raise", "best"] | None = None,
    ) -> Plan[T]:
        if self._closed:
            raise RouterClosed(self.goal)
        if self._pid != os.getpid():
            self._after_fork()
        limits = self.limits
        if timeout_s is not None:
            limits = checked_limits(replace(limits, timeout_s=timeout_s, call_timeout_s=timeout_s))
        if on_exhausted is not None:
            limits = replace(limits, on_exhausted=on_exhausted)
        return plan_call(
            Call(
                choice=Choice(
                    self._roster, request, limits, pull=self._learner.pull, rng=self._rng
                ),
                books=Books(self._learner, self._wall),
                gate=self._gate,
                request=request,
                read=read,
                limits=limits,
                live=live,
                clock=self._clock,
                wall=self._wall,
            )
        )

    def _provider(self, path: Path) -> str | None:
        found = self.endpoints.get(path.id)
        return None if found is None else found.provider

    def _after_fork(self) -> None:
        """Forked workers must not all draw the same, and each writes under a name of its own."""
        self._pid = os.getpid()
        self._learner.forked()
        self._roster.blocks.forked()
        self._roster.sessions.forked()
        if self._reseed:
            self._rng.seed()

    def _finished(self, done: Done[T], request: Request) -> Done[T]:
        if self._score_when is not None and done.output.text:
            self._reports.scored(self._score_when, done.output.text, done.decision)
        if self._judging is not None and done.decision.verified:
            self._judging.offer(done.decision, request.prompt, done.output.text)
        return done

    def _judged(self, work: Work, score: float, beside: Mapping[str, JSON]) -> bool:
        return self._reports.judged(work.decision_id, work.path_id, score, beside)

    def _sweep(self) -> None:
        if "_reporter" in self.__dict__:
            self._reporter.signals.sweep(now=True)

    async def _drained(self, judging: Judging) -> None:
        import asyncio  # slow to import

        ends = time.monotonic() + judging.drain_s
        try:
            while judging.under_way and time.monotonic() < ends:
                await asyncio.sleep(DRAIN_POLL_S)
        finally:
            judging.close(ends=0.0)


def _gate_of(
    goal: str,
    task: str | None,
    success_when: Callable[[str], bool] | None,
    gate: Gate | None,
) -> Gate:
    # Here, since its patterns are most of what importing this package would cost.
    from .gates.structural import TASKS, PredicateGate, StructuralGate

    built_in = StructuralGate(task if task is not None else goal if goal in TASKS else "general")
    if gate is not None:
        if success_when is not None:
            raise ConfigError("give success_when or gate, not both: each replaces gate 1's check")
        if not callable(getattr(gate, "check", None)):
            raise ConfigError(f"gate must have a method check(request, output), got {gate!r}")
        return gate
    return built_in if success_when is None else PredicateGate(success_when, goal=goal)
