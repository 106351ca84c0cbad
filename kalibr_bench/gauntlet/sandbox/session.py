"""A submission under guard: loaded once, called while it lives, its answers read as data."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable
from time import monotonic
from types import TracebackType
from typing import Self

from kalibr_bench.gauntlet.sandbox.inside.wire import (
    Value,
    WireError,
    decode,
    encode,
    parse,
)
from kalibr_bench.gauntlet.sandbox.process import ChildProcess, Gone
from kalibr_bench.gauntlet.sandbox.records import Layers, Limits, Loaded, Reply, Verdict

SPARE_BYTES = 100_000
"""What a child's answers may have beside the values: words, texts, tokens."""
LONGEST_REQUEST = 1 << 26
WORST_INT_BITS = 1 << 16


class Session:
    """One child with one source.

    Args:
        source: The submission.
        entry: The function that calls go to; None: it is an expression to evaluate.
        given: Allowed modules that the source has without importing them.

    Use as a context manager: the child is dead afterwards whatever happened.
    """

    def __init__(
        self,
        source: str,
        *,
        entry: str | None = "process_batch",
        given: tuple[str, ...] = (),
        limits: Limits,
        layers: Layers | None = None,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self._limits = limits
        self._ends = clock() + limits.wall_s
        self._clock = clock
        self._process: ChildProcess | None = None
        self.loaded = self._load(source, entry, given, layers or Layers())

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Kill the child."""
        if self._process is not None:
            self._process.kill()
            self._process = None

    @property
    def alive(self) -> bool:
        """Whether it can be called."""
        return self._process is not None

    def call(
        self,
        events: Value,
        state: Value = None,
        *,
        keep: bool = False,
        fresh: bool = False,
        echo: bool = False,
    ) -> Reply:
        """Call the entry with (events, state).

        Args:
            events: Plain data; the child gets a copy.
            state: The same, unless `keep`.
            keep: Hand over the very state that the last call returned, not a copy of it.
            fresh: Load the source anew before, so that no global of it remembers.
            echo: Tell the events as they are after the call.
        """
        if self._process is None:
            return Reply(verdict=Verdict.CRASHED, text="the child is gone")
        values = {
            "events": encode(events, most=LONGEST_REQUEST, int_bits=WORST_INT_BITS),
            "state": encode(state, most=LONGEST_REQUEST),
        }
        order = {"keep": keep, "fresh": fresh, "echo": echo}
        head, value, after = self._ask(order, values)
        text = _text(head, self._limits)
        return Reply(verdict=Verdict(head["verdict"]), text=text, value=value, events=after)

    def _load(
        self, source: str, entry: str | None, given: tuple[str, ...], layers: Layers
    ) -> Loaded:
        limits = self._limits
        if len(source) > limits.source_chars:
            return Loaded(
                verdict=Verdict.SYNTAX, text=f"more than {limits.source_chars} characters"
            )
        self._process = ChildProcess(limits.output_bytes + SPARE_BYTES)
        order = {name: getattr(limits, name) for name in type(limits).__slots__}
        order |= {name: getattr(layers, name) for name in type(layers).__slots__}
        head, _, _ = self._ask({**order, "source": source, "entry": entry, "given": given}, {})
        loaded = Loaded(
            verdict=Verdict(head["verdict"]),
            text=_text(head, limits),
            words=_strings(head.get("words")),
            notes=_strings(head.get("notes")),
        )
        if loaded.verdict is not Verdict.OK:
            self.close()
        return loaded

    def _ask(
        self, order: dict[str, Value], values: dict[str, str]
    ) -> tuple[dict[str, Value], Value, Value]:
        """The checked answer's head and two values; a bad verdict has neither."""
        assert self._process is not None
        token = secrets.token_hex(8)
        try:
            head = json.dumps({**order, "token": token})
            text = head[:-1] + "".join(f', "{k}": {v}' for k, v in values.items()) + "}"
            seconds = min(self._limits.call_s, max(0.0, self._ends - self._clock()))
            line = self._process.exchange(text, seconds)
            return _checked(line, token)
        except Gone as gone:
            self._process = None
            return {"verdict": gone.verdict, "text": gone.text}, None, None
        except WireError as error:
            self.close()
            return {"verdict": Verdict.FORGED, "text": str(error)}, None, None


def _checked(line: bytes, token: str) -> tuple[dict[str, Value], Value, Value]:
    try:
        answer = parse(line.decode("ascii"))
    except UnicodeDecodeError:
        raise WireError("no ASCII") from None
    if type(answer) is not list or len(answer) != 3:
        raise WireError("no answer")
    head, value, events = map(decode, answer)
    if type(head) is not dict or head.get("token") != token:
        raise WireError("not the answer to this question")
    if type(head.get("verdict")) is not str or head["verdict"] not in set(Verdict):
        raise WireError("no verdict")
    return head, value, events


def _text(head: dict[str, Value], limits: Limits) -> str:
    text = head.get("text", "")
    if type(text) is not str:
        return ""
    safe = text.encode("utf-8", "backslashreplace").decode()
    most = limits.text_chars
    return safe if len(safe) <= most else f"{safe[: most - 1]}…"


def _strings(value: Value) -> tuple[str, ...]:
    return tuple(v for v in value if type(v) is str) if type(value) is list else ()
