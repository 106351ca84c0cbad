"""Which conversation a call belongs to: by instrumentation tags, or by whose memory it uses."""

from __future__ import annotations

import threading
import uuid
import weakref
from collections.abc import Callable, Coroutine, Mapping
from typing import Any
from uuid import UUID

from llama_index.core.base.llms.types import ChatMessage
from llama_index.core.chat_engine.types import BaseChatEngine
from llama_index.core.memory import BaseMemory
from llama_index.core.memory.types import DEFAULT_CHAT_STORE_KEY
from llama_index.core.workflow import Context, StartEvent
from llama_index_instrumentation.dispatcher import active_instrument_tags

from kalibr_core.errors import ConfigError

NAMES = ("session_id", "thread_id", "conversation_id")
MARK = "kalibr_session_id"
"""What an agent's `Context` holds its conversation's id under, from run to run."""

NAMELESS = (
    "kalibr: a run names no conversation, so what users do with its answer is not learned from. "
    "Name it with instrument_tags({'session_id': ...}), 'thread_id' or 'conversation_id', with "
    "session_id= of a plain call, or with a Memory that has a session_id; "
    "KalibrEventHandler(signals=False) follows none"
)


def session_of_tags() -> str | None:
    """The conversation's id, as `instrument_tags({"session_id": ...})` names it; None: none is
    named."""
    return session_in(active_instrument_tags.get())


def session_in(tags: Mapping[str, Any]) -> str | None:
    """The conversation's id in tags."""
    for name in NAMES if tags else ():
        found = _id(tags.get(name))
        if found is not None:
            return found
    return None


def _id(value: object) -> str | None:
    if isinstance(value, str | int | UUID) and not isinstance(value, bool) and value != "":
        return str(value)
    return None


def session_of_memory(memory: object) -> str | None:
    """The id that a memory keeps its messages under; None: it has the default, which says nothing.

    A `Memory` always has one: made anew for each, where none was given.
    """
    memory = getattr(memory, "primary_memory", memory)
    if not isinstance(memory, BaseMemory):
        return None
    found = _id(getattr(memory, "session_id", None))
    if found is not None:
        return found
    key = getattr(memory, "chat_store_key", None)
    return None if key == DEFAULT_CHAT_STORE_KEY else _id(key)


class Sessions:
    """Tells conversations by the objects that they are led with."""

    def __init__(self, new_id: Callable[[], str] = lambda: uuid.uuid4().hex) -> None:
        self._new_id = new_id
        self._lock = threading.RLock()  # spans may end in the garbage collector
        self._own: weakref.WeakKeyDictionary[object, str] = weakref.WeakKeyDictionary()

    def of_call(
        self, arguments: Mapping[str, Any], instance: object, tags: Mapping[str, Any] | None
    ) -> str | None:
        """The conversation that a call belongs to, where the call itself tells.

        Args:
            arguments: the method's.
            instance: whose method it is.
            tags: the span's; None: those that are active.
        """
        found = session_of_tags() if tags is None else session_in(tags)
        if found is not None:
            return found
        inner = arguments.get("kwargs")
        if isinstance(inner, Mapping) and (found := _id(inner.get("session_id"))) is not None:
            return found
        event = arguments.get("start_event")
        memory = event.get("memory") if isinstance(event, StartEvent) else arguments.get("memory")
        found = session_of_memory(memory)
        if found is not None or not isinstance(instance, BaseChatEngine):
            return found
        # an engine that is handed its history with each call may serve many conversations
        return None if _is_history(arguments.get("chat_history")) else self.of_engine(instance)

    def of_engine(self, engine: BaseChatEngine) -> str:
        """The conversation of a chat engine: its memory's, else one of its own."""
        memory = getattr(engine, "_memory", None) or getattr(engine, "memory", None)
        found = session_of_memory(memory)
        if found is not None:
            return found
        with self._lock:
            found = self._own.get(engine)
            if found is None:
                found = self._own[engine] = self._new_id()
            return found

    def of_context(self, context: Context) -> str | None:
        """The conversation of an agent's context, which is marked with it; None: it cannot be."""
        store = context.store
        found = _id(at_once(store.get(MARK, default=None)))
        if found is not None:
            return found
        memory = at_once(store.get("memory", default=None))
        found = session_of_memory(memory) or self._new_id()
        self.mark(context, found)
        return found if at_once(store.get(MARK, default=None)) == found else None

    def mark(self, context: Context, session_id: str) -> None:
        """Have a context's next runs belong to this conversation."""
        at_once(context.store.set(MARK, session_id))

    def named(self, what: object) -> str:
        """The conversation that a user means.

        Args:
            what: its id; or the chat engine, the memory or the agent's context that holds it.

        Raises:
            ConfigError: this tells none.
        """
        if isinstance(what, BaseChatEngine):
            return self.of_engine(what)
        if isinstance(what, Context):
            found = _id(at_once(what.store.get(MARK, default=None)))
            if found is None:
                raise ConfigError(
                    "this Context has no conversation yet: attach() before its first run"
                )
        else:
            found = session_of_memory(what) or _id(what)
        if found is None:
            raise ConfigError(
                "this names no conversation: give its id (a Run's session_id), the chat engine, "
                f"the Memory with a session_id, or the agent's Context, got {type(what).__name__}"
            )
        return found


def _is_history(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(one, ChatMessage) for one in value)


def at_once(wanted: Coroutine[Any, Any, Any]) -> Any:
    """What a coroutine gives that need not wait, as a store in memory does not; else None."""
    try:
        wanted.send(None)
    except StopIteration as done:
        return done.value
    except Exception:  # noqa: BLE001  # a store of another kind: it tells nothing
        return None
    finally:
        wanted.close()
    return None
