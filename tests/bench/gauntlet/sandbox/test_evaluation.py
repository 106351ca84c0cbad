"""The agent's calculator."""

from __future__ import annotations

import pytest

from kalibr_bench.gauntlet import Limits, evaluate


@pytest.mark.parametrize(
    ("expression", "answer"),
    [
        ("math.sqrt(16)", "4.0"),
        ("statistics.pstdev([1, 2, 3, 4])", "1.118033988749895"),
        ("x = [3, 1]\nsorted(x)", "[1, 3]"),
        ("def f(x):\n    return x + 1\nf(2)", "3"),
        ("from collections import deque\ndeque([1, 2, 3], maxlen=2)", "deque([2, 3], maxlen=2)"),
        ("print('seen')\n7", "seen\n7"),
        ("print('seen')", "seen\n"),
        ("x = 1", "None"),
        ("", "None"),
        (" 1 + 1", "2"),
        ("  x = 1\n  x + 1\n", "2"),
        ("```python\n1 + 1\n```", "2"),
        ("float('nan')", "nan"),
        ("1 +", "error (syntax): SyntaxError: invalid syntax (<submission>, line 1)"),
        ("float('bad')", "error (raised): ValueError: could not convert string to float: 'bad'"),
        ("open('/etc/passwd')", "error (forbidden): open()"),
        # The library would now look for a module: there is no file to be found, and no breach.
        ("'x'.encode('idna')", "error (raised): LookupError: unknown encoding: idna"),
        ("import os", "error (forbidden): import os (line 1)"),
        ("[0] * 10**10", "error (memory): MemoryError"),
    ],
)
def test_it_answers_with_the_value_or_the_error(expression: str, answer: str) -> None:
    assert evaluate(expression) == answer


def test_answers_are_bounded() -> None:
    text = evaluate("'x' * 10**6", limits=Limits(text_chars=100))
    assert len(text) == 100
    assert text.endswith("…")
    assert evaluate("'x' * 97", limits=Limits(text_chars=100)) == repr("x" * 97)
    assert len(evaluate("raise ValueError('x' * 10**6)", limits=Limits(text_chars=100))) < 130


def test_endless_work_is_an_answer_too() -> None:
    assert evaluate("while True: pass", limits=Limits(cpu_s=1, call_s=0.3)).startswith(
        "error (timeout)"
    )


def test_a_value_whose_repr_lies_or_fails_is_an_error_or_text() -> None:
    hostile = "class C:\n    def __repr__(self):\n        {}\nC()"
    assert evaluate(hostile.format("return 1")).startswith("error (raised): TypeError")
    assert evaluate(hostile.format("open('x')")) == "error (forbidden): open()"
