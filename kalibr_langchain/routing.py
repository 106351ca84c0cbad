"""The Router behind a `ChatKalibr`, and the chat models of its paths."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Self, cast

from langchain_core.language_models import BaseChatModel

from kalibr_core import Router
from kalibr_core.adapter.routers import checked_router
from kalibr_core.errors import ConfigError
from kalibr_core.providers import endpoints_of
from kalibr_core.types import Path

from .chat import Chat
from .paths import CHAT_MODELS, ChatPathSpec, capabilities


class Routing:
    """A Router, and one chat model for each of its paths."""

    __slots__ = ("__weakref__", "chats", "held", "identity", "most_tokens", "owned", "router")

    def __init__(self, router: Router, chats: Mapping[str, Chat], *, owned: bool) -> None:
        self.router = router
        self.chats = chats
        if any(chat.limiter is None for chat in chats.values()):
            for chat in chats.values():
                chat.longest_limiter_wait_s = router.limits.max_wait_s
        self.identity = {"goal": router.goal, "paths": [path.id for path in router.paths]}
        """What tells this model from another, for tracing and caches."""
        limits = {getattr(chat.model, "max_tokens", None) for chat in chats.values()}
        self.most_tokens: int | None = limits.pop() if len(limits) == 1 else None
        """The limit of an answer that all the paths' own models have."""
        self.held: object = None
        """What it was made of, and is told from others by."""
        self.owned = owned
        """Was the Router made here, to be closed here?"""

    @classmethod
    def made(cls, paths: Sequence[ChatPathSpec], settings: Mapping[str, Any]) -> Self:
        """Make a Router for these paths.

        Raises:
            ConfigError: says what, which value, what to do.
        """
        from .named import named_model  # slow to import

        listed = CHAT_MODELS.listed(paths)
        servers = {name: settings.get(name) for name in ("base_url", "api_key")}
        endpoints = endpoints_of([entry.path for entry in listed], **servers)
        models = {
            entry.path.id: entry.model or named_model(entry.path, endpoints[entry.path.id])
            for entry in listed
        }
        router = Router(paths=[_declared(e.path, models[e.path.id]) for e in listed], **settings)
        made = cls(router, _chats(router, models), owned=True)
        made.held = (paths, settings)
        return made

    @classmethod
    def of(cls, router: Router) -> Self:
        """The routing of a Router that the user has made.

        Raises:
            ConfigError: it is none, or one of its paths has no server.
        """
        return cls(checked_router(router), _chats(router, {}), owned=False)

    def close(self) -> None:
        """Close the connections, and the Router where it was made here."""
        for chat in self.chats.values():
            chat.close()
        if self.owned:
            self.router.close()


def _chats(router: Router, models: Mapping[str, BaseChatModel]) -> dict[str, Chat]:
    from .named import default_method, named_model  # slow to import

    chats: dict[str, Chat] = {}
    for path in router.paths:
        endpoint, model = router.endpoints.get(path.id), models.get(path.id)
        if endpoint is None and model is None:
            raise ConfigError(f"path {path.id!r} has no server, and no chat model is given")
        if endpoint is None:
            chats[path.id] = Chat(path, cast("BaseChatModel", model))
        else:
            chats[path.id] = Chat(
                path,
                model or named_model(path, endpoint),
                is_named=True,
                method=default_method(endpoint),
            )
    return chats


def _declared(path: Path, model: BaseChatModel) -> Path:
    """A path with what LangChain's profile says of its model, where the user says nothing."""
    unsaid = {n: value for n, value in capabilities(model).items() if getattr(path, n) is None}
    return replace(path, **unsaid) if unsaid else path
