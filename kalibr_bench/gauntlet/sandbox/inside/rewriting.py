"""A source put into other words before it runs: what has a sound use gets a guarded form."""

from __future__ import annotations

import ast
from collections import Counter

from .names import ABSTRACT, CLASS_OF, SET_PAST

NO_FIELD = ("ClassVar", "InitVar", "KW_ONLY")
OWN_LIST = frozenset({"init", "kw_only"})
"""Arguments of `field` and `dataclass` that take a field out of those that have a position."""


def spelled_out(tree: ast.AST) -> None:
    """Class patterns by position take attributes by name, where the source tells the names.

    So it is for a class that is bound once, as a dataclass or named tuple with plain fields. Others
    are left as they are.
    """
    fields = _fields(tree)
    for node in ast.walk(tree):
        if not (isinstance(node, ast.MatchClass) and isinstance(node.cls, ast.Name)):
            continue
        names = fields.get(node.cls.id, ())
        if len(node.patterns) <= len(names):
            node.kwd_attrs = [*names[: len(node.patterns)], *node.kwd_attrs]
            node.kwd_patterns = [*node.patterns, *node.kwd_patterns]
            node.patterns = []


def guarded(tree: ast.AST) -> None:
    """Reads of `__class__`, `object.__setattr__` and `metaclass=ABCMeta` in their guarded forms."""
    # From the leaves to the root: an attribute may stand in another's way.
    for node in reversed(list(ast.walk(tree))):
        for name, value in ast.iter_fields(node):
            if isinstance(value, list):
                value[:] = [_rewritten(each) for each in value]
            else:
                setattr(node, name, _rewritten(value))
        if isinstance(node, ast.ClassDef) and any(map(abstract, node.keywords)):
            _derive(node)
    ast.fix_missing_locations(tree)


def sets_past(node: object) -> bool:
    """Whether it reads `object.__setattr__`."""
    match node:
        case ast.Attribute(value=ast.Name(id="object"), attr="__setattr__", ctx=ast.Load()):
            return True
    return False


def abstract(keyword: ast.keyword) -> bool:
    """Whether it is `metaclass=ABCMeta`."""
    match keyword:
        case ast.keyword(
            arg="metaclass", value=ast.Name(id="ABCMeta") | ast.Attribute(attr="ABCMeta")
        ):
            return True
    return False


def _rewritten(node: object) -> object:
    if sets_past(node):
        assert isinstance(node, ast.expr)
        return ast.copy_location(ast.Name(SET_PAST, ast.Load()), node)
    match node:
        case ast.Attribute(value=value, attr="__class__", ctx=ast.Load()):
            return ast.copy_location(ast.Call(ast.Name(CLASS_OF, ast.Load()), [value], []), node)
    return node


def _derive(node: ast.ClassDef) -> None:
    """From `ABC` where its metaclass was asked for."""
    node.keywords = [keyword for keyword in node.keywords if not abstract(keyword)]
    if not any(getattr(base, "id", getattr(base, "attr", "")) == "ABC" for base in node.bases):
        node.bases.append(ast.Name(ABSTRACT, ast.Load()))


def _fields(tree: ast.AST) -> dict[str, tuple[str, ...]]:
    """By class the fields that patterns take by position, in order."""
    times = Counter(name for node in ast.walk(tree) for name in bound_by(node))
    found: dict[str, tuple[str, ...]] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef) and times[node.name] == 1:
            own = _own_fields(node)
            bases = [found.get(base.id, ()) for base in node.bases if isinstance(base, ast.Name)]
            if own is not None:
                found[node.name] = tuple(dict.fromkeys([*sum(bases, ()), *own]))
    return found


def _own_fields(node: ast.ClassDef) -> list[str] | None:
    """None: it is neither a dataclass nor a named tuple, or not all of its fields are plain."""
    heads = [*node.decorator_list, *node.bases]
    names = [ast.unparse(head.func if isinstance(head, ast.Call) else head) for head in heads]
    if not {"dataclass", "NamedTuple"} & {name.rpartition(".")[2] for name in names}:
        return None
    annotated = [part for part in node.body if isinstance(part, ast.AnnAssign)]
    calls = [*heads, *(part.value for part in annotated)]
    keywords = {k.arg for call in calls if isinstance(call, ast.Call) for k in call.keywords}
    if OWN_LIST & keywords or any(
        word in ast.unparse(part.annotation) for part in annotated for word in NO_FIELD
    ):
        return None
    return [part.target.id for part in annotated if isinstance(part.target, ast.Name)]


def bound_by(node: ast.AST) -> list[str]:
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
