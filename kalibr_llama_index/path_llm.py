"""One path's LLM, as routed calls use it."""

from __future__ import annotations

import asyncio
import math
import time
import weakref
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from typing import Any

from llama_index.core.llms import LLM
from llama_index.core.rate_limiter import SlidingWindowRateLimiter, TokenBucketRateLimiter
from llama_index.llms.openai import OpenAI, OpenAIResponses

from kalibr_core.adapter.copies import Copies
from kalibr_core.adapter.limiter import LimiterError
from kalibr_core.adapter.sdk import client_in
from kalibr_core.redaction import header_secrets
from kalibr_core.time_limit import TimeLimit
from kalibr_core.types import Path

from .clients import ASYNC, SYNC, held, is_limited, unretried
from .paths import calls_tools, metadata_of

READERS = (
    "from_openai_",
    "_get_response_token_counts",
    "update_tool_calls",
    "_parse_response_output",
    "process_response_event",
    "_get_content_and_tool_calls",
    "_get_blocks_and_tool_calls",
)
"""How the functions begin by which LlamaIndex's LLMs read a response."""
OWN_LIMITERS = (TokenBucketRateLimiter, SlidingWindowRateLimiter)
"""LlamaIndex's; they hold on to no event loop."""
SECRETS = ("api_key", "auth_token", "token", "azure_ad_token")


class PathLLM(Copies[LLM]):
    """A path and its LLM: one copy for blocking calls, and one for each event loop.

    Args:
        path: what routing knows of it.
        llm: as the user gave it, or made from the path's name; it is not changed.
        is_named: was the LLM made from the path's name? Then the path's parameters win over the
            caller's, since they are what it is.
    """

    readers: Sequence[str] = READERS

    def __init__(self, path: Path, llm: LLM, *, is_named: bool = False) -> None:
        super().__init__(llm, unretried)
        self.path = path
        self.llm = llm
        self.is_named = is_named
        self.metadata = metadata_of(llm)
        limits = {"max_tokens", "max_completion_tokens"}
        self.own = set(path.params) | (limits if limits & set(path.params) else set())
        self.is_openai = isinstance(llm, OpenAI)
        self.makes_openai_calls = isinstance(llm, OpenAI | OpenAIResponses)
        self.tells_end = self.makes_openai_calls
        self.calls_tools = calls_tools(llm, self.metadata) and path.tools is not False
        self.takes_schemas = self.is_openai and bool(llm._should_use_structure_outputs())  # type: ignore[attr-defined]  # the OpenAI LLM's
        self.asks: weakref.WeakKeyDictionary[type, dict[str, Any]] = weakref.WeakKeyDictionary()
        """What asks for structured output, by the class that it is to fit."""
        self.limiter = llm.rate_limiter
        self.longest_limiter_wait_s = math.inf
        """Shorter where another path is free of one."""

    @property
    def most_tokens(self) -> int | None:
        """The limit of an answer that the LLM has of its own."""
        return getattr(self.llm, "max_tokens", None)

    @cached_property
    def is_limited(self) -> bool:
        """Do its connections keep time limits?"""
        return is_limited(self.llm)

    @cached_property
    def secrets(self) -> tuple[str, ...]:
        """What must not stand in an error's text."""
        clients = [client_in(held(self.llm, name)) for name in (*SYNC, *ASYNC)]
        places = [self.llm, *(client for client in clients if client is not None)]
        held_keys = (held(place, name) for place in places for name in SECRETS)
        keys = (getattr(key, "get_secret_value", lambda key=key: key)() for key in held_keys)
        own = (key for key in keys if isinstance(key, str) and len(key) >= 8)
        return (*own, *header_secrets(self.path), *_headers(self.llm))

    def acquire(self, limit: TimeLimit) -> None:
        """Wait for the LLM's own rate limiter: a while where another path has none, else all the
        time that the attempt has. A limiter of another make than LlamaIndex's waits as it likes.

        Raises:
            LimiterError: it gave no leave in time.
        """
        if self.limiter is None:
            return
        if not isinstance(self.limiter, OWN_LIMITERS):
            self.limiter.acquire()
        elif _in_loop():  # a notebook's, which cannot be waited in
            with ThreadPoolExecutor(1) as thread:
                thread.submit(asyncio.run, self.aacquire(limit)).result()
        else:
            asyncio.run(self.aacquire(limit))

    async def aacquire(self, limit: TimeLimit) -> None:
        """`acquire`, awaited."""
        if self.limiter is None:
            return
        wait_s = min(limit.until - time.monotonic(), self.longest_limiter_wait_s)
        try:
            async with asyncio.timeout(wait_s):
                await self.limiter.async_acquire()
        except TimeoutError:
            raise LimiterError("the LLM's rate_limiter gave no leave in time") from None


def _headers(llm: LLM) -> tuple[str, ...]:
    headers: Any = getattr(llm, "default_headers", None)
    values = headers.values() if isinstance(headers, dict) else ()
    return tuple(value for value in values if isinstance(value, str) and len(value) >= 8)


def _in_loop() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True
