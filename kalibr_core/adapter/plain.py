"""OpenAI's chat completions for requests that are JSON as they stand.

The SDK's `create` walks through all of a request to translate what is no JSON yet, which costs it a
sixth of a whole call. What frameworks make of a conversation of plain texts needs no translation.
"""

from __future__ import annotations

from typing import Any

from openai.resources.chat.completions import AsyncCompletions, Completions
from openai.types.chat import ChatCompletion

from ..arguments import create_names, is_plain
from ..clients import PATH

_NOT_SENT = frozenset({"timeout", "extra_query", "extra_body"})
"""Arguments for the SDK itself."""
HEADERS = "extra_headers"
RAW = "X-Stainless-Raw-Response"
"""How the SDK's own wrapper for raw responses marks a call."""


class PlainCompletions(Completions):
    """`Completions` whose `create` posts plain requests as they are."""

    def create(self, **arguments: Any) -> Any:
        headers = arguments.pop(HEADERS, None)
        if _is_whole(arguments):
            options: Any = {"headers": headers} if headers else {}
            answer: Any = self._client.post(
                PATH, cast_to=ChatCompletion, body=arguments, options=options
            )
            return QuickResponse(answer) if RAW in (headers or {}) else answer
        return super().create(**_with(arguments, headers))

    def parse(self, **arguments: Any) -> Any:
        """As `create`, unless the SDK is to parse into a class.

        It raises for an answer that is cut or filtered, which is the gate's to judge.
        """
        if isinstance(arguments.get("response_format"), dict):
            return self.create(**arguments)
        return super().parse(**arguments)


class AsyncPlainCompletions(AsyncCompletions):
    """`PlainCompletions`, awaited."""

    async def create(self, **arguments: Any) -> Any:
        headers = arguments.pop(HEADERS, None)
        if _is_whole(arguments):
            options: Any = {"headers": headers} if headers else {}
            answer: Any = await self._client.post(
                PATH, cast_to=ChatCompletion, body=arguments, options=options
            )
            return QuickResponse(answer) if RAW in (headers or {}) else answer
        return await super().create(**_with(arguments, headers))

    async def parse(self, **arguments: Any) -> Any:
        if isinstance(arguments.get("response_format"), dict):
            return await self.create(**arguments)
        return await super().parse(**arguments)


class QuickResponse:
    """A raw response that is read as plain JSON, which is all that `ChatOpenAI` makes of it.

    The SDK builds objects of it, which `ChatOpenAI` turns into dicts again: a tenth of a call.
    """

    __slots__ = ("_raw",)

    def __init__(self, raw: Any) -> None:
        self._raw = raw

    def __getattr__(self, name: str) -> Any:
        return getattr(self._raw, name)

    def parse(self) -> Any:
        """A dict; the SDK's object where the answer holds more than a dict is read for."""
        http_response = getattr(self._raw, "http_response", None)
        if http_response is None or "json" not in http_response.headers.get("content-type", ""):
            return self._raw.parse()
        answer = http_response.json()
        return answer if _is_usual(answer) else self._raw.parse()


def _is_usual(answer: object) -> bool:
    """Are there choices? What else it may be, an error or a list, the SDK's way tells better."""
    choices = answer.get("choices") if isinstance(answer, dict) else None
    return isinstance(choices, list) and bool(choices)


def _is_whole(arguments: dict[str, Any]) -> bool:
    """Is it a request for a whole answer, and nothing but JSON?"""
    return (
        not arguments.get("stream")
        and _NOT_SENT.isdisjoint(arguments)
        and create_names().issuperset(arguments)  # an unknown one is refused by the SDK
        and is_plain(arguments)
    )


def _with(arguments: dict[str, Any], headers: Any) -> dict[str, Any]:
    return arguments if headers is None else {**arguments, HEADERS: headers}


def quicker(resource: type[Any]) -> type[Any]:
    """The quicker like of one of the SDK's resources, where there is one."""
    return {Completions: PlainCompletions, AsyncCompletions: AsyncPlainCompletions}.get(
        resource, resource
    )
