"""A provider's own response, of any provider: what it tells beside its text."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from openai.types.chat import ChatCompletion, ChatCompletionChunk

from kalibr_core.answers import MOST_TOKENS, read_usage
from kalibr_core.errors import BadResponse
from kalibr_core.types import Usage

OPENAIS = (ChatCompletion, ChatCompletionChunk)

FINISH = ("finish_reason", "stop_reason", "stopReason", "done_reason")
"""Under which name the provider tells how an answer ended."""
MODEL = ("model", "model_name", "model_id", "model_version")
GIVEN = ("prompt_tokens", "input_tokens", "prompt_token_count", "prompt_eval_count")
MADE = ("completion_tokens", "output_tokens", "candidates_token_count", "eval_count")
CACHED = ("cache_read_input_tokens", "cached_tokens", "cached_content_token_count")
"""Names of token counts, in the words of several providers."""


class Told(NamedTuple):
    """What a response, or a chunk of one, tells of itself.

    Args:
        finish: how the answer ended; None: it goes on, or is not told.
        refusal: the model's own; "": it has not refused.
    """

    finish: str | None
    model: str | None
    refusal: str
    usage: Usage | None


def told_by(raw: Any, beside: Mapping[str, Any]) -> Told:
    """What a provider's response tells.

    Args:
        raw: as the provider's SDK gave it; None: the LLM hands none on.
        beside: what the LLM itself tells of it: its `additional_kwargs`.

    Raises:
        BadResponse: the provider tells that it failed in the midst of a stream.
    """
    if isinstance(raw, OPENAIS):  # most are, and looking around takes a tenth of a call
        choices = getattr(raw, "choices", None)
        choice = choices[0] if isinstance(choices, list) and choices else None
        said = getattr(choice, "message", None) or getattr(choice, "delta", None)
        return Told(
            _word(choice, "finish_reason"),
            _word(raw, "model"),
            _word(said, "refusal") or "",
            read_usage(getattr(raw, "usage", None)),
        )
    places = list(_places(raw))
    _check_event(raw, places)
    return Told(
        _finish_of(places),
        next((found for p in places for found in _texts(p, MODEL)), None),
        next((found for p in places for found in _texts(p, ("refusal",))), ""),
        _usage_of(raw, beside, places),
    )


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


def _count(holder: object, names: Sequence[str]) -> int | None:
    for name in names:
        value = get(holder, name)
        known = isinstance(value, int) and not isinstance(value, bool)
        if known and 0 <= value <= MOST_TOKENS:
            return int(value)
    return None
