"""A source read before it runs: what it may not say, what it imports, which words it uses."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from .rules import (
    FRAME_ATTRIBUTES,
    MODULES,
    REFUSED_MODULES,
    may_bind,
    may_load,
    may_read,
)

FRAMES = "|".join(sorted(FRAME_ATTRIBUTES))
FORMAT_WALK = re.compile(rf"\{{[^{{}}]*(?:[.\[][^{{}}]*__|\.(?:{FRAMES})\b)")
"""A format field that takes a dunder attribute, or a frame."""
MOST_NODES = 40_000
PLAIN_TYPES = frozenset({"int", "float", "str", "bool", "bytes", "dict", "list", "tuple"})
"""Their class patterns match the value itself, not an attribute."""


def refusals(tree: ast.AST) -> Iterator[str]:
    """What this source may not say, in words; nothing if it may run."""
    bound: set[str] = set()
    for number, node in enumerate(ast.walk(tree)):
        if number > MOST_NODES:
            yield "the source is too long"
            return
        bound.update(_bound(node))
    for node in ast.walk(tree):
        line = f" (line {node.lineno})" if hasattr(node, "lineno") else ""
        for reason in (*_of(node), *_patterns(node, bound)):
            yield reason + line


def _of(node: ast.AST) -> Iterator[str]:
    match node:
        case ast.Attribute(attr=attr) if not may_read(attr):
            yield f"attribute {attr}"
        case ast.Name(id=name, ctx=ast.Load()):
            yield from [] if may_load(name) else [f"name {name}"]
        case ast.ClassDef(name=name, keywords=keywords):
            yield from _names([name])
            yield from ("a metaclass" for k in keywords if k.arg == "metaclass")
        case ast.Constant(value=str() as text) if FORMAT_WALK.search(text):
            yield "a format field that walks attributes"
        case ast.Import(names=aliases):
            yield from _modules([alias.name for alias in aliases])
        case ast.ImportFrom(module=module, names=aliases, level=level):
            yield from ["a relative import"] if level else _modules([module or ""])
            yield from _names([alias.name for alias in aliases])
        case _:
            yield from _names(_bound(node))


def _patterns(node: ast.AST, bound: set[str]) -> Iterator[str]:
    """A class pattern takes attributes: named ones, or those that the class's own list names."""
    if not isinstance(node, ast.MatchClass):
        return
    yield from (f"attribute {attr}" for attr in node.kwd_attrs if not may_read(attr))
    plain = isinstance(node.cls, ast.Name) and node.cls.id in PLAIN_TYPES - bound
    if node.patterns and not plain:
        yield "a class pattern with positions"


def _bound(node: ast.AST) -> list[str]:
    """Names that the node binds, or hands to another as a keyword."""
    match node:
        case ast.Name(id=name, ctx=ast.Store() | ast.Del()) | ast.arg(arg=name):
            return [name]
        case ast.alias(asname=str(name)) | ast.ClassDef(name=name):
            return [name]
        case ast.alias(name=name):
            return [name.partition(".")[0]]
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
            return [name]
        case ast.Global(names=names) | ast.Nonlocal(names=names):
            return names
        case ast.keyword(arg=str(name)) | ast.ExceptHandler(name=str(name)):
            return [name]
        case ast.MatchAs(name=str(name)) | ast.MatchStar(name=str(name)):
            return [name]
        case ast.MatchMapping(rest=str(name)):
            return [name]
    return []


def _names(names: list[str]) -> Iterator[str]:
    return (f"name {name}" for name in names if not may_bind(name))


def _modules(names: list[str]) -> Iterator[str]:
    return (f"import {name}" for name in names if name.partition(".")[0] in REFUSED_MODULES)


def imported(tree: ast.AST) -> list[str]:
    """The modules that are named by imports anywhere in it, allowed or not."""
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module)
            names.update(f"{node.module}.{alias.name}" for alias in node.names)
    return sorted(names)


def allowed(names: list[str]) -> list[str]:
    """Those of the modules that a submission may have."""
    return [name for name in names if name in MODULES]


def words(tree: ast.AST) -> list[str]:
    """Identifiers and strings of the code, lower case, sorted; comments and docstrings are none."""
    idle = {id(n.value) for n in ast.walk(tree) if isinstance(n, ast.Expr)}
    found: set[str] = set()
    for node in ast.walk(tree):
        match node:
            case ast.Attribute(attr=name) | ast.ClassDef(name=name):
                found.add(name)
            case ast.Constant(value=str() as text) if id(node) not in idle:
                found.add(text[:80])
            case ast.Name(id=name):
                found.add(name)
            case _:
                found.update(_bound(node))
    return sorted(word.lower() for word in found)
