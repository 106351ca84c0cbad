"""One call as LangChain asks for it -> the request that routing sees, and each path's arguments."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage
from langchain_core.utils.pydantic import is_basemodel_subclass

from kalibr_core.adapter.asking import (
    FOREIGN,
    check_call,
    most_tokens,
    tolerated,
    without_limits,
)
from kalibr_core.errors import ConfigError
from kalibr_core.features import estimate_tokens, hash_of, input_of, script_of
from kalibr_core.types import INPUTS, Features, Request, Transcript

from .chat import Chat
from .history import in_foreign_tool_loop, portable
from .reading import text_of
from .tools import bound

if TYPE_CHECKING:
    from .structured import Structured

HOW = ("tool_choice", "parallel_tool_calls", "response_format")
"""Arguments that go with tools, and that each provider has its own form of."""
NOT_SENT = FOREIGN | {"tools", "model", *HOW}
"""Arguments that reach no path as they are."""
ROLES = {"human": "user", "ai": "assistant"}
"""LangChain's words and the others'."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Asked:
    """One call.

    Args:
        messages: as LangChain hands them over.
        stop: where to stop.
        arguments: what else the caller gave or bound.
        defaults: the model's own settings, for paths made from names.
        session: names the conversation.
        structured: what `with_structured_output` bound.
        most_tokens: the limit that the paths' own models have, where they agree.
    """

    messages: list[BaseMessage]
    stop: list[str] | None
    arguments: Mapping[str, Any]
    defaults: Mapping[str, Any]
    session: str | None
    structured: Structured | None
    most_tokens: int | None = None

    def on(self, chat: Chat) -> tuple[list[BaseMessage], dict[str, Any]]:
        """The messages and the arguments as a path takes them.

        Raises:
            NoEligiblePath: the path cannot be asked so.
        """
        messages = portable(
            self.messages,
            path_id=chat.path.id,
            provider=chat.provider,
            marks_cache=chat.marks_cache,
        )
        return messages, self._arguments(chat)

    def model_of(self, chat: Chat, model: BaseChatModel) -> BaseChatModel:
        """The path's model for this call: one that thinks must not, in a turn that it began not."""
        if not chat.thinks or not in_foreign_tool_loop(
            self.messages, path_id=chat.path.id, provider=chat.provider
        ):
            return model
        return model.model_copy(update={"thinking": None})

    def _arguments(self, chat: Chat) -> dict[str, Any]:
        plain = {k: v for k, v in self.arguments.items() if k not in NOT_SENT}
        if self.stop is not None:
            plain["stop"] = self.stop
        if chat.is_named:
            # A named path's own parameters are what it is; the model's settings are for the rest.
            plain = {**without_limits(self.defaults, plain), **plain}
            if chat.path.params:
                plain = {k: v for k, v in plain.items() if k not in chat.own}
        found = {"stop": None, **plain, **self._bound(chat)}
        if self.structured is not None:
            found.update(_asks(chat, self.structured))
        return found

    def _bound(self, chat: Chat) -> dict[str, Any]:
        tools = self.arguments.get("tools")
        how = {name: self.arguments[name] for name in HOW if name in self.arguments}
        if tools:
            return bound(chat, tools, how)
        if not how:
            return {}
        wanted = how.get("response_format")
        if chat.is_openai and (wanted is None or isinstance(wanted, Mapping)):
            return how
        return {} if wanted is None else _asks(chat, _structured_of(wanted))

    @cached_property
    def request(self) -> Request:
        """What routing and the gates need to know of the call.

        Raises:
            ConfigError: something that a routed call cannot do.
        """
        if not self.messages:
            raise ConfigError("messages is empty; a call needs at least one message")
        check_call(self.arguments, self.session)
        tools = self.arguments.get("tools") or ()
        wanted, parse = self._format()
        prompt = _prompt(self.messages)
        tokens, images, takes = _measured(self.messages)
        most = most_tokens(self.defaults, self.arguments, self.most_tokens)
        return Request(
            prompt=prompt,
            conversation=partial(_besides, self.messages),
            tools=tools,
            response_format=wanted,
            max_output_tokens=most,
            parse=parse,
            tolerates=tolerated(
                tools=bool(tools), limited=most is not None, structured=wanted is not None
            ),
            takes=takes,
            only=self.arguments.get("model"),
            features=Features(
                tokens,
                len(self.messages),
                len(tools),
                wanted is not None,
                images,
                script_of(prompt),
                None if self.session is None else hash_of(self.session),
            ),
        )

    def _format(self) -> tuple[Mapping[str, object] | None, Any]:
        wanted = self.structured
        given = self.arguments.get("response_format")
        if wanted is None and given is not None:
            if isinstance(given, Mapping):
                from kalibr_core.gates.structural import check_response_format  # slow to import

                check_response_format(given)
                return given, None
            wanted = _structured_of(given)
        if wanted is None:
            return None, None
        return wanted.response_format, wanted.parse


def _structured_of(given: Any) -> Structured:
    """A `response_format` that was bound by hand."""
    from .structured import Structured  # slow to import

    if isinstance(given, Mapping):
        if given.get("type") == "json_object":
            return Structured(None, method="json_mode")
        inner = given.get("json_schema")
        if isinstance(inner, Mapping) and isinstance(inner.get("schema"), Mapping):
            title = inner.get("name") or "answer"
            return Structured({"title": title, **inner["schema"]})
    if isinstance(given, type) and is_basemodel_subclass(given):
        return Structured(given)
    raise ConfigError(f"response_format must be OpenAI's or a pydantic class, got {given!r:.80}")


def _asks(chat: Chat, wanted: Structured) -> dict[str, Any]:
    from .formats import asks  # slow to import

    return asks(chat, wanted)


def _prompt(messages: Sequence[BaseMessage]) -> str:
    for message in reversed(messages):
        if isinstance(message, HumanMessage):
            return text_of(message)
    return ""


def _besides(messages: Sequence[BaseMessage]) -> Transcript:
    """All but the last human message."""
    people = [n for n, message in enumerate(messages) if isinstance(message, HumanMessage)]
    rest = [message for n, message in enumerate(messages) if n != (people[-1] if people else -1)]
    return [{"role": ROLES.get(one.type, one.type), "content": _said(one)} for one in rest]


def _said(message: BaseMessage) -> str:
    calls = message.tool_calls if isinstance(message, AIMessage) else ()
    called = [f"{call['name']}({json.dumps(call['args'], default=str)})" for call in calls]
    return "\n".join(filter(None, [text_of(message), *called]))


def _measured(messages: Sequence[BaseMessage]) -> tuple[int, int, frozenset[str]]:
    """Estimated tokens, images, and what the messages hold beside text."""
    tokens = images = 0
    takes: set[str] = set()
    for message in messages:
        tokens += 4 + estimate_tokens(text_of(message))
        if isinstance(message.content, str) or isinstance(message, AIMessage):
            continue  # what a model has made goes along as far as the next one takes it
        for part in message.content:
            kind = input_of(part)
            images += kind == "images"
            if kind in INPUTS:
                takes.add(kind)
    return tokens, images, frozenset(takes)
