"""Parts of the library that run text, or reach into modules by name: refused within a child."""

from __future__ import annotations

import ast
import sys
from collections.abc import Callable, Iterator
from types import ModuleType, SimpleNamespace
from typing import Any

from .names import Watch
from .rewriting import guarded
from .rules import may_load, may_read

HANDLES: dict[tuple[str, str], tuple[str, ...]] = {
    ("typing", "ForwardRef"): ("_evaluate", "evaluate"),
    ("annotationlib", "ForwardRef"): ("_evaluate", "evaluate"),
    ("enum", "EnumType"): ("_convert_",),
}
"""(Module, class): methods that submissions would get at by instances, whatever is withheld.

A forward reference evaluates its text with the real built-ins; `_convert_` takes names out of any
module, and puts names into it.
"""
GENERATED = frozenset({"__setattr__", "__delattr__", "__create_fn__"})


def disarm(watch: Watch, space: dict[str, Any], modules: dict[str, ModuleType]) -> None:
    """Refuse them in this process, for good; what is not imported is left alone.

    Args:
        watch: Where an attempt is noted.
        space: The submission's namespace, the only one that generated code may run in.
        modules: The copies that it imports from.
    """
    for (module, kind), methods in HANDLES.items():
        owner = getattr(sys.modules.get(module), kind, None)
        for method in methods:
            if owner is not None and method in vars(owner):
                setattr(owner, method, _refused(watch, f"{kind}.{method}"))
    if "dataclasses" in sys.modules:
        real = vars(sys.modules["dataclasses"])
        real["exec"] = _reader(watch, space)
        real["fields"] = names = _names(watch, real["fields"])
        if "dataclasses" in modules:
            vars(modules["dataclasses"])["replace"] = _replace(names)
    if "copy" in sys.modules:
        real = vars(sys.modules["copy"])
        real["_reconstruct"] = _reconstruct(watch, real["_reconstruct"])


def _refused(watch: Watch, what: str) -> Callable[..., None]:
    def refused(*_: object, **__: object) -> None:
        raise watch.refuse(what)

    return refused


def _names(watch: Watch, fields: Callable[[object], Any]) -> Callable[[object], Any]:
    """`fields` for `asdict` and its like, which take attributes by their names.

    What runs while they are gone through could change them: these are kept as they were.
    """

    def names(value: object) -> tuple[SimpleNamespace, ...]:
        found = [(field.name, field.init) for field in fields(value)]
        if any(type(name) is not str or not may_read(name) for name, _ in found):
            raise watch.refuse("a dataclass's field of such a name")
        return tuple(SimpleNamespace(name=name, init=init) for name, init in found)

    return names


def _replace(names: Callable[[object], Any]) -> Callable[..., object]:
    def replace(value: Any, /, **changes: object) -> object:
        """`dataclasses.replace`, of which the real one has no use for `fields`."""
        kept = {
            field.name: getattr(value, field.name)
            for field in names(value)
            if field.init and field.name not in changes
        }
        return type(value)(**kept, **changes)

    return replace


def _reconstruct(watch: Watch, real: Callable[..., object]) -> Callable[..., object]:
    """What `copy` makes objects with, out of what their `__reduce_ex__` says.

    It gives a state to whatever that says: no other object than a copy may get one.
    """

    def reconstruct(value: object, memo: Any, make: Any, *rest: Any, **more: Any) -> object:
        def made(*args: object) -> object:
            found = make(*args)
            if type(found) is not type(value):
                raise watch.refuse("a copy of another kind")
            return found

        return real(value, memo, made, *rest, **more)

    return reconstruct


def _reader(watch: Watch, space: dict[str, Any]) -> Callable[..., None]:
    """`exec` for the code that `dataclasses` makes out of field names, which may be no names."""

    def read_and_run(text: str, where: Any, kept: Any) -> None:
        tree = ast.parse(text)
        if where is not space or any(_unfit(tree)):
            raise watch.refuse("code in a dataclass's fields")
        guarded(tree)
        exec(compile(tree, "<dataclass>", "exec", dont_inherit=True), where, kept)

    return read_and_run


def _unfit(tree: ast.AST) -> Iterator[ast.AST]:
    for node in ast.walk(tree):
        match node:
            case ast.Attribute(attr=name) if not may_read(name) and name not in GENERATED:
                yield node
            case ast.Name(id=name) | ast.arg(arg=name) | ast.FunctionDef(name=name) if not (
                may_load(name) or name in GENERATED or name.startswith("__dataclass_")
            ):
                yield node
            case ast.Match() | ast.ClassDef() | ast.Import() | ast.ImportFrom() | ast.Global():
                yield node
