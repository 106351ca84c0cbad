"""ChatKalibr: a LangChain chat model that routes each of its calls."""

from __future__ import annotations

import inspect
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import aclosing, closing
from operator import itemgetter
from typing import Any, Literal

from langchain_core.callbacks import (
    AsyncCallbackManager,
    AsyncCallbackManagerForLLMRun,
    CallbackManager,
    CallbackManagerForLLMRun,
)
from langchain_core.language_models import LanguageModelInput
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage
from langchain_core.outputs import ChatGenerationChunk, ChatResult
from langchain_core.runnables import (
    Runnable,
    RunnableConfig,
    RunnableMap,
    RunnablePassthrough,
    ensure_config,
)
from langchain_core.utils.uuid import uuid7

from kalibr_core.adapter.asking import checked_exhaustion
from kalibr_core.adapter.records import KEY
from kalibr_core.plan import Done
from kalibr_core.types import Decision

from . import calls
from .answers import last_chunk, result_of
from .asked import Asked
from .configured import RUN, SESSION, STRUCTURED, ConfiguredChat
from .errors import raised
from .events import Run, atell, tell
from .reading import opens, read_chunks, read_result
from .session import session_of
from .tools import Tools, ToolSpec, as_tools


class ChatKalibr(ConfiguredChat):
    """A chat model that sends each call to the path that works now, at the lowest price.

    It stands wherever a `ChatOpenAI` stood: in chains, agents and graphs. Each call is routed,
    checked by gate 1, healed on the next path where it fails, and learned from. `invoke` and its
    like take `session_id=` (the conversation), `model=` (a path's id or model: this call goes there
    and nowhere else) and `on_exhausted=` beside what providers take.

        model = ChatKalibr(goal="support", paths=["gpt-4o-mini", ChatAnthropic(...)])
        answer = model.invoke("How do I reset my password?")
        answer.response_metadata["kalibr"]["path"]

    Args:
        goal: what the calls are for, free text; what is learned is kept under it.
        paths: model names, dicts of `kalibr_core.Path`'s fields, `Path`s, and chat models of any
            provider, mixed. A dict's `model` may be a chat model.
        router: a ready `kalibr_core.Router`, in the place of `goal`, `paths` and its settings.
        task: which built-in check gate 1 makes; by default told from the goal.
        success_when: replaces the built-in check; gets the answer's text, returns a bool.
        score_when: how good an answer is, in [0, 1]; gets its text.
        gate: replaces gate 1 altogether.
        judge: gate 2: a `kalibr_core.Judge`, a function, or None; see `Router`. `judged_by` makes
            one of a model.
        policy: replaces the bandit.
        ledger: a file, "memory", or a `Ledger`; by default `KALIBR_LEDGER` or `.kalibr/kalibr.db`.
        max_attempts: most provider calls of one call; default 3.
        max_retries: `ChatOpenAI`'s word: so many attempts after the first.
        same_path_retries: tries on a path that failed at once, before the next one; default 0.
        deadline_s: longest time of one call, waits for rate limits included; default 300.
        timeout_s: longest time of one attempt, for a stream its longest silence; default 120.
            Also `timeout` and `request_timeout`.
        first_token_s: longest time until a stream's first token; default: as `timeout_s`.
        max_cost_usd: most that one call may cost, all attempts together.
        max_wait_s: a `Retry-After` up to this long is waited for rather than switched from;
            default 1.
        stream_mode: "live" (default) passes tokens on as they come; "hold" holds them until gate 1
            has passed, so that a stream is healed like any other call.
        on_exhausted: "raise" (default) where every path fails, or give out the "best" refused
            answer, unverified.
        base_url: an OpenAI-compatible server for all named paths, such as a gateway.
        api_key: the key for named paths; by default the providers' own environment variables.
        seed: makes the policy's draws reproducible. The models' own goes into `model_kwargs`.
        temperature: for named paths; a chat model, and a path's own `params`, have theirs.
        max_tokens: the same. An answer that is cut there fails gate 1, but for up to 32 tokens.
        stop: the same.
        model_kwargs: further parameters for named paths, sent as they are.
        streaming: stream also where `invoke` is called.

    Raises:
        kalibr_core.ConfigError: says what, which value, what to do.
    """

    # How it is called.

    def invoke(
        self,
        input: LanguageModelInput,
        config: RunnableConfig | None = None,
        *,
        stop: list[str] | None = None,
        **kwargs: Any,
    ) -> AIMessage:
        """Answer on the path that works now, and on the next where its answer fails gate 1."""
        config, kwargs = self._marked(config, kwargs)
        return super().invoke(input, config, stop=stop, **kwargs)

    async def ainvoke(
        self,
        input: LanguageModelInput,
        config: RunnableConfig | None = None,
        *,
        stop: list[str] | None = None,
        **kwargs: Any,
    ) -> AIMessage:
        """`invoke`, awaited; cancelling it closes the connection and teaches nothing."""
        config, kwargs = self._marked(config, kwargs)
        return await super().ainvoke(input, config, stop=stop, **kwargs)

    def stream(
        self,
        input: LanguageModelInput,
        config: RunnableConfig | None = None,
        *,
        stop: list[str] | None = None,
        **kwargs: Any,
    ) -> Iterator[AIMessageChunk]:
        """Answer in chunks, as they come or held until gate 1 has passed: see `stream_mode`."""
        config, kwargs = self._marked(config, kwargs, traced=CallbackManager)
        yield from super().stream(input, config, stop=stop, **kwargs)

    async def astream(
        self,
        input: LanguageModelInput,
        config: RunnableConfig | None = None,
        *,
        stop: list[str] | None = None,
        **kwargs: Any,
    ) -> AsyncIterator[AIMessageChunk]:
        """`stream`, awaited; cancelling it closes the connection and teaches nothing."""
        config, kwargs = self._marked(config, kwargs, traced=AsyncCallbackManager)
        async with aclosing(super().astream(input, config, stop=stop, **kwargs)) as chunks:  # type: ignore[type-var]  # it is an async generator
            async for chunk in chunks:
                yield chunk

    def stream_events(self, input: Any, config: RunnableConfig | None = None, **kwargs: Any) -> Any:
        if kwargs.get("version") == "v3":
            config, kwargs = self._marked(config, kwargs)
        return super().stream_events(input, config, **kwargs)

    def astream_events(
        self, input: Any, config: RunnableConfig | None = None, **kwargs: Any
    ) -> Any:
        if kwargs.get("version") == "v3":
            config, kwargs = self._marked(config, kwargs)
        return super().astream_events(input, config, **kwargs)

    def bind_tools(
        self,
        tools: Sequence[ToolSpec],
        *,
        tool_choice: dict[str, Any] | str | bool | None = None,
        strict: bool | None = None,
        parallel_tool_calls: bool | None = None,
        response_format: Any = None,
        **kwargs: Any,
    ) -> Runnable[LanguageModelInput, AIMessage]:
        """Bind tools; each path gets them in its own provider's format when it is called.

        Arguments as `ChatOpenAI.bind_tools`'. Paths that cannot call tools are left out of calls
        that have any.
        """
        how = {
            "tool_choice": tool_choice or None,
            "parallel_tool_calls": parallel_tool_calls,
            "response_format": response_format,
        }
        given = {name: value for name, value in how.items() if value is not None}
        return self.bind(tools=Tools(tools, strict=strict), **given, **kwargs)

    def with_structured_output(
        self,
        schema: dict[str, Any] | type | None = None,
        *,
        method: Literal["json_schema", "function_calling", "json_mode"] | None = None,
        include_raw: bool = False,
        strict: bool | None = None,
        tools: Sequence[ToolSpec] | None = None,
        **kwargs: Any,
    ) -> Runnable[LanguageModelInput, Any]:
        """Answer in the form of a schema; an answer that does not fit it is healed on another path.

        Args:
            schema: a pydantic class, a TypedDict, a JSON schema or an OpenAI function.
            method: how the paths are asked for it; None: in the way that suits each.
            include_raw: give a dict of `raw`, `parsed` and `parsing_error`, and raise nothing where
                no path's answer fits.
            strict: ask providers to hold to the schema, where they can.
            tools: that may be called instead of answering.
            kwargs: bound to the calls.

        Raises:
            kalibr_core.ConfigError: the schema cannot be used.
        """
        from .structured import Structured, StructuredParser  # slow to import

        wanted = Structured(schema, method=method, strict=strict, tools=tuple(tools or ()))
        traced = {"kwargs": {"method": method, "strict": strict}, "schema": wanted.json_schema}
        bound: dict[str, Any] = {
            STRUCTURED: wanted,
            "ls_structured_output_format": traced if wanted.json_schema else None,
            **kwargs,
        }
        if tools:
            bound["tools"] = Tools(tools, strict=strict)
        if include_raw:
            bound["on_exhausted"] = "best"
        model = self.bind(**bound)
        parser: Runnable[Any, Any] = StructuredParser(wanted=wanted)
        if not include_raw:
            return model | parser
        assigned = RunnablePassthrough.assign(
            parsed=itemgetter("raw") | parser, parsing_error=lambda _: None
        )
        nothing = RunnablePassthrough.assign(parsed=lambda _: None)
        return RunnableMap(raw=model) | assigned.with_fallbacks(
            [nothing], exception_key="parsing_error"
        )

    def report(
        self,
        message: BaseMessage | str,
        *,
        success: bool | None = None,
        score: float | None = None,
        reason: str | None = None,
    ) -> bool:
        """Tell how an answer turned out later; see `kalibr_langchain.report`."""
        from .feedback import decision_id_of

        return self._routing.router.report(
            decision_id_of(message), success=success, score=score, reason=reason
        )

    # What LangChain calls.

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        routing, run = self._routing, kwargs.pop(RUN, None)
        asked, limits = self._asked(messages, stop, kwargs, run)
        try:
            done = routing.router.call(
                asked.request,
                lambda attempt: calls.generate(routing.models[attempt.path.id], asked, attempt),
                read=_reader(asked, read_result),
                **limits,
            )
        except Exception as error:  # noqa: BLE001  # it is raised again
            tell(_decision_of(error), run_manager, run)
            raised(error, structured=asked.structured is not None)
        tell(done.decision, run_manager, run)
        return result_of(done)

    async def _agenerate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        routing, run = self._routing, kwargs.pop(RUN, None)
        asked, limits = self._asked(messages, stop, kwargs, run)
        try:
            done = await routing.router.acall(
                asked.request,
                lambda attempt: calls.agenerate(routing.models[attempt.path.id], asked, attempt),
                read=_reader(asked, read_result),
                **limits,
            )
        except Exception as error:  # noqa: BLE001  # it is raised again
            await atell(_decision_of(error), run_manager, run)
            raised(error, structured=asked.structured is not None)
        await atell(done.decision, run_manager, run)
        return result_of(done)

    def _stream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> Iterator[ChatGenerationChunk]:
        routing, run = self._routing, kwargs.pop(RUN, None)
        asked, limits = self._asked(messages, stop, kwargs, run)
        ends: list[Done[tuple[ChatGenerationChunk, ...]]] = []
        try:
            with closing(
                routing.router.call_stream(
                    asked.request,
                    lambda attempt: calls.stream(routing.models[attempt.path.id], asked, attempt),
                    read=_reader(asked, read_chunks),
                    opens=opens,
                    finish=ends.append,
                    hold=self._holds(asked),
                    **limits,
                )
            ) as chunks:
                for chunk in chunks:
                    if run_manager:
                        run_manager.on_llm_new_token(chunk.text, chunk=chunk)
                    yield chunk
        except Exception as error:  # noqa: BLE001  # it is raised again
            tell(_decision_of(error), run_manager, run)
            raised(error, structured=asked.structured is not None)
        tell(ends[0].decision, run_manager, run)
        yield last_chunk(ends[0])

    async def _astream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> AsyncIterator[ChatGenerationChunk]:
        routing, run = self._routing, kwargs.pop(RUN, None)
        asked, limits = self._asked(messages, stop, kwargs, run)
        ends: list[Done[tuple[ChatGenerationChunk, ...]]] = []
        try:
            async with aclosing(
                routing.router.acall_stream(
                    asked.request,
                    lambda attempt: calls.astream(routing.models[attempt.path.id], asked, attempt),
                    read=_reader(asked, read_chunks),
                    opens=opens,
                    finish=ends.append,
                    hold=self._holds(asked),
                    **limits,
                )
            ) as chunks:
                async for chunk in chunks:
                    if run_manager:
                        await run_manager.on_llm_new_token(chunk.text, chunk=chunk)
                    yield chunk
        except Exception as error:  # noqa: BLE001  # it is raised again
            await atell(_decision_of(error), run_manager, run)
            raised(error, structured=asked.structured is not None)
        await atell(ends[0].decision, run_manager, run)
        yield last_chunk(ends[0])

    def _marked(
        self,
        config: RunnableConfig | None,
        kwargs: dict[str, Any],
        *,
        traced: type[CallbackManager | AsyncCallbackManager] | None = None,
    ) -> tuple[RunnableConfig, dict[str, Any]]:
        """The configuration and arguments of a call that knows its run.

        LangChain keeps the run's manager to itself where it streams; so the run's id is chosen
        here, and the tracers with it.

        Args:
            traced: the manager to take up the tracers with that the environment switches on.
        """
        config = ensure_config(config)
        run_id = config["run_id"] = config.get("run_id") or uuid7()
        _name_session(config, kwargs.get(SESSION))
        if traced is not None:
            config["callbacks"] = traced.configure(config.get("callbacks"))
        run = Run(config=config, run_id=run_id, callbacks=self.callbacks)
        return config, {**kwargs, RUN: run}

    def _asked(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None,
        kwargs: dict[str, Any],
        run: Run | None,
    ) -> tuple[Asked, dict[str, Any]]:
        """The call as it was asked for, and its own limits."""
        on_exhausted = checked_exhaustion(kwargs.pop("on_exhausted", None))
        session = kwargs.pop(SESSION, None)
        kwargs.pop("stream", None)
        if kwargs.get("tools"):
            kwargs["tools"] = as_tools(kwargs["tools"])
        return (
            Asked(
                messages=messages,
                stop=stop,
                structured=kwargs.pop(STRUCTURED, None),
                arguments=kwargs,
                defaults=self._defaults,
                session=session if session is not None else session_of(run.config if run else None),
                most_tokens=self._routing.most_tokens,
            ),
            {"on_exhausted": on_exhausted},
        )

    def _holds(self, asked: Asked) -> bool:
        """A structured answer is held until it is understood, unless "live" is asked for."""
        return asked.structured is not None and self.stream_mode != "live"


def _name_session(config: RunnableConfig, session: object) -> None:
    """Have callbacks know the conversation too: LangChain shows them `metadata` only.

    Args:
        session: the call's own word; None: `configurable` may name it.
    """
    told = session if isinstance(session, str) and session else session_of(config)
    if told is not None and session_of({"metadata": config["metadata"]}) is None:
        config["metadata"] = {**config["metadata"], "session_id": told}


def _reader(asked: Asked, read: Callable[[Any], Any]) -> Callable[[Any], Any]:
    wanted = asked.structured
    return read if wanted is None else lambda answer: wanted.output(read(answer))


def _decision_of(error: Exception) -> Decision | None:
    found = getattr(error, KEY, None)
    return found if isinstance(found, Decision) else None


_method: Any
for _method in (ChatKalibr._generate, ChatKalibr._agenerate):
    # LangChain looks at it in each call; working it out anew takes longer than a choice.
    _method.__signature__ = inspect.signature(_method)
del _method
