"""OpenAI's messages and parameters in, OpenAI's objects out: a Router's own calls."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .answers import is_content, read_chunks, read_completion
from .calls import Calls, Terms
from .clients import Clients
from .requests import Asked
from .streams import AsyncRoutedStream, RoutedStream

if TYPE_CHECKING:
    from openai.types.chat import ChatCompletion, ChatCompletionChunk


class Completions:
    """Makes calls with the clients of their paths; each method as the Router's of the same name."""

    def __init__(self, calls: Calls, clients: Clients) -> None:
        self._calls = calls
        self._clients = clients

    def completion(self, asked: Asked, timeout_s: float | None) -> ChatCompletion:
        done = self._calls.call(
            asked.request,
            lambda attempt: self._clients.complete(attempt, asked.arguments),
            read_completion,
            Terms(timeout_s),
        )
        return asked.answered(done.answer, done.decision)

    async def acompletion(self, asked: Asked, timeout_s: float | None) -> ChatCompletion:
        done = await self._calls.acall(
            asked.request,
            lambda attempt: self._clients.acomplete(attempt, asked.arguments),
            read_completion,
            Terms(timeout_s),
        )
        return asked.answered(done.answer, done.decision)

    def stream(self, asked: Asked, timeout_s: float | None) -> RoutedStream[ChatCompletionChunk]:
        return RoutedStream(
            lambda finish: self._calls.call_stream(
                asked.request,
                lambda attempt: self._clients.stream(attempt, asked.arguments),
                read_chunks,
                Terms(timeout_s),
                opens=is_content,
                finish=finish,
            ),
            shows=asked.shows,
        )

    def astream(
        self, asked: Asked, timeout_s: float | None
    ) -> AsyncRoutedStream[ChatCompletionChunk]:
        return AsyncRoutedStream(
            lambda finish: self._calls.acall_stream(
                asked.request,
                lambda attempt: self._clients.astream(attempt, asked.arguments),
                read_chunks,
                Terms(timeout_s),
                opens=is_content,
                finish=finish,
            ),
            shows=asked.shows,
        )
