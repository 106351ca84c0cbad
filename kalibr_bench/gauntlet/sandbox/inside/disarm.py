"""Parts of the library that run text, or reach into modules by name: refused within a child."""

from __future__ import annotations

import ast
import sys
from collections.abc import Callable, Iterator
from typing import Any

from .names import Watch
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


def disarm(watch: Watch, space: dict[str, Any]) -> None:
    """Refuse them in this process, for good; what is not imported is left alone.

    Args:
        watch: Where an attempt is noted.
        space: The submission's namespace, the only one that generated code may run in.
    """
    for (module, kind), methods in HANDLES.items():
        owner = getattr(sys.modules.get(module), kind, None)
        for method in methods:
            if owner is not None and method in vars(owner):
                setattr(owner, method, _refused(watch, f"{kind}.{method}"))
    if "dataclasses" in sys.modules:
        vars(sys.modules["dataclasses"])["exec"] = _reader(watch, space)


def _refused(watch: Watch, what: str) -> Callable[..., None]:
    def refused(*_: object, **__: object) -> None:
        raise watch.refuse(what)

    return refused


def _reader(watch: Watch, space: dict[str, Any]) -> Callable[..., None]:
    """`exec` for the code that `dataclasses` makes out of field names, which may be no names."""

    def read_and_run(text: str, where: Any, kept: Any) -> None:
        if where is not space or any(_unfit(ast.parse(text))):
            raise watch.refuse("code in a dataclass's fields")
        exec(text, where, kept)

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
            case ast.Match() | ast.ClassDef() | ast.Import() | ast.ImportFrom():
                yield node
