"""What a model says: text, tool calls, a finish reason; and, for scripts, a fault on the way."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from kalibr_bench.provider.fault import Fault
from kalibr_bench.provider.tokens import count_tokens, tokens


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolCall:
    """One call of a function tool.

    Attributes:
        name: Function name.
        arguments: The arguments as the JSON text that goes over the wire; it may be broken.
        id: Call id; None lets the provider make one.
    """

    name: str
    arguments: str = "{}"
    id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One choice of a completion.

    Attributes:
        text: Content; None is sent as ``null``, as real models do beside tool calls.
        tool_calls: Calls, in order.
        finish_reason: None means ``tool_calls`` if there are any, else ``stop``.
        refusal: The message's ``refusal`` field (structured outputs), not a refusal in the text.
        cached_tokens: Prompt tokens reported as read from the cache, >= 0.
        fault: What happens to the response on its way; only in scripts and responders.
    """

    text: str | None = ""
    tool_calls: tuple[ToolCall, ...] = ()
    finish_reason: str | None = None
    refusal: str | None = None
    cached_tokens: int = 0
    fault: Fault | None = None

    @property
    def finish(self) -> str:
        """The finish reason that is sent."""
        return self.finish_reason or ("tool_calls" if self.tool_calls else "stop")

    @property
    def completion_tokens(self) -> int:
        """Tokens of everything that is said, >= 0."""
        said = count_tokens(self.text or "") + count_tokens(self.refusal or "")
        return said + sum(count_tokens(c.name) + count_tokens(c.arguments) for c in self.tool_calls)


def as_answer(value: Answer | Fault | str | Mapping[str, Any]) -> Answer:
    """Read an answer from what scripts and responders may give.

    Args:
        value: An Answer, its text, a Fault (a good answer is not needed), or the mapping that
            ``to_json`` makes.

    Raises:
        TypeError: for anything else.
    """
    if isinstance(value, Answer):
        return value
    if isinstance(value, str):
        return Answer(text=value)
    if isinstance(value, Fault):
        return Answer(fault=value)
    if isinstance(value, Mapping):
        return _from_mapping(value)
    raise TypeError(f"an answer is an Answer, a str, a Fault or a mapping, got {value!r}")


def to_json(answer: Answer) -> dict[str, Any]:
    """The answer as JSON-able values; ``as_answer`` reads it back."""
    return asdict(answer)


def cut(answer: Answer, *, max_tokens: int | None, stop: tuple[str, ...]) -> Answer:
    """Honour ``stop`` and ``max_tokens`` as a provider does."""
    text = answer.text or ""
    ends = [at for word in stop if (at := text.find(word)) >= 0]
    if ends:
        answer = replace(answer, text=text[: min(ends)], finish_reason="stop")
    if max_tokens is None or answer.completion_tokens <= max_tokens:
        return answer
    return _shortened(answer, max_tokens)


def _shortened(answer: Answer, left: int) -> Answer:
    text = tokens(answer.text or "")[:left]
    left -= len(text)
    calls: list[ToolCall] = []
    for call in answer.tool_calls:
        left -= count_tokens(call.name)
        if left < 0:
            break
        kept = tokens(call.arguments)[:left]
        left -= len(kept)
        calls.append(replace(call, arguments="".join(kept)))
    said = "".join(text) if answer.text is not None else None
    return replace(answer, text=said, tool_calls=tuple(calls), finish_reason="length")


def _from_mapping(value: Mapping[str, Any]) -> Answer:
    fields = dict(value)
    fields["tool_calls"] = tuple(
        call if isinstance(call, ToolCall) else ToolCall(**call)
        for call in fields.get("tool_calls") or ()
    )
    fault = fields.get("fault")
    if isinstance(fault, Mapping):
        fields["fault"] = Fault(**fault)
    return Answer(**fields)
