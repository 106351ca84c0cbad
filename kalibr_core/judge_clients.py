"""A judge's requests: clients of their own, made once, and no more work for each than it takes.

They run beside the program's calls, in the same interpreter: what one costs, calls next to it pay.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

from .answers import read_usage
from .arguments import arguments_of, for_create, has_new_limit, is_plain
from .clients import PATH
from .gates.judge import SCHEMA
from .providers import Endpoint
from .redaction import redact
from .time_limit import TimeLimit, keep_limits
from .types import Path, Usage

MOST_TOKENS = 300
"""Of a judge's answer; a model that thinks first sets its own limit."""
PLATFORM = "x-stainless-"
"""Headers of the client's that say what machine this is: no server needs them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """A judge's answer, not yet looked at."""

    text: object
    """What was said; of any type, since servers send anything."""
    usage: Usage | None


class JudgeClients:
    """One client for each model that judges; safe for threads."""

    def __init__(self) -> None:
        self.forked()

    def forked(self) -> None:
        """Neither connections nor held locks go along into a child."""
        self._lock = threading.Lock()
        self._made: dict[str, _Client] = {}

    def close(self) -> None:
        """Close the connections, also under a request."""
        with self._lock:
            while self._made:
                self._made.popitem()[1].openai.close()

    def ask(
        self,
        path: Path,
        endpoint: Endpoint,
        messages: list[dict[str, str]],
        *,
        timeout_s: float,
    ) -> Reply:
        """Ask one judge, once.

        Raises:
            Exception: the client's own, or the HTTP library's, without the key in its text.
        """
        asked: dict[str, Any] = {"messages": messages, "response_format": _format_of(endpoint)}
        if not has_new_limit(endpoint):
            asked |= {"temperature": 0.0, "max_tokens": MOST_TOKENS}
        arguments = arguments_of(path, endpoint, asked)
        client = self._client(path, endpoint)
        try:
            with TimeLimit(timeout_s):
                # TLS to a host with `_` in its name asks for what the client does about it.
                if is_plain(arguments) and "_" not in endpoint.base_url:
                    return client.post(arguments, timeout_s)
                create = client.openai.chat.completions.create
                return _reply_of(create(**for_create(arguments), timeout=timeout_s))
        except Exception as error:
            redact(error, (endpoint.api_key,))
            raise

    def _client(self, path: Path, endpoint: Endpoint) -> _Client:
        with self._lock:
            found = self._made.get(path.id)
            if found is None:
                found = self._made[path.id] = _Client(endpoint)
            return found


class _Client:
    """One model's server: the `openai` client, and its HTTP client for what is plain JSON.

    The former builds and reads a request in as much time again as the latter takes to send it.
    """

    def __init__(self, endpoint: Endpoint) -> None:
        import openai

        http: Any = openai.DefaultHttpxClient(follow_redirects=False)
        self.openai: Any = openai.OpenAI(
            api_key=endpoint.api_key,
            base_url=endpoint.base_url,
            max_retries=0,
            http_client=keep_limits(http),
        )
        if not endpoint.is_openais:
            self.openai.organization = self.openai.project = None
        self._http = http
        self._url = str(self.openai.base_url).rstrip("/") + PATH
        self._headers = _headers_of(self.openai)

    def post(self, arguments: Mapping[str, object], timeout_s: float) -> Reply:
        """Send what is JSON as it stands.

        Raises:
            openai.APIStatusError: the server refuses, or sends elsewhere.
        """
        body = json.dumps(arguments).encode()
        answer = self._http.post(self._url, content=body, headers=self._headers, timeout=timeout_s)
        if not answer.is_success:
            raise _refusal(answer)
        return _reply_of(json.loads(answer.content, object_hook=_as_object))


def _headers_of(client: Any) -> dict[str, str]:
    """The client's own, with the key; a header that it leaves out is no text."""
    headers = {**client.auth_headers, **client.default_headers}
    return {
        name: value
        for name, value in headers.items()
        if isinstance(value, str) and not name.lower().startswith(PLATFORM)
    }


def _as_object(fields: dict[str, Any]) -> SimpleNamespace:
    return SimpleNamespace(**fields)


def _reply_of(answer: Any) -> Reply:
    """Read a completion, by its attributes."""
    choices: Sequence[Any] = getattr(answer, "choices", None) or ()
    message = getattr(choices[0], "message", None) if choices else None
    return Reply(
        text=getattr(message, "content", None), usage=read_usage(getattr(answer, "usage", None))
    )


def _refusal(answer: Any) -> Exception:
    """The error that `openai` has for a status."""
    import openai

    kinds: dict[int, Any] = {
        400: openai.BadRequestError,
        401: openai.AuthenticationError,
        403: openai.PermissionDeniedError,
        404: openai.NotFoundError,
        429: openai.RateLimitError,
    }
    status = answer.status_code
    other = openai.InternalServerError if status >= 500 else openai.APIStatusError
    kind = kinds.get(status, other)
    error: Exception = kind(f"Error code: {status}", response=answer, body=None)
    return error


def _format_of(endpoint: Endpoint) -> dict[str, Any]:
    """Servers of other makes know JSON, and not schemas; what comes is validated in any case."""
    if endpoint.provider in ("openai", "google", None):
        inner = {"name": "judgement", "strict": True, "schema": SCHEMA}
        return {"type": "json_schema", "json_schema": inner}
    return {"type": "json_object"}
