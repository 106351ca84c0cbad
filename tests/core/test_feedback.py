"""What users did with an answer becomes evidence of the path that gave it."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path as FilePath
from typing import ClassVar

import pytest

from kalibr_core import (
    ConfigError,
    KalibrError,
    LedgerError,
    MemoryLedger,
    Router,
    SQLiteLedger,
    UnknownAction,
    UnknownDecision,
    UnknownGoal,
    UnknownPath,
    UnknownSession,
)
from kalibr_core.feedback import (
    report_action,
    report_pipeline,
    report_session_end,
    report_user_turn,
)
from kalibr_core.session_ids import GONE_S
from kalibr_core.silence import SILENT_S
from kalibr_core.testing import FakeClock
from kalibr_core.types import Decision, Entry, EvidenceKind, Features, Output, Request

PROMPT = "Write an outreach email to the head of logistics about our routing product."
ANSWER = "Dear head of logistics, our routing product plans your lorries' ways. Shall we talk?"
COMPLAINT = "This is still far too long, I already told you."


@pytest.fixture
def file(tmp_path: FilePath, monkeypatch: pytest.MonkeyPatch) -> str:
    """The default ledger."""
    found = str(tmp_path / "kalibr.db")
    monkeypatch.setenv("KALIBR_LEDGER", found)
    return found


@pytest.fixture
def router(file: str) -> Iterator[Router]:
    with make() as made:
        yield made


def make(**settings: object) -> Router:
    return Router(
        "outreach",
        paths=["gpt-4o", "gpt-4o-mini"],
        judge=None,
        api_key="k",
        **settings,  # type: ignore[arg-type]
    )


def decide(router: Router, session: str | None = None) -> Decision:
    from kalibr_core.features import hash_of

    told = None if session is None else hash_of(session)
    request = Request(prompt=PROMPT, features=Features(20, 1, 0, False, 0, "latin", told))
    done = router.call(
        request, lambda attempt: ANSWER, read=lambda text: Output(text=text, finish_reason="stop")
    )
    return done.decision


def begin(router: Router, session: str = "s") -> Decision:
    decision = decide(router)
    router.report_pipeline(session, prompt=PROMPT, output=ANSWER, decision_id=decision.id)
    return decision


def signals_in(file: str) -> list[Entry]:
    with closing(SQLiteLedger(file)) as ledger:
        found = [entry for _, entry in ledger.entries()]
    return [entry for entry in found if entry.evidence is EvidenceKind.BEHAVIOUR]


def test_an_action_is_evidence_of_the_decision_s_path_once(router: Router, file: str) -> None:
    decision = begin(router)
    assert router.report_action("s", "output_copied")
    assert not router.report_action("s", "output_copied")
    (signal,) = signals_in(file)
    assert signal.decision_id == decision.id
    assert signal.path_id == decision.path.id
    assert signal.reward == 0.85


def test_actions_are_worth_more_the_more_of_the_output_is_used(router: Router, file: str) -> None:
    begin(router)
    for action in ("verbatim", "copied", "edited", "discarded"):
        name = f"output_used_{action}" if action == "verbatim" else f"output_{action}"
        assert router.report_action("s", name)
    rewards = [signal.reward for signal in signals_in(file)]
    assert rewards == sorted(rewards, reverse=True)  # type: ignore[type-var]
    assert len(set(rewards)) == 4


def test_the_functions_and_the_router_s_methods_share_a_session(router: Router, file: str) -> None:
    decision = decide(router)
    assert report_pipeline(
        "s", goal="outreach", prompt=PROMPT, output=ANSWER, decision_id=decision.id
    )
    assert router.report_user_turn("s", user_message=COMPLAINT)
    assert report_session_end("s")
    (signal,) = signals_in(file)
    assert (signal.kind, signal.reward) == ("momentum", 0.25)
    assert signal.decision_id == decision.id


def test_a_session_survives_a_restart(file: str) -> None:
    with make() as first:
        begin(first)
        first.report_user_turn("s", user_message="Thank you, this is perfect.")
    with make() as second:
        assert second.report_session_end("s")
    assert [signal.reward for signal in signals_in(file)] == [0.75]


def test_ending_twice_counts_once(router: Router, file: str) -> None:
    begin(router)
    router.report_user_turn("s", user_message=COMPLAINT)
    assert router.report_session_end("s")
    assert not router.report_session_end("s")
    assert len(signals_in(file)) == 1


def test_the_same_event_twice_counts_once(router: Router, file: str) -> None:
    decision = begin(router)
    assert not router.report_pipeline("s", prompt=PROMPT, output=ANSWER, decision_id=decision.id)
    assert router.report_user_turn("s", user_message="shorter, please", event_id="m1")
    assert not router.report_user_turn("s", user_message="shorter, please", event_id="m1")


def test_a_model_alone_credits_the_session_s_decision(router: Router, file: str) -> None:
    decision = decide(router, "s")
    for _ in range(5):
        decide(router, "another")
    report_pipeline("s", goal="outreach", prompt=PROMPT, output=ANSWER, model=decision.path.model)
    report_action("s", "output_copied")
    assert [signal.decision_id for signal in signals_in(file)] == [decision.id]


def test_a_model_without_a_decision_credits_its_path(router: Router, file: str) -> None:
    router.report_pipeline("s", prompt=PROMPT, output=ANSWER, model="gpt-4o")
    assert router.report_action("s", "output_copied")
    assert not router.report_action("s", "output_copied")
    assert [signal.path_id for signal in signals_in(file)] == ["gpt-4o"]


def test_an_answer_tells_its_decision_itself(router: Router, file: str) -> None:
    decision = decide(router)

    class Message:
        content = ANSWER
        response_metadata: ClassVar = {"kalibr": {"decision_id": decision.id}}

    report_pipeline("s", goal="outreach", prompt=PROMPT, output=Message(), model="gpt-4o")
    report_action("s", "output_edited")
    assert [signal.decision_id for signal in signals_in(file)] == [decision.id]


def test_a_router_learns_from_the_fifth_signal_on(file: str) -> None:
    with make(ledger="memory", seed=1) as router:
        believed = []
        for turn in range(8):
            router.report_pipeline(f"s{turn}", prompt=PROMPT, output=ANSWER, model="gpt-4o")
            router.report_action(f"s{turn}", "output_discarded")
            believed.append(router._learner.policy.belief("gpt-4o")[0])  # type: ignore[attr-defined]
    assert len(set(believed[:4])) == 1
    assert believed[-1] < believed[0]
    assert believed[-1] > 0.7 * believed[0]  # 20 % weight: gates 1 and 2 dominate


def test_an_action_that_waits_for_the_ledger_is_learned_from_once(
    router: Router, file: str
) -> None:
    """While the file is locked or the disk is full, callers report again."""
    begin(router)
    told: list[float] = []
    update = router._learner.policy.update
    router._learner.policy.update = lambda arm, evidence: (  # type: ignore[method-assign]
        told.append(evidence.loss),
        update(arm, evidence),
    )[1]
    blocker = sqlite3.connect(file, isolation_level=None)
    blocker.execute("BEGIN IMMEDIATE")
    moved = [router.report_action("s", "output_discarded") for _ in range(3)]
    blocker.execute("COMMIT")
    blocker.close()
    assert moved == [True, False, False]
    assert told == [1.0]


def test_a_conversation_that_is_begun_again_after_it_was_forgotten_counts_anew(file: str) -> None:
    """Some sessions are named after their users."""
    now = [1_800_000_000.0]
    with make(wall=lambda: now[0]) as router:
        for _ in range(2):
            router.report_pipeline("user", prompt=PROMPT, output=ANSWER, model="gpt-4o")
            assert router.report_action("user", "output_copied")
            router.report_session_end("user")
            now[0] += GONE_S + 1.0
            router.feedback.signals.sweep(now=True)
    assert len(signals_in(file)) == 2


def test_two_goals_share_a_session_and_each_learns_its_own(file: str) -> None:
    first, second = make(), Router("other", paths=["gpt-4o"], judge=None, api_key="k")
    with first, second:
        drafted = begin(first)
        answered = begin(second)
        first.report_user_turn("s", user_message=COMPLAINT)
        second.report_session_end("s")
        first.report_action("s", "output_edited", decision_id=drafted.id)
    found = {(signal.goal, signal.decision_id, signal.kind) for signal in signals_in(file)}
    assert found == {
        ("other", answered.id, "momentum"),
        ("outreach", drafted.id, "action"),
    }


def test_what_a_router_books_for_another_goal_is_learned_there(file: str) -> None:
    clock = FakeClock()
    with (
        make() as first,
        Router("other", paths=["gpt-4o"], judge=None, api_key="k", **clock.arguments()) as second,
    ):
        begin(first)
        begin(second)
        untouched = first._learner.policy.state()  # type: ignore[attr-defined]
        first.report_action("s", "output_discarded")
        assert first._learner.policy.state() == untouched  # type: ignore[attr-defined]
        told = []
        update = second._learner.policy.update
        second._learner.policy.update = lambda arm, evidence: (  # type: ignore[method-assign]
            told.append(evidence),
            update(arm, evidence),
        )[1]
        for _ in range(3):
            clock.advance(1.0)
            decide(second)
    behaviour = [evidence for evidence in told if evidence.kind is EvidenceKind.BEHAVIOUR]
    assert [(evidence.gain, evidence.loss) for evidence in behaviour] == [(0.0, 1.0)]


def test_a_ledger_that_keeps_no_conversations_serves_all_the_same(file: str) -> None:
    class Plain:
        def __init__(self) -> None:
            kept = MemoryLedger()
            self.append, self.entries, self.close = kept.append, kept.entries, kept.close

    ledger = Plain()
    with make(ledger=ledger) as router:
        decision = begin(router)
        router.report_user_turn("s", user_message=COMPLAINT)
        assert router.report_session_end("s")
        assert router.report_action("s", "output_copied")
        router.report_pipeline("t", prompt=PROMPT, output=ANSWER, model="gpt-4o")
    ids = [entry.id for _, entry in ledger.entries() if entry.kind != "attempt"]
    assert ids == [f"{decision.id}:momentum", f"{decision.id}:output_copied"]


def test_a_router_that_closes_settles_what_is_silent(file: str) -> None:
    now = [1_800_000_000.0]
    router = make(wall=lambda: now[0])
    begin(router)
    router.report_user_turn("s", user_message=COMPLAINT)
    now[0] += SILENT_S + 1.0
    router.close()
    assert [signal.reward for signal in signals_in(file)] == [0.25]


def test_reports_on_a_closed_router_raise(file: str) -> None:
    router = make()
    begin(router)
    router.close()
    for report in (
        lambda: router.report_action("s", "output_copied"),
        lambda: router.report_user_turn("s", user_message="hi"),
        lambda: router.report_session_end("s"),
        lambda: router.report_pipeline("s", prompt="p", output="o", model="gpt-4o"),
    ):
        with pytest.raises(KalibrError, match="closed"):
            report()


def test_a_full_disk_is_a_ledgers_error_and_nothing_is_lost_when_it_is_reported_again(
    file: str,
) -> None:
    ledger = SQLiteLedger(file)
    with make(ledger=ledger) as router:
        begin(router)
        database = ledger._connection
        assert database is not None
        pages = database.execute("PRAGMA page_count").fetchone()[0]
        database.execute(f"PRAGMA max_page_count = {pages}")
        with pytest.raises(LedgerError, match="full"):
            fill(router)
        database.execute("PRAGMA max_page_count = 100000")
        router.report_pipeline("last", prompt="p", output="o", model="gpt-4o")
        assert router.report_action("last", "output_copied")
    ledger.close()


def fill(router: Router) -> None:
    for number in range(100):
        router.report_pipeline(f"s{number}", prompt="p", output="o", model="gpt-4o")


def test_no_text_reaches_the_ledger(router: Router, file: str) -> None:
    begin(router, "user@example.org")
    router.report_user_turn("user@example.org", user_message=COMPLAINT, event_id="secret-event")
    router.report_action("user@example.org", "output_edited")
    router.report_session_end("user@example.org")
    router.close()
    held = FilePath(file).read_bytes()
    for text in (b"logistics", b"lorries", b"already", b"user@", b"secret-event"):
        assert text not in held


BAD: list[tuple[type[Exception], str, Callable[[Router], object]]] = [
    (UnknownAction, "output_copied", lambda r: report_action("s", "copied")),
    (UnknownAction, "output_copied", lambda r: r.report_action("s", None)),  # type: ignore[arg-type]
    (UnknownSession, "/.*report_pipeline", lambda r: report_action("none", "output_copied")),
    (UnknownSession, "report_pipeline", lambda r: r.report_user_turn("none", user_message="hi")),
    (UnknownSession, "report_pipeline", lambda r: report_session_end("../../etc'; DROP TABLE--")),
    (
        UnknownDecision,
        "no decision 'd'",
        lambda r: r.report_action("s", "output_copied", decision_id="d"),
    ),
    (
        UnknownGoal,
        "in the record there are 'outreach'",
        lambda r: report_pipeline("s", goal="g", prompt="p", output="o", model="gpt-4o"),
    ),
    (
        UnknownPath,
        "path 'gpt-5'; there are 'gpt-4o', 'gpt-4o-mini'",
        lambda r: r.report_pipeline("s", prompt="p", output="o", model="gpt-5"),
    ),
    (
        UnknownDecision,
        "no decision",
        lambda r: r.report_action("s", "output_copied", decision_id="\ud800"),
    ),
    (
        ConfigError,
        "half of a character",
        lambda r: report_pipeline("s", goal="\ud800", prompt="p", output="o", model="gpt-4o"),
    ),
    (ConfigError, "session_id", lambda r: r.report_session_end("")),
    (ConfigError, "output", lambda r: r.report_pipeline("s", prompt="p", output=3, model="gpt-4o")),
    (ConfigError, "decision_id", lambda r: r.report_pipeline("s", prompt="p", output="o")),
    (ConfigError, "user_message", lambda r: r.report_user_turn("s", user_message=None)),  # type: ignore[arg-type]
    (ConfigError, "memory", lambda r: report_session_end("s", ledger="memory")),
]


@pytest.mark.parametrize(("error", "says", "what"), BAD)
def test_bad_input_gets_a_typed_error_that_lists_what_is_valid(
    router: Router, error: type[Exception], says: str, what: Callable[[Router], object]
) -> None:
    decide(router)
    with pytest.raises(error, match=says):
        what(router)


def test_ids_are_only_data(router: Router, file: str) -> None:
    for session in (
        "../../x",
        "a'; DROP TABLE entries; --",
        'q"uote',
        "\x00",
        "é\ud800",
        "x" * 9999,
    ):
        begin(router, session)
        assert router.report_action(session, "output_copied")
    assert len(signals_in(file)) == 6


def test_a_session_of_another_router_s_memory_is_not_known(file: str) -> None:
    ledger = MemoryLedger()
    with make(ledger=ledger) as one, make(ledger="memory") as two:
        begin(one)
        with pytest.raises(UnknownSession):
            two.report_session_end("s")


@pytest.mark.parametrize(
    "report",
    [
        lambda: report_action("s", "output_copied"),
        lambda: report_user_turn("s", user_message="hi"),
        lambda: report_session_end("s"),
        lambda: report_pipeline("s", goal="g", prompt="p", output="o", model="gpt-4o"),
    ],
)
def test_where_there_is_no_ledger_none_is_made(
    report: Callable[[], object], tmp_path: FilePath, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("KALIBR_LEDGER", raising=False)
    with pytest.raises(LedgerError, match=re.escape(str(tmp_path / ".kalibr" / "kalibr.db"))):
        report()
    assert list(tmp_path.iterdir()) == []


def test_an_unknown_session_names_the_file_and_an_unknown_path_the_record(
    router: Router, file: str
) -> None:
    path_id = decide(router).path.id
    for report in (report_session_end, router.report_session_end):
        with pytest.raises(UnknownSession, match=re.escape(f"no session 'none' in {file}: ")):
            report("none")
    with pytest.raises(UnknownPath, match=f"with a call in the record; there are '{path_id}'"):
        report_pipeline("s", goal="outreach", prompt="p", output="o", model="gpt-5")
    with make(ledger="memory") as other, pytest.raises(UnknownSession, match="Router's memory"):
        other.report_session_end("none")


# Answers in the place of ids; errors that say what there is.


def held(decision: Decision) -> object:
    class Answer:
        kalibr = decision

        def __repr__(self) -> str:
            return f"Answer({ANSWER!r})"

    return Answer()


def test_an_answer_stands_for_its_decision(router: Router, file: str) -> None:
    decision = decide(router, "s")
    assert router.report(held(decision), success=True)
    assert not router.report(decision.id, success=False)
    assert router.explain(held(decision)).decision_id == decision.id
    assert router.report_action("s", "output_copied", decision_id=held(decision))
    assert not report_action("s", "output_copied", decision_id=held(decision))
    assert router.report_pipeline("s", prompt="p", output="o", decision_id=held(decision))
    assert [signal.decision_id for signal in signals_in(file)] == [decision.id]


def test_an_unknown_decision_names_the_file_and_the_newest_that_there_are(
    router: Router, file: str
) -> None:
    ids = [decide(router).id for _ in range(5)]
    with make(ledger="memory") as other:
        gone = decide(other)
        with pytest.raises(UnknownDecision, match="in this Router's memory; the newest there"):
            other.explain("d")
    asked: list[Callable[[object], object]] = [
        lambda of: router.explain(of),
        lambda of: router.report(of, success=True),
        lambda of: router.report_action("s", "output_copied", decision_id=of),
        lambda of: router.report_pipeline("s", prompt="p", output="o", decision_id=of),
        lambda of: report_pipeline("s", goal="outreach", prompt="p", output="o", decision_id=of),
    ]
    for ask in asked:
        with pytest.raises(UnknownDecision, match=re.escape(f"in {file}; the newest")) as caught:
            ask(held(gone))
        assert caught.value.known == tuple(ids[:1:-1])
        assert caught.value.decision_id == gone.id
        with pytest.raises(UnknownDecision, match=r"give `result\.kalibr\.id`, or") as odd:
            ask(router)
        assert "Router" in str(odd.value)
    with pytest.raises(UnknownDecision, match=re.escape(f"in {file}")):
        report_action("s", "output_copied", decision_id="d")


def test_nothing_of_an_answer_without_a_decision_is_told(router: Router) -> None:
    class Message:
        def __repr__(self) -> str:
            return f"Message({'private ' * 99})"

    with pytest.raises(UnknownDecision) as caught:
        router.explain(Message())
    assert str(caught.value).count("private") < 3
    assert isinstance(caught.value.decision_id, str)
    assert len(caught.value.decision_id) < 40


def test_a_goal_is_needed_only_where_the_decision_does_not_tell_it(
    router: Router, file: str
) -> None:
    decision = decide(router)
    assert report_pipeline("s", prompt=PROMPT, output=held(decision))
    assert report_pipeline("t", prompt=PROMPT, output=ANSWER, decision_id=decision.id)
    with pytest.raises(ConfigError, match="goal="):
        report_pipeline("s", prompt=PROMPT, output=ANSWER, model="gpt-4o")
    with pytest.raises(UnknownDecision, match="under goal 'other'; it is of 'outreach'"):
        report_pipeline("s", goal="other", prompt=PROMPT, output=held(decision))


def test_a_router_takes_its_own_goal_and_no_other(router: Router, file: str) -> None:
    decision = decide(router)
    assert router.report_pipeline("s", goal="outreach", prompt=PROMPT, output=held(decision))
    with pytest.raises(ConfigError, match=r"'outreach'.*got 'other'"):
        router.report_pipeline("s", goal="other", prompt=PROMPT, output=held(decision))


def test_who_names_no_answer_is_told_how_a_session_s_calls_are_known(router: Router) -> None:
    decide(router)
    with pytest.raises(ConfigError, match=r"completion\(session_id='s'\)"):
        router.report_pipeline("s", prompt="p", output="o")
    asked = decide(router, "s")
    assert router.report_pipeline("s", prompt="p", output="o")
    assert router.session("s").decision_ids == (asked.id,)
    router.report_pipeline("t", prompt="x", output="by its model", model=router.paths[0].id)
    assert router.session("t").answers == 1
    assert router.session("t").decision_ids == (), "only those that can be explained"


def test_an_action_in_a_session_that_never_was_is_refused_whatever_decision_it_names(
    router: Router, file: str
) -> None:
    decision = begin(router, "s")
    for report in (router.report_action, report_action):
        with pytest.raises(UnknownSession, match="no session 'typo'"):
            report("typo", "output_copied", decision_id=decision.id)
    asked = decide(router, "asked")
    assert router.report_action("asked", "output_copied", decision_id=asked.id), (
        "the call itself named the session"
    )
    assert [signal.decision_id for signal in signals_in(file)] == [asked.id]


def test_the_newest_action_is_what_a_router_has_learned(router: Router, file: str) -> None:
    """Also one that takes it in from another process."""
    decision = begin(router)
    clock = FakeClock()
    with make(**clock.arguments()) as other:
        for action in ("output_used_verbatim", "output_copied", "output_edited"):
            router.report_action("s", action)
        report_action("s", "output_discarded")
        router.report_user_turn("s", user_message=COMPLAINT)
        router.report_session_end("s")
        clock.advance(1.0)
        decide(other)
        router._learner._take_in(now=True)
        for made in (router, other):
            behaviour = made._learner.policy._arms[decision.path.id].behaviour  # type: ignore[attr-defined]
            assert (behaviour.good, behaviour.count) == pytest.approx((0.25, 2.0))
    with make() as later:
        behaviour = later._learner.policy._arms[decision.path.id].behaviour  # type: ignore[attr-defined]
        assert (behaviour.good, behaviour.count) == pytest.approx((0.25, 2.0))


def test_half_a_character_is_refused_without_showing_the_text(router: Router) -> None:
    with pytest.raises(ConfigError, match="half of a character") as caught:
        router.report_user_turn("s", user_message="hi", event_id="My card is 4111 \ud800")
    assert "4111" not in str(caught.value)
