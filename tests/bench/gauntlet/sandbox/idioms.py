"""What sound submissions say besides the usual, and must be let through: each loads and runs."""

from __future__ import annotations

IDIOMS: dict[str, str] = {
    "hasattr of special methods": (
        "assert hasattr([], '__iter__') and hasattr(1.0, '__float__')\n"
        "assert hasattr({}, '__getitem__') and not hasattr(1, '__len__')"
    ),
    "type in annotations": (
        "from typing import Type\n"
        "def retry(f, on: tuple[type[Exception], ...] = (ValueError,), k: Type[int] = int):\n"
        "    return f"
    ),
    "classes of values": "class E: pass\n"
    "assert E().__class__ is E and E.__name__ == type(E()).__name__",
    "a class of a class": "assert int.__class__ is type and isinstance(int, int.__class__)",
    "an abstract base by its metaclass": (
        "import abc\nfrom abc import ABCMeta, abstractmethod\n"
        "class A(metaclass=ABCMeta):\n    @abstractmethod\n    def run(self): ...\n"
        "class B(A, metaclass=abc.ABCMeta):\n    def run(self): return 1\n"
        "class C(abc.ABC, metaclass=ABCMeta): pass\n"
        "assert B().run() == 1\n"
        "try:\n    A()\nexcept TypeError:\n    pass\nelse:\n    raise AssertionError"
    ),
    "super() of special methods": (
        "class D(dict):\n    def __setitem__(self, k, v):\n        super().__setitem__(k, v + 1)\n"
        "    def __repr__(self):\n        return super().__repr__()\n"
        "d = D()\nd['a'] = 1\nassert d['a'] == 2 and repr(d)"
    ),
    "special methods": (
        "class T:\n    n = 0\n    def __iadd__(self, k):\n        self.n += k\n"
        "        return self\n"
        "    def __abs__(self): return 1\n    def __getattr__(self, name): return name\n"
        "    def __init_subclass__(cls, **k): super().__init_subclass__(**k)\n"
        "t = T()\nt += 2\nassert (t.n, abs(t), t.other) == (2, 1, 'other')\n"
        "class F(float):\n    def __new__(cls, v): return super().__new__(cls, v)\n"
        "assert F(2) == 2"
    ),
    "a frozen dataclass that sets itself": (
        "from dataclasses import dataclass, replace\n@dataclass(frozen=True)\nclass L:\n"
        "    cap: int = 1\n    def __post_init__(self):\n"
        "        object.__setattr__(self, 'cap', min(self.cap, 240))\n"
        "assert L(999).cap == 240 and replace(L(), cap=7) == L(7)"
    ),
    "patterns by position": (
        "from dataclasses import dataclass\nfrom typing import NamedTuple\n"
        "@dataclass\nclass Base: pass\n"
        "@dataclass\nclass Ok(Base):\n    value: float\n    unit: str = 'C'\n"
        "class Bad(NamedTuple):\n    why: str\n"
        "def f(x):\n    match x:\n        case Ok(v, unit=u): return v, u\n"
        "        case Bad(w): return w\n        case int(i) | set(i): return i\n"
        "assert [f(Ok(1.0)), f(Bad('x')), f(3)] == [(1.0, 'C'), 'x', 3]"
    ),
    "keys by attribute": (
        "from operator import attrgetter, methodcaller\nfrom types import SimpleNamespace as S\n"
        "rows = sorted([S(ts=2, a=S(b=1)), S(ts=1, a=S(b=0))], key=attrgetter('ts'))\n"
        "assert attrgetter('ts', 'a.b')(rows[0]) == (1, 0) and methodcaller('strip')(' x ') == 'x'"
    ),
    "logging with handlers": (
        "import logging\nlog = logging.getLogger(__name__)\nif not log.handlers:\n"
        "    h = logging.StreamHandler()\n"
        "    h.setFormatter(logging.Formatter('%(levelname)s %(message)s'))\n"
        "    log.addHandler(h)\n"
        "log.setLevel(logging.INFO)\nlog.propagate = False\n"
        "if log.isEnabledFor(logging.DEBUG):\n    log.debug('x')\n"
        "log.warn('x')\nlogging.getLogger('y').getChild('z').info('%d', 1, extra={'a': 1})\n"
        "class H(logging.Handler):\n    def __init__(self): super().__init__(level=logging.INFO)\n"
        "H()\nassert logging.getLevelName(30) == 'WARNING'"
    ),
    "warnings caught": (
        "import warnings\nwith warnings.catch_warnings():\n    warnings.simplefilter('ignore')\n"
        "with warnings.catch_warnings(record=True) as found:\n    warnings.warn('x')\n"
        "assert found == []"
    ),
    "times": (
        "import time\n"
        "assert time.time_ns() and time.process_time() >= 0 and time.strftime('%Y', "
        "time.gmtime())\n"
        "assert time.strptime('2026', '%Y').tm_year == 2026 and time.localtime()"
    ),
    "a context manager with its annotations": (
        "from contextlib import AbstractContextManager\nfrom types import TracebackType\n"
        "class G(AbstractContextManager):\n"
        "    def __exit__(self, kind, error, at: TracebackType | None): return True\n"
        "with G():\n    1 / 0"
    ),
    "causes": (
        "try:\n    try:\n        1 / 0\n    except ZeroDivisionError as e:\n"
        "        raise ValueError('x') from e\n"
        "except ValueError as e:\n    assert e.__cause__ and e.__context__"
    ),
    "texts that are no formats": (
        'K = \'{"a.b": "__x__"} {state.my__key}\'\n'
        "class A:\n    def f(self):\n        'As {x.__class__}.'"
    ),
    "character classes and encoders": (
        "import json, string\nclass E(json.JSONEncoder):\n    def default(self, o): return 'o'\n"
        "assert json.dumps({1j}, cls=E) == '\"o\"' and ' ' in string.whitespace + string.printable"
    ),
    "copies": (
        "import copy, collections, datetime, functools\nfrom dataclasses import asdict, dataclass\n"
        "@dataclass\nclass P:\n    x: list\n"
        "class Q:\n    def __init__(self): self.x = [1]\n"
        "class D(collections.deque): pass\n"
        "many = [P([1]), Q(), D([1], 3), collections.defaultdict(list, a=[1]), iter([1]),\n"
        "    datetime.datetime(2026, 1, 1), functools.partial(int, '1'), ValueError('x'), {1: "
        "[2]}]\n"
        "assert [type(copy.copy(m)) for m in many] == [type(m) for m in many]\n"
        "assert copy.deepcopy(many)[0] == P([1]) and asdict(P([P([1])])) == {'x': [{'x': [1]}]}"
    ),
}
