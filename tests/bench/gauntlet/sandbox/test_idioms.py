"""Sound submissions are let through: what is refused is told by the prompt, and nothing else is."""

from __future__ import annotations

import pytest

from kalibr_bench.gauntlet import CONTRACT, Limits, Verdict
from kalibr_bench.gauntlet.sandbox import Session
from tests.bench.gauntlet.sandbox.escapes import body
from tests.bench.gauntlet.sandbox.idioms import IDIOMS


@pytest.mark.parametrize("name", IDIOMS)
def test_a_usual_idiom_loads_and_runs(name: str) -> None:
    source = IDIOMS[name] + "\n" + body("return 'ran'")
    with Session(source, limits=Limits(cpu_s=5, call_s=20.0)) as session:
        assert (session.loaded.verdict, session.loaded.text) == (Verdict.OK, "")
        reply = session.call([], None)
    assert (reply.text, reply.value) == ("", "ran")


def test_the_prompt_tells_what_the_language_lacks() -> None:
    told = " ".join(CONTRACT.split())
    for rule in (
        "of some modules only a part of their names",
        "no metaclass but ABCMeta",
        "class patterns by position of built-in types and plain dataclasses only",
        "special methods such as __init__, __getitem__ or __exit__ may be defined and called",
    ):
        assert rule in told
