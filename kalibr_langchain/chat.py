"""One path's chat model, as routed calls use it."""

from __future__ import annotations

import asyncio
import inspect
import math
import os
import threading
import weakref
from collections.abc import Mapping
from functools import cached_property
from typing import Any
from urllib.parse import urlsplit

from langchain_core.language_models import BaseChatModel
from langchain_openai.chat_models.base import BaseChatOpenAI

from kalibr_core.clients import header_secrets
from kalibr_core.providers import PROVIDERS
from kalibr_core.types import Path

from .clients import is_limited, secrets_of, unretried
from .history import knows_cache

ENDS = ("openai", "anthropic")
"""Providers, by their LangChain names, whose whole streams tell how they ended."""


PROVIDERS_HOSTS = tuple(urlsplit(p.base_url).hostname for p in PROVIDERS.values())


class Chat:
    """A path and its model: one copy for blocking calls, and one for each event loop.

    Args:
        path: what routing knows of it.
        model: as the user gave it, or made from the path's name; it is not changed.
        is_named: was the model made from the path's name? Then the path's parameters win over
            the caller's, since they are what it is.
        method: how structured output is asked for, where the caller leaves it open.
    """

    def __init__(
        self,
        path: Path,
        model: BaseChatModel,
        *,
        is_named: bool = False,
        method: str | None = None,
    ) -> None:
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
        self._lock = threading.Lock()
        self._forget()

    @property
    def blocking(self) -> BaseChatModel:
        """The copy for blocking calls."""
        if self._pid != os.getpid():
            self._after_fork()
        return self._blocking or self._make_blocking()

    @property
    def in_loop(self) -> BaseChatModel:
        """The copy for the running event loop."""
        if self._pid != os.getpid():
            self._after_fork()
        loop = asyncio.get_running_loop()
        return self._in_loop.get(loop) or self._make_in_loop(loop)

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

    def close(self) -> None:
        """Let go of the copies; their connections close with them."""
        with self._lock:
            self._forget()

    def _forget(self) -> None:
        self._pid = os.getpid()
        self._blocking: BaseChatModel | None = None
        self._in_loop: weakref.WeakKeyDictionary[Any, BaseChatModel] = weakref.WeakKeyDictionary()

    def _after_fork(self) -> None:
        self._lock = threading.Lock()  # one of the parent's threads may have held it
        self._forget()

    def _make_blocking(self) -> BaseChatModel:
        with self._lock:
            if self._blocking is None:
                self._blocking = unretried(self.model, is_async=False)
            return self._blocking

    def _make_in_loop(self, loop: asyncio.AbstractEventLoop) -> BaseChatModel:
        with self._lock:
            for other in [loop for loop in self._in_loop if loop.is_closed()]:
                del self._in_loop[other]  # a client holds on to its loop
            found = self._in_loop.get(loop)
            if found is None:
                found = self._in_loop[loop] = unretried(self.model, is_async=True)
            return found


def _is_own(model: BaseChatModel) -> bool:
    """Does the model speak like OpenAI's to a server of the user's own, such as a gateway?"""
    url = getattr(model, "openai_api_base", None)
    return isinstance(url, str) and urlsplit(url).hostname not in PROVIDERS_HOSTS
