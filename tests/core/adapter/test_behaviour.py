"""What users did reaches the Routers whose answers it speaks of, and breaks nothing on its way."""

from __future__ import annotations

import asyncio
import functools
import threading
import time
from collections.abc import Iterator
from pathlib import Path as FilePath
from typing import Any

import pytest

from kalibr_core import (
    ConfigError,
    LedgerError,
    MemoryLedger,
    Router,
    SQLiteLedger,
    UnknownDecision,
    UnknownSession,
)
from kalibr_core.adapter.behaviour import LATE_S, Behaviour, Decided
from kalibr_core.adapter.routers import LIVE, Routers, act, made
from kalibr_core.conversations import Conversation, restored
from kalibr_core.types import JSON, Output, Request

ASK, COMPLAINT = "Write a short poem about the sea.", "That is wrong, I asked for a poem!"


class Held:
    """A routing."""

    def __init__(self, router: Router) -> None:
        self.router = router

    def close(self) -> None:
        self.router.close()


@pytest.fixture
def routers() -> Iterator[Routers[Held]]:
    before = list(LIVE)
    LIVE.clear()
    found = Routers[Held]()
    yield found
    found.close()
    LIVE.update(before)


def make(routers: Routers[Held], goal: str, **settings: Any) -> Router:
    settings = {"ledger": MemoryLedger(), **settings}
    router = Router(goal, paths=["gpt-4o"], judge=None, api_key="k", **settings)
    key = f"{goal} {id(router)}"
    return routers.get(key, lambda: Held(router)).router


def decide(router: Router) -> Decided:
    done = router.call(
        Request(prompt=ASK),
        lambda attempt: "A poem about the sea in autumn.",
        read=lambda answer: Output(text=answer, finish_reason="stop"),
    )
    return Decided(done.decision.id, router.goal)


def answered(
    behaviour: Behaviour, *decided: Decided, event_id: str = "e1", text: str = "x"
) -> None:
    behaviour.pipeline("s", decided, prompt=ASK, output=text, event_id=event_id)


def rewards(router: Router) -> list[float | None]:
    entries = [entry for _, entry in router._learner.ledger.entries(goal=router.goal)]
    return [entry.reward for entry in entries if entry.kind in ("action", "momentum")]


def known(router: Router) -> Conversation:
    signals = router.feedback.signals
    found = signals._keeper.conversation(signals.key_of("s"))
    assert found is not None
    return restored(found[2])


def test_only_the_router_of_the_last_decision_is_credited_in_full(routers: Routers[Held]) -> None:
    one, other, behaviour = make(routers, "one"), make(routers, "other"), Behaviour(model="M")
    answered(behaviour, decide(one), decide(other))
    behaviour.action("s", "output_discarded")
    assert (rewards(one), rewards(other)) == ([0.3], [0.0])


def test_of_two_routers_of_one_goal_the_one_that_knows_the_decision_is_told(
    routers: Routers[Held],
) -> None:
    one, other, behaviour = make(routers, "one"), make(routers, "one"), Behaviour(model="M")
    answered(behaviour, decide(other))
    assert not one.feedback.signals.knows("s")
    assert other.feedback.signals.knows("s")


def test_a_decision_that_nobody_knows_is_counted_and_the_others_are_told(
    routers: Routers[Held], caplog: pytest.LogCaptureFixture
) -> None:
    one, behaviour = make(routers, "one"), Behaviour(model="M")
    for event_id in ("e1", "e2"):
        answered(behaviour, Decided("d1", "gone"), decide(one), event_id=event_id)
    assert behaviour.failures == {"UnknownDecision": 2}
    assert known(one).number == 2
    assert len(caplog.records) == 1


def test_a_message_without_a_name_counts_once_until_there_is_another_answer(
    routers: Routers[Held],
) -> None:
    one, behaviour = make(routers, "one"), Behaviour(model="M")
    answered(behaviour, decide(one))
    for event_id in (None, None, "m1", "m1"):
        behaviour.turn("s", COMPLAINT, event_id=event_id)
    assert len(known(one).kinds) == 3
    answered(behaviour, decide(one), event_id="e2")
    behaviour.turn("s", COMPLAINT, event_id=None)
    assert len(known(one).kinds) == 4


def test_routers_on_one_ledger_hear_a_turn_once(routers: Routers[Held], tmp_path: FilePath) -> None:
    file, behaviour = str(tmp_path / "here.db"), Behaviour(model="M")
    one, other = make(routers, "one", ledger=file), make(routers, "other", ledger=file)
    assert one.feedback.signals.place == other.feedback.signals.place
    answered(behaviour, decide(one), decide(other))
    behaviour.turn("s", COMPLAINT, event_id=None)
    answered(behaviour, decide(other), event_id="e2")
    assert [kind.value for kind in known(one).kinds] == ["anew", "complains"]
    assert (rewards(one), rewards(other)) == ([0.425], [0.25])


class Counting(SQLiteLedger):
    """Counts how often a conversation is read."""

    reads = 0

    def conversation(self, key: str) -> tuple[int, float, JSON] | None:
        self.reads += 1
        return super().conversation(key)


def test_a_turn_takes_no_longer_for_further_routers_on_one_ledger(
    routers: Routers[Held], tmp_path: FilePath
) -> None:
    ledger, behaviour = Counting(str(tmp_path / "here.db")), Behaviour(model="M")
    several = [make(routers, f"goal {number}", ledger=ledger) for number in range(5)]
    answered(behaviour, decide(several[0]))
    ledger.reads = 0
    behaviour.turn("s", COMPLAINT, event_id=None)
    assert ledger.reads == 3


def test_the_same_event_may_grow(routers: Routers[Held]) -> None:
    """A run that is gone on with: its first part is an earlier one then, and its text comes."""
    one, behaviour = make(routers, "one"), Behaviour(model="M")
    first, second = decide(one), decide(one)
    answered(behaviour, first, text="")
    assert known(one).outputs[-1].answer == ""
    answered(behaviour, first, second, text="The sea is wide, and autumn has come to it.")
    assert known(one).number == 1
    assert known(one).outputs[-1].answer != ""

    other = make(routers, "other")
    answered(behaviour, decide(other), first, event_id="e2")
    last = known(one).outputs[-1].made[-1]
    assert (last.decision_id, last.last) == (first.decision_id, True)
    answered(behaviour, first, decide(other), event_id="e2")
    assert not known(one).outputs[-1].made[-1].last


def test_a_closed_router_is_left_alone(routers: Routers[Held], tmp_path: FilePath) -> None:
    file, behaviour = str(tmp_path / "here.db"), Behaviour(model="M")
    closed, one = make(routers, "one", ledger=file), make(routers, "one", ledger=file)
    answered(behaviour, decide(one))
    closed.close()
    assert closed.is_closed
    behaviour.turn("s", COMPLAINT, event_id=None)
    assert behaviour.action("s", "output_copied")
    assert (len(known(one).kinds), behaviour.failures) == (2, {})


def test_a_classifier_is_asked_once_for_all_routers(routers: Routers[Held]) -> None:
    asked: list[str] = []

    def classify(text: str) -> str:
        asked.append(text)
        return "accepts"

    one, other = make(routers, "one"), make(routers, "other")
    behaviour = Behaviour(model="M", classify=classify)
    answered(behaviour, decide(one), decide(other))
    behaviour.turn("s", COMPLAINT, event_id="m1")
    assert behaviour.flush()
    assert asked == [COMPLAINT]
    assert [known(router).kinds[-1].value for router in (one, other)] == ["accepts", "accepts"]


def test_what_no_router_knows_is_told(routers: Routers[Held]) -> None:
    make(routers, "one")
    behaviour = Behaviour(model="M")
    behaviour.turn("s", ASK, event_id=None)
    assert behaviour.failures == {}
    with pytest.raises(UnknownSession):
        behaviour.action("s", "output_copied")
    with pytest.raises(UnknownSession):
        behaviour.end("s")
    with pytest.raises(UnknownDecision, match="any M of goal 'one' in this process"):
        made("d1", goal="one", model="M")
    with pytest.raises(ConfigError):
        Behaviour(model="M", classify=7)  # type: ignore[arg-type]


def test_an_action_on_a_decision_needs_no_session(routers: Routers[Held]) -> None:
    one = make(routers, "one")
    decision_id, goal = decide(one)
    assert act(decision_id, "output_edited", goal=goal, model="M")
    assert not act(decision_id, "output_edited", goal=None, model="M")
    assert rewards(one) == [0.5]


class Locked(MemoryLedger):
    """Another process holds it: each writing waits in vain."""

    def __init__(self, clock: list[float]) -> None:
        super().__init__()
        self.clock, self.is_locked, self.threads = clock, True, list[str]()

    def keep(self, key: str, version: int, state: JSON, *, at: float, is_open: bool) -> bool:
        self.threads.append(threading.current_thread().name)
        if not self.is_locked:
            return super().keep(key, version, state, at=at, is_open=is_open)
        self.clock[0] += 0.25
        raise LedgerError("locked")


def test_chains_wait_for_a_locked_ledger_once(routers: Routers[Held]) -> None:
    now, here = [100.0], threading.current_thread().name
    ledger = Locked(now)
    one, behaviour = make(routers, "one", ledger=ledger), Behaviour(model="M", clock=lambda: now[0])
    for event_id in ("e1", "e2", "e3"):
        answered(behaviour, decide(one), event_id=event_id)
    assert behaviour.flush()
    assert ledger.threads == [here, "kalibr-feedback", "kalibr-feedback"]
    assert behaviour.failures == {"LedgerError": 3}

    ledger.is_locked = False
    answered(behaviour, decide(one), event_id="e4")
    assert behaviour.flush()
    now[0] += LATE_S
    answered(behaviour, decide(one), event_id="e5")
    assert ledger.threads[3:] == ["kalibr-feedback", here]
    goes_on = threading.Event()
    behaviour._background.put(lambda: goes_on.wait(5))
    answered(behaviour, decide(one), event_id="e6")
    goes_on.set()
    assert behaviour.flush()
    assert ledger.threads[5:] == ["kalibr-feedback"], "in order, after what still waits"
    assert known(one).number == 3


def test_the_text_of_an_error_that_is_none_of_ours_is_not_logged(
    caplog: pytest.LogCaptureFixture,
) -> None:
    behaviour = Behaviour(model="M")

    def reading() -> str:
        raise ValueError(COMPLAINT)

    assert behaviour.read(reading, "nothing") == "nothing"
    assert behaviour.read(lambda: "it", "nothing") == "it"
    assert behaviour.failures == {"ValueError": 1}
    assert "ValueError" in caplog.text
    assert COMPLAINT not in caplog.text


def test_a_closed_router_hides_no_other_one(routers: Routers[Held]) -> None:
    several = [make(routers, "one") for _ in range(4)]
    decided = decide(several[0])
    for router in several[1:]:
        router.close()
    assert made(decided.decision_id, goal="one", model="M")[0] is several[0]
    several[0].close()
    with pytest.raises(UnknownDecision):
        made(decided.decision_id, goal="one", model="M")


class Slow:
    """A classifier that is held up."""

    def __init__(self) -> None:
        self.goes_on = threading.Event()

    def __call__(self, text: str) -> None:
        self.goes_on.wait(10)


def test_an_action_behind_a_slow_classifier_is_told_in_its_order(routers: Routers[Held]) -> None:
    one, classify = make(routers, "one"), Slow()
    behaviour = Behaviour(model="M", classify=classify)
    first, second = decide(one), decide(one)
    answered(behaviour, first)
    behaviour.turn("s", ASK, event_id="m1")
    began = time.monotonic()
    assert behaviour.action("s", "output_copied")
    assert time.monotonic() - began < 5.0
    answered(behaviour, second, event_id="e2")
    assert behaviour.end("s")
    assert not rewards(one)
    classify.goes_on.set()
    assert behaviour.flush()
    actions = [e for _, e in one._learner.ledger.entries(goal="one") if e.kind == "action"]
    assert [(e.decision_id, e.reward) for e in actions] == [(first.decision_id, 0.85)]
    assert known(one).ended
    assert behaviour.failures == {}


def test_what_goes_wrong_after_the_caller_has_gone_on_is_counted(routers: Routers[Held]) -> None:
    one, classify = make(routers, "one"), Slow()
    behaviour = Behaviour(model="M", classify=classify)
    answered(behaviour, decide(one))
    behaviour.turn("s", ASK, event_id="m1")
    assert behaviour.action("other", "output_copied")
    classify.goes_on.set()
    assert behaviour.flush()
    assert behaviour.failures == {"UnknownSession": 1}
    with pytest.raises(UnknownSession, match=r"no open M of this process .* 'other'; from another"):
        behaviour.action("other", "output_copied")


def test_a_short_wait_gives_the_true_answer(
    routers: Routers[Held], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kalibr_core.adapter.behaviour.WAIT_S", 10.0)
    one = make(routers, "one")
    behaviour = Behaviour(model="M", classify=lambda text: time.sleep(0.02))
    answered(behaviour, decide(one))
    for reported in (True, False):
        behaviour.turn("s", ASK, event_id=str(reported))
        assert behaviour.action("s", "output_copied") is reported
    behaviour.turn("s", ASK, event_id="m3")
    with pytest.raises(UnknownSession):
        behaviour.end("other")


# Several ledgers, and answers of nobody's.

ANOTHER = "Now write a Python function that sorts a list of numbers, please."


def test_an_answer_from_another_ledger_stands_in_the_place_of_the_one_before(
    routers: Routers[Held],
) -> None:
    one, other, behaviour = make(routers, "one"), make(routers, "other"), Behaviour(model="M")
    answered(behaviour, decide(one))
    behaviour.turn("s", ANOTHER, event_id=None)
    answered(behaviour, decide(other), event_id="e2")
    behaviour.turn("s", COMPLAINT, event_id=None)
    assert behaviour.action("s", "output_discarded")
    assert behaviour.end("s")
    assert (rewards(one), rewards(other)) == ([0.75], [0.0, 0.25])
    behaviour.action("s", "output_copied")
    assert (len(rewards(one)), rewards(other)[2:]) == (1, [0.85])


@pytest.mark.parametrize("output", ["def sort(items): return sorted(items)", ""])
def test_no_path_is_charged_for_an_answer_of_nobodys_or_for_an_outage(
    output: str, routers: Routers[Held]
) -> None:
    one, behaviour = make(routers, "one"), Behaviour(model="M")
    answered(behaviour, decide(one))
    behaviour.turn("s", ANOTHER, event_id=None)
    behaviour.unrouted("s", prompt=ANOTHER, output=output)
    behaviour.turn("s", COMPLAINT, event_id=None)
    assert not behaviour.action("s", "output_discarded")
    assert behaviour.end("s")
    assert rewards(one) == [0.75]
    assert behaviour.failures == {}


def test_to_try_the_same_again_after_a_failure_is_no_other_turn(routers: Routers[Held]) -> None:
    one, behaviour = make(routers, "one"), Behaviour(model="M")
    answered(behaviour, decide(one))
    for _ in range(5):
        behaviour.turn("s", COMPLAINT, event_id=None)
        behaviour.unrouted("s", prompt=COMPLAINT, output="")
    assert [kind.value for kind in known(one).kinds] == ["anew", "complains"]
    assert len(known(one).outputs) == 2
    answered(behaviour, decide(one), event_id="e2")
    behaviour.turn("s", COMPLAINT, event_id=None)
    assert known(one).number == 2
    assert len(known(one).kinds) == 3
    assert rewards(one) == [0.25]


def test_what_no_ledger_knows_of_begins_no_conversation(routers: Routers[Held]) -> None:
    one, behaviour = make(routers, "one"), Behaviour(model="M")
    behaviour.unrouted("s", prompt=ASK, output="x")
    assert not one.feedback.signals.knows("s")


def test_an_answer_of_nobodys_after_the_end_is_not_the_one_before(routers: Routers[Held]) -> None:
    one, behaviour = make(routers, "one"), Behaviour(model="M")
    answered(behaviour, decide(one))
    behaviour.end("s")
    for _ in range(2):
        behaviour.unrouted("s", prompt=ANOTHER, output="x")
    assert not behaviour.action("s", "output_discarded")
    assert rewards(one) == []
    assert len(known(one).outputs) == 2


# What is odd in itself.


def test_half_of_a_character_loses_no_turn_and_shows_no_text(
    routers: Routers[Held], caplog: pytest.LogCaptureFixture
) -> None:
    one, behaviour = make(routers, "one"), Behaviour(model="M")
    answered(behaviour, decide(one))
    for _ in range(2):
        behaviour.turn("s", "That is wrong! My card is 4111 1111 \ud83d", event_id=None)
    assert [kind.value for kind in known(one).kinds] == ["anew", "complains"]
    behaviour.turn("s", "More of 4111 1111", event_id="4111 1111 \ud83d")
    assert behaviour.failures == {"ConfigError": 1}
    assert "4111" not in caplog.text


async def judge(text: str) -> str:
    return "accepts"


class Judge:
    """A classifier with a state."""

    async def __call__(self, text: str) -> str:
        return "accepts"


@pytest.mark.parametrize("classify", [judge, functools.partial(judge), Judge()])
def test_an_async_classifier_is_refused_at_once(classify: Any) -> None:
    with pytest.raises(ConfigError, match="must not be async"):
        Behaviour(model="M", classify=classify)


@pytest.mark.parametrize("error", [asyncio.CancelledError, SystemExit, KeyboardInterrupt])
def test_a_classifier_that_ends_loses_no_turn(
    error: type[BaseException], routers: Routers[Held]
) -> None:
    def classify(text: str) -> str:
        raise error

    one, behaviour = make(routers, "one"), Behaviour(model="M", classify=classify)
    answered(behaviour, decide(one))
    behaviour.turn("s", COMPLAINT, event_id=None)
    assert behaviour.flush()
    assert [kind.value for kind in known(one).kinds] == ["anew", "complains"]
    assert behaviour.failures == {error.__name__: 1}


def test_who_is_told_nothing_says_so(routers: Routers[Held]) -> None:
    make(routers, "one")
    behaviour = Behaviour(model="M", deaf="nobody tells it")
    with pytest.raises(UnknownSession, match=r"^nobody tells it: no open M"):
        behaviour.action("s", "output_copied")
    behaviour.hears = True
    with pytest.raises(UnknownSession, match=r"^no open M"):
        behaviour.end("s")
