"""KalibrLLM: a LlamaIndex LLM that routes each of its calls."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Generator, Sequence
from typing import Any

from llama_index.core.base.llms.types import (
    ChatMessage,
    ChatResponse,
    ChatResponseAsyncGen,
    ChatResponseGen,
    CompletionResponse,
    CompletionResponseAsyncGen,
    CompletionResponseGen,
    MessageRole,
)
from llama_index.core.llms.callbacks import llm_chat_callback, llm_completion_callback
from llama_index.core.llms.llm import ToolSelection

from .asked import checked_messages, checked_prompt
from .closing import aclosed_with, closed_with, inside
from .events import tell_predicted, tell_prediction
from .feedback import decision_id_of, record_in
from .forms import keep_signatures
from .routed import RoutedLLM
from .selections import selected
from .structured import Structured
from .tools import Tools, given

PREPARES = ("tool_choice", "strict")
"""Arguments that go with tools."""


class KalibrLLM(RoutedLLM):
    """An LLM that sends each call to the path that works now, at the lowest price.

    It stands wherever LlamaIndex's `OpenAI` stood: in `Settings.llm`, in query engines, chat
    engines, agents and programs. Each call is routed, checked by gate 1, healed on the next path
    where it fails, and learned from. `chat` and its like take `session_id=` (the conversation),
    `model=` (a path's id or model: this call goes there and nowhere else) and `on_exhausted=`
    beside what providers take.

        Settings.llm = KalibrLLM(goal="support", paths=["gpt-4o-mini", Anthropic(...)])
        answer = Settings.llm.complete("How do I reset my password?")
        answer.additional_kwargs["kalibr"]["path"]

    Args:
        goal: what the calls are for, free text; what is learned is kept under it.
        paths: model names, dicts of `kalibr_core.Path`'s fields, `Path`s, and LLMs of any
            integration, mixed. A dict's `model` may be an LLM.
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
        max_retries: LlamaIndex's word: so many attempts after the first.
        same_path_retries: tries on a path that failed at once, before the next one; default 0.
        deadline_s: longest time of one call, waits for rate limits included; default 300.
        timeout_s: longest time of one attempt, for a stream its longest silence; default 120.
            Also `timeout` and `request_timeout`.
        first_token_s: longest time until a stream's first token; default: as `timeout_s`.
        max_cost_usd: most that one call may cost, all attempts together.
        max_wait_s: a `Retry-After` up to this long is waited for rather than switched from;
            default 1.
        stream_mode: "live" passes tokens and tool calls on as they come; "hold" holds them until
            gate 1 has passed, so that a stream is healed like any other call. By default text is
            passed on as it comes, and tool calls and structured output are held.
        on_exhausted: "raise" (default) where every path fails, or give out the "best" refused
            answer, unverified.
        base_url: an OpenAI-compatible server for all named paths, such as a gateway.
        api_key: the key for named paths; by default the providers' own environment variables.
        seed: makes the policy's draws reproducible. The models' own goes into `additional_kwargs`.
        temperature: for named paths; an LLM, and a path's own `params`, have theirs. By default
            LlamaIndex's, 0.1.
        max_tokens: the same. An answer that is cut there fails gate 1, but for up to 32 tokens.
        additional_kwargs: further parameters for named paths, sent as they are.

    Raises:
        kalibr_core.ConfigError: says what, which value, what to do.
    """

    # How it is called.

    def chat(self, messages: Sequence[ChatMessage], **kwargs: Any) -> ChatResponse:
        """Answer on the path that works now, and on the next where its answer fails gate 1."""
        answer: ChatResponse = self._chat(checked_messages(messages), **kwargs)
        return answer

    async def achat(self, messages: Sequence[ChatMessage], **kwargs: Any) -> ChatResponse:
        """`chat`, awaited; cancelling it closes the connection and teaches nothing."""
        answer: ChatResponse = await self._achat(checked_messages(messages), **kwargs)
        return answer

    def stream_chat(self, messages: Sequence[ChatMessage], **kwargs: Any) -> ChatResponseGen:
        """Answer in chunks, as they come or held until gate 1 has passed: see `stream_mode`.

        The last chunk holds the decision's record, and all of the text once more. Closing the
        stream closes the connection and teaches nothing.
        """
        with inside() as made:
            return closed_with(self._stream_chat(checked_messages(messages), **kwargs), made)

    async def astream_chat(
        self, messages: Sequence[ChatMessage], **kwargs: Any
    ) -> ChatResponseAsyncGen:
        """`stream_chat`, awaited; cancelling it closes the connection and teaches nothing."""
        with inside() as made:
            stream = await self._astream_chat(checked_messages(messages), **kwargs)
            return aclosed_with(stream, made)

    def complete(self, prompt: str, formatted: bool = False, **kwargs: Any) -> CompletionResponse:
        """Complete a prompt; otherwise as `chat`."""
        answer: CompletionResponse = self._complete(
            checked_prompt(prompt), formatted=formatted, **kwargs
        )
        return answer

    async def acomplete(
        self, prompt: str, formatted: bool = False, **kwargs: Any
    ) -> CompletionResponse:
        """`complete`, awaited."""
        answer: CompletionResponse = await self._acomplete(
            checked_prompt(prompt), formatted=formatted, **kwargs
        )
        return answer

    def stream_complete(
        self, prompt: str, formatted: bool = False, **kwargs: Any
    ) -> CompletionResponseGen:
        """Complete a prompt in chunks; otherwise as `stream_chat`."""
        with inside() as made:
            stream = self._stream_complete(checked_prompt(prompt), formatted=formatted, **kwargs)
            return closed_with(stream, made)

    async def astream_complete(
        self, prompt: str, formatted: bool = False, **kwargs: Any
    ) -> CompletionResponseAsyncGen:
        """`stream_complete`, awaited."""
        with inside() as made:
            stream = await self._astream_complete(
                checked_prompt(prompt), formatted=formatted, **kwargs
            )
            return aclosed_with(stream, made)

    # The same inside LlamaIndex's callbacks: one start and one end for each call.

    @llm_chat_callback()
    def _chat(self, messages: Sequence[ChatMessage], **kwargs: Any) -> Any:
        return self._call(messages, kwargs)

    @llm_chat_callback()
    async def _achat(self, messages: Sequence[ChatMessage], **kwargs: Any) -> Any:
        return await self._acall(messages, kwargs)

    @llm_chat_callback()
    def _stream_chat(self, messages: Sequence[ChatMessage], **kwargs: Any) -> Any:
        return self._stream(self._asked(messages, kwargs))

    @llm_chat_callback()
    async def _astream_chat(self, messages: Sequence[ChatMessage], **kwargs: Any) -> Any:
        return self._astream(self._asked(messages, kwargs))

    @llm_completion_callback()
    def _complete(self, prompt: str, formatted: bool = False, **kwargs: Any) -> Any:
        return self._call(prompt, kwargs, formatted=formatted)

    @llm_completion_callback()
    async def _acomplete(self, prompt: str, formatted: bool = False, **kwargs: Any) -> Any:
        return await self._acall(prompt, kwargs, formatted=formatted)

    @llm_completion_callback()
    def _stream_complete(self, prompt: str, formatted: bool = False, **kwargs: Any) -> Any:
        return self._stream(self._asked(prompt, kwargs, formatted=formatted))

    @llm_completion_callback()
    async def _astream_complete(self, prompt: str, formatted: bool = False, **kwargs: Any) -> Any:
        return self._astream(self._asked(prompt, kwargs, formatted=formatted))

    # Tools.

    def _prepare_chat_with_tools(
        self,
        tools: Sequence[Any],
        user_msg: str | ChatMessage | None = None,
        chat_history: list[ChatMessage] | None = None,
        verbose: bool = False,
        allow_parallel_tool_calls: bool = False,
        tool_required: bool = False,
        **kwargs: Any,
    ) -> dict[str, Any]:
        """The call's arguments; each path gets the tools in its own provider's format."""
        messages = list(chat_history or [])
        if user_msg is not None and user_msg != "":
            said = user_msg
            if isinstance(said, str):
                said = ChatMessage(role=MessageRole.USER, content=said)
            messages.append(said)
        how = {name: kwargs.pop(name) for name in PREPARES if name in kwargs}
        offered = Tools(
            given(tools), allow_parallel=allow_parallel_tool_calls, required=tool_required, how=how
        )
        return {"messages": messages, **({"tools": offered} if offered else {}), **kwargs}

    def get_tool_calls_from_response(
        self, response: ChatResponse, error_on_no_tool_call: bool = True, **kwargs: Any
    ) -> list[ToolSelection]:
        """The tool calls of an answer, as the LLM that gave it reads them.

        Raises:
            ValueError: there is none, and `error_on_no_tool_call` is set.
        """
        record = record_in(response)
        path = self._routing.models.get(str(record.get("path"))) if record else None
        found = selected(
            response,
            path,
            verified=record is None or record.get("verified") is not False,
            error_on_no_tool_call=error_on_no_tool_call,
            **kwargs,
        )
        if not found and error_on_no_tool_call:
            raise ValueError("Expected at least one tool call, but got 0 tool calls.")
        return found

    # Structured output.

    def structured_predict(
        self, output_cls: Any, prompt: Any, llm_kwargs: dict[str, Any] | None = None, **args: Any
    ) -> Any:
        """An instance of a pydantic class; an answer that does not fit it is healed on another
        path.

        Raises:
            AllPathsFailed: no path's answer fits; a `ValueError` too.
            ConfigError: the class cannot be used.
        """
        wanted, messages = self._wanted(output_cls, prompt, args)
        tell_prediction(output_cls, prompt, args)
        value = wanted.value(self.chat(messages, **wanted.arguments(llm_kwargs)))
        tell_predicted(value)
        return value

    async def astructured_predict(
        self, output_cls: Any, prompt: Any, llm_kwargs: dict[str, Any] | None = None, **args: Any
    ) -> Any:
        """`structured_predict`, awaited."""
        wanted, messages = self._wanted(output_cls, prompt, args)
        tell_prediction(output_cls, prompt, args)
        value = wanted.value(await self.achat(messages, **wanted.arguments(llm_kwargs)))
        tell_predicted(value)
        return value

    def _structured_stream_call(
        self, output_cls: Any, prompt: Any, llm_kwargs: dict[str, Any] | None = None, **args: Any
    ) -> Generator[Any, None, None]:
        """Partial instances as they grow, then the whole one."""
        wanted, messages = self._wanted(output_cls, prompt, args)
        yield from wanted.grown(self.stream_chat(messages, **wanted.arguments(llm_kwargs)))

    async def _structured_astream_call(
        self, output_cls: Any, prompt: Any, llm_kwargs: dict[str, Any] | None = None, **args: Any
    ) -> AsyncGenerator[Any, None]:
        """`_structured_stream_call`, awaited."""
        wanted, messages = self._wanted(output_cls, prompt, args)
        chunks = await self.astream_chat(messages, **wanted.arguments(llm_kwargs))
        return wanted.agrown(chunks)

    def _wanted(
        self, output_cls: Any, prompt: Any, args: dict[str, Any]
    ) -> tuple[Structured, list[ChatMessage]]:
        wanted = Structured(output_cls, self.pydantic_program_mode)
        return wanted, self._extend_messages(prompt.format_messages(llm=self, **args))

    # After the call.

    def report(
        self,
        response: object,
        *,
        success: bool | None = None,
        score: float | None = None,
        reason: str | None = None,
    ) -> bool:
        """Tell how an answer turned out later; see `kalibr_llama_index.report`."""
        return self._routing.router.report(
            decision_id_of(response), success=success, score=score, reason=reason
        )


keep_signatures(KalibrLLM)
