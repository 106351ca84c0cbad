"""An OpenAI-format answer or stream -> the view of it that the gates judge.

The client builds its objects without validating them, so every field may be of any type.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from .errors import BadResponse
from .features import text_of
from .types import Output, ToolCall, Usage

if TYPE_CHECKING:
    from openai.types.chat import ChatCompletion, ChatCompletionChunk

MOST_TOKENS = 2**53 - 1
"""A larger count is no count, and no longer exact where costs are computed from it."""


def read_completion(answer: ChatCompletion) -> Output:
    """The first choice of a completion.

    Raises:
        BadResponse: it has none: an HTML page, an error in a 200, another format.
    """
    choices = getattr(answer, "choices", None)
    message = getattr(choices[0], "message", None) if choices else None
    if not choices or message is None:
        raise _no_answer(answer)
    return Output(
        text=text_of(getattr(message, "content", None)),
        tool_calls=tuple(map(_tool_call, getattr(message, "tool_calls", None) or ())),
        finish_reason=_word(getattr(choices[0], "finish_reason", None)),
        refusal=getattr(message, "refusal", None),
        usage=read_usage(getattr(answer, "usage", None)),
        model=_word(getattr(answer, "model", None)),
    )


def read_chunks(chunks: Sequence[ChatCompletionChunk]) -> Output:
    """A whole stream's chunks, joined.

    Raises:
        BadResponse: no chunk has a choice.
    """
    texts: list[str] = []
    refusals: list[str] = []
    calls: dict[int, list[str]] = {}
    finish_reason = usage = model = None
    answered = False
    for chunk in chunks:
        usage = getattr(chunk, "usage", None) or usage
        model = getattr(chunk, "model", None) or model
        for choice in choices_of(chunk):
            answered = True
            finish_reason = getattr(choice, "finish_reason", None) or finish_reason
            delta = getattr(choice, "delta", None)
            texts.append(text_of(getattr(delta, "content", None)))
            refusals.append(_text(getattr(delta, "refusal", None)))
            _join_calls(calls, getattr(delta, "tool_calls", None) or ())
    if not answered:
        raise BadResponse("the stream held no answer")
    return Output(
        text="".join(texts),
        tool_calls=tuple(ToolCall(id=i or None, name=n, arguments=a) for i, n, a in calls.values()),
        finish_reason=_word(finish_reason),
        refusal="".join(refusals) or None,
        usage=read_usage(usage),
        model=_word(model),
    )


def is_content(chunk: ChatCompletionChunk) -> bool:
    """Does a chunk hold content? A role alone, a usage or an end does not count."""
    for choice in choices_of(chunk):
        delta = getattr(choice, "delta", None)
        if any(getattr(delta, name, None) for name in ("content", "tool_calls", "refusal")):
            return True
    return False


def finishes(chunk: ChatCompletionChunk) -> bool:
    """Does a chunk tell how the answer ended?"""
    return any(getattr(choice, "finish_reason", None) for choice in choices_of(chunk))


def is_reasoning(chunk: ChatCompletionChunk) -> bool:
    """Does a chunk hold reasoning? Its name is the provider's own: DeepSeek's, or OpenRouter's."""
    deltas = [getattr(choice, "delta", None) for choice in choices_of(chunk)]
    names = ("reasoning_content", "reasoning")
    return any(getattr(delta, name, None) for delta in deltas for name in names)


def choices_of(chunk: object) -> Sequence[object]:
    """A chunk's choices; none where it holds something else."""
    choices = getattr(chunk, "choices", None)
    return choices if isinstance(choices, list) else ()


def read_usage(usage: object) -> Usage | None:
    """A provider's token counts; None where they are missing or no numbers."""
    prompt, completion = _count(usage, "prompt_tokens"), _count(usage, "completion_tokens")
    if prompt is None or completion is None:
        return None
    cached = _count(getattr(usage, "prompt_tokens_details", None), "cached_tokens")
    if cached is None:
        cached = _count(usage, "prompt_cache_hit_tokens")  # DeepSeek's own name
    return Usage(
        input_tokens=prompt,
        output_tokens=completion,
        cached_input_tokens=cached,
        reasoning_tokens=_count(
            getattr(usage, "completion_tokens_details", None), "reasoning_tokens"
        ),
    )


def _count(holder: object, name: str) -> int | None:
    value = getattr(holder, name, None)
    known = isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= MOST_TOKENS
    return value if known else None


def _text(content: object) -> str:
    return content if isinstance(content, str) else ""


def _word(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _tool_call(call: object) -> ToolCall:
    function = getattr(call, "function", None)
    return ToolCall(
        id=getattr(call, "id", None),
        name=_text(getattr(function, "name", None)),
        arguments=_text(getattr(function, "arguments", None)),
    )


def _join_calls(calls: dict[int, list[str]], deltas: Sequence[object]) -> None:
    for delta in deltas:
        part = _tool_call(delta)
        index = getattr(delta, "index", None)
        whole = calls.setdefault(index if isinstance(index, int) else len(calls), ["", "", ""])
        whole[0] = part.id or whole[0]
        whole[1] = part.name or whole[1]
        whole[2] += part.arguments


def _no_answer(answer: object) -> BadResponse:
    if isinstance(answer, str):
        return BadResponse("the server answered with text that is no JSON, such as an HTML page")
    error = BadResponse(f"the server's answer has no choices ({type(answer).__name__})")
    told = getattr(answer, "error", None)
    if isinstance(told, Mapping):
        error.code = told.get("code")  # a gateway's 200 around another's 429
    return error
