"""What a sandboxed run may use, and what is told of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from kalibr_bench.gauntlet.sandbox.inside.wire import Value
from kalibr_core.errors import ConfigError, KalibrError


class SandboxError(KalibrError, RuntimeError):
    """No child could be started: the machine's fault, never the submission's."""


class Verdict(StrEnum):
    """How a submission behaved; everything but OK is a failure of that call."""

    OK = "ok"
    SYNTAX = "syntax"
    """Not Python, or more of it than is read."""
    MISSING = "missing"
    """Loads, but defines no callable of the wanted name."""
    RAISED = "raised"
    """An exception came out of it."""
    FORBIDDEN = "forbidden"
    """It reached for what it may not have: a file, a process, the interpreter's inside."""
    TIMEOUT = "timeout"
    """More processor or wall-clock time than it has."""
    MEMORY = "memory"
    """More memory than it has."""
    OUTPUT = "output"
    """Printed or returned more than is read."""
    CRASHED = "crashed"
    """Its interpreter ended: an exit, a segmentation fault."""
    FORGED = "forged"
    """Bytes came over the pipe that are no answer to what was asked."""


FATAL = frozenset({Verdict.SYNTAX, Verdict.MISSING, Verdict.FORBIDDEN, Verdict.FORGED})
"""After these the submission is not asked again."""


LEAST: dict[str, float] = {
    "cpu_s": 1,
    "call_s": 0.01,
    "wall_s": 0.01,
    "memory_mb": 64,
    "output_bytes": 1000,
    "printed_chars": 0,
    "source_chars": 1,
    "text_chars": 1,
    "deaths": 0,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What one child may use.

    Attributes:
        cpu_s: Processor seconds of a child in all, a whole number >= 1 (the kernel counts in
            seconds).
        call_s: Wall-clock seconds that one call may take, its data's way included, > 0.
        wall_s: The same for all calls of one child together.
        memory_mb: Address space of a child, MiB; an interpreter alone needs about 60.
        output_bytes: What a child may send back for one call.
        printed_chars: What a submission may print in all; it is counted and thrown away.
        source_chars: Longest source that is read.
        text_chars: Longest error text or `repr` that is told.
        deaths: Children that one grade replaces when they die; after the next one that dies it
            asks no more.

    Raises:
        ConfigError: One is below `LEAST`, or the processor time is no whole number.
    """

    cpu_s: int = 2
    call_s: float = 8.0
    wall_s: float = 20.0
    memory_mb: int = 256
    output_bytes: int = 4_000_000
    printed_chars: int = 100_000
    source_chars: int = 60_000
    text_chars: int = 2_000
    deaths: int = 1

    def __post_init__(self) -> None:
        for name, least in LEAST.items():
            value = getattr(self, name)
            if not value >= least or (name == "cpu_s" and type(value) is not int):
                raise ConfigError(f"{name} must be at least {least}, got {value!r}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Layers:
    """Which defences a child puts up; all, but in tests of one layer alone."""

    language: bool = True
    namespaces: bool = True
    seccomp: bool = True
    rlimits: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What came back of a load or a call. All of it is data: no code of the submission is in it.

    Attributes:
        verdict: How it behaved.
        text: The error in words, or an expression's `repr`; bounded.
        value: What the call returned.
        events: The call's first argument after the call, where that was asked for.
    """

    verdict: Verdict
    text: str = ""
    value: Value = None
    events: Value = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """A source that has been read.

    Attributes:
        verdict: OK, or why it cannot be asked.
        text: The reason in words.
        words: Identifiers and strings of its code, lower case: no comments, no docstrings.
        notes: Layers that this machine did not give, in words.
    """

    verdict: Verdict
    text: str = ""
    words: tuple[str, ...] = ()
    notes: tuple[str, ...] = field(default=())
