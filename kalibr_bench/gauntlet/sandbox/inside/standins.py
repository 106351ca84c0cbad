"""Stand-ins for modules that open files, `logging` and `warnings`: their calls do nothing."""

from __future__ import annotations

import types
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

LEVELS = {"NOTSET": 0, "DEBUG": 10, "INFO": 20, "WARNING": 30, "WARN": 30, "ERROR": 40}
LEVELS |= {"CRITICAL": 50, "FATAL": 50}


def nothing(*_: object, **__: object) -> None:
    """A call that is accepted and does nothing."""


def _no(*_: object, **__: object) -> bool:
    return False


class _Part:
    """What loggers, handlers, formatters and filters share: any of their arguments will do."""

    level, name, formatter, parent = 0, "root", None, None

    def __init__(self, *_: object, **__: object) -> None:
        self.handlers: list[object] = []
        self.filters: list[object] = []
        self.disabled = self.propagate = False

    setLevel = addFilter = removeFilter = staticmethod(nothing)


class Logger(_Part):
    """Says nothing to nobody."""

    debug = info = warning = warn = error = exception = critical = fatal = log = staticmethod(
        nothing
    )
    addHandler = removeHandler = handle = staticmethod(nothing)
    isEnabledFor = hasHandlers = staticmethod(_no)

    def getChild(self, *_: object) -> Logger:
        """Another like it."""
        return Logger()

    def getEffectiveLevel(self) -> int:
        """Above all levels."""
        return LEVELS["CRITICAL"] + 1

    def process(self, message: object, extra: object) -> tuple[object, object]:
        """What an adapter is asked."""
        return message, extra


class Handler(_Part):
    """Writes nowhere."""

    setFormatter = emit = handle = flush = close = acquire = release = staticmethod(nothing)

    def format(self, record: object) -> str:
        """Nobody's record."""
        return str(record)


class Formatter(_Part):
    """Formats what nobody writes."""

    def format(self, record: object) -> str:
        """See `Handler.format`."""
        return str(record)


class Filter(_Part):
    """Lets everything through, to nowhere."""

    def filter(self, record: object) -> bool:
        """Through."""
        return True


def logging() -> types.ModuleType:
    """`logging` without a word."""
    copy = types.ModuleType("logging")
    calls = ("debug", "info", "warning", "warn", "error", "exception", "critical", "fatal", "log")
    more = ("basicConfig", "disable", "captureWarnings", "shutdown", "addLevelName")
    names = {number: name for name, number in LEVELS.items() if name not in ("WARN", "FATAL")}
    vars(copy).update(LEVELS, **dict.fromkeys((*calls, *more), nothing))
    vars(copy).update(
        getLogger=lambda *_: Logger(),
        getLevelName=lambda level: names.get(level, level),
        root=Logger(),
        Logger=Logger,
        LoggerAdapter=Logger,
        LogRecord=_Part,
        Handler=Handler,
        NullHandler=Handler,
        StreamHandler=Handler,
        Formatter=Formatter,
        Filter=Filter,
    )
    return copy


class catch_warnings(AbstractContextManager[Any]):
    """Catches none, since there are none."""

    def __init__(self, *_: object, record: bool = False, **__: object) -> None:
        self._found: list[object] | None = [] if record else None

    def __enter__(self) -> list[object] | None:
        return self._found

    def __exit__(self, *_: object) -> None:
        pass


def warnings() -> types.ModuleType:
    """`warnings` that warn nobody."""
    copy = types.ModuleType("warnings")
    calls = ("warn", "warn_explicit", "simplefilter", "filterwarnings", "resetwarnings")
    vars(copy).update(dict.fromkeys(calls, nothing), catch_warnings=catch_warnings)
    return copy


STAND_INS: dict[str, Callable[[], types.ModuleType]] = {"logging": logging, "warnings": warnings}
