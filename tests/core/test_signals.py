"""What users did is booked once, whoever else is at it, and conversations end by silence too."""

from __future__ import annotations

import itertools
import json
import threading
from collections import Counter
from collections.abc import Callable, Sequence

import pytest

from kalibr_core import ConfigError, LedgerError, MemoryLedger, UnknownAction, UnknownSession
from kalibr_core.conversations import Made, restored
from kalibr_core.features import hash_of
from kalibr_core.gates.behaviour import ACTIONS, TurnKind
from kalibr_core.session_ids import GONE_S
from kalibr_core.signals import Signals
from kalibr_core.silence import SILENT_S, SWEEP_EVERY_S, SWEPT
from kalibr_core.types import JSON, Entry, EvidenceKind

from .scene import warnings_of

PROMPT = "Write an outreach email to the head of logistics about our routing product."
ANSWER = "Dear head of logistics, our routing product plans your lorries' ways. Shall we talk?"
COMPLAINT = "This is still far too long, I already told you."


class Keeper(MemoryLedger):
    """A ledger on which others write first, or which fails, as often as it is told."""

    lost = 0
    failures = 0

    def keep(self, key: str, version: int, state: JSON, *, at: float, is_open: bool) -> bool:
        if self.failures:
            self.failures -= 1
            raise LedgerError("full")
        if self.lost:
            self.lost -= 1
            return False
        return super().keep(key, version, state, at=at, is_open=is_open)

    def sweep(self, *, silent: float, gone: float, most: int) -> Sequence[str]:
        if self.failures:
            raise LedgerError("full")
        return super().sweep(silent=silent, gone=gone, most=most)


class Desk:
    """Signals on a ledger in memory, with a clock to set."""

    def __init__(self, **settings: str) -> None:
        self.ledger = Keeper()
        self.now = 1_800_000_000.0
        self.signals = Signals(
            keeper=self.ledger,
            book=self.ledger.append,
            told=lambda id_: [entry for _, entry in self.ledger.entries(decision_id=id_)],
            origin=lambda: "desk",
            wall=lambda: self.now,
            **settings,
        )

    def answer(self, session: object = "s", decision: str = "d1", *, event: str = "") -> bool:
        made = [Made("g", decision, "p")]
        return self.signals.pipeline(
            session, made, prompt=PROMPT, output=ANSWER, event_id=event or decision
        )

    def say(
        self,
        text: str,
        session: object = "s",
        *,
        event: str | None = None,
        classify: Callable[[str], str | None] | None = None,
    ) -> bool:
        return self.signals.user_turn(session, text, event_id=event, classify=classify)

    def kinds(self, session: object = "s") -> list[TurnKind]:
        found = self.ledger.conversation(self.signals.key_of(session))
        assert found is not None
        return restored(found[2]).kinds[1:]

    @property
    def booked(self) -> list[tuple[str, float | None]]:
        return [(entry.id, entry.reward) for _, entry in self.ledger.entries()]


@pytest.fixture
def desk() -> Desk:
    return Desk()


def test_what_is_booked(desk: Desk) -> None:
    desk.answer()
    desk.signals.action("s", "output_copied")
    desk.say(COMPLAINT)
    desk.signals.session_end("s")
    behaviour = EvidenceKind.BEHAVIOUR
    assert [entry for _, entry in desk.ledger.entries()] == [
        Entry(
            *("d1:output_copied", "g", "action", "d1", "p", "desk", desk.now, behaviour, 0.85),
            {"action": "output_copied"},
        ),
        Entry("d1:momentum", "g", "momentum", "d1", "p", "desk", desk.now, behaviour, 0.25, {}),
    ]


def test_where_another_came_first_the_event_is_folded_again(desk: Desk) -> None:
    desk.answer()
    desk.ledger.lost = 5
    assert desk.say(COMPLAINT)
    desk.ledger.lost = 5
    assert desk.signals.session_end("s")
    assert desk.kinds() == [TurnKind.COMPLAINS]
    assert desk.booked == [("d1:momentum", 0.25)]


def test_where_others_always_come_first_it_ends(desk: Desk) -> None:
    desk.answer()
    desk.ledger.lost = 10_000
    with pytest.raises(LedgerError, match="too many at once"):
        desk.say(COMPLAINT)


def test_what_was_booked_before_a_failure_counts_once_when_it_is_reported_again(
    desk: Desk,
) -> None:
    """A process may end between the two."""
    desk.answer()
    desk.say(COMPLAINT)
    desk.ledger.failures = 1
    with pytest.raises(LedgerError):
        desk.signals.session_end("s")
    assert desk.signals.session_end("s")
    assert desk.booked == [("d1:momentum", 0.25)]


def test_no_turn_of_many_threads_is_lost_and_none_counts_twice(desk: Desk) -> None:
    desk.answer()
    moved: list[bool] = []

    def report() -> None:
        moved.extend(desk.say("shorter", event=f"m{number}") for number in range(20))
        moved.append(desk.signals.action("s", "output_edited"))

    threads = [threading.Thread(target=report) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(moved) == 21
    assert len(desk.booked) == 1


def test_an_event_of_one_conversation_is_another_one_in_another(desk: Desk) -> None:
    for session in ("s", "t"):
        assert desk.answer(session, f"{session}1", event="same")
        assert desk.say("shorter", session, event="m")
        assert not desk.say("shorter", session, event="m")


def test_an_old_event_again_counts_once_too(desk: Desk) -> None:
    """A queue may deliver again what others have come after."""
    for number in range(5):
        desk.answer(decision=f"d{number}")
    assert not desk.answer(decision="d0")
    desk.signals.action("s", "output_copied")
    assert desk.booked == [("d4:output_copied", 0.85)]


def test_more_decisions_of_an_answer_may_come_later(desk: Desk) -> None:
    assert desk.answer(decision="d1", event="run")
    assert desk.answer(decision="d1", event="run") is False
    desk.signals.pipeline("s", [Made("g", "d2", "q")], prompt=PROMPT, output=ANSWER, event_id="run")
    desk.signals.action("s", "output_copied")
    assert sorted(id_ for id_, _ in desk.booked) == ["d1:output_copied", "d2:output_copied"]


# Sessions.


def test_a_conversation_is_known_until_it_ends(desk: Desk) -> None:
    assert not desk.signals.knows("s")
    desk.answer()
    assert desk.signals.knows("s")
    assert desk.signals.number_of("s") == 1
    desk.signals.session_end("s")
    assert not desk.signals.knows("s")
    desk.answer(decision="d2")
    assert desk.signals.knows("s")
    assert desk.signals.number_of("s") == 2


def test_after_the_end_actions_still_count(desk: Desk) -> None:
    desk.answer()
    assert desk.signals.session_end("s")
    assert desk.signals.action("s", "output_copied")
    assert desk.booked == [("d1:output_copied", 0.85)]


def test_what_was_never_reported_is_unknown(desk: Desk) -> None:
    for report in (
        lambda: desk.say("hi"),
        lambda: desk.signals.session_end("s"),
        lambda: desk.signals.action("s", "output_copied"),
    ):
        with pytest.raises(UnknownSession, match="report_pipeline"):
            report()
    with pytest.raises(UnknownAction, match="output_used_verbatim"):
        desk.signals.action("s", "copied")
    assert desk.ledger.conversation(hash_of("s")) is None


def test_a_long_session_id_is_not_told_in_full(desk: Desk) -> None:
    with pytest.raises(UnknownSession) as caught:
        desk.signals.session_end("private " * 500)
    assert len(str(caught.value)) < 250


class Odd(str):
    def __str__(self) -> str:
        raise RuntimeError("odd")


@pytest.mark.parametrize(
    "session", [None, "", "  ", True, False, 10**5000, Odd("s")], ids=lambda value: type(value)
)
def test_what_is_no_session_is_refused(desk: Desk, session: object) -> None:
    with pytest.raises(ConfigError, match="session_id"):
        desk.answer(session)


def test_a_scope_keeps_conversations_apart() -> None:
    keys = {Desk(scope=scope).signals.key_of("s") for scope in ("", "a\n", "b\n")}
    assert len(keys) == 3
    assert hash_of("s") in keys, "without one it is the hash that features hold"


# Silence.


def test_a_silent_conversation_counts_as_left(desk: Desk) -> None:
    desk.answer()
    desk.say(COMPLAINT)
    desk.now += SILENT_S
    desk.signals.sweep(now=True)
    assert desk.booked == []
    desk.now += 1.0
    desk.signals.sweep(now=True)
    assert desk.booked == [("d1:momentum", 0.25)]
    assert desk.signals.knows("s"), "the user may come back"
    assert desk.say("Thanks, perfect")
    desk.signals.session_end("s")
    assert len(desk.booked) == 1


def test_any_report_looks_for_silent_conversations_once_in_a_while(desk: Desk) -> None:
    desk.answer("old")
    desk.say(COMPLAINT, "old")
    desk.now += SILENT_S + SWEEP_EVERY_S
    desk.answer("new", "d2")
    assert desk.booked == [("d1:momentum", 0.25)]


def test_a_clock_that_was_set_back_does_not_keep_anyone_from_looking(desk: Desk) -> None:
    desk.answer("old")
    desk.say(COMPLAINT, "old")
    desk.now += SILENT_S + SWEEP_EVERY_S
    desk.signals._silence._sweep_at = desk.now + 86_400.0  # as it was looked at before
    desk.answer("new", "d2")
    assert desk.booked == [("d1:momentum", 0.25)]


def test_a_classifier_is_asked_once_however_often_others_write_first(desk: Desk) -> None:
    asked: list[str] = []
    desk.answer()
    desk.ledger.lost = 2
    desk.say(COMPLAINT, classify=lambda text: asked.append(text) or "complains")
    assert asked == [COMPLAINT]


def test_a_conversation_is_forgotten_a_week_after_its_last_event(desk: Desk) -> None:
    desk.answer()
    desk.now += GONE_S + 1.0
    desk.signals.sweep(now=True)
    desk.signals.sweep(now=True)
    with pytest.raises(UnknownSession):
        desk.signals.session_end("s")


@pytest.mark.parametrize("beside", [False, True])
def test_silence_is_told_by_the_clock_and_not_by_others_events(desk: Desk, beside: bool) -> None:
    """A complaint of the next morning is no word on an answer whose user counted as left."""
    desk.answer()
    desk.now += SILENT_S
    if beside:
        desk.answer("beside", "d2")
    desk.now += SILENT_S
    if beside:
        desk.signals.sweep()
    assert desk.say(COMPLAINT)
    desk.signals.session_end("s")
    assert desk.booked == []


@pytest.mark.parametrize("beside", [False, True])
def test_what_was_said_before_the_silence_is_settled_by_it(desk: Desk, beside: bool) -> None:
    desk.answer()
    desk.say(COMPLAINT)
    desk.now += SILENT_S + 1.0
    if beside:
        desk.answer("beside", "d2")
    desk.say("Thanks, perfect")
    assert desk.booked == [("d1:momentum", 0.25)]


def test_a_week_is_told_by_the_clock_too(desk: Desk) -> None:
    """Also where no event has come in between; and what was said before is booked."""
    desk.answer()
    desk.say(COMPLAINT)
    desk.now += GONE_S + 1.0
    assert not desk.signals.knows("s")
    assert desk.signals.number_of("s") == 0
    assert desk.booked == [], "a question moves nothing"
    for report in (
        lambda: desk.say(COMPLAINT),
        lambda: desk.signals.session_end("s"),
        lambda: desk.signals.session("s"),
        lambda: desk.signals.action("s", "output_copied"),
    ):
        with pytest.raises(UnknownSession):
            report()
    assert desk.booked == [("d1:momentum", 0.25)]
    assert desk.answer(decision="d2")
    assert desk.signals.number_of("s") == 1, "the same id begins anew"


def test_an_event_again_counts_once_within_the_week_and_anew_after_it(desk: Desk) -> None:
    assert desk.answer(event="run")
    desk.now += GONE_S
    assert not desk.answer(event="run")
    desk.now += 1.0
    assert desk.answer(event="run")


def test_an_event_between_keeps_a_conversation_from_being_swept(desk: Desk) -> None:
    """Another process may have moved it since it was found."""
    desk.answer()
    desk.say(COMPLAINT)
    found = desk.ledger.sweep

    def late(*, silent: float, gone: float, most: int) -> Sequence[str]:
        keys = found(silent=silent, gone=gone, most=most)
        desk.ledger.sweep = found  # type: ignore[method-assign]
        desk.now -= 2.0
        desk.say("Thanks, perfect")
        desk.now += 2.0
        return keys

    desk.now += SILENT_S + 1.0
    desk.ledger.sweep = late  # type: ignore[method-assign]
    desk.signals.sweep(now=True)
    assert desk.booked == []


def test_a_sweep_that_fails_is_told_and_fails_no_report(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    desk.answer()
    desk.ledger.failures = 1
    desk.signals.sweep(now=True)
    assert "looked through" in warnings_of(caplog)[0]


def test_conversations_of_long_ago_are_settled_before_they_are_forgotten(desk: Desk) -> None:
    """Whether or not anything happened in the week between."""
    desk.answer()
    desk.say(COMPLAINT)
    desk.now += GONE_S + 1.0
    desk.answer("new", "d2")
    assert desk.booked == [("d1:momentum", 0.25)]
    desk.signals.sweep(now=True)
    assert desk.ledger.conversation(desk.signals.key_of("s")) is None


def test_conversations_of_long_ago_are_forgotten_however_many_nobody_ended(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each event settles more of them than it may begin, so that they never pile up."""
    for number in range(10 * SWEPT):
        desk.answer(f"s{number}", f"d{number}")
    desk.now += GONE_S + 1.0
    seconds = itertools.count()
    monkeypatch.setattr("kalibr_core.silence.time.perf_counter", lambda: float(next(seconds)))
    for number in range(11):
        desk.answer(f"new {number}", f"new {number}")
    desk.signals.sweep(now=True)
    left = [n for n in range(10 * SWEPT) if desk.ledger.conversation(hash_of(f"s{n}"))]
    assert left == []


def test_a_long_list_is_gone_on_with_at_the_next_event(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(2 * SWEPT + 1):
        desk.answer(f"s{number}", f"d{number}")
        desk.say(COMPLAINT, f"s{number}")
    desk.now += SILENT_S + SWEEP_EVERY_S
    seconds = itertools.count()
    monkeypatch.setattr("kalibr_core.silence.time.perf_counter", lambda: float(next(seconds)))
    found = []
    for number in range(3):
        desk.answer("new", f"new {number}")
        found.append(len(desk.booked))
    assert found == [SWEPT, 2 * SWEPT, 2 * SWEPT + 1]


def test_a_conversation_may_be_looked_at(desk: Desk) -> None:
    desk.answer()
    desk.say(COMPLAINT)
    desk.answer(decision="d2")
    told = desk.signals.session("s")
    assert told.turns == (TurnKind.ANEW, TurnKind.COMPLAINS)
    assert (told.answers, told.decision_ids, told.ended) == (2, ("d1", "d2"), False)
    with pytest.raises(UnknownSession, match="no session 't'"):
        desk.signals.session("t")


# Several actions with one answer.


def rewards_of(desk: Desk) -> list[float]:
    """What the booked evidence comes to: rewards, without those that were taken back."""
    kinds = {EvidenceKind.BEHAVIOUR: 1, EvidenceKind.TAKEN_BACK: -1}
    counted: Counter[float | None] = Counter()
    for _, entry in desk.ledger.entries():
        counted[entry.reward] += kinds[entry.evidence]
    assert min(counted.values()) >= 0
    return [reward for reward in counted.elements() if reward is not None]


def test_of_several_actions_with_an_answer_the_newest_counts(desk: Desk) -> None:
    """One user with one answer is one voice, however often they change their mind."""
    desk.answer()
    for action, reward in ACTIONS.items():
        assert desk.signals.action("s", action)
        assert rewards_of(desk) == [reward]
    desk.say(COMPLAINT)
    desk.signals.session_end("s")
    assert sorted(rewards_of(desk)) == [0.0, 0.25]


def test_an_action_again_moves_nothing(desk: Desk) -> None:
    desk.answer()
    told = [
        desk.signals.action("s", action)
        for action in ("output_copied", "output_copied", "output_edited", "output_edited")
    ]
    assert told == [True, False, True, False]
    assert rewards_of(desk) == [0.5]


def test_who_goes_back_to_an_action_means_it(desk: Desk) -> None:
    desk.answer()
    for action in ("output_copied", "output_discarded") * 3:
        assert desk.signals.action("s", action)
        assert rewards_of(desk) == [ACTIONS[action]]
    assert desk.signals.action("s", "output_copied")
    assert rewards_of(desk) == [0.85]


def test_actions_with_other_answers_stay(desk: Desk) -> None:
    desk.answer()
    desk.signals.action("s", "output_copied")
    desk.answer(decision="d2")
    desk.signals.action("s", "output_edited")
    assert sorted(rewards_of(desk)) == [0.5, 0.85]


def test_where_two_act_at_once_the_record_s_order_decides(desk: Desk) -> None:
    """Neither has seen the other's action; whoever acts or reports next puts it right."""
    desk.answer()
    desk.signals.action("s", "output_copied")
    seen = desk.signals._told
    desk.signals._told = lambda id_: ()
    desk.signals.action("s", "output_discarded")
    assert sorted(rewards_of(desk)) == [0.0, 0.85]
    desk.signals._told = seen
    assert not desk.signals.action("s", "output_discarded")
    assert rewards_of(desk) == [0.0]


# A model that reads turns.


def test_a_function_may_tell_what_a_turn_is(desk: Desk) -> None:
    desk.answer()
    seen: list[str] = []
    desk.say("hm", classify=lambda text: seen.append(text) or "complains")
    assert seen == ["hm"]
    desk.say(COMPLAINT, classify=lambda text: TurnKind.ACCEPTS)
    desk.say(COMPLAINT, classify=lambda text: None)
    assert desk.kinds() == [TurnKind.COMPLAINS, TurnKind.ACCEPTS, TurnKind.COMPLAINS]


def raising(text: str) -> str:
    raise RuntimeError(text)


def refusing(text: str) -> str:
    raise ValueError(text)


@pytest.mark.parametrize(
    ("classify", "says"),
    [
        (lambda text: "angry", "returned none of accepts"),
        (lambda text: 5, "returned none of"),
        (lambda text: [], "returned none of"),
        (raising, "raised RuntimeError"),
        (refusing, "raised ValueError"),
    ],
)
def test_a_function_that_fails_leaves_the_turn_to_the_built_in_reading(
    desk: Desk, classify: Callable[[str], str], says: str, caplog: pytest.LogCaptureFixture
) -> None:
    desk.answer()
    assert desk.say(COMPLAINT, classify=classify)
    assert desk.kinds() == [TurnKind.COMPLAINS]
    desk.say(COMPLAINT, classify=classify)
    (warning,) = warnings_of(caplog)
    assert says in warning
    assert COMPLAINT not in caplog.text


def test_an_async_function_is_refused(desk: Desk) -> None:
    async def classify(text: str) -> str:
        return "accepts"

    desk.answer()
    with pytest.raises(ConfigError, match="async"):
        desk.say("hm", classify=classify)  # type: ignore[arg-type]
    assert desk.kinds() == []


# What is kept.


def test_no_text_and_no_id_is_kept(desk: Desk) -> None:
    desk.answer("user@example.org", event="run-4711")
    desk.say(f"{COMPLAINT} Ring 555-0123.", "user@example.org", event="message-99")
    kept = json.dumps(desk.ledger.conversation(hash_of("user@example.org")))
    for text in ("logistics", "lorries", "already", "0123", "user@", "4711", "message-99"):
        assert text not in kept


def test_the_same_words_in_two_conversations_cannot_be_told_to_be_the_same(desk: Desk) -> None:
    kept = set()
    for session in ("s", "t"):
        desk.answer(session, event="run")
        found = desk.ledger.conversation(hash_of(session))
        assert found is not None
        known = restored(found[2])
        kept |= {known.turns[0].sketch, known.outputs[0].answer, *known.events}
    assert len(kept) == 6


@pytest.mark.parametrize(
    "text", ["", "\x00", "\ud800", "\u202egnol oot si siht", "x" * 500_000, "👍" * 1_000, "\n"]
)
def test_any_text_is_a_turn(desk: Desk, text: str) -> None:
    desk.answer()
    assert desk.say(text)
    assert desk.signals.session_end("s")
