"""Which spans answer a person: engines, agents, LLMs, and functions of the user's own."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any, NamedTuple

from llama_index.core.base.base_query_engine import BaseQueryEngine
from llama_index.core.base.base_retriever import BaseRetriever
from llama_index.core.base.embeddings.base import BaseEmbedding
from llama_index.core.chat_engine.types import BaseChatEngine, StreamingAgentChatResponse
from llama_index.core.llms import LLM
from llama_index.core.response_synthesizers import BaseSynthesizer
from llama_index.core.schema import TransformComponent
from llama_index.core.tools import BaseTool
from llama_index.core.workflow import Workflow

from .runs import UUID_LENGTH
from .said import Said, said_in

CHATS = ("chat", "achat", "stream_chat", "astream_chat")
QUERIES = ("query", "aquery")
RUN, RESET = "run", "reset"
PARTS = (BaseRetriever, BaseEmbedding, BaseTool, TransformComponent)
"""What works for an answer and is none; also any other class of LlamaIndex's own."""
SPEAKERS = (LLM, BaseSynthesizer)


class Beginning(NamedTuple):
    """A run that answers a person begins.

    Args:
        said: None: nobody has said anything, it goes on where it had stopped.
        is_sure: this is what a person said; else only if a routed call is made for it.
        has_context: it is an agent's, whose context is the conversation.
    """

    said: Said | None
    is_sure: bool
    has_context: bool


def beginning(
    span_id: str, arguments: Mapping[str, Any], instance: object, *, is_root: bool
) -> Beginning | None:
    """Tell whether a span that no such run is around answers a person.

    Chat engines and agents do so wherever they are called; all others as roots alone, since a
    program's own parts ask them for things that nobody has said.
    """
    method = method_of(span_id)
    if isinstance(instance, BaseChatEngine):
        return _said(arguments, is_sure=True) if method in CHATS else None
    if isinstance(instance, Workflow):
        return _of_flow(arguments, instance, is_root=is_root) if method == RUN else None
    if not is_root or isinstance(instance, PARTS):
        return None
    if isinstance(instance, BaseQueryEngine):
        return _said(arguments, is_sure=True) if method in QUERIES else None
    if isinstance(instance, LLM) and arguments.get("messages"):
        return Beginning(said_in(arguments), is_sure=False, has_context=False)
    if not isinstance(instance, SPEAKERS) and _is_a_part(instance):
        return None
    return _said(arguments, is_sure=False)


def _of_flow(arguments: Mapping[str, Any], flow: object, *, is_root: bool) -> Beginning | None:
    is_agent = isinstance(flow, _agents())
    if not (is_agent or is_root):
        return None
    said = said_in(arguments)
    if said is None and arguments.get("start_event") is not None:
        return None
    return Beginning(said, is_sure=True, has_context=is_agent)


def _said(arguments: Mapping[str, Any], *, is_sure: bool) -> Beginning | None:
    said = said_in(arguments)
    return None if said is None else Beginning(said, is_sure=is_sure, has_context=False)


def _is_a_part(instance: object) -> bool:
    return type(instance).__module__.startswith("llama_index.")


def is_flow(instance: object) -> bool:
    return isinstance(instance, Workflow)


def writes_itself(instance: object) -> str | None:
    """The text of a chat engine's stream, of which this span has written it into the memory."""
    return instance.response if isinstance(instance, StreamingAgentChatResponse) else None


def ends_conversation(span_id: str, instance: object) -> bool:
    """Has a chat engine been told to begin anew?"""
    return isinstance(instance, BaseChatEngine) and method_of(span_id) == RESET


def method_of(span_id: str) -> str:
    return span_id[:-UUID_LENGTH].rpartition(".")[2]


@cache
def _agents() -> tuple[type, ...]:
    from llama_index.core.agent.workflow import AgentWorkflow, BaseWorkflowAgent  # slow to import

    return AgentWorkflow, BaseWorkflowAgent
