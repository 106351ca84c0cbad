"""A conversation is folded from events, written down, read back, and bounded."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kalibr_core.conversations import (
    FORMAT,
    MOST_EVENTS,
    MOST_OUTPUTS,
    Conversation,
    Made,
    Signal,
    restored,
)
from kalibr_core.gates.behaviour import ACTIONS, Turn, TurnKind, kind_of
from kalibr_core.gates.remarks import language_of, remark_in
from kalibr_core.gates.sketch import sketch_of

KEY = b"conversation"
ONE, TWO = Made("g", "d1", "p"), Made("g", "d2", "q")
REQUEST = "Write an outreach email to the head of logistics"


def turn(kind: TurnKind, text: str = "what is the weather in Sydney") -> Turn:
    return Turn(kind=kind, sketch=sketch_of(text, key=KEY), words=len(text.split()))


def answered(known: Conversation, *made: Made, event: str = "") -> list[Signal]:
    return known.answered(
        event or made[-1].decision_id,
        made,
        request=turn(TurnKind.ANEW, REQUEST),
        answer=sketch_of("Dear head of logistics", key=KEY),
    )


def after(*kinds: TurnKind) -> Conversation:
    """A conversation of one answer, and the turns after it."""
    known = Conversation()
    assert answered(known, ONE) == []
    for kind in kinds:
        assert known.said(None, turn(kind)) == []
    return known


def test_an_answer_is_settled_when_another_one_comes() -> None:
    assert answered(after(TurnKind.COMPLAINS), TWO) == [Signal(ONE, "momentum", 0.25)]


def test_an_answer_is_settled_once() -> None:
    known = after(TurnKind.COMPLAINS)
    answered(known, TWO)
    assert known.left(ended=True) == []
    assert known.left(ended=True) == []


def test_the_last_answer_is_settled_when_the_user_leaves() -> None:
    assert after(TurnKind.ACCEPTS).left(ended=True) == [Signal(ONE, "momentum", 0.75)]
    assert after(TurnKind.REFINES).left(ended=True) == []
    assert after(TurnKind.UNCLEAR).left(ended=True) == []


@pytest.mark.parametrize("ended", [True, False])
def test_no_sketch_is_kept_of_a_conversation_that_is_over(ended: bool) -> None:
    known = after(TurnKind.REFINES, TurnKind.COMPLAINS)
    assert sketch_of(REQUEST, key=KEY) in json.dumps(known.state())
    known.left(ended=ended)
    state: Any = known.state()
    assert [sketch for _, sketch, _ in state["turns"]] == [""] * 3
    assert [told[2:4] for told in state["outputs"]] == [["", ""]]


def test_a_new_task_tells_once_the_next_turn_shows_that_it_was_no_aside() -> None:
    moved_on = after(TurnKind.ANEW)
    assert answered(moved_on, TWO) == []
    assert moved_on.said(None, turn(TurnKind.ACCEPTS)) == [Signal(ONE, "momentum", 0.75)]
    aside = after(TurnKind.ANEW)
    answered(aside, TWO)
    assert aside.said(None, turn(TurnKind.UNCLEAR, REQUEST)) == []
    assert aside.said(None, turn(TurnKind.ACCEPTS)) == [], "it has been settled by that"


def test_the_next_of_many_alike_is_no_coming_back() -> None:
    batch = after(TurnKind.ANEW)
    answered(batch, TWO)
    assert batch.said(None, turn(TurnKind.ANEW, REQUEST)) == [Signal(ONE, "momentum", 0.75)]


def test_all_that_made_an_answer_are_credited_the_last_one_most() -> None:
    """The others half: a reward's distance from an ordinary one, which moves nothing."""
    known = Conversation()
    answered(known, ONE._replace(last=False), TWO)
    for action, reward in ACTIONS.items():
        first, last = known.acted(action)
        assert (last.made, last.reward) == (TWO, reward)
        assert first.reward == pytest.approx(0.6 + (reward - 0.6) / 2)


def test_a_turn_after_the_end_leaves_no_sketch() -> None:
    known = after(TurnKind.REFINES)
    known.left(ended=True)
    late = turn(TurnKind.COMPLAINS, "my secret message")
    assert known.said("late", late) == []
    assert late.sketch not in json.dumps(known.state())
    assert known.kinds[-1] is TurnKind.COMPLAINS
    assert known.has_seen("late")
    answered(known, TWO)
    fresh = turn(TurnKind.REFINES, "now something else")
    known.said(None, fresh)
    assert known.turns[-1] == fresh, "another answer begins anew"


def test_what_users_may_see_of_it() -> None:
    known = after(TurnKind.COMPLAINS)
    answered(known, ONE._replace(last=False), TWO)
    told = known.told(made_up="-")
    assert (told.answers, told.decision_ids, told.ended) == (2, ("d1", "d2"), False)
    assert told.turns == (TurnKind.ANEW, TurnKind.COMPLAINS)
    known.left(ended=True)
    assert known.told(made_up="-").ended


def test_answers_of_no_known_decision_are_not_listed() -> None:
    known = after(TurnKind.COMPLAINS)
    answered(known, ONE._replace(decision_id="made-up-1"), event="told by its model")
    answered(known, event="nobody's")
    assert known.told(made_up="made-up-").decision_ids == ("d1",)


def test_the_same_event_adds_what_it_names_for_the_first_time() -> None:
    known = Conversation()
    answered(known, ONE._replace(last=False), event="run")
    answered(known, TWO, event="run")
    assert known.number == len(known.outputs) == 1
    assert known.outputs[0].made == [ONE._replace(last=False), TWO]


def test_a_path_s_last_decision_stands_for_it() -> None:
    known = Conversation()
    later = ONE._replace(decision_id="d3")
    answered(known, ONE, later)
    assert known.outputs[0].made == [later]


def test_an_answer_after_the_end_begins_anew_and_keeps_the_count() -> None:
    known = after(TurnKind.COMPLAINS)
    known.left(ended=True)
    assert answered(known, TWO) == []
    assert not known.ended
    assert known.kinds == [TurnKind.ANEW]
    assert known.number == 2


def test_nothing_was_done_with_no_answer() -> None:
    assert Conversation().acted("output_copied") == []
    assert Conversation().left(ended=True) == []
    assert Conversation().said(None, turn(TurnKind.ACCEPTS)) == []


def test_the_newest_function_words_weigh_most() -> None:
    known = Conversation()
    for _ in range(60):
        known.heard_of({"": 20, "de": 10})
    for _ in range(20):
        known.heard_of({"": 20, "en": 10})
    assert language_of(known.votes) == "en"
    assert sum(known.votes.values()) < 1_000


# Written down and read back.

ids = st.text(st.characters(exclude_categories=()), min_size=1, max_size=12)
made = st.builds(Made, ids, ids, ids, st.booleans())
turns = st.builds(turn, st.sampled_from(TurnKind), st.text(max_size=40))
events = st.one_of(
    st.tuples(st.just("answered"), ids, st.lists(made, max_size=4), turns, turns),
    st.tuples(st.just("said"), st.none() | ids, turns),
    st.tuples(st.just("left"), st.booleans()),
    st.tuples(
        st.just("votes"), st.dictionaries(st.sampled_from(["", "en", "de"]), st.integers(0, 99))
    ),
)


def fold(known: Conversation, event: tuple[Any, ...]) -> list[Signal]:
    match event:
        case ("answered", name, paths, request, answer):
            return known.answered(name, paths, request=request, answer=answer.sketch)
        case ("said", name, heard):
            return known.said(name, heard)
        case ("left", ended):
            return known.left(ended=ended)
        case (_, votes):
            known.heard_of(votes)
    return []


def reread(known: Conversation) -> Conversation:
    return restored(json.loads(json.dumps(known.state())))


@settings(max_examples=80, deadline=None)
@given(st.lists(events, max_size=12), st.lists(events, max_size=6))
def test_a_state_read_back_goes_on_as_the_conversation_itself(
    before: list[tuple[Any, ...]], later: list[tuple[Any, ...]]
) -> None:
    known = Conversation()
    for event in before:
        fold(known, event)
    again = reread(known)
    assert again.state() == known.state()
    for event in later:
        assert fold(again, event) == fold(known, event)
        again = reread(again)


@settings(max_examples=60, deadline=None)
@given(st.lists(events, max_size=20))
def test_rewards_are_in_bounds_and_each_answer_is_settled_once(
    told: list[tuple[Any, ...]],
) -> None:
    known, settled = Conversation(), set[str]()
    for number, event in enumerate(told):
        named = (event[0], f"e{number}", [ONE._replace(decision_id=f"d{number}")], *event[3:])
        signals = fold(known, named if event[0] == "answered" else event)
        assert all(0.0 <= signal.reward <= 1.0 for signal in signals)
        ids = {signal.made.decision_id for signal in signals}
        assert len(ids) == len(signals)
        assert not ids & settled
        settled |= ids


def test_the_state_stays_small_whatever_comes() -> None:
    known = Conversation()
    for number in range(300):
        many = [Made("goal", f"{number:032}", f"path-{path}") for path in range(40)]
        known.answered(f"{number:016}", many, request=turn(TurnKind.REFINES), answer="8" * 256)
        for kind in TurnKind:
            known.said(f"{number}-{kind}", turn(kind))
        known.heard_of({"": 50, "en": 20, "de": 9})
        known = reread(known)
    assert len(known.outputs) == MOST_OUTPUTS
    assert len(known.events) == MOST_EVENTS
    assert len(json.dumps(known.state())) < 10_000


anything = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.just(10**400)
    | st.floats()
    | st.sampled_from([FORMAT, "refines", "", "8" * 256])
    | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=8)
        | st.dictionaries(st.sampled_from(["", "en", "x"]) | st.text(max_size=3), inner, max_size=4)
    ),
    max_leaves=12,
)


def check_survives(state: Any) -> None:
    """It is read, and what is read takes further events and can be written down."""
    known = restored(state)
    remark, sketch = remark_in("again and again", language=None), sketch_of("again", key=KEY)
    kind_of(remark, sketch, before=known.turns, answer="")
    language_of(known.votes)
    for event in (
        ("said", "e", turn(TurnKind.COMPLAINS)),
        ("answered", "e", [ONE], turn(TurnKind.ANEW), turn(TurnKind.ANEW)),
        ("votes", {"": 3, "en": 1}),
        ("left", False),
    ):
        fold(known, event)
    known.acted("output_copied")
    language_of(known.votes)
    json.dumps(known.state())


@settings(max_examples=80, deadline=None)
@given(anything, st.data())
def test_a_hostile_state_raises_nothing(state: Any, data: st.DataObject) -> None:
    check_survives(state)
    known = after(TurnKind.REFINES).state()
    assert isinstance(known, dict)
    field = data.draw(st.sampled_from(sorted(known)))
    check_survives({**known, field: state})
    check_survives({name: value for name, value in known.items() if name != field})


HUGE = 10**400


@pytest.mark.parametrize(
    "odd",
    [
        {"votes": {"": HUGE, "en": 1}},
        {"votes": {"": -5, "en": -1}},
        {"votes": {"": 1e400}},
        {"turns": [["refines", "", HUGE]] * 3},
        {"turns": [["refines", "8" * 256, -1]] * 3},
        {"turns": [["refines", "8" * 256, 1e308]] * 3},
        {"number": HUGE},
        {"events": ["e"] * 9_999},
        {"outputs": [["e", [], "", "", [], [], False, True]] * 99},
    ],
    ids=lambda odd: str(odd)[:40],
)
def test_odd_figures_in_a_state_raise_nothing(odd: dict[str, Any]) -> None:
    state = after(TurnKind.REFINES).state()
    assert isinstance(state, dict)
    check_survives({**state, **odd})


def test_a_state_of_another_format_begins_anew() -> None:
    state = after(TurnKind.REFINES).state()
    assert isinstance(state, dict)
    assert restored({**state, "format": FORMAT + 1}) == Conversation()
    assert restored(state) != Conversation()
