"""A conversation as a player sees it: whose turn it is, what tools said, and its luck."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from itertools import takewhile
from typing import Any, TypeAlias

from kalibr_bench.provider.answer import Answer
from kalibr_bench.provider.draws import Draws, key_of
from kalibr_bench.provider.fault import Fault
from kalibr_bench.provider.models import Model
from kalibr_bench.provider.request import ChatRequest, text_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversation:
    """What has been said so far, for a script that goes on with it.

    Attributes:
        request: The request that is to be answered now.
        luck: Chance of the conversation, not of the turn: it depends on the provider's seed, the
            request's ``seed``, the model, and what was said before the model's first turn. So a
            player can draw once how a conversation is to go, and finds the draw again each turn.
    """

    request: ChatRequest
    luck: Draws

    @property
    def turn(self) -> int:
        """How often the model has spoken before, >= 0."""
        return sum(message["role"] == "assistant" for message in self.request.messages)

    @property
    def results(self) -> tuple[str, ...]:
        """What tools have returned, in order."""
        return tuple(text_of(m) for m in self.request.messages if m["role"] == "tool")

    def offers(self, tool: str) -> bool:
        """Whether a function of this name may be called."""
        return any(one["name"] == tool for one in self.request.tools)


Player: TypeAlias = Callable[[Conversation], Answer | Fault | str | Mapping[str, Any] | None]
"""Plays a model: called with each conversation that reaches it, returns what it says next; None
leaves the turn to the model's own answer."""


def conversation_of(chat: ChatRequest, model: Model, *, seed: int) -> Conversation:
    """The conversation of a request.

    Args:
        chat: The request.
        model: The model that it reaches.
        seed: The provider's.
    """
    before = tuple(takewhile(lambda message: message["role"] != "assistant", chat.messages))
    opening = replace(chat, messages=before).prompt_digest.hex()
    key = key_of("conversation", seed, chat.seed, model.name, opening)
    return Conversation(request=chat, luck=Draws(key=key))
