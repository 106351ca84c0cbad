"""Ways out that a hostile submission may try, and the verdict that each must get."""

from __future__ import annotations

from kalibr_bench.gauntlet import Verdict

OK, RAISED, FORBIDDEN, TIMEOUT = Verdict.OK, Verdict.RAISED, Verdict.FORBIDDEN, Verdict.TIMEOUT
MEMORY, OUTPUT, SYNTAX, MISSING = Verdict.MEMORY, Verdict.OUTPUT, Verdict.SYNTAX, Verdict.MISSING


def body(*lines: str) -> str:
    """A submission that does this when it is called."""
    inside = "\n".join(f"    {line}" for text in lines for line in text.split("\n"))
    return f"def process_batch(events, state):\n{inside}\n"


RENAMED = (
    "from dataclasses import asdict, dataclass, fields, replace\n"
    "@dataclass\nclass A:\n    x: int = 1\nfields(A)[0].name = '__red' + 'uce__'\n"
)
"""A dataclass whose field has the name of what may not be read."""

LANGUAGE: dict[str, tuple[str, Verdict]] = {
    "file read": (body("return open('/etc/passwd').read()"), FORBIDDEN),
    "file write": (body("open('escaped', 'w').write('x')"), FORBIDDEN),
    "os": ("import os\n", FORBIDDEN),
    "os under another name": (body("from os import path as math"), FORBIDDEN),
    "socket": (body("import socket", "socket.socket()"), FORBIDDEN),
    "ctypes": ("import ctypes\n", FORBIDDEN),
    "subprocess": (body("import subprocess"), FORBIDDEN),
    "threads": (body("import threading"), FORBIDDEN),
    "signal handlers": (body("import signal"), FORBIDDEN),
    "sys.exit": (body("import sys", "sys.exit(0)"), FORBIDDEN),
    "exit": (body("exit(0)"), FORBIDDEN),
    "SystemExit": (body("raise SystemExit(0)"), RAISED),
    "importlib": (body("import importlib"), FORBIDDEN),
    "__import__": (body("return __import__('os')"), FORBIDDEN),
    "__builtins__": (body("return __builtins__['open']"), FORBIDDEN),
    "a module's own imports": (body("import statistics", "return statistics.sys.modules"), RAISED),
    "from a module its imports": ("from random import _os\n", RAISED),
    "eval": (body("return eval('1')"), FORBIDDEN),
    "exec, the breach caught": (
        body("try:\n    exec('import os')\nexcept Exception:\n    pass", "return {}"),
        FORBIDDEN,
    ),
    "globals": (body("return globals()"), FORBIDDEN),
    "dunder walk": (body("return ().__class__.__base__.__subclasses__()"), FORBIDDEN),
    "dunder walk by getattr": (
        body("c = getattr((), '__cla' + 'ss__')", "return getattr(c, '__ba' + 'se__')"),
        FORBIDDEN,
    ),
    "dunder walk by a lying str": (
        body(
            "class Name(str):\n    def __eq__(self, other):\n        return False\n"
            "    def __hash__(self):\n        return 0",
            "return getattr(len, Name('__self__'))",
        ),
        RAISED,
    ),
    "dunder walk by attrgetter": (
        body("import operator", "return operator.attrgetter('real.__globals__')(1)"),
        FORBIDDEN,
    ),
    "dunder walk by methodcaller": (
        body("import operator", "return operator.methodcaller('__dir__')(process_batch)"),
        FORBIDDEN,
    ),
    "the real type": (body("return int.__class__('C', (), {})"), FORBIDDEN),
    "the real type by getattr": (body("getattr(int, '__class__')('C', (), {})"), FORBIDDEN),
    "the real type by attrgetter": (
        body("import operator", "return operator.attrgetter('__class__')(int)('C', (), {})"),
        FORBIDDEN,
    ),
    "the real type by a class pattern": (
        body("match int:\n    case object(__class__=T):\n        return T('C', (), {})"),
        FORBIDDEN,
    ),
    "the real type as an origin": (
        body("import typing", "return typing.get_origin(typing.Type[int])('C', (), {})"),
        RAISED,
    ),
    "a metaclass out of typing": (
        "import typing\nclass M(typing.Type):\n    pass\n" + body("return M('C', (), {})"),
        FORBIDDEN,
    ),
    "a metaclass out of abc": (
        "from abc import ABCMeta\nclass M(ABCMeta):\n    pass\n" + body("return M('C', (), {})"),
        FORBIDDEN,
    ),
    "the real type in a field's name": (
        "from dataclasses import dataclass, field, fields\nseen = []\n"
        "@dataclass\nclass A:\n    x: int = field(default=1, init=False)\n"
        + body(
            "fields(A)[0].name = 'x, seen.append(int.__class__)'",
            "@dataclass(init=False, eq=False)\nclass B(A):\n    y: int = 2",
            "repr(B())",
            "return seen[0]('C', (), {})",
        ),
        FORBIDDEN,
    ),
    "a class made by type": (
        body("return type('C', (), {'__match_args__': ('__globals__',)})"),
        FORBIDDEN,
    ),
    "a metaclass": ("class M(type):\n    pass\nclass C(metaclass=M):\n    pass\n", FORBIDDEN),
    "a function's globals": (body("return process_batch.__globals__"), FORBIDDEN),
    "a class pattern by keyword": (
        body("match process_batch:\n    case object(__globals__=g):\n        return g"),
        FORBIDDEN,
    ),
    "a class pattern by position": (
        "from abc import ABC\nfrom collections import namedtuple\n"
        "class C(namedtuple('N', ['tb_frame']), ABC):\n    pass\n"
        "class Take:\n    def __enter__(self):\n        return self\n"
        "    def __exit__(self, kind, error, tb):\n        C.register(type(tb))\n"
        "        match tb:\n            case C(frame):\n                self.frame = frame\n"
        + body("with Take() as t:\n    raise ValueError", "return t.frame"),
        FORBIDDEN,
    ),
    "a pattern by position under a built-in's name": (
        "from collections import namedtuple\nfloat = namedtuple('N', ['gi_frame'])\n"
        + body("match events:\n    case float(frame):\n        return frame"),
        FORBIDDEN,
    ),
    "a pattern by position under a name out of a star": (
        "import math\nfrom collections import namedtuple\n"
        "math.float = namedtuple('N', ['gi_frame'])\nfrom math import *\n"
        + body("match events:\n    case float(frame):\n        return frame"),
        FORBIDDEN,
    ),
    "a pattern by position of a dataclass with a frame": (
        "from dataclasses import dataclass\n@dataclass\nclass C:\n    gi_frame: int\n"
        + body("match events:\n    case C(frame):\n        return frame"),
        FORBIDDEN,
    ),
    "asdict of a renamed field": (RENAMED + body("return asdict(A())"), FORBIDDEN),
    "replace of a renamed field": (RENAMED + body("return replace(A())"), FORBIDDEN),
    "a field that is renamed while asdict runs": (
        "from dataclasses import asdict, dataclass, fields\n"
        "class Late:\n    def __deepcopy__(self, memo):\n"
        "        fields(A)[1].name = '__di' + 'ct__'\n        return self\n"
        "@dataclass(init=False)\nclass A:\n    x: object = Late()\n    y: int = 1\n"
        + body("return {} if 'y' in asdict(A()) else open('x')"),
        OK,
    ),
    "a copy that gives a state to a function": (
        "import copy, statistics\nfrom enum import Enum\n"
        "def other(self, protocol):\n"
        "    return (lambda: statistics.fmean), (), (None, {'__defaults__': (5,)})\n"
        "E = Enum('E', {'A': 1, '__copy__': None, '__reduce_ex__': other})\n"
        + body("copy.copy(E.A)", "return {}"),
        FORBIDDEN,
    ),
    "object.__setattr__ of a function's code": (
        body("object.__setattr__(process_batch, '__code__', 1)"),
        FORBIDDEN,
    ),
    "object.__setattr__ by another way": (body("return dict.__setattr__"), FORBIDDEN),
    "code in a dataclass's annotations": (
        "from dataclasses import dataclass\n@dataclass\nclass C:\n"
        "    __annotations__ = {'x=print.__self__): pass #': int}\n",
        FORBIDDEN,
    ),
    "a wrapper that copies what it is told": (
        "import functools\nseen = []\nclass W:\n    def __setattr__(self, name, value):\n"
        "        seen.append(value)\n"
        + body("functools.wraps(print, assigned=['__globals__'])(W())", "return seen"),
        FORBIDDEN,
    ),
    "frames of a generator": (
        body("g = (x for x in [1])", "return g.gi_frame.f_back.f_globals"),
        FORBIDDEN,
    ),
    "frames of a traceback": (
        body("try:\n    1 / 0\nexcept Exception as e:\n    return e.__traceback__.tb_frame"),
        FORBIDDEN,
    ),
    "attributes by str.format": (body("return '{0.__globals__}'.format(process_batch)"), FORBIDDEN),
    "attributes by a format made up later": (
        body(
            "text = '{0._' + '_globals_' + '_}'",
            "return {'clean': text.format(process_batch)}",
        ),
        OK,
    ),
    "attributes by str.format after a brace in brackets": (
        body("return '{0[}].__globals__}'.format([process_batch])"),
        FORBIDDEN,
    ),
    "frames by str.format": (
        body("g = (x for x in [1])", "return '{0.gi_frame.f_back}'.format(g)"),
        FORBIDDEN,
    ),
    "a forward reference that is evaluated": (
        "import typing\n"
        + body(
            "text = '__import__(\"os\").getpid()'",
            "reference, _ = typing.get_args(typing.Optional[text])",
            "return reference._evaluate({}, {}, frozenset())",
        ),
        FORBIDDEN,
    ),
    "built-ins as members of an enumeration": (
        "from enum import Enum\n"
        + body(
            "E = Enum._convert_('E', 'builtins', lambda name: name == 'eval')",
            "return E.eval.value('1')",
        ),
        FORBIDDEN,
    ),
    "an enumeration put into the child's names": (
        "from enum import Enum\n"
        + body("Enum._convert_('encode', 'inside.child', lambda name: False)"),
        FORBIDDEN,
    ),
    "a class made by a class's type": (
        body("return type(int)('C', (), {'__getattribute__': lambda self, name: name})"),
        FORBIDDEN,
    ),
    "code in an inherited field's name": (
        "from dataclasses import dataclass, field, fields\nseen = []\n"
        "@dataclass\nclass A:\n    x: int = field(default=1, init=False)\n"
        + body(
            "fields(A)[0].name = 'x, seen.append(print.__self__)'",
            "@dataclass(init=False, eq=False)\nclass B(A):\n    y: int = 2",
            "repr(B())",
            "return {'clean': [repr(seen)]}",
        ),
        FORBIDDEN,
    ),
    "a dataclass in another module's names": (
        "from collections import namedtuple\nfrom dataclasses import dataclass\n"
        + body("dataclass(namedtuple('N', 'x', module='inside.child'))"),
        FORBIDDEN,
    ),
    "the grader's inputs": (body("import kalibr_bench.gauntlet.plain"), FORBIDDEN),
    "the grader's modules": (body("import inside.child"), RAISED),
    "the grader's names": (body("return grade, Session, expected"), RAISED),
    "monkey-patching json": (
        "import json\ndef evil(*args, **kwargs):\n    return '[]'\n"
        "json.dumps = json.loads = json.encoder = evil\n" + body("return {'clean': []}"),
        OK,
    ),
    "monkey-patching deque": (
        "import collections\n" + body("collections.deque.maxlen = 9"),
        RAISED,
    ),
    "monkey-patching by setattr": (
        body("setattr(process_batch, '__code__', 1)"),
        FORBIDDEN,
    ),
    "fork bomb": (body("import os", "while True:\n    os.fork()"), FORBIDDEN),
    "memory": (body("return [0] * 10**10"), MEMORY),
    "memory, bit by bit": (
        body("rows = [[0] * 1000]", "while True:\n    rows.append(rows[-1] + [0] * 10**6)"),
        MEMORY,
    ),
    "an infinite loop": (body("while True:\n    pass"), TIMEOUT),
    "an infinite loop that catches all": (
        body("while True:\n    try:\n        1 / 0\n    except BaseException:\n        pass"),
        TIMEOUT,
    ),
    "an infinite loop at import": ("while True:\n    pass\n", TIMEOUT),
    "sleep": (body("import time", "time.sleep(1000)"), TIMEOUT),
    "a catastrophic pattern": (body("import re", "re.match('(a+)+$', 'a' * 60 + 'b')"), TIMEOUT),
    "a huge power": (body("return 7 ** 10 ** 9"), TIMEOUT),
    "a gigabyte printed": (body("for _ in range(2**20):\n    print('x' * 1024)"), OUTPUT),
    "a gigabyte returned": (
        body("row = {'reading': 'x' * 10**6}", "return {'clean': [row] * 1000}"),
        OUTPUT,
    ),
    "a result that holds itself": (body("r = {}", "r['r'] = r", "return r"), OUTPUT),
    "deep recursion": (body("return process_batch(events, state)"), RAISED),
    "deep nesting": ("x = " + "[" * 3000 + "]" * 3000, SYNTAX),
    "a source without end": ("x = 1\n" * 20_000, SYNTAX),
    "a source of too many parts": ("x = [" + "a," * 25_000 + "]", SYNTAX),
    "a null byte": ("x = 1\0", SYNTAX),
    "no function": ("x = 1\n", MISSING),
    "no function but a number": ("process_batch = 1\n", MISSING),
    "a float that lies": (
        "class F(float):\n    def __eq__(self, other):\n        return True\n"
        "    def __float__(self):\n        return 2.0\n"
        + body("return {'clean': [{'ts': 1, 'reading': F('nan')}], 'mean': F(9), 'std': F(9)}"),
        OK,
    ),
    "a result that lies": (
        "class D(dict):\n    def get(self, name, default=None):\n        return True\n"
        "    def __eq__(self, other):\n        return True\n" + body("return D(clean=D())"),
        OK,
    ),
    "an exception that lies": (
        "class E(Exception):\n    def __str__(self):\n        while True:\n            pass\n"
        + body("raise E"),
        TIMEOUT,
    ),
    "an answer printed": (body("print('[[\"d\",[]],null,null]')", "return {}"), OK),
}
"""With every layer up: source and verdict."""
