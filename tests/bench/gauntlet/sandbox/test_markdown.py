"""Code as models hand it over: fences, words around them, indentation."""

from __future__ import annotations

import time

import pytest

from kalibr_bench.gauntlet.sandbox.markdown import unwrapped

CODE = "def f():\n    return 1\n"


@pytest.mark.parametrize(
    "wrap",
    [
        "{}",
        "\ufeff{}",
        "```python\n{}```",
        "```python3.11\n{}```",
        '```python title="a.py"\n{}```\n',
        "~~~~\n{}~~~~",
        "Here it is:\n```\n{}```\nIt works.",
        "```\n{}```\n\nUse it so:\n\n```\nf()\n```\n",
        "First:\n```\ndef f(): ...\n```\nthen\n```\n{}```\n",
        "\r\n```py\r\n{}```\r\n",
    ],
)
def test_the_fence_that_has_what_is_wanted_is_taken(wrap: str) -> None:
    assert unwrapped(wrap.format(CODE), wanted="def f") == CODE


@pytest.mark.parametrize(
    "text",
    [
        "```",
        "``````",
        "```python\n" + CODE,
        CODE + "```\n",
        "def f():\n    '''\n```\ndef f()\n```\n    '''\n",
        "See:\n```\nx = 1\n```\n",
    ],
)
def test_a_text_whose_fences_do_not_tell_is_left_alone(text: str) -> None:
    assert unwrapped(text, wanted="def f") == text


def test_a_fence_within_the_code_is_the_codes() -> None:
    code = "def f():\n    '''\n    ```\n    f()\n    ```\n    '''\n"
    assert unwrapped(f"```python\n{code}```\n") == code


def test_an_indentation_of_the_whole_is_taken_off() -> None:
    assert unwrapped("\n  x = 1\n  if x:\n    y = 2\n") == "\nx = 1\nif x:\n  y = 2\n"


@pytest.mark.parametrize("text", ["```a\n" * 100_000, "```a\nx```\n" * 100_000, " " * 10**6 + "`"])
def test_a_long_text_is_read_once(text: str) -> None:
    started = time.process_time()
    unwrapped(text, wanted="def f")
    assert time.process_time() - started < 2
