"""A streamed answer as a list of steps, made without I/O: events, pauses, and how it ends."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from kalibr_bench.provider.answer import Answer
from kalibr_bench.provider.decide import Turn
from kalibr_bench.provider.fault import Fault
from kalibr_bench.provider.problem import error_body
from kalibr_bench.provider.tokens import tokens
from kalibr_bench.provider.wire import compact, quoted

DONE = b"data: [DONE]\n\n"
RESET = "reset"
CUT = "cut"
MALFORMED = b'data: {"id":"chatcmpl-broken","choices":[{"delta":{"content":"\n\n'


@dataclass(frozen=True, slots=True)
class Pause:
    """Wait; None waits until the client leaves."""

    seconds: float | None


@dataclass(frozen=True, slots=True)
class Token:
    """An event that carries one completion token."""

    event: bytes


Step = bytes | Token | Pause | str


def steps_of(turn: Turn, head: dict[str, Any], usage: dict[str, Any]) -> list[Step]:
    """Everything that a stream does, in order.

    Bytes and Tokens are written, a Pause waits, ``RESET`` resets the connection and ``CUT`` closes
    it in the middle of the body; without one of these the stream ends in order.
    """
    wanted = turn.chat.include_usage and not (turn.fault and turn.fault.kind == "no_usage")
    head = head | {"object": "chat.completion.chunk"}
    opening, said, closing = _parts(turn, head, usage if wanted else None)
    fault = turn.fault
    harm = _HARMS.get(fault.kind) if fault else None
    if fault is None or harm is None:
        return [*opening, *said, *closing, DONE]
    return [*opening, *harm(fault, said, [*closing, DONE])]


def _parts(
    turn: Turn, head: dict[str, Any], usage: dict[str, Any] | None
) -> tuple[list[Step], list[Step], list[Step]]:
    frame = _Frame(head, nulls=turn.chat.include_usage)
    opening: list[Step] = []
    said: list[Step] = []
    closing: list[Step] = []
    for index, answer in enumerate(turn.answers):
        content = "" if answer.text is not None else None
        role = {"role": "assistant", "content": content, "refusal": None}
        opening.append(frame.event(index, role, None))
        said.extend(_said(frame, index, answer))
        closing.append(frame.event(index, {}, answer.finish))
    if usage is not None:
        closing.append(b"data: " + compact(head | {"choices": [], "usage": usage}) + b"\n\n")
    return opening, said, closing


def _said(frame: _Frame, index: int, answer: Answer) -> Iterator[Step]:
    for name, text in (("content", answer.text), ("refusal", answer.refusal)):
        before, after = frame.around(index, name)
        for token in tokens(text or ""):
            yield Token((before + quoted(token) + after).encode("utf-8", "surrogatepass"))
    for at, call in enumerate(answer.tool_calls):
        function = {"name": call.name, "arguments": ""}
        first = {"index": at, "id": call.id, "type": "function", "function": function}
        yield frame.event(index, {"tool_calls": [first]}, None)
        for token in tokens(call.arguments):
            part = {"index": at, "function": {"arguments": token}}
            yield Token(frame.event(index, {"tool_calls": [part]}, None))


class _Frame:
    """Writes the chunks of one completion."""

    def __init__(self, head: dict[str, Any], *, nulls: bool) -> None:
        self._head = head
        self._last = {"usage": None} if nulls else {}

    def event(self, index: int, delta: dict[str, Any], finish: str | None) -> bytes:
        choice = {"index": index, "delta": delta, "logprobs": None, "finish_reason": finish}
        return b"data: " + compact(self._head | {"choices": [choice]} | self._last) + b"\n\n"

    def around(self, index: int, name: str) -> tuple[str, str]:
        """What stands before and after the JSON string of a one-token delta."""
        marked = self.event(index, {name: "\x00"}, None).decode()
        before, after = marked.split('"\\u0000"')
        return before, after


def _split(said: list[Step], kept: int) -> tuple[list[Step], list[Step]]:
    """Cut after ``kept`` tokens."""
    seen = 0
    for at, step in enumerate(said):
        if isinstance(step, Token):
            if seen == kept:
                return said[:at], said[at:]
            seen += 1
    return said, []


def _before(fault: Fault, said: list[Step]) -> list[Step]:
    return _split(said, fault.kept_tokens)[0]


def _slow(fault: Fault, said: list[Step], end: list[Step]) -> list[Step]:
    paced: list[Step] = []
    for step in said:
        paced += [Pause(fault.pause_s), step]
    return paced + end


def _around(fault: Fault, said: list[Step], end: list[Step], middle: Step) -> list[Step]:
    before, after = _split(said, fault.kept_tokens)
    return [*before, middle, *after, *end]


def _error(fault: Fault) -> bytes:
    message = fault.message or "The server had an error while processing your request."
    return b"data: " + compact(error_body(message, type="server_error")) + b"\n\n"


def _half_event(step: Step) -> bytes:
    event = step.event if isinstance(step, Token) else step
    return event[: len(event) // 2] + b"\n\n" if isinstance(event, bytes) else MALFORMED


def _cut_json(fault: Fault, said: list[Step], end: list[Step]) -> list[Step]:
    before, after = _split(said, fault.kept_tokens)
    return [*before, _half_event([*after, *end][0])]


_HARMS: Mapping[str, Callable[[Fault, list[Step], list[Step]], list[Step]]] = MappingProxyType(
    {
        "slow_first_token": lambda fault, said, end: [Pause(fault.pause_s), *said, *end],
        "slow_tokens": _slow,
        "disconnect": lambda fault, said, end: [*_before(fault, said), RESET],
        "cut_body": lambda fault, said, end: [*_before(fault, said), CUT],
        "silent_end": lambda fault, said, end: _before(fault, said),
        "error_event": lambda fault, said, end: [*_before(fault, said), _error(fault)],
        "stall": lambda fault, said, end: _around(fault, said, end, Pause(fault.delay_s)),
        "bad_event": lambda fault, said, end: _around(fault, said, end, MALFORMED),
        "cut_json": _cut_json,
        "no_done": lambda fault, said, end: [*said, *end[:-1]],
    }
)
