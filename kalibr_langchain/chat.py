"""One path's chat model, as routed calls use it."""

from __future__ import annotations

import asyncio
import inspect
import math
import time
from collections.abc import Mapping, Sequence
from functools import cached_property
from urllib.parse import urlsplit

from langchain_core.exceptions import ModelRateLimitError
from langchain_core.language_models import BaseChatModel
from langchain_openai.chat_models.base import BaseChatOpenAI

from kalibr_core.adapter import limiter
from kalibr_core.adapter.copies import Copies
from kalibr_core.providers import PROVIDERS
from kalibr_core.redaction import header_secrets
from kalibr_core.time_limit import TimeLimit
from kalibr_core.types import Path

from .clients import is_limited, secrets_of, unretried
from .history import knows_cache

READERS = (
    "_create_chat_result",
    "_create_usage_metadata",
    "_convert_dict_to_message",
    "_convert_chunk",
    "_convert_delta",
    "_construct_lc_result",
    "_convert_responses_chunk",
)
"""How the functions begin by which LangChain's models read a response."""
ENDS = ("openai", "anthropic")
"""Providers, by their LangChain names, whose whole streams tell how they ended."""


PROVIDERS_HOSTS = tuple(urlsplit(p.base_url).hostname for p in PROVIDERS.values())


POLL_S = 0.02
"""Between two looks at a model's rate limiter."""


class LimiterError(limiter.LimiterError, ModelRateLimitError):
    """`limiter.LimiterError`, which `except ModelRateLimitError` matches too."""


class Chat(Copies[BaseChatModel]):
    """A path and its model: one copy for blocking calls, and one for each event loop.

    Args:
        path: what routing knows of it.
        model: as the user gave it, or made from the path's name; it is not changed.
        is_named: was the model made from the path's name? Then the path's parameters win over
            the caller's, since they are what it is.
        method: how structured output is asked for, where the caller leaves it open.
    """

    readers: Sequence[str] = READERS

    def __init__(
        self,
        path: Path,
        model: BaseChatModel,
        *,
        is_named: bool = False,
        method: str | None = None,
    ) -> None:
        super().__init__(model, unretried)
        self.path = path
        self.model = model
        self.is_named = is_named
        self.method = method
        limits = {"max_tokens", "max_completion_tokens"}
        self.own = set(path.params) | (limits if limits & set(path.params) else set())
        self.is_openai = isinstance(model, BaseChatOpenAI)
        provider = model._get_ls_params().get("ls_provider")
        self.provider = str(provider or type(model).__name__)
        self.marks_cache = knows_cache(self.provider, own_server=_is_own(model))
        self.tells_end = self.is_openai or self.provider in ENDS
        thinking = getattr(model, "thinking", None)
        self.thinks = isinstance(thinking, Mapping) and thinking.get("type") != "disabled"
        """Does it sign its thoughts, and want them back?"""
        self.limiter = model.rate_limiter
        self.longest_limiter_wait_s = math.inf
        """Shorter where another path is free of one."""
        off = model.disable_streaming is True
        self.streams = not off and type(model)._stream is not BaseChatModel._stream
        self.astreams = self.streams or (
            not off and type(model)._astream is not BaseChatModel._astream
        )

    def acquire(self, limit: TimeLimit) -> None:
        """Wait for the model's own rate limiter: a while where another path has none, else all the
        time that the attempt has.

        Raises:
            LimiterError: it gave no leave in time.
        """
        if self.limiter is None:
            return
        ends = self._wait_ends(limit)
        while not self.limiter.acquire(blocking=False):
            _check_wait(ends)
            time.sleep(POLL_S)

    async def aacquire(self, limit: TimeLimit) -> None:
        """`acquire`, awaited."""
        if self.limiter is None:
            return
        ends = self._wait_ends(limit)
        while not await self.limiter.aacquire(blocking=False):
            _check_wait(ends)
            await asyncio.sleep(POLL_S)

    def _wait_ends(self, limit: TimeLimit) -> float:
        return min(limit.until, time.monotonic() + self.longest_limiter_wait_s)

    @property
    def most_tokens(self) -> int | None:
        """The limit of an answer that the model has of its own."""
        return getattr(self.model, "max_tokens", None)

    @cached_property
    def is_limited(self) -> bool:
        """Do its connections keep time limits?"""
        return is_limited(self.model)

    @cached_property
    def secrets(self) -> tuple[str, ...]:
        """What must not stand in an error's text."""
        return (*secrets_of(self.model), *header_secrets(self.path))

    def binds_with(self, name: str) -> bool:
        """Does the model's `bind_tools` have an argument of this name?"""
        return name in self._bind_arguments

    @cached_property
    def _bind_arguments(self) -> frozenset[str]:
        return frozenset(inspect.signature(type(self.model).bind_tools).parameters)


def _is_own(model: BaseChatModel) -> bool:
    """Does the model speak like OpenAI's to a server of the user's own, such as a gateway?"""
    url = getattr(model, "openai_api_base", None)
    return isinstance(url, str) and urlsplit(url).hostname not in PROVIDERS_HOSTS


def _check_wait(ends: float) -> None:
    if time.monotonic() >= ends:
        raise LimiterError("the model's rate_limiter gave no leave in time")
