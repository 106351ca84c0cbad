"""An LLM's answer, whole or in chunks -> the view of it that the gates judge."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, TypeAlias

from llama_index.core.base.llms.types import (
    ChatResponse,
    CompletionResponse,
    TextBlock,
    ThinkingBlock,
    ToolCallBlock,
)

from kalibr_core.errors import BadResponse
from kalibr_core.types import Output, ToolCall, Usage

from .raw import get, told_by

Response: TypeAlias = "ChatResponse | CompletionResponse"


class Piece:
    """A response or a chunk of one, and what it tells beside its text.

    A stream's chunks hold all of the text so far, each of them; so the ones that the caller has got
    are let go.
    """

    __slots__ = ("delta", "finish", "model", "path_id", "refusal", "response", "usage")

    def __init__(self, response: Response, path_id: str = "") -> None:
        if not isinstance(response, ChatResponse | CompletionResponse):
            raise BadResponse(f"the LLM answered with a {type(response).__name__}")
        self.response: Response | None = response
        self.path_id = path_id
        self.delta = response.delta or ""
        told = told_by(response.raw, response.additional_kwargs)
        self.finish, self.model, self.refusal, self.usage = told

    def release(self) -> None:
        """Let the text go; what it tells stays."""
        self.response = None


def opens(piece: Piece) -> bool:
    """Does a chunk hold text? A role alone, a usage or an end does not count.

    Nor does a tool call, which is of no use before it is whole: it is held until gate 1 has passed.
    """
    return bool(piece.response is not None and _new_text(piece.response).strip())


def shows(piece: Piece) -> bool:
    """Does a chunk hold text, a tool call or a model's thoughts?"""
    return opens(piece) or calls_tool(piece) or reasons(piece)


def calls_tool(piece: Piece) -> bool:
    response = piece.response
    return isinstance(response, ChatResponse) and (
        any(isinstance(block, ToolCallBlock) for block in response.message.blocks)
        or bool(response.message.additional_kwargs.get("tool_calls"))
    )


def finishes(piece: Piece) -> bool:
    """Does a chunk tell how the answer ended?"""
    return piece.finish is not None


def reasons(piece: Piece) -> bool:
    """Does a chunk hold a model's thoughts?"""
    response = piece.response
    if response is None or response.additional_kwargs.get("thinking_delta"):
        return response is not None
    return isinstance(response, ChatResponse) and any(
        isinstance(block, ThinkingBlock) for block in response.message.blocks
    )


def read_pieces(pieces: Sequence[Piece]) -> Output:
    """A whole answer, or a whole stream, whose last chunk holds all of the text.

    Raises:
        BadResponse: no chunk came.
    """
    if not pieces or pieces[-1].response is None:
        raise BadResponse("the stream held no answer")
    last = pieces[-1].response
    return Output(
        text=whole_text(pieces),
        tool_calls=tool_calls_of(last),
        finish_reason=next((p.finish for p in reversed(pieces) if p.finish), None),
        refusal="".join(piece.refusal for piece in pieces) or None,
        usage=_summed(pieces),
        model=next((piece.model for piece in pieces if piece.model), None),
    )


def whole_text(pieces: Sequence[Piece]) -> str:
    """All that a stream said: LlamaIndex's LLM for OpenAI's Responses gives in each chunk no more
    than what is new."""
    last = pieces[-1].response
    said = "" if last is None else text_of(last)
    if len(pieces) == 1:
        return said
    joined = "".join(piece.delta for piece in pieces)
    first = next((piece.delta for piece in pieces if piece.delta), "")
    return joined if len(joined) > len(said) and not said.startswith(first) else said


def text_of(response: Response) -> str:
    """The answer's text; what it holds beside text stands as a word for it."""
    if isinstance(response, CompletionResponse):
        return response.text
    blocks = response.message.blocks
    texts = [block.text for block in blocks if isinstance(block, TextBlock)]
    if any(texts):
        return "".join(texts)
    others = [b.block_type for b in blocks if not isinstance(b, TextBlock | ThinkingBlock)]
    media = [kind for kind in others if kind in ("audio", "image", "video", "document")]
    return f"[{media[0]}]" if media else ""


def tool_calls_of(response: Response) -> tuple[ToolCall, ...]:
    """All calls, also the ones whose arguments are no JSON."""
    if isinstance(response, CompletionResponse):
        return ()
    blocks = [b for b in response.message.blocks if isinstance(b, ToolCallBlock)]
    if blocks:
        return tuple(
            ToolCall(id=b.tool_call_id, name=b.tool_name, arguments=_json(b.tool_kwargs))
            for b in blocks
        )
    kept = response.message.additional_kwargs.get("tool_calls")
    return tuple(map(_kept_call, kept)) if isinstance(kept, list | tuple) else ()


def _kept_call(call: Any) -> ToolCall:
    """A call in an older integration's own form: OpenAI's or Anthropic's."""
    function = get(call, "function") or call
    arguments = get(function, "arguments")
    return ToolCall(
        id=get(call, "id"),
        name=str(get(function, "name") or ""),
        arguments=_json(get(function, "input") if arguments is None else arguments),
    )


def _json(arguments: object) -> str:
    if isinstance(arguments, str):
        return arguments
    try:
        return json.dumps(arguments)
    except (TypeError, ValueError):
        return str(arguments)  # no JSON, and the gate will say so


def _new_text(response: Response) -> str:
    return response.delta if response.delta is not None else text_of(response)


def _summed(pieces: Sequence[Piece]) -> Usage | None:
    """Of a stream: its chunks tell what has come so far, and some only a part of it."""
    usages = [piece.usage for piece in pieces if piece.usage is not None]
    if len(usages) <= 1:
        return usages[0] if usages else None
    last = usages[-1]
    return Usage(
        input_tokens=max(usage.input_tokens for usage in usages),
        output_tokens=max(usage.output_tokens for usage in usages),
        cached_input_tokens=_most(usage.cached_input_tokens for usage in usages),
        reasoning_tokens=last.reasoning_tokens,
    )


def _most(counts: Any) -> int | None:
    return max((count for count in counts if count is not None), default=None)
