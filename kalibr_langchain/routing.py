"""The Router behind a `ChatKalibr`, and the chat models of its paths."""

from __future__ import annotations

import contextlib
import threading
import weakref
from collections import OrderedDict
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import fields, replace
from typing import Any, Self, cast

from langchain_core.language_models import BaseChatModel

from kalibr_core import Router
from kalibr_core.errors import ConfigError
from kalibr_core.providers import endpoints_of
from kalibr_core.types import Path

from .chat import Chat
from .paths import ChatPathSpec, capabilities, listed_paths

MOST_ROUTERS = 64
"""Settings of one model that are remembered; the ones not used for longest are let go."""


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
        LIVE.add(self)

    @classmethod
    def made(cls, paths: Sequence[ChatPathSpec], settings: Mapping[str, Any]) -> Self:
        """Make a Router for these paths.

        Raises:
            ConfigError: says what, which value, what to do.
        """
        from .named import named_model  # slow to import

        listed = listed_paths(paths)
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
        if not isinstance(router, Router):
            raise ConfigError(f"router must be a kalibr_core.Router, got {type(router).__name__}")
        return cls(router, _chats(router, {}), owned=False)

    def close(self) -> None:
        """Close the connections, and the Router where it was made here."""
        for chat in self.chats.values():
            chat.close()
        if self.owned:
            self.router.close()


LOOKS = 100
LIVE: weakref.WeakSet[Routing] = weakref.WeakSet()
"""What `report` looks for a message's Router in: a message holds no more than its decision's id."""


def live() -> list[Routing]:
    """All that are in use."""
    for _ in range(LOOKS):
        with contextlib.suppress(RuntimeError):  # one was made meanwhile
            return list(LIVE)
    return []


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


def key_of(paths: Sequence[ChatPathSpec], settings: Mapping[str, Any]) -> Hashable:
    """Equal for settings that one Router can serve.

    Models and functions are told apart by where they are; `Routing.made` holds on to them.
    """
    return (
        tuple(map(_spec_key, paths)),
        tuple((name, _value_key(value)) for name, value in sorted(settings.items())),
    )


def _spec_key(spec: object) -> Hashable:
    if isinstance(spec, Mapping):
        return tuple((name, _value_key(value)) for name, value in spec.items())
    return _value_key(spec)


def _value_key(value: object) -> Hashable:
    if isinstance(value, Path):
        return tuple(_value_key(getattr(value, field.name)) for field in fields(Path))
    if isinstance(value, str | int | float | bool | None):
        return value
    return repr(value) if isinstance(value, dict | list | tuple) else id(value)


class Routers:
    """The routings of a model and of the copies that LangChain makes of it.

    `configurable_fields` makes a new model for each call. All copies share this, so that the same
    settings have one Router, one ledger and one set of connections.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._found: OrderedDict[Hashable, Routing] = OrderedDict()

    def get(self, key: Hashable, make: Callable[[], Routing]) -> Routing:
        """The routing of these settings; made where there is none yet."""
        with self._lock:
            found = self._found.get(key)
            if found is None:
                found = self._found[key] = make()
                if len(self._found) > MOST_ROUTERS:
                    self._found.popitem(last=False)  # calls may be under way: not closed
            self._found.move_to_end(key)
            return found

    def close(self) -> None:
        with self._lock:
            while self._found:
                self._found.popitem()[1].close()

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        """Another process makes its own."""
        return type(self), ()
