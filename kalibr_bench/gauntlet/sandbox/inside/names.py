"""The built-ins and modules that a submission sees: copies, guarded, with nothing behind them."""

from __future__ import annotations

import abc
import builtins
import importlib
import sys
import types
from collections.abc import Callable
from functools import reduce
from typing import Any

from .rules import (
    BUILTINS,
    MODULES,
    REFUSED_BUILTINS,
    REFUSED_MODULES,
    WITHHELD,
    is_dunder,
    may_ask,
    may_read,
)
from .standins import STAND_INS

CLASS_OF, SET_PAST, ABSTRACT = "__class_of__", "__set_past__", "__abstract__"
"""Names that the rewritten source has for what it may not have itself; none can be written."""


class Forbidden(Exception):
    """A submission reached for what it may not have."""


class TooMuchPrinted(Exception):
    """A submission printed more than it may."""


class Watch:
    """What was noticed while a submission ran: catching the exception does not undo it."""

    def __init__(self, most_chars: int) -> None:
        self.breach: str | None = None
        self.printed: list[str] = []
        self.left = most_chars

    def refuse(self, what: str) -> Forbidden:
        """Note the breach; the caller raises what this returns."""
        self.breach = self.breach or what
        return Forbidden(what)

    def print(self, *values: object, sep: str = " ", end: str = "\n", **_: object) -> None:
        """Keep what is printed, as far as it may be."""
        text = str(sep if sep is not None else " ").join(map(str, values)) + str(end)
        self.left -= len(text)
        if self.left < 0:
            raise TooMuchPrinted("printed too much")
        self.printed.append(text)


def namespace(watch: Watch, modules: dict[str, types.ModuleType]) -> dict[str, Any]:
    """The built-ins for one submission."""
    known = {name: getattr(builtins, name) for name in BUILTINS}
    known |= {
        name: value
        for name, value in vars(builtins).items()
        if isinstance(value, type) and issubclass(value, BaseException)
    }
    known |= {name: _refused(watch, name) for name in REFUSED_BUILTINS}
    kind = _type(watch)
    doors = _attributes(watch, kind)
    _complete(modules, doors["getattr"], kind)
    return (
        known
        | doors
        | {
            "type": kind,
            "print": watch.print,
            "__import__": _importer(watch, modules),
            "__debug__": False,
            CLASS_OF: lambda value: _class_of(value, kind),
            SET_PAST: _set_past(watch),
            ABSTRACT: abc.ABC,
        }
    )


def _complete(modules: dict[str, types.ModuleType], get: Callable[..., Any], kind: type) -> None:
    """Put what needs the guard into the copies that have it."""

    def attrgetter(*names: str) -> Callable[[object], object]:
        def read(value: object, name: str) -> object:
            return reduce(get, name.split("."), value)

        if len(names) == 1:
            return lambda value: read(value, names[0])
        return lambda value: tuple(read(value, name) for name in names)

    def methodcaller(name: str, *args: object, **more: object) -> Callable[[object], object]:
        return lambda value: get(value, name)(*args, **more)

    put: dict[str, dict[str, object]] = {
        "operator": {"attrgetter": attrgetter, "methodcaller": methodcaller},
        "typing": {"Type": kind},
        "abc": {"ABCMeta": kind},
    }
    for module, values in put.items():
        if module in modules:
            vars(modules[module]).update(values)


def _class_of(value: Any, kind: type) -> object:
    """`value.__class__`; of a class the stand-in, as the real `type` makes classes unread."""
    found = value.__class__
    return kind if isinstance(found, type) and issubclass(found, type) else found


def _set_past(watch: Watch) -> Callable[..., None]:
    def set_past(value: object, name: object, new: object) -> None:
        """`object.__setattr__`, as frozen dataclasses use it on themselves."""
        if type(name) is not str or is_dunder(name) or not may_read(name):
            raise watch.refuse("object.__setattr__ of such a name")
        object.__setattr__(value, name, new)

    return set_past


def _refused(watch: Watch, name: str) -> Callable[..., None]:
    def refused(*_: object, **__: object) -> None:
        raise watch.refuse(f"{name}()")

    return refused


def _attributes(watch: Watch, kind: type) -> dict[str, Any]:
    def check(name: object) -> str:
        # A subclass of str may say one thing here and another to the real getattr.
        if type(name) is not str:
            raise TypeError("attribute name must be string")
        if not may_read(name):
            raise watch.refuse(f"attribute {name}")
        return name

    def guarded_getattr(value: object, name: object, *default: object) -> object:
        if check(name) == "__class__":
            return _class_of(value, kind)
        return getattr(value, str(name), *default)

    def guarded_hasattr(value: object, name: object) -> bool:
        return hasattr(value, name if type(name) is str and may_ask(name) else check(name))

    def guarded_setattr(value: object, name: object, new: object) -> None:
        if is_dunder(check(name)):
            raise watch.refuse(f"attribute {name}")
        setattr(value, str(name), new)

    def guarded_delattr(value: object, name: object) -> None:
        delattr(value, check(name))

    return {
        "getattr": guarded_getattr,
        "hasattr": guarded_hasattr,
        "setattr": guarded_setattr,
        "delattr": guarded_delattr,
    }


def _type(watch: Watch) -> type:
    """`type` with one argument: with three it makes classes that no check of the source saw."""

    class Meta(type):
        def __call__(cls, *args: object, **_: object) -> object:
            if len(args) != 1:
                raise watch.refuse("type() with three arguments")
            # Of a class: this one again, since a real metaclass takes three arguments too.
            return cls if isinstance(args[0], type) else type(args[0])

        def __instancecheck__(cls, value: object) -> bool:
            return isinstance(value, type)

        def __getitem__(cls, _: object) -> object:
            return cls  # in annotations: type[Exception]

    return Meta("type", (), {})


def _importer(watch: Watch, modules: dict[str, types.ModuleType]) -> Callable[..., object]:
    def importer(
        name: str, _globals: object = None, _locals: object = None, names: Any = (), level: int = 0
    ) -> object:
        if type(names) is list and not level and name in sys.modules:
            # The interpreter's own C code asks in this way, on behalf of a built-in method; an
            # import statement gives a tuple, and the name `__import__` cannot be said.
            return sys.modules[name]
        if level or type(name) is not str or name.partition(".")[0] in REFUSED_MODULES:
            raise watch.refuse(f"import {name}")
        if name not in modules:
            raise ModuleNotFoundError(f"No module named {name!r} in the sandbox")
        return modules[name] if names else modules[name.partition(".")[0]]

    return importer


def copies(names: list[str]) -> dict[str, types.ModuleType]:
    """Each named module's copy that holds its public names; parents with their children."""
    made: dict[str, types.ModuleType] = {}
    for name in sorted({*names, *(name.partition(".")[0] for name in names)}):
        made[name] = STAND_INS[name]() if name in STAND_INS else _copy(name)
        parent, _, child = name.rpartition(".")
        if parent:
            setattr(made[parent], child, made[name])
    return made


def _copy(name: str) -> types.ModuleType:
    real, copy = importlib.import_module(name), types.ModuleType(name)
    for later in LATER.get(name, ()):
        importlib.import_module(later)
    public = [n for n in vars(real) if not n.startswith("_")]
    for each in MODULES[name] or getattr(real, "__all__", public):
        value = getattr(real, each)
        if each not in WITHHELD and not isinstance(value, types.ModuleType):
            setattr(copy, each, REPLACED.get(each, value))
    return copy


def _wraps(*_: object, **__: object) -> Callable[[object], object]:
    """`functools.wraps` without its list of attributes to copy, which may name any."""
    return lambda wrapper: wrapper


LATER = {"datetime": ("_strptime",), "time": ("_strptime",)}
"""Modules that the library itself imports only when it needs them: too late here."""
REPLACED = {"wraps": _wraps}
