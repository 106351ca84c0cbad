"""Python that cannot parse is refused, and only where that is certain."""

from __future__ import annotations

import warnings

import pytest

from kalibr_core.gates.code import blocks
from kalibr_core.gates.python_code import is_suspect, parses, python_source


@pytest.mark.parametrize(
    "source",
    [
        "def f(x)\n    return x",
        "for i in range(10) print(i)",
        "results = [get(u) for u in urls)",
        "while pq\n    pass",
        "def f(:\n    pass",
        "x = 1\0",
    ],
)
def test_broken_python_does_not_parse(source):
    assert not parses(source)


@pytest.mark.parametrize(
    "source",
    [
        "x = 1",
        "return 1",
        "await f()",
        "    def method(self):\n        return 1\n",
        "!pip install x\nimport x",
        "import x\n%matplotlib inline\nx.y()",
        ">>> 1 + 1\n2",
        "type X = int\ndef f[T](x: T) -> T:\n    return x",
        'print(f"{d["a"]}")',
        "match x:\n    case 1: ...",
        "s = 'caf\u00e9 \ud800'",
        "x = " + "(" * 150 + ")" * 150,
        "x = " + "-" * 5000 + "1",
        "x = 1\n" * 20_000,
    ],
)
def test_python_of_any_version_and_dress_parses_or_is_left_alone(source):
    assert parses(source)


def test_parsing_warns_nobody():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert parses("import re\nre.match('\\d+\\.\\w', x)\ny = r'\\\\d'\nz = 'a\\\n'")


def test_the_largest_python_block_counts():
    text = "```python\nelse:\n    x\n```\n\nIn full:\n\n```py\nif a:\n    y\nelse:\n    x\n```"
    assert python_source(text, blocks(text), "fix it") == "if a:\n    y\nelse:\n    x\n"


def test_other_languages_and_old_python_are_not_parsed():
    text = "```js\nlet x\n```"
    assert python_source(text, blocks(text), "") is None
    old = "```python\nprint 'x'\n```"
    assert python_source(old, blocks(old), "in Python 2") is None


def test_unfenced_python_is_checked_where_it_is_nothing_else():
    assert python_source("def f(x):\n    return (x", [], "") is not None
    assert python_source("def f\n  1\nend", [], "") is None
    assert python_source("import x\n\nThis line imports the module named x.", [], "") is None


@pytest.mark.parametrize(
    "source",
    [
        "def f(x)\n    return x\n",
        "def f(x):\nreturn x\n",
        "def f(x):\n    return (x\n",
        "def f(x):\n    return 'x\n",
        "def f(x):\n    total = x +\n",
        "x = 1\nthis adds two numbers\n",
        "if (a && b):\n    pass\n",
        "class A:\n",
        'def f():\n    """Doc.\n    return 1\n',
    ],
)
def test_what_is_often_wrong_is_suspected_and_then_parsed(source):
    assert is_suspect(source)
    assert not parses(source)


def test_ordinary_code_is_not_worth_parsing():
    source = (
        "import re\n\n\nclass A(B):\n"
        '    """Say what\'s in it: (one thing."""\n\n'
        "    def f(self, x: int) -> int:\n"
        "        if x and not self.y:\n            return [i for i in range(x)]\n"
        '        raise ValueError(f"no {x!r}")\n'
    )
    assert not is_suspect(source)
    assert parses(source)
