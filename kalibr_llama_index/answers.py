"""A routed call's end -> what LlamaIndex gets of it."""

from __future__ import annotations

from copy import copy
from typing import Any

from llama_index.core.base.llms.types import ChatResponse, TextBlock

from kalibr_core.adapter.records import record_of
from kalibr_core.errors import BadResponse
from kalibr_core.outputs import KEY
from kalibr_core.plan import Done

from .history import signed
from .reading import Piece, Response, text_of, whole_text


def response_of(done: Done[Piece]) -> Any:
    """The answer with its decision's record; the path's own objects stay as they are."""
    return _recorded(_held(done.answer), done, {})


def chunk_of(piece: Piece) -> Any:
    """A chunk, which tells whose it is: LlamaIndex asks for its tool calls before the end."""
    response = _held(piece)
    told = {**response.additional_kwargs, KEY: {"path": piece.path_id}}
    chunk: Any = copy(response)
    vars(chunk)["additional_kwargs"] = told
    if isinstance(response, ChatResponse):
        vars(chunk)["message"] = signed(response.message, piece.path_id)
    return chunk


def last_chunk(done: Done[tuple[Piece, ...]]) -> Any:
    """What follows a stream: all of its text once more, and the decision's record."""
    response, text = _held(done.answer[-1]), whole_text(done.answer)
    if isinstance(response, ChatResponse) and len(text) > len(text_of(response)):
        kept = [block for block in response.message.blocks if not isinstance(block, TextBlock)]
        message = response.message.model_copy(update={"blocks": [TextBlock(text=text), *kept]})
        response = response.model_copy(update={"message": message})
    return _recorded(response, done, {"delta": ""})


def _recorded(response: Response, done: Done[Any], update: dict[str, Any]) -> Any:
    told = dict(response.additional_kwargs)
    if update:
        told.pop("thinking_delta", None)  # it has been given out
    told[KEY] = record_of(done.decision)
    return _with(response, done.decision.path.id, additional_kwargs=told, **update)


def _with(response: Response, path_id: str, **update: Any) -> Any:
    if isinstance(response, ChatResponse):
        update["message"] = signed(response.message, path_id)
    return response.model_copy(update=update)


def _held(piece: Piece) -> Response:
    if piece.response is None:
        raise BadResponse("the stream's text was let go")
    return piece.response
