"""Router: the one object that users and adapters hold."""

from __future__ import annotations

import os
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Literal, TypeVar

from .assembly import gate_of, judge_beside, judging_of, reporter_of, roster_of
from .bandit import RunLengthPolicy
from .calls import Calls, Terms
from .choice import Limits
from .clients import Clients
from .completions import Completions
from .explain import Explanation, explain_entries
from .gates.judge import DEFAULT, Judge, JudgeFunction
from .learner import Learner
from .ledger import open_ledger
from .lifetime import Lifetime
from .options import checked_function, checked_goal, checked_limits, checked_mode, checked_policy
from .outputs import id_of
from .paths import PathSpec, parse_paths
from .plan import Done
from .ports import Gate, Ledger, Policy
from .providers import endpoints_of
from .reports import Reports, unknown_decision
from .requests import Messages, ResponseFormat, asked_of
from .scoring import Scoring
from .status import GoalStatus, goal_status
from .streams import AsyncRoutedStream, RoutedStream
from .types import Attempt, Output, Request

if TYPE_CHECKING:
    from typing import Self

    from openai.types.chat import ChatCompletion, ChatCompletionChunk

    from .conversations import Session
    from .reporter import Reporter
    from .signals import Classify

T = TypeVar("T")
C = TypeVar("C")


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
            `score_when` takes its place: give one of the two.
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
        live = checked_mode(stream_mode)
        checked_function("score_when", score_when)
        gate = gate_of(self.goal, task, success_when, gate)
        import random  # slow to import

        rng = random.Random(seed)
        self.endpoints = endpoints_of(self.paths, base_url=base_url, api_key=api_key)
        self._wall = wall
        self._clients = Clients(self.endpoints)
        self._roster = roster_of(self.paths, self.endpoints)
        if policy is None:
            policy = RunLengthPolicy([p.id for p in self.paths], rng=rng)
        self._learner = Learner(
            self.goal, policy=checked_policy(policy), ledger=open_ledger(ledger), clock=clock
        )
        self._reports = Reports(self._learner, wall)
        self._judging = judging_of(
            judge_beside(score_when, judge),
            self._reports,
            self._learner,
            paths=self.paths,
            endpoints=self.endpoints,
            base_url=base_url,
            seed=seed,
            wall=wall,
        )
        self._life = Lifetime(
            learner=self._learner,
            roster=self._roster,
            clients=self._clients,
            judging=self._judging,
            owns_ledger=ledger is None or isinstance(ledger, str | os.PathLike),
            rng=rng if seed is None else None,
        )
        self._calls = Calls(
            life=self._life,
            roster=self._roster,
            learner=self._learner,
            gate=gate,
            limits=self.limits,
            live=live,
            scoring=Scoring(self._reports, score_when, self._judging),
            rng=rng,
            clock=clock,
            wall=wall,
            sleep=sleep,
        )
        self._completions = Completions(self._calls, self._clients)

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
        return self._completions.completion(asked, timeout)

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
        return await self._completions.acompletion(asked, timeout)

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
        return self._completions.stream(asked, timeout)

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
        return self._completions.astream(asked, timeout)

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
        terms = Terms(timeout_s, on_exhausted)
        return self._calls.call(request, invoke, read, terms)

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
        terms = Terms(timeout_s, on_exhausted)
        return await self._calls.acall(request, invoke, read, terms)

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
        terms = Terms(timeout_s, on_exhausted, hold)
        return self._calls.call_stream(request, invoke, read, terms, opens=opens, finish=finish)

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
        terms = Terms(timeout_s, on_exhausted, hold)
        return self._calls.acall_stream(request, invoke, read, terms, opens=opens, finish=finish)

    # After the call.

    def report(
        self,
        decision_id: object,
        *,
        success: bool | None = None,
        score: float | None = None,
        reason: str | None = None,
    ) -> bool:
        """Tell how a call turned out later: an explicit outcome of the path that answered.

        Args:
            decision_id: `result.kalibr.id`, or the answer itself.
            success: counts as one more outcome, beside gate 1's.
            score: how good the answer was, in [0, 1].
            reason: recorded as it is; do not put text of the conversation into it.

        Returns:
            False: this decision was reported before, and nothing has moved.

        Raises:
            UnknownDecision: no such decision of this goal.
            ConfigError: neither success nor score, or a score out of range.
        """
        self._life.notice_fork()
        return self._reports.report(decision_id, success=success, score=score, reason=reason)

    def report_pipeline(
        self,
        session_id: str,
        *,
        prompt: str,
        output: object,
        goal: str | None = None,
        model: str | None = None,
        decision_id: object = None,
        event_id: str | None = None,
    ) -> bool:
        """An answer has been given; see `feedback.report_pipeline`."""
        return self.feedback.pipeline(
            session_id,
            goal=goal,
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

    def report_action(self, session_id: str, action: str, *, decision_id: object = None) -> bool:
        """The user has done something with an answer; see `feedback.report_action`."""
        return self.feedback.action(session_id, action, decision_id=decision_id)

    @property
    def feedback(self) -> Reporter:
        """Gate 3 on this Router's ledger, for adapters.

        Raises:
            RouterClosed: after `close`.
        """
        self._life.check()
        return self._reporter

    @cached_property
    def _reporter(self) -> Reporter:
        return reporter_of(self._learner, paths=self.paths, wall=self._wall)

    def session(self, session_id: str) -> Session:
        """What gate 3 knows of a conversation: its turns' kinds, and whose its last answers are.

        Raises:
            UnknownSession: no answer was reported in it.
        """
        return self.feedback.session(session_id)

    def explain(self, decision_id: object) -> Explanation:
        """Why this path, with what probability, against what, and what became of it.

        Args:
            decision_id: `result.kalibr.id`, or the answer itself.

        Raises:
            UnknownDecision: no such decision in the ledger.
        """
        found = id_of(decision_id)
        entries = self._learner.entries(found)
        if not entries:
            raise unknown_decision(self._learner, found, goal=self.goal)
        return explain_entries(entries)

    def status(self) -> GoalStatus:
        """What is known of each path, as `kalibr status` shows it; reads the goal's whole record.

        Raises:
            LedgerError: the record cannot be read.
        """
        return goal_status(self.goal, self._learner.history())

    def flush(self, *, timeout_s: float = 5.0) -> bool:
        """Wait until the judge has done what is under way and the ledger has all that was told.

        Returns:
            False: something is left after this time.

        Raises:
            RouterClosed: after `close`, which waits too.
        """
        return self._life.flush(timeout_s=timeout_s)

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
        return self._life.is_closed

    def close(self) -> None:
        """Write the beliefs down and close the clients; further calls raise.

        A ledger that was given as an object stays open: others may use it.
        """
        self._life.close(self._sweep)

    async def aclose(self) -> None:
        """`close`, and the running event loop's connections too."""
        await self._life.aclose(self._sweep)

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

    def _sweep(self) -> None:
        if "_reporter" in self.__dict__:
            self._reporter.signals.sweep(now=True)
