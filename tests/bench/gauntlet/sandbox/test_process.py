"""The child as a process: deadlines, sizes, and answers that nobody asked for."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from kalibr_bench.gauntlet.sandbox import Layers, Limits, Session, Verdict
from kalibr_bench.gauntlet.sandbox.process import ChildProcess, Gone

OPEN = Layers(language=False)
LIMITS = Limits(cpu_s=5, call_s=20.0)
ANSWER = repr(b'[["d",[["token","f00d"],["verdict","ok"]]],["d",[]],null]\n')
"""All that an answer has, but for the token of the question."""


def hostile(*lines: str) -> str:
    """A source that holds the real `os`, and does this when it is called."""
    return "import os\ndef process_batch(events, state):\n" + "".join(f"    {x}\n" for x in lines)


@pytest.fixture
def child() -> Iterator[ChildProcess]:
    process = ChildProcess(1 << 12)
    yield process
    process.kill()


def test_an_order_that_it_cannot_read_ends_it(child: ChildProcess) -> None:
    with pytest.raises(Gone) as gone:
        child.exchange("no JSON", 20.0)
    assert gone.value.verdict is Verdict.CRASHED
    child.kill()


def test_a_child_that_does_not_answer_is_killed_at_the_deadline(child: ChildProcess) -> None:
    with pytest.raises(Gone) as gone:
        child.exchange("", 0.05)
    assert gone.value.verdict is Verdict.TIMEOUT


def test_a_request_larger_than_a_pipe_holds_goes_through() -> None:
    source = "def process_batch(events, state):\n    return len(events)\n"
    with Session(source, limits=LIMITS) as session:
        assert session.call(["x" * 1000] * 1000).value == 1000


@pytest.mark.parametrize(
    ("lines", "verdict"),
    [
        ((f"os.write(1, {ANSWER})", "return {}"), Verdict.FORGED),
        ((f"os.write(1, {ANSWER})", "while True:", "    pass"), Verdict.FORGED),
        ((f"os.write(1, {ANSWER} * 2)", "os._exit(0)"), Verdict.FORGED),
        (("os.write(1, b'[' * 60000)", "return {}"), Verdict.FORGED),
        (("os.write(1, b'\\xff\\n')", "return {}"), Verdict.FORGED),
        (("while True:", "    os.write(1, b'x' * 4096)"), Verdict.OUTPUT),
        (("while True:", "    os.read(0, 4096)"), Verdict.TIMEOUT),
        (("os._exit(77)",), Verdict.MEMORY),
        (("os._exit(3)",), Verdict.CRASHED),
    ],
)
def test_bytes_of_its_own_on_the_pipe_are_no_answer(
    lines: tuple[str, ...], verdict: Verdict
) -> None:
    quick = verdict is Verdict.TIMEOUT
    limits = Limits(cpu_s=5, call_s=0.5 if quick else 20.0, output_bytes=200_000)
    with Session(hostile(*lines), limits=limits, layers=OPEN) as session:
        assert session.loaded.verdict is Verdict.OK
        assert session.call([1]).verdict is verdict
        assert not session.alive


def test_an_answer_laid_out_for_the_next_question_is_noticed() -> None:
    """With the true answer's line in front, the forged one waits in the pipe."""
    lines = (
        "import inside.child as child",
        "real = child._answer.__defaults__[0]",
        f"more = lambda fd, data: real(fd, bytes(data) + {ANSWER}) and len(data)",
        "child._answer.__defaults__ = (more,)",
        "return {}",
    )
    source = hostile(*lines).replace("import os\n", "import os\nimport inside.child\n", 1)
    with Session(source, limits=LIMITS, layers=OPEN) as session:
        assert session.call([1]).verdict is Verdict.FORGED
