"""What every `Ledger` must keep."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable

from ..learner import evidence_of
from ..ports import Conversations, Ledger, Recent, Shared
from ..types import JSON, Entry, EvidenceKind

MakeLedger = Callable[[], Ledger]


def entry(
    decision: str = "d1",
    number: int = 1,
    *,
    goal: str = "g",
    path: str = "p",
    origin: str = "me",
    reward: float | None = 1.0,
    evidence: EvidenceKind = EvidenceKind.QUALITY,
    data: dict[str, JSON] | None = None,
) -> Entry:
    """An entry for tests; ids begin with their decision's, as all entries' do."""
    return Entry(
        f"{decision}:{number}",
        goal,
        "attempt",
        decision,
        path,
        origin,
        1_800_000_000.25 + number,
        evidence,
        reward,
        data if data is not None else {"latency_s": 0.25},
    )


def check_ledger(make_ledger: MakeLedger) -> None:
    """Check a ledger against all rules.

    Args:
        make_ledger: makes a new, empty one with each call.

    Raises:
        AssertionError: names the rule that does not hold.

    >>> from kalibr_core import MemoryLedger
    >>> check_ledger(MemoryLedger)
    """
    for rule in (
        _gives_back_what_was_written,
        _takes_each_id_once,
        _finds_by_goal_decision_and_position,
        _keeps_a_reward_of_nan_from_teaching,
        _takes_threads,
        _takes_in_others_evidence,
        _keeps_the_newest_snapshot,
        _gives_the_newest_first,
        _keeps_conversations,
        _lets_one_writer_of_a_conversation_win,
        _finds_silent_conversations,
        _forgets_conversations,
        _forgets_no_open_conversation,
    ):
        ledger = make_ledger()
        rule(ledger)
        ledger.close()
        ledger.close()  # a second close does nothing


def _gives_back_what_was_written(ledger: Ledger) -> None:
    data: dict[str, JSON] = {
        "text": 'ümläut 漢字 \u0000 " \\ \ud800',
        "deep": [1, -0.1, None, True, {"a": []}],
    }
    written = [
        entry("d1", 1, goal="göal '%_", path="p?temperature=0.1", data=data),
        entry("d1", 2, reward=None, evidence=EvidenceKind.NONE, data={}),
        entry("d2", 1, reward=0.1 + 0.2),
    ]
    for each in written:
        assert ledger.append(each) is True, "append of a new entry returns True"
    rows = list(ledger.entries())
    assert [each for _, each in rows] == written, "entries come back as written, in order"
    positions = [position for position, _ in rows]
    assert positions == sorted(set(positions)), "positions rise"
    assert min(positions) > 0, "positions begin above 0: after=0 means all"


def _takes_each_id_once(ledger: Ledger) -> None:
    assert ledger.append(entry(reward=1.0)) is True
    assert ledger.append(entry(reward=0.0)) is False, "a second append of an id returns False"
    assert [each.reward for _, each in ledger.entries()] == [1.0], "the first one stays"


def _finds_by_goal_decision_and_position(ledger: Ledger) -> None:
    for decision in ("d1", "d10", "d%", "D1"):
        for goal in ("g", "h"):
            for number in (1, 2):
                ledger.append(entry(f"{decision}{goal}", number, goal=goal))
    assert len(list(ledger.entries(goal="g"))) == 8
    assert list(ledger.entries(goal="none")) == []
    for decision in ("d1g", "d%g", "D1g"):
        found = [each.id for _, each in ledger.entries(decision_id=decision)]
        assert found == [f"{decision}:1", f"{decision}:2"], f"{decision!r} found {found}"
    assert list(ledger.entries(decision_id="d1")) == [], "a beginning is not the id"
    assert list(ledger.entries(goal="h", decision_id="d1g")) == []
    rows = list(ledger.entries())
    assert list(ledger.entries(decision_id="d1g", after=rows[0][0])) == rows[1:2]
    assert list(ledger.entries(after=rows[4][0])) == rows[5:]
    assert list(ledger.entries(after=rows[-1][0])) == []


def _keeps_a_reward_of_nan_from_teaching(ledger: Ledger) -> None:
    for number, reward in enumerate((math.nan, math.inf, -1.0, 2.0), start=1):
        ledger.append(entry("d1", number, reward=reward))
    for _, each in ledger.entries():
        assert evidence_of(each).kind is EvidenceKind.NONE, f"{each.reward!r} teaches something"


def _takes_threads(ledger: Ledger) -> None:
    def write(name: str) -> None:
        for number in range(50):
            ledger.append(entry(name, number))

    threads = [threading.Thread(target=write, args=(f"t{n}",)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    ids = [each.id for _, each in ledger.entries()]
    assert sorted(ids) == sorted(f"t{n}:{m}" for n in range(4) for m in range(50))


def _takes_in_others_evidence(ledger: Ledger) -> None:
    if not isinstance(ledger, Shared):
        return
    assert not ledger.take_in("g", after=0, but_from="me")[1]
    ledger.append(entry("d1", 1, path="a", reward=1.0, origin="they"))
    ledger.append(entry("d1", 2, path="a", reward=0.0, origin="they"))
    ledger.append(entry("d1", 3, path="a", reward=1.0, origin="me"))
    ledger.append(entry("d1", 4, path="b", reward=None, origin="they"))
    ledger.append(entry("d1", 5, path="b", reward=1.0, goal="h", origin="they"))
    end, batches = ledger.take_in("g", after=0, but_from="me")
    found = [(b.path_id, b.evidence.kind, b.evidence.gain, b.evidence.loss) for b in batches]
    assert found == [("a", EvidenceKind.QUALITY, 1.0, 1.0)], f"took in {found}"
    assert batches[0].evidence.at == entry("d1", 2).at, "a batch is as old as its newest entry"
    assert not ledger.take_in("g", after=end, but_from="me")[1], "nothing twice"
    ledger.append(entry("d2", 1, path="b", reward=0.0, origin="they"))
    later, batches = ledger.take_in("g", after=end, but_from="me")
    assert later > end
    assert [b.path_id for b in batches] == ["b"]


def _keeps_the_newest_snapshot(ledger: Ledger) -> None:
    if not isinstance(ledger, Shared):
        return
    state: JSON = {"arms": {"a": [0.1 + 0.2, 1e-300, 12345678.9]}}
    assert ledger.snapshot("g", "p/1") is None
    ledger.save("g", "p/1", 7, state)
    assert ledger.snapshot("g", "p/1") == (7, state), "a snapshot comes back exactly"
    ledger.save("g", "p/1", 5, {"old": True})
    assert ledger.snapshot("g", "p/1") == (7, state), "an older one does not replace it"
    ledger.save("g", "p/1", 9, {"new": True})
    assert ledger.snapshot("g", "p/1") == (9, {"new": True})
    assert ledger.snapshot("g", "p/2") is None, "another policy's snapshot is not this one's"
    assert ledger.snapshot("h", "p/1") is None


def _gives_the_newest_first(ledger: Ledger) -> None:
    if not isinstance(ledger, Recent):
        return
    assert list(ledger.recent("g", 3)) == [], "nothing is recent in an empty ledger"
    for number in range(1, 6):
        ledger.append(entry("d", number))
        ledger.append(entry("e", number, goal="h"))
    found = ledger.recent("g", 3)
    assert list(found) == [entry("d", n) for n in (5, 4, 3)], "a goal's newest, newest first"
    assert len(ledger.recent("g", 100)) == 5
    assert list(ledger.recent("none", 3)) == []


def _keeps_conversations(ledger: Ledger) -> None:
    if not isinstance(ledger, Conversations):
        return
    state: JSON = {"text": 'ü漢 \u0000 " \ud800', "deep": [1, 0.1 + 0.2, None, True, {"a": []}]}
    key = "k'; --"
    assert ledger.conversation(key) is None
    assert ledger.keep(key, 1, state, at=1.0, is_open=True) is False, "there is no version 1 yet"
    assert ledger.conversation(key) is None, "what lost leaves nothing"
    assert ledger.keep(key, 0, state, at=1.5, is_open=True) is True
    assert ledger.conversation(key) == (1, 1.5, state), "a conversation comes back as written"
    assert ledger.keep(key, 0, {}, at=2.0, is_open=True) is False, "it has begun already"
    assert ledger.keep(key, 2, {}, at=2.0, is_open=True) is False
    assert ledger.conversation(key) == (1, 1.5, state)
    assert ledger.keep(key, 1, {"b": 1}, at=0.5, is_open=False) is True
    assert ledger.conversation(key) == (2, 0.5, {"b": 1}), "time may go back, versions rise"
    assert ledger.conversation("K'; --") is None
    assert list(ledger.entries()) == [], "conversations are no entries"


def _lets_one_writer_of_a_conversation_win(ledger: Ledger) -> None:
    if not isinstance(ledger, Conversations):
        return
    won: list[int] = []

    def write() -> None:
        mine = 0
        while mine < 20:
            found = ledger.conversation("k")
            mine += ledger.keep("k", found[0] if found else 0, {}, at=1.0, is_open=True)
        won.append(mine)

    threads = [threading.Thread(target=write) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = ledger.conversation("k")
    assert won == [20] * 4
    assert found is not None
    assert found[0] == 80, f"80 writes were taken, and it is at version {found[0]}"


def _finds_silent_conversations(ledger: Ledger) -> None:
    if not isinstance(ledger, Conversations):
        return
    for number in range(5):
        ledger.keep(f"k{number}", 0, {}, at=10.0 + number, is_open=number != 1)
    assert list(ledger.sweep(silent=10.0, gone=0.0, most=9)) == [], "silent since before, not then"
    found = list(ledger.sweep(silent=13.0, gone=0.0, most=9))
    assert found == ["k0", "k2"], f"open ones that are silent, not {found}"
    assert len(ledger.sweep(silent=99.0, gone=0.0, most=3)) == 3, "up to `most`"
    assert ledger.conversation("k0") == (1, 10.0, {}), "a look moves nothing"


def _forgets_no_open_conversation(ledger: Ledger) -> None:
    if not isinstance(ledger, Conversations):
        return
    ledger.keep("k", 0, {"said": 1}, at=10.0, is_open=True)
    for _ in range(2):
        found = list(ledger.sweep(silent=30.0, gone=20.0, most=9))
        assert found == ["k"], "what is open is given out to be settled, however old it is"
        assert ledger.conversation("k") == (1, 10.0, {"said": 1}), "and is there to be read"
    assert ledger.keep("k", 1, {}, at=10.0, is_open=False) is True
    assert list(ledger.sweep(silent=30.0, gone=20.0, most=9)) == []
    assert ledger.conversation("k") is None, "once it is settled, it is forgotten"


def _forgets_conversations(ledger: Ledger) -> None:
    if not isinstance(ledger, Conversations):
        return
    ledger.keep("old", 0, {}, at=10.0, is_open=False)
    ledger.keep("new", 0, {}, at=20.0, is_open=False)
    ledger.sweep(silent=30.0, gone=20.0, most=9)
    assert ledger.conversation("old") is None, "what has not moved since `gone` is forgotten"
    assert ledger.conversation("new") is not None
    assert ledger.keep("old", 0, {"again": 1}, at=30.0, is_open=True) is True, "it may begin anew"
