"""The core's four drivers, as LangChain's forms of a call go through them."""

from __future__ import annotations

import inspect
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import aclosing, closing
from typing import Any

from langchain_core.callbacks import AsyncCallbackManagerForLLMRun, CallbackManagerForLLMRun
from langchain_core.messages import BaseMessage
from langchain_core.outputs import ChatGenerationChunk, ChatResult

from kalibr_core.adapter.asking import checked_exhaustion
from kalibr_core.plan import Done

from . import calls
from .answers import last_chunk, result_of
from .asked import Asked
from .configured import RUN, SESSION, STRUCTURED, ConfiguredChat
from .errors import raised
from .events import Run, atell, decision_of, tell
from .reading import opens, read_chunks, read_result
from .session import session_of
from .tools import as_tools


class RoutedChat(ConfiguredChat):
    """How `ChatKalibr` makes its calls, once LangChain has begun a run for each."""

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
            tell(decision_of(error), run_manager, run)
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
            await atell(decision_of(error), run_manager, run)
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
            tell(decision_of(error), run_manager, run)
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
            await atell(decision_of(error), run_manager, run)
            raised(error, structured=asked.structured is not None)
        await atell(ends[0].decision, run_manager, run)
        yield last_chunk(ends[0])

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


def _reader(asked: Asked, read: Callable[[Any], Any]) -> Callable[[Any], Any]:
    wanted = asked.structured
    return read if wanted is None else lambda answer: wanted.output(read(answer))


_method: Any
for _method in (RoutedChat._generate, RoutedChat._agenerate):
    # LangChain looks at it in each call; working it out anew takes longer than a choice.
    _method.__signature__ = inspect.signature(_method)
del _method
