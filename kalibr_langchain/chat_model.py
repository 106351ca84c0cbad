"""ChatKalibr: a LangChain chat model that routes each of its calls."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import aclosing
from typing import Any, Literal

from langchain_core.callbacks import AsyncCallbackManager, CallbackManager
from langchain_core.language_models import LanguageModelInput
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage
from langchain_core.runnables import Runnable, RunnableConfig, ensure_config
from langchain_core.utils.uuid import uuid7

from .configured import RUN, SESSION, STRUCTURED
from .events import Run
from .routed import RoutedChat
from .session import session_of
from .tools import Tools, ToolSpec


class ChatKalibr(RoutedChat):
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
        from .structured import Structured, understood  # slow to import

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
        return understood(self.bind(**bound), wanted, include_raw=include_raw)

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

    # The run that a call is.

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


def _name_session(config: RunnableConfig, session: object) -> None:
    """Have callbacks know the conversation too: LangChain shows them `metadata` only.

    Args:
        session: the call's own word; None: `configurable` may name it.
    """
    told = session if isinstance(session, str) and session else session_of(config)
    if told is not None and session_of({"metadata": config["metadata"]}) is None:
        config["metadata"] = {**config["metadata"], "session_id": told}
