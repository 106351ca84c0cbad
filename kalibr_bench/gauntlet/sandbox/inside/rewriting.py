"""A source put into other words before it runs: what has a sound use gets a guarded form."""

from __future__ import annotations

import ast
import builtins
from collections import Counter

from .names import ABSTRACT, CLASS_OF, SET_PAST

NO_FIELD = ("ClassVar", "InitVar", "KW_ONLY")
OWN_LIST = frozenset({"init", "kw_only", "match_args", None})
"""Arguments of `field` and `dataclass` that may take a field out of those that have a position.

None: arguments out of a dict.
"""
FIELDLESS = frozenset(
    {
        *("ABC", "Generic", "NamedTuple", "Protocol"),
        *(name for name, value in vars(builtins).items() if isinstance(value, type)),
    }
)
"""Bases without fields; `NamedTuple` has none of its own."""
DECORATORS = frozenset({"dataclass", "final", "runtime_checkable", "total_ordering"})
"""They leave the class in its place, and but for the first its fields too."""
PLAIN_PARTS = (
    *(ast.AnnAssign, ast.Assign, ast.Expr, ast.Pass),
    *(ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef),
)
"""Of a class body: no field is hidden within them."""


def spelled_out(tree: ast.AST) -> None:
    """Class patterns by position take attributes by name, where the source tells the names.

    So it is for a class that is bound once, as a dataclass or named tuple with plain fields, and
    with bases of which the same is certain, at most one of them with fields. Others are left as
    they are.
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
    nodes = list(ast.walk(tree))
    times = Counter(name for node in nodes for name in bound_by(node))
    rebound = _rebound(nodes)
    known: dict[str, tuple[str, ...]] = dict.fromkeys(FIELDLESS - rebound, ())
    found: dict[str, tuple[str, ...]] = {}
    if _hidden(nodes):
        return found
    for node in nodes:
        if isinstance(node, ast.ClassDef) and times[node.name] == 1:
            _add(node, DECORATORS - rebound, known, found)
    return found


def _hidden(nodes: list[ast.AST]) -> bool:
    """Whether a class may have fields without a position that its own lines do not tell of."""
    seen = {id(n.value) for n in nodes if isinstance(n, ast.AnnAssign)}
    seen |= {id(d) for n in nodes if isinstance(n, ast.ClassDef) for d in n.decorator_list}
    calls = [n for n in nodes if isinstance(n, ast.Call) and id(n) not in seen]
    renamed = {n.name for n in nodes if isinstance(n, ast.alias) and n.asname}
    made = {keyword.arg for call in calls for keyword in call.keywords}
    return not renamed.isdisjoint(NO_FIELD) or not made.isdisjoint(OWN_LIST - {None})


def _rebound(nodes: list[ast.AST]) -> set[str]:
    """What is bound other than by an import under its own name."""
    others = (node for node in nodes if not (isinstance(node, ast.alias) and not node.asname))
    return {name for node in others for name in bound_by(node)}


def _add(
    node: ast.ClassDef,
    decorators: frozenset[str],
    known: dict[str, tuple[str, ...]],
    found: dict[str, tuple[str, ...]],
) -> None:
    """Note the class's fields in `known` for its subclasses and in `found` for patterns.

    It is noted only where they are certain. Dataclasses collect fields along the reversed order of
    method resolution, so two bases with fields are not.
    """
    bases = [_named(b.value if isinstance(b, ast.Subscript) else b) for b in node.bases]
    makers = [_named(d.func if isinstance(d, ast.Call) else d) for d in node.decorator_list]
    inherited = [known[base] for base in bases if base in known]
    with_fields = [names for names in inherited if names]
    if len(inherited) < len(bases) or not decorators.issuperset(makers) or len(with_fields) > 1:
        return
    tuple_like = "NamedTuple" in bases
    if not tuple_like and "dataclass" not in makers:
        if not with_fields:
            known[node.name] = ()
        return
    own = _own_fields(node)
    if own is None:
        return
    found[node.name] = tuple(dict.fromkeys([*sum(with_fields, ()), *own]))
    if not tuple_like:  # a dataclass does not take over a named tuple's fields
        known[node.name] = found[node.name]


def _named(head: ast.expr) -> str:
    """A base's or decorator's name, without the module if it is one of the library."""
    name = ast.unparse(head)
    last = name.rpartition(".")[2]
    return last if last in FIELDLESS | DECORATORS else name


def _own_fields(node: ast.ClassDef) -> list[str] | None:
    """Of a dataclass or named tuple; None: not all of its fields are plain."""
    annotated = [part for part in node.body if isinstance(part, ast.AnnAssign)]
    names = [part.target.id for part in annotated if isinstance(part.target, ast.Name)]
    calls = [*node.decorator_list, *(part.value for part in annotated)]
    keywords = {k.arg for call in calls if isinstance(call, ast.Call) for k in call.keywords}
    plain = (
        not OWN_LIST & keywords
        and all(isinstance(part, PLAIN_PARTS) for part in node.body)
        and all(part.simple for part in annotated)
        # The class gives these another name.
        and not any(name.startswith("__") for name in names)
        and not any(word in ast.unparse(p.annotation) for p in annotated for word in NO_FIELD)
    )
    return names if plain else None


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
