"""A source read before it runs: what it may not say, what it imports, which words it uses."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from itertools import islice

from .rewriting import abstract, bound_by, sets_past
from .rules import (
    MODULES,
    REFUSED_MODULES,
    may_bind,
    may_load,
    may_read,
)

FORMAT_PATH = re.compile(r"\{[^{}.\[!:]*((?:\.[^{}.\[!:]*|\[[^\]]*\])+)")
"""What a format field takes of its value: attributes after dots, items in brackets."""
ITEM = re.compile(r"\[[^\]]*\]")
MOST_NODES = 40_000
PLAIN_TYPES = frozenset(
    {
        *("int", "float", "str", "bool", "bytes", "bytearray"),
        *("dict", "list", "tuple", "set", "frozenset"),
    }
)
"""Their class patterns match the value itself, not an attribute."""


def refusals(tree: ast.AST) -> Iterator[str]:
    """What this source may not say, in words; nothing if it may run.

    Raises:
        ValueError: it says more than is read.
    """
    nodes = list(islice(ast.walk(tree), MOST_NODES + 1))
    if len(nodes) > MOST_NODES:
        raise ValueError(f"more than {MOST_NODES} parts of speech")
    bound = {name for node in nodes for name in bound_by(node)}
    idle = {id(node.value) for node in nodes if isinstance(node, ast.Expr)}
    for node in nodes:
        if id(node) in idle and isinstance(node, ast.Constant):
            continue  # a docstring
        line = f" (line {node.lineno})" if hasattr(node, "lineno") else ""
        for reason in (*_of(node), *_patterns(node, bound)):
            yield reason + line


def _of(node: ast.AST) -> Iterator[str]:
    match node:
        case ast.Attribute(attr=attr) if not may_read(attr) and not sets_past(node):
            yield f"attribute {attr}"
        case ast.Name(id=name, ctx=ast.Load()):
            yield from [] if may_load(name) else [f"name {name}"]
        case ast.ClassDef(name=name, keywords=keywords):
            yield from _names([name])
            yield from ("a metaclass" for k in keywords if k.arg == "metaclass" and not abstract(k))
        case ast.Constant(value=str() as text) if _walks(text):
            yield "a format field that walks attributes"
        case ast.Import(names=aliases):
            yield from _modules([alias.name for alias in aliases])
        case ast.ImportFrom(module=module, names=aliases, level=level):
            yield from ["a relative import"] if level else _modules([module or ""])
            yield from _names([alias.name for alias in aliases])
        case _:
            yield from _names(bound_by(node))


def _walks(text: str) -> bool:
    """Whether a format field in it takes what may not be read."""
    paths = (ITEM.sub("", path) for path in FORMAT_PATH.findall(text))
    return any(not may_read(attribute) for path in paths for attribute in path.split("."))


def _patterns(node: ast.AST, bound: set[str]) -> Iterator[str]:
    """A class pattern takes attributes: named ones, or those that the class's own list names."""
    if not isinstance(node, ast.MatchClass):
        return
    for attr in node.kwd_attrs:
        # No rewriting guards a pattern's `__class__`.
        if attr == "__class__" or not may_read(attr):
            yield f"attribute {attr}"
    # `import *` binds names that nobody sees here.
    plain = isinstance(node.cls, ast.Name) and node.cls.id in PLAIN_TYPES - bound
    if node.patterns and not (plain and "*" not in bound):
        yield "a class pattern with positions"


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
                found.update(bound_by(node))
    return sorted(word.lower() for word in found)
