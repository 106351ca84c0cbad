"""The provider calls: `openai` clients, made once and reused, without retries of their own."""

from __future__ import annotations

import os
import threading
import weakref
from collections.abc import AsyncGenerator, Generator, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any, TypeVar, cast

from .answers import finishes, is_content, is_reasoning
from .arguments import arguments_of, for_create, is_plain
from .errors import BadResponse, NoEligiblePath, RouterClosed, StreamInterrupted
from .providers import Endpoint
from .redaction import header_secrets, redact
from .sendable import aresending, resending
from .time_limit import StreamLimit, TimeLimit, keep_limits
from .types import Attempt, Path

if TYPE_CHECKING:
    from openai import AsyncOpenAI, OpenAI, Timeout
    from openai.types.chat import ChatCompletion, ChatCompletionChunk

CONNECT_S = 10.0
"""A server that cannot be connected to in this time is down."""

PATH = "/chat/completions"


class Clients:
    """All clients of one Router: one blocking, one for each event loop, remade after a fork."""

    def __init__(self, endpoints: Mapping[str, Endpoint]) -> None:
        self._endpoints = endpoints
        self._secrets = tuple({e.api_key for e in endpoints.values() if len(e.api_key) >= 8})
        self._lock = threading.Lock()
        self._closed = False
        self._forget()

    def complete(self, attempt: Attempt, asked: Mapping[str, object]) -> ChatCompletion:
        """One blocking call.

        Raises:
            Exception: the client's own, without the key in its text; BadResponse.
        """
        client, arguments = self._client(attempt), self._arguments(attempt, asked)
        timeout = _timeout(attempt.timeout_s)
        try:
            with TimeLimit(attempt.timeout_s):
                if is_plain(arguments):
                    answer = client.post(
                        PATH, cast_to=_completion(), body=arguments, options={"timeout": timeout}
                    )
                else:
                    answer = client.chat.completions.create(
                        **for_create(arguments), timeout=timeout
                    )
        except Exception as error:
            self._redact(error, attempt.path)
            raise
        return _checked(answer)

    async def acomplete(self, attempt: Attempt, asked: Mapping[str, object]) -> ChatCompletion:
        """`complete`, awaited."""
        client, arguments = self._aclient(attempt), self._arguments(attempt, asked)
        timeout = _timeout(attempt.timeout_s)
        try:
            with TimeLimit(attempt.timeout_s):
                if is_plain(arguments):
                    answer = await client.post(
                        PATH, cast_to=_completion(), body=arguments, options={"timeout": timeout}
                    )
                else:
                    answer = await client.chat.completions.create(
                        **for_create(arguments), timeout=timeout
                    )
        except Exception as error:
            self._redact(error, attempt.path)
            raise
        return _checked(answer)

    def stream(
        self, attempt: Attempt, asked: Mapping[str, object]
    ) -> Generator[ChatCompletionChunk, None, None]:
        """One streamed call; closing the generator closes the connection.

        Raises:
            StreamInterrupted: it ended without a finish reason.
        """
        progress = _Progress(attempt)
        try:
            with progress.limit:
                chunks = self._client(attempt).chat.completions.create(
                    **self._stream_arguments(attempt, asked)
                )
            with chunks:
                rest = iter(chunks)
                while (chunk := progress.next(rest)) is not None:
                    lives = progress.note(chunk)
                    yield chunk
                    if lives:  # only now: the reader may have taken its time
                        progress.renew()
        except Exception as error:
            self._redact(error, attempt.path)
            if not progress.finished:  # a server that hangs after its last chunk has said all
                raise
        if not progress.finished:
            raise StreamInterrupted("the stream ended without a finish reason: it was cut")

    async def astream(
        self, attempt: Attempt, asked: Mapping[str, object]
    ) -> AsyncGenerator[ChatCompletionChunk, None]:
        """`stream`, awaited."""
        progress = _Progress(attempt)
        try:
            with progress.limit:
                chunks = await self._aclient(attempt).chat.completions.create(
                    **self._stream_arguments(attempt, asked)
                )
            async with chunks:
                rest = aiter(chunks)
                while (chunk := await progress.anext(rest)) is not None:
                    lives = progress.note(chunk)
                    yield chunk
                    if lives:
                        progress.renew()
        except Exception as error:
            self._redact(error, attempt.path)
            if not progress.finished:
                raise
        if not progress.finished:
            raise StreamInterrupted("the stream ended without a finish reason: it was cut")

    def close(self) -> None:
        """Close the blocking client; loops take theirs along. None is made anew."""
        with self._lock:
            self._closed = True
            if self._http is not None:
                self._http.close()
            self._forget()

    async def aclose(self) -> None:
        """Close the blocking client and the running loop's."""
        import asyncio

        held = self._async_http.pop(asyncio.get_running_loop(), None)
        if held is not None:
            await held.aclose()
        self.close()

    def _forget(self) -> None:
        self._pid = os.getpid()
        self._http: Any = None
        self._sync: dict[str, OpenAI] = {}
        # A client keeps connections of the loop that it was first used in: each loop has its own.
        self._async_http: weakref.WeakKeyDictionary[Any, Any] = weakref.WeakKeyDictionary()
        self._async: weakref.WeakKeyDictionary[Any, dict[str, AsyncOpenAI]] = (
            weakref.WeakKeyDictionary()
        )

    def _arguments(self, attempt: Attempt, asked: Mapping[str, object]) -> dict[str, Any]:
        return arguments_of(attempt.path, self._endpoint(attempt.path.id), asked)

    def _stream_arguments(self, attempt: Attempt, asked: Mapping[str, object]) -> dict[str, Any]:
        return {
            **for_create(self._arguments(attempt, asked)),
            "stream": True,
            "stream_options": {"include_usage": True},
            "timeout": _timeout(attempt.timeout_s),
        }

    def _client(self, attempt: Attempt) -> OpenAI:
        if self._pid != os.getpid():
            self._lock = threading.Lock()  # one of the parent's threads may have held it
            self._forget()
        client = self._sync.get(attempt.path.id)
        return client or self._make_client(attempt.path.id)

    def _make_client(self, path_id: str) -> OpenAI:
        import openai

        with self._lock:
            self._check_open()
            if self._http is None:
                # A redirect would send the prompt once more, and to whom the server likes.
                self._http = keep_limits(openai.DefaultHttpxClient(follow_redirects=False))
            endpoint = self._endpoint(path_id)
            client = openai.OpenAI(
                api_key=endpoint.api_key,
                base_url=endpoint.base_url,
                max_retries=0,
                http_client=self._http,
            )
            setattr(client, "post", resending(client.post))  # noqa: B010  # no method, for mypy
            self._sync[path_id] = _without_account(client, endpoint)
            return self._sync[path_id]

    def _aclient(self, attempt: Attempt) -> AsyncOpenAI:
        import asyncio

        import openai

        if self._pid != os.getpid():
            self._lock = threading.Lock()  # one of the parent's threads may have held it
            self._forget()
        loop = asyncio.get_running_loop()
        with self._lock:
            self._check_open()
            clients = self._async.setdefault(loop, {})
            if (client := clients.get(attempt.path.id)) is not None:
                return client
            if loop not in self._async_http:
                self._forget_closed_loops()
                self._async_http[loop] = keep_limits(
                    openai.DefaultAsyncHttpxClient(follow_redirects=False)
                )
            endpoint = self._endpoint(attempt.path.id)
            made = openai.AsyncOpenAI(
                api_key=endpoint.api_key,
                base_url=endpoint.base_url,
                max_retries=0,
                http_client=self._async_http[loop],
            )
            setattr(made, "post", aresending(made.post))  # noqa: B010
            clients[attempt.path.id] = _without_account(made, endpoint)
            return made

    def _endpoint(self, path_id: str) -> Endpoint:
        try:
            return self._endpoints[path_id]
        except KeyError:
            raise NoEligiblePath(
                [f"{path_id}: its calls are made by the adapter that it was given to"]
            ) from None

    def _check_open(self) -> None:
        """A call that was under way when its Router was closed leaves no connections behind."""
        if self._closed:
            raise RouterClosed

    def _forget_closed_loops(self) -> None:
        """A client holds on to its loop, so that neither goes by itself once the loop is closed."""
        for loop in [loop for loop in self._async_http if loop.is_closed()]:
            del self._async_http[loop]
            self._async.pop(loop, None)

    def _redact(self, error: BaseException, path: Path) -> None:
        redact(error, (*self._secrets, *header_secrets(path)))


class _Progress(StreamLimit):
    """What has come of a stream, and until when the next of it has to come."""

    __slots__ = ("finished",)

    def __init__(self, attempt: Attempt) -> None:
        super().__init__(attempt)
        self.finished = False

    def note(self, chunk: ChatCompletionChunk) -> bool:
        """Note a chunk; does it break the silence?"""
        self.finished = self.finished or finishes(chunk)
        return self.saw(content=is_content(chunk), reasoning=is_reasoning(chunk))


def _checked(answer: object) -> ChatCompletion:
    if getattr(answer, "choices", None) is None:
        from .answers import read_completion

        read_completion(cast("ChatCompletion", answer))  # raises what it is
        raise BadResponse("the server's answer has no choices")
    return cast("ChatCompletion", answer)


C = TypeVar("C", bound="OpenAI | AsyncOpenAI")


def _without_account(client: C, endpoint: Endpoint) -> C:
    """OpenAI's organisation and project, read from the environment, go to no other provider."""
    if not endpoint.is_openais:
        client.organization = client.project = None
    return client


@lru_cache(maxsize=1)
def _completion() -> type[ChatCompletion]:
    from openai.types.chat import ChatCompletion

    return ChatCompletion


@lru_cache(maxsize=256)
def _timeout(seconds: float) -> Timeout:
    import openai

    return openai.Timeout(seconds, connect=min(seconds, CONNECT_S))
