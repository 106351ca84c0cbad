"""Rewriting never changes what a program means: what is not certain is left as it is."""

import ast
from typing import Any

import pytest

from kalibr_bench.gauntlet import Limits, Verdict
from kalibr_bench.gauntlet.sandbox import Session
from kalibr_bench.gauntlet.sandbox.inside.rewriting import spelled_out

HEAD = (
    "from abc import ABC\nfrom dataclasses import KW_ONLY, dataclass, field\n"
    "from functools import total_ordering\nimport typing\n"
    "from typing import ClassVar, Generic, NamedTuple, TypeVar\nT = TypeVar('T')\n"
)
MATCH = "def f(x):\n    match x:\n        case Ok(first): return first\n"
BASE = "@dataclass\nclass Base:\n    at: int\n"
OK = "@dataclass\nclass Ok(Base):\n    value: int = 0\n"
LEFT = {
    "a base with field(init=)": "@dataclass\nclass Base:\n    at: int = field(init=True)\n" + OK,
    "a base with kw_only=False": "@dataclass(kw_only=False)\nclass Base:\n    at: int\n" + OK,
    "a base with a ClassVar": "@dataclass\nclass Base:\n    n: ClassVar[int] = 3\n    at: int\n"
    + OK,
    "a plain class between": BASE + "class Mid(Base):\n    pass\n" + OK.replace("Base", "Mid"),
    "a base's name is a parameter too": BASE + OK + "def g(Base=None): return 1\n",
    "two bases with fields": (
        BASE + "@dataclass\nclass Other:\n    b: int\n" + OK.replace("Base", "Base, Other")
    ),
    "a base that is called for": BASE + "def base(): return Base\n" + OK.replace("Base", "base()"),
    "a base of a type that is asked for": BASE + OK.replace("Base", "type(Base(1))"),
    "a base that is an attribute": BASE + "class N:\n    B = Base\n" + OK.replace("Base", "N.B"),
    "bases out of a list": BASE + OK.replace("Base", "*[Base]"),
    "a base that is assigned": BASE + "Alias = Base\n" + OK.replace("Base", "Alias"),
    "a base under a library's name": BASE + "ABC = Base\n" + OK.replace("Base", "ABC"),
    "a base under another decorator": ("make = dataclass\n@make\nclass Base:\n    at: int\n" + OK),
    "a base that is a named tuple": (
        "class Base(NamedTuple):\n    at: int\n@dataclass\nclass Ok(Base):\n    value: int\n"
        "    def __init__(self, at): self.value = 5\n"
    ),
    "a field in a branch": "@dataclass\nclass Ok:\n    if True:\n        at: int\n    value: int\n",
    "ClassVar by another name": (
        "from typing import ClassVar as C\n"
        "@dataclass\nclass Ok:\n    n: C[int] = 3\n    at: int = 1\n"
    ),
    "arguments out of a dict": (
        "@dataclass(**{'kw_only': True})\nclass Base:\n    at: int = 1\n" + OK
    ),
    "a field made elsewhere": (
        "def hidden(): return field(default=1, kw_only=True)\n"
        "@dataclass\nclass Ok:\n    n: int = hidden()\n    at: int = 1\n"
    ),
    "a base under a type as a decorator": "@type\nclass Base:\n    at: int\n" + OK,
    "a decorator of its own": "def dataclass(c): return c\n" + BASE + OK,
    "an annotation that makes no field": (
        "@dataclass\nclass Ok:\n    (at): int = 1\n    value: int = 2\n"
    ),
    "a private field": "@dataclass\nclass Ok:\n    __at: int\n",
    "no list of positions": "@dataclass(match_args=False)\nclass Ok:\n    at: int\n",
}
"""Sources whose patterns stay as they are, and so are refused."""
PUT = {
    "a base": BASE + OK,
    "a chain of bases": BASE
    + "@dataclass\nclass Mid(Base):\n    b: int\n"
    + OK.replace("Base", "Mid"),
    "a plain base without fields": "class Base:\n    n: int = 3\n" + OK,
    "a plain base under a base with fields": (
        "class Root(ABC): pass\n" + BASE.replace("Base", "Base(Root)") + OK
    ),
    "library bases": OK.replace("Base", "ABC, Generic[T]"),
    "a generic base": BASE.replace("Base", "Base(Generic[T])") + OK.replace("Base", "Base[int]"),
    "an exception": OK.replace("Base", "ValueError"),
    "a base without fields beside one": BASE + "class E: pass\n" + OK.replace("Base", "E, Base"),
    "another decorator": (
        BASE + "@total_ordering\n" + OK + "    def __lt__(self, other): return True\n"
    ),
    "a named tuple of a module": "class Ok(typing.NamedTuple):\n    at: int\n    b: int = 2\n",
    "a decorator with arguments": "@dataclass(frozen=True)\nclass Ok:\n    at: int\n",
    "a field again": BASE + "@dataclass\nclass Ok(Base):\n    value: int\n    at: int\n",
}
"""Sources whose patterns take attributes by name."""


def parsed(source: str) -> tuple[ast.Module, bool]:
    """The tree after rewriting, and whether a class pattern by position is left in it."""
    tree = ast.parse(HEAD + source + MATCH)
    spelled_out(tree)
    patterns = [node for node in ast.walk(tree) if isinstance(node, ast.MatchClass)]
    return tree, any(node.patterns for node in patterns)


@pytest.mark.parametrize("source", LEFT.values(), ids=LEFT)
def test_what_is_not_certain_is_left_as_it_is(source: str) -> None:
    tree, left = parsed(source)
    assert left
    assert ast.dump(tree) == ast.dump(ast.parse(HEAD + source + MATCH))


@pytest.mark.parametrize("source", PUT.values(), ids=PUT)
def test_names_are_those_that_positions_stand_for(source: str) -> None:
    tree, left = parsed(source)
    space: dict[str, Any] = {"__name__": __name__}
    exec(compile(tree, "<submission>", "exec"), space)
    made = space["Ok"]
    (pattern,) = [node for node in ast.walk(tree) if isinstance(node, ast.MatchClass)]
    assert not left
    assert pattern.kwd_attrs == [made.__match_args__[0]]
    fields = made.__match_args__
    assert space["f"](made(*range(10, 10 + len(fields)))) == 10


def test_a_session_says_what_was_left() -> None:
    with Session(HEAD + LEFT["two bases with fields"] + MATCH, limits=Limits(cpu_s=5)) as session:
        assert session.loaded.verdict is Verdict.FORBIDDEN
        assert "a class pattern with positions" in session.loaded.text
