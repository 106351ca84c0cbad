"""An LLM's answer, whole or in chunks -> the view of it that the gates judge."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeAlias

from llama_index.core.base.llms.types import (
    ChatResponse,
    CompletionResponse,
    TextBlock,
    ThinkingBlock,
    ToolCallBlock,
)
from llama_index.core.llms.llm import ToolSelection
from llama_index.core.llms.utils import parse_partial_json
from openai.types.chat import ChatCompletion, ChatCompletionChunk

from kalibr_core.answers import MOST_TOKENS, read_usage
from kalibr_core.errors import BadResponse
from kalibr_core.types import Output, ToolCall, Usage

Response: TypeAlias = "ChatResponse | CompletionResponse"

OPENAIS = (ChatCompletion, ChatCompletionChunk)

FINISH = ("finish_reason", "stop_reason", "stopReason", "done_reason")
"""Under which name the provider tells how an answer ended."""
MODEL = ("model", "model_name", "model_id", "model_version")
GIVEN = ("prompt_tokens", "input_tokens", "prompt_token_count", "prompt_eval_count")
MADE = ("completion_tokens", "output_tokens", "candidates_token_count", "eval_count")
CACHED = ("cache_read_input_tokens", "cached_tokens", "cached_content_token_count")
"""Names of token counts, in the words of several providers."""


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
        raw = response.raw
        if isinstance(raw, OPENAIS):  # most are, and looking around takes a tenth of a call
            choices = getattr(raw, "choices", None)
            choice = choices[0] if isinstance(choices, list) and choices else None
            said = getattr(choice, "message", None) or getattr(choice, "delta", None)
            self.finish = _word(choice, "finish_reason")
            self.model = _word(raw, "model")
            self.refusal = _word(said, "refusal") or ""
            self.usage = read_usage(getattr(raw, "usage", None))
            return
        places = list(_places(raw))
        _check_event(raw, places)
        self.finish = _finish_of(places)
        self.model = next((found for p in places for found in _texts(p, MODEL)), None)
        self.refusal = next((found for p in places for found in _texts(p, ("refusal",))), "")
        self.usage = _usage_of(raw, response.additional_kwargs, places)

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


def get(holder: object, name: str) -> Any:
    """Of a dict, or of an SDK's object; None: it has none."""
    try:
        if isinstance(holder, Mapping):
            return holder.get(name)
        return None if holder is None else getattr(holder, name, None)
    except Exception:  # noqa: BLE001  # an SDK's object may raise anything, and then tells nothing
        return None


def _check_event(raw: Any, places: Sequence[Any]) -> None:
    """Refuse what tells that the provider failed in the midst of a stream.

    Raises:
        BadResponse: it does.
    """
    kind = get(raw, "type")
    if kind in ("error", "response.failed") or any(get(p, "status") == "failed" for p in places):
        failed = BadResponse("the provider tells of an error of its own")
        failed.code = get(get(get(raw, "response"), "error") or raw, "code")
        raise failed


def _word(holder: object, name: str) -> str | None:
    value = getattr(holder, name, None)
    return value if isinstance(value, str) and value else None


def _places(raw: Any) -> Iterator[Any]:
    """Where a provider's response tells of itself: at the top, or in its first choice."""
    if raw is None or isinstance(raw, str | bytes):
        return
    yield raw
    for name in ("choices", "candidates"):
        choices = get(raw, name)
        if isinstance(choices, list | tuple) and choices:
            yield choices[0]
            for inner in ("message", "delta"):
                if (held := get(choices[0], inner)) is not None:
                    yield held
    for name in ("delta", "message", "response"):  # events of a stream
        if (held := get(raw, name)) is not None and not isinstance(held, str):
            yield held


def _finish_of(places: Sequence[Any]) -> str | None:
    for place in places:
        for name in FINISH:
            found = get(place, name)
            told = getattr(found, "name", found)  # Google's are enumerations
            if isinstance(told, str) and told:
                return told.lower()
        if get(place, "status") == "incomplete":  # OpenAI's Responses
            reason = get(get(place, "incomplete_details"), "reason")
            return reason if isinstance(reason, str) else "incomplete"
        if get(place, "status") == "completed":
            return "stop"
    return None


def _texts(place: Any, names: Sequence[str]) -> Iterator[str]:
    for name in names:
        found = get(place, name)
        if isinstance(found, str) and found:
            yield found


def _usage_of(raw: Any, told: Mapping[str, Any], places: Sequence[Any]) -> Usage | None:
    usage = next(
        (u for p in places for name in ("usage", "usage_metadata") if (u := get(p, name))), None
    )
    for holder in (usage, told, raw):
        given, made = _count(holder, GIVEN), _count(holder, MADE)
        if given is None and made is None:
            continue
        cached = _count(holder, CACHED)
        if cached is not None and get(holder, "cache_read_input_tokens") is not None:
            given = (given or 0) + cached  # Anthropic counts them apart
            given += _count(holder, ("cache_creation_input_tokens",)) or 0
        if cached is None:
            details = get(holder, "prompt_tokens_details") or get(holder, "input_tokens_details")
            cached = _count(details, CACHED)
        thoughts = _count(holder, ("thoughts_token_count",)) or 0  # Google counts them apart
        return Usage(
            input_tokens=given or 0,
            output_tokens=(made or 0) + thoughts,
            cached_input_tokens=cached,
            reasoning_tokens=_count(
                get(holder, "completion_tokens_details") or get(holder, "output_tokens_details"),
                ("reasoning_tokens",),
            ),
        )
    return None


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


def _count(holder: object, names: Sequence[str]) -> int | None:
    for name in names:
        value = get(holder, name)
        known = isinstance(value, int) and not isinstance(value, bool)
        if known and 0 <= value <= MOST_TOKENS:
            return int(value)
    return None


def selections(response: ChatResponse) -> list[ToolSelection]:
    """The tool calls of an answer whose path is unknown, by LlamaIndex's own blocks."""
    found = []
    for call in tool_calls_of(response):
        try:
            arguments = parse_partial_json(call.arguments or "{}")
        except (ValueError, TypeError):
            arguments = {}
        found.append(
            ToolSelection(tool_id=call.id or "", tool_name=call.name, tool_kwargs=arguments)
        )
    return found


def unguessed(found: list[ToolSelection], response: ChatResponse) -> list[ToolSelection]:
    """The calls of a refused answer, without what LlamaIndex makes of broken JSON.

    It repairs arguments that are cut, and would call `refund(amount=50)` for 5000. Such a call gets
    arguments that no tool takes, so that the model is told of its mistake.
    """
    calls: dict[tuple[str, str], list[ToolCall]] = {}
    for call in tool_calls_of(response):
        calls.setdefault((call.id or "", call.name), []).append(call)
    return [
        _as_written(one, held.pop(0)) if (held := calls.get((one.tool_id, one.tool_name))) else one
        for one in found
    ]


def _as_written(selection: ToolSelection, call: ToolCall) -> ToolSelection:
    if _is_object(call):
        return selection
    return selection.model_copy(
        update={"tool_kwargs": {"refused": True, "no_json": call.arguments}}
    )


def _is_object(call: ToolCall) -> bool:
    try:
        return isinstance(json.loads(call.arguments or "{}"), dict)
    except (ValueError, RecursionError):
        return False
