"""One call as LlamaIndex asks for it -> what routing sees of it, and each path's arguments."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any, Literal

from llama_index.core.base.llms.types import (
    AudioBlock,
    ChatMessage,
    DocumentBlock,
    ImageBlock,
    MessageRole,
    ToolCallBlock,
    VideoBlock,
)

from kalibr_core.adapter.asking import check_call, most_tokens, tolerated, without_limits
from kalibr_core.errors import ConfigError, NoEligiblePath
from kalibr_core.features import estimate_tokens, hash_of, script_of
from kalibr_core.types import Features, Output, Request, Transcript

from .history import portable
from .path_llm import PathLLM
from .reading import Piece, read_pieces
from .structured import Structured
from .tools import Tools

NOT_SENT = frozenset(
    {"model", "stream", "tools", "response_format", "n", "max_retries", "api_key", "base_url"}
)
"""Arguments that reach no path as they are."""
HOW = ("tool_choice", "parallel_tool_calls")
"""Arguments that go with tools in OpenAI's format."""
MEDIA = (
    (ImageBlock, "images"),
    (AudioBlock, "audio"),
    (DocumentBlock, "files"),
    (VideoBlock, "video"),
)


@dataclass(frozen=True, kw_only=True, eq=False)
class Asked:
    """One call.

    Args:
        messages: the conversation, or the prompt of a completion.
        formatted: is the prompt in the model's own format already?
        arguments: what else the caller gave.
        defaults: the model's own settings, for paths made from names.
        session: names the conversation.
        on_exhausted: for this call; None: the Router's.
        most_tokens: the limit that the paths' own LLMs have, where they agree.
    """

    messages: Sequence[ChatMessage] | str
    formatted: bool = False
    arguments: Mapping[str, Any]
    defaults: Mapping[str, Any]
    session: str | None
    on_exhausted: Literal["raise", "best"] | None = None
    most_tokens: int | None = None

    @property
    def form(self) -> str:
        """LlamaIndex's word for such a call."""
        return "complete" if isinstance(self.messages, str) else "chat"

    @property
    def tools(self) -> Any:
        return self.arguments.get("tools") or ()

    @property
    def structured(self) -> Structured | None:
        wanted = self.arguments.get("response_format")
        return wanted if isinstance(wanted, Structured) else None

    def on(self, path: PathLLM) -> dict[str, Any]:
        """The arguments of the call as a path takes them.

        Raises:
            NoEligiblePath: the path cannot be asked so.
        """
        plain = self._plain(path)
        if isinstance(self.messages, str):
            return {**plain, "prompt": self.messages, "formatted": self.formatted}
        messages = portable(
            self.messages,
            path_id=path.path.id,
            class_name=path.llm.class_name(),
            is_openai=path.makes_openai_calls,
        )
        if self.structured is not None:
            return {**plain, **self.structured.asked_of(path, messages)}
        if isinstance(self.tools, Tools):
            return {**plain, **self.tools.asked_of(path, messages)}
        return {**plain, "messages": messages, **self._as_openai(path)}

    def _plain(self, path: PathLLM) -> dict[str, Any]:
        plain = {k: v for k, v in self.arguments.items() if k not in NOT_SENT and k not in HOW}
        if path.is_named:
            # A named path's own parameters are what it is; the model's settings are for the rest.
            plain = {**without_limits(self.defaults, plain), **plain}
            if path.path.params:
                plain = {k: v for k, v in plain.items() if k not in path.own}
        return plain

    def _as_openai(self, path: PathLLM) -> dict[str, Any]:
        """What was given in OpenAI's own form, for paths that speak it."""
        names = ("tools", "response_format", *HOW)
        found = {name: self.arguments[name] for name in names if self.arguments.get(name)}
        if found and not path.makes_openai_calls:
            raise NoEligiblePath([f"{path.path.id}: its LLM takes no {next(iter(found))}="])
        return found

    @cached_property
    def request(self) -> Request:
        """What routing and the gates need to know of the call."""
        prompt = _prompt(self.messages)
        tokens, images, takes = _measured(self.messages)
        most = most_tokens(self.defaults, self.arguments, self.most_tokens)
        wanted, tools = self.structured, self.tools
        return Request(
            prompt=prompt,
            conversation=partial(_besides, self.messages),
            tools=_demanded(wanted, tools),
            response_format={"type": "json_object"}
            if wanted is not None
            else self.arguments.get("response_format"),
            max_output_tokens=most,
            parse=None if wanted is None else wanted.parse,
            parse_calls=tools.parse if isinstance(tools, Tools) else None,
            tolerates=tolerated(
                tools=bool(tools), limited=most is not None, structured=wanted is not None
            ),
            takes=takes,
            only=self.arguments.get("model"),
            features=Features(
                tokens,
                1 if isinstance(self.messages, str) else len(self.messages),
                len(tools),
                self.arguments.get("response_format") is not None,
                images,
                script_of(prompt),
                None if self.session is None else hash_of(self.session),
            ),
        )

    def check(self) -> None:
        """Refuse what a routed call cannot do.

        Raises:
            ConfigError: says what, which value, what to do.
        """
        check_call(self.arguments, self.session)
        given = self.arguments.get("response_format")
        if given is None or isinstance(given, Structured):
            return
        if not isinstance(given, Mapping):
            raise ConfigError(
                f"response_format must be a dict in OpenAI's form, got {given!r:.80}; for a "
                "pydantic class call structured_predict or as_structured_llm"
            )
        from kalibr_core.gates.structural import check_response_format  # slow to import

        check_response_format(given)

    def read(self, piece: Piece) -> Output:
        """The answer as the gates judge it."""
        return self.read_all((piece,))

    def read_all(self, pieces: Sequence[Piece]) -> Output:
        """A stream as the gates judge it."""
        output = read_pieces(pieces)
        return output if self.structured is None else self.structured.output(output)


def _demanded(wanted: Structured | None, tools: Any) -> Any:
    """The tools that a path must be able to call."""
    if wanted is not None and wanted.method == "function":
        return wanted.tools
    return tools.known if isinstance(tools, Tools) else tools


def checked_messages(messages: Any) -> Any:
    """A conversation.

    Raises:
        ConfigError: it is none.
    """
    if isinstance(messages, str) or not isinstance(messages, Sequence):
        raise ConfigError(
            f"messages must be a list of ChatMessage, got {type(messages).__name__}; write "
            '[ChatMessage(role="user", content="...")]'
        )
    if not messages:
        raise ConfigError("messages is empty; a call needs at least one message")
    for index, message in enumerate(messages):
        if not isinstance(message, ChatMessage):
            raise ConfigError(
                f"messages[{index}] must be a ChatMessage, got {type(message).__name__}; write "
                'ChatMessage(role="user", content="...")'
            )
    return messages


def checked_prompt(prompt: Any) -> str:
    """A prompt.

    Raises:
        ConfigError: it is no text.
    """
    if not isinstance(prompt, str):
        raise ConfigError(f"prompt must be a string, got {type(prompt).__name__}")
    return prompt


def _prompt(messages: Sequence[ChatMessage] | str) -> str:
    if isinstance(messages, str):
        return messages
    for message in reversed(messages):
        if message.role == MessageRole.USER:
            return message.content or ""
    return ""


def _besides(messages: Sequence[ChatMessage] | str) -> Transcript:
    """All but the last user message."""
    if isinstance(messages, str):
        return ()
    people = [n for n, message in enumerate(messages) if message.role == MessageRole.USER]
    rest = [message for n, message in enumerate(messages) if n != (people[-1] if people else -1)]
    return [{"role": str(one.role.value), "content": _said(one)} for one in rest]


def _said(message: ChatMessage) -> str:
    blocks = [block for block in message.blocks if isinstance(block, ToolCallBlock)]
    called = [
        f"{block.tool_name}({json.dumps(block.tool_kwargs, default=str)})" for block in blocks
    ]
    return "\n".join(filter(None, [message.content, *called]))


def _measured(messages: Sequence[ChatMessage] | str) -> tuple[int, int, frozenset[str]]:
    """Estimated tokens, images, and what the messages hold beside text."""
    if isinstance(messages, str):
        return 4 + estimate_tokens(messages), 0, frozenset()
    tokens = images = 0
    takes: set[str] = set()
    for message in messages:
        tokens += 4 + estimate_tokens(message.content or "")
        if message.role == MessageRole.ASSISTANT:
            continue  # what a model has made goes along as far as the next one takes it
        for block in message.blocks:
            for kind, name in MEDIA:
                if isinstance(block, kind):
                    takes.add(name)
                    images += name == "images"
    return tokens, images, frozenset(takes)
