"""What is asked of a model, what it answers, and what a gate says of that."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, TypeAlias

Transcript: TypeAlias = Sequence[Mapping[str, str]]
"""What was said, in order: of each message its `role` and its `content`, as texts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """Tokens of one attempt as its provider counted them."""

    input_tokens: int
    """All prompt tokens, the cached ones included."""
    output_tokens: int
    """All completion tokens, the reasoning ones included."""
    cached_input_tokens: int | None = None
    reasoning_tokens: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolCall:
    """A tool call in an answer; `arguments` is the text that the model wrote."""

    name: str
    arguments: str
    id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Output:
    """What an answer says, whatever framework brought it: the view that gates judge."""

    text: str
    tool_calls: tuple[ToolCall, ...] = ()
    finish_reason: str | None = None
    """As the provider names it: `stop`, `length`, `end_turn`, `tool_calls`, ..."""
    refusal: str | None = None
    """The provider's own refusal field, where it has one."""
    usage: Usage | None = None
    model: str | None = None
    """The model name in the response, often dated: never a path's identity."""


class Features(NamedTuple):
    """What a request looks like, without any of its text."""

    input_tokens: int
    """An estimate: characters / 4; in texts that are not all ASCII, characters / 2."""
    turns: int
    tools: int
    schema: bool
    images: int
    script: str | None
    """The script of most of the last message: `latin`, `han`, ...; a guess at its language."""
    session: str | None
    """A hash of the session's id."""


NO_FEATURES = Features(0, 0, 0, False, 0, None, None)

INPUTS = ("images", "audio", "files", "video")
"""What a message may hold beside text; a `Path` tells by the same names what it takes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What is asked for, as far as routing and the gates need to know it."""

    prompt: str = ""
    """The last user message's text."""
    conversation: Callable[[], Transcript] = field(default=tuple, compare=False, repr=False)
    """All that was said besides; asked for only where an answer is judged."""
    tools: Sequence[Mapping[str, object]] = ()
    """Tool definitions in OpenAI's format."""
    response_format: Mapping[str, object] | None = None
    """OpenAI's `response_format`: `{"type": "json_object"}` or `{"type": "json_schema", ...}`."""
    max_output_tokens: int | None = None
    parse: Callable[[str], object] | None = None
    """Raises where the output's text is not what the caller can use: a further part of gate 1."""
    parse_calls: Callable[[tuple[ToolCall, ...]], object] | None = None
    """The same for the output's tool calls, none included."""
    tolerates: frozenset[str] = frozenset()
    """Gate 1's codes of faults with which an answer is still of use, where no path does better."""
    takes: frozenset[str] = frozenset()
    """What else than text the messages hold: of `INPUTS`."""
    only: str | None = None
    """The id or the model of the paths that may answer; None: any."""
    features: Features = NO_FEATURES


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """A gate's judgement of one output."""

    passed: bool | None
    """None: the gate could not tell; the call goes on and nothing is learned."""
    reason: str | None = None
    """A short code such as `empty`, `refusal`, `truncated`; never any of the output's text."""
    detail: str | None = None
    """For the caller's error message only, never recorded: it may quote a schema's path."""
