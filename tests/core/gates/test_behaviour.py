"""What kind of turn a message is, and what the turns after an answer say of it."""

from __future__ import annotations

import itertools
from unicodedata import normalize

import pytest

from kalibr_core.gates.behaviour import (
    ACTIONS,
    CONVERGING,
    DIVERGING,
    Turn,
    TurnKind,
    kind_of,
    momentum,
)
from kalibr_core.gates.remarks import remark_in
from kalibr_core.gates.sketch import sketch_of

ACCEPTS, REFINES, REPEATS = TurnKind.ACCEPTS, TurnKind.REFINES, TurnKind.REPEATS
COMPLAINS, ANEW, UNCLEAR = TurnKind.COMPLAINS, TurnKind.ANEW, TurnKind.UNCLEAR

KEY = b"conversation"
ASKED = "Write an outreach email to the head of logistics about our routing product."
ANSWER = "Dear head of logistics, our routing product plans your lorries' ways. Shall we talk?"


def turn(text: str, kind: TurnKind = ANEW, language: str | None = "en") -> Turn:
    words = remark_in(text, language=language).words
    return Turn(kind=kind, sketch=sketch_of(text, key=KEY), words=words)


def told(
    message: str, *before: Turn, language: str | None = "en", answer: str = ANSWER
) -> TurnKind:
    return kind_of(
        remark_in(message, language=language),
        sketch_of(message, key=KEY),
        before=before or (turn(ASKED),),
        answer=sketch_of(answer, key=KEY),
    )


@pytest.mark.parametrize(
    ("message", "kind"),
    [
        ("Perfect, thanks!", ACCEPTS),
        ("👍", ACCEPTS),
        ("Make it shorter, too formal", REFINES),
        ("Thanks, but make it shorter", REFINES),
        (ASKED, REPEATS),
        (ASKED.upper(), REPEATS),
        ("This is not what I asked for.", COMPLAINS),
        ("👎", COMPLAINS),
        ("What is the capital of Australia?", ANEW),
        ("hm", UNCLEAR),
        ("", UNCLEAR),
        ("Add the price of the routing product to the email", REFINES),
        ("Write an apology to a customer who got a wrong and useless delivery last week", ANEW),
    ],
)
def test_kinds_of_turns(message: str, kind: TurnKind) -> None:
    assert told(message) is kind


def test_a_demand_made_twice_is_a_repetition_sooner_than_a_second_task() -> None:
    demand = "Please use the customer's first name in it"
    again = "Please use his first name, the customer's"
    assert told(again, turn(ASKED), turn(demand, REFINES)) is REPEATS


@pytest.mark.parametrize("kind", [ANEW, REFINES, REPEATS])
def test_the_same_for_another_number_is_no_repetition(kind: TurnKind) -> None:
    before = turn("Summarise ticket 123 for the report.", kind)
    assert told("Summarise ticket 124 for the report.", before) is not REPEATS
    assert told("Summarise ticket 123 for the report.", before) is REPEATS
    assert told("Summarise the ticket for the report!", before) is REPEATS


BATCH = "Translate: I am not happy with this, it is wrong"


@pytest.mark.parametrize(
    ("message", "first", "language"),
    [
        (BATCH, "Translate: good morning to you", "en"),
        ("Tafsiri: habari za asubuhi", "Tafsiri: bei gani", None),
        ("capital of Chile?", "capital of Peru?", "en"),
    ],
)
def test_a_request_for_the_next_item_is_no_repetition(
    message: str, first: str, language: str | None
) -> None:
    before = turn(first, ANEW, language)
    assert told(message, before, language=language) is ANEW
    assert told(first, before, language=language) is REPEATS


def test_a_form_that_the_user_insists_in_is_no_batch() -> None:
    before = [turn(ASKED), turn("As I wrote above: use bullet points, please", REFINES)]
    assert told("As I wrote above: please do use bullet points", *before) is not ANEW
    doubted = [turn("Translate: good morning"), turn("No, in German", COMPLAINS)]
    assert told("Translate: good morning, you all", *doubted) is not ANEW


@pytest.mark.parametrize("message", ["Now add tests for it", "Also a table, please"])
def test_who_builds_on_an_answer_has_taken_it_unless_something_was_amiss(message: str) -> None:
    assert told(message) is ACCEPTS
    assert told(message, turn(ASKED), turn("Perfect", ACCEPTS)) is ACCEPTS
    assert told(message, turn(ASKED), turn("No, wrong", COMPLAINS)) is ANEW


ERROR = "TypeError: load() missing 1 required positional argument"


def test_the_error_of_a_program_after_an_answer_is_a_complaint() -> None:
    assert told(ERROR) is COMPLAINS
    assert told(f"Now I get this:\n{ERROR}") is COMPLAINS
    assert told(ERROR, turn(ASKED), turn("Perfect", ACCEPTS)) is not COMPLAINS, "it is another one"
    assert told(f"What does it mean, {ERROR}") is not COMPLAINS, "a question about it"
    assert told("That fixed it. Now I get KeyError: 'id'") is UNCLEAR
    assert told(ERROR, language=None) is not COMPLAINS


def test_one_more_of_the_same_is_no_repetition_and_tells_nothing() -> None:
    assert told("another one, please", turn(ASKED), turn("another one", UNCLEAR)) is UNCLEAR


def test_a_statement_about_the_same_asks_for_nothing() -> None:
    assert told("The head of logistics drives lorries himself") is UNCLEAR
    assert told("Can the head of logistics drive lorries himself?") is REFINES


def test_the_same_at_greater_length_again_and_again_is_a_repetition() -> None:
    before = [
        turn(ASKED),
        turn("Mention prices", REFINES),
        turn("Mention prices, licences, drivers", REFINES),
    ]
    longer = "Mention maps, depots, support, training, discounts, hotline, drivers"
    assert told(longer, *before, answer="") is REPEATS
    as_long = turn("Friendlier towards everybody there please", REFINES)
    assert told(longer, before[0], as_long, before[2], answer="") is not REPEATS


def test_words_whose_letters_come_in_two_parts_are_read() -> None:
    said = normalize("NFD", "Très bien, merci")
    assert remark_in(said, language="fr").content


@pytest.mark.parametrize("message", ["Kirjoita se uudelleen", "もっと短く", "Asante sana"])
def test_words_of_an_unknown_language_say_nothing(message: str) -> None:
    assert told(message, language=None) is UNCLEAR


def test_form_tells_also_in_an_unknown_language() -> None:
    asked = "Kirjoita sähköposti logistiikan johtajalle meidän reititystuotteestamme kiitos"
    before = turn(asked, language=None)
    assert told(asked, before, language=None) is REPEATS
    other = "Mikä on Australian pääkaupunki ja montako asukasta siellä oikein nykyään asuu"
    assert told(other, before, language=None) is ANEW


@pytest.mark.parametrize(
    ("since", "before", "ended", "going_on"),
    [
        # since the answer, before it, reward where the user leaves, and where another answer comes
        ([], [ANEW], None, None),
        ([], [], None, None),
        ([UNCLEAR], [ANEW], None, None),
        ([ACCEPTS], [ANEW], CONVERGING, CONVERGING),
        ([COMPLAINS], [ANEW], DIVERGING, DIVERGING),
        ([REPEATS], [ANEW], DIVERGING, DIVERGING),
        ([REFINES], [ANEW], None, None),
        ([ANEW], [ANEW], CONVERGING, CONVERGING),
        ([ANEW], [COMPLAINS], None, None),
        ([COMPLAINS, ANEW], [ANEW], None, None),
        ([COMPLAINS, ACCEPTS], [ANEW], CONVERGING, CONVERGING),
        ([ACCEPTS, COMPLAINS], [ANEW], DIVERGING, DIVERGING),
        ([COMPLAINS, REFINES], [ANEW], None, None),
        ([REFINES] * 4, [ANEW], None, None),
        ([REFINES], [REFINES] * 4, None, None),
        ([], [ANEW, REFINES], CONVERGING, None),
        ([], [ANEW, REFINES, REFINES], None, None),
        ([], [ACCEPTS, REFINES], CONVERGING, None),
        ([], [ANEW, REPEATS, REFINES], None, None),
        ([], [ANEW, COMPLAINS, REFINES], None, None),
        ([], [ANEW, UNCLEAR, REFINES], None, None),
        ([ANEW], [ANEW, REFINES], CONVERGING, CONVERGING),
        ([ANEW], [ANEW, REFINES, REFINES], None, None),
        ([ANEW], [ANEW, COMPLAINS, REFINES], None, None),
        ([], [ANEW, COMPLAINS], None, None),
        ([], [ANEW, COMPLAINS, COMPLAINS], DIVERGING, None),
        ([], [COMPLAINS], None, None),
        ([], [ACCEPTS], None, None),
    ],
)
def test_momentum(
    since: list[TurnKind], before: list[TurnKind], ended: float | None, going_on: float | None
) -> None:
    assert momentum(since, before, ended=True) == ended
    assert momentum(since, before, ended=False) == going_on


def test_any_turns_have_a_momentum_or_none() -> None:
    for since in itertools.product(TurnKind, repeat=3):
        for before in itertools.product(TurnKind, repeat=2):
            for ended in (True, False):
                assert momentum(since, before, ended=ended) in (CONVERGING, DIVERGING, None)


def test_unclear_turns_change_nothing_that_others_say() -> None:
    for since in itertools.product(TurnKind, repeat=2):
        if UNCLEAR not in since:
            between = [since[0], UNCLEAR, since[1], UNCLEAR]
            assert momentum(since, [ANEW], ended=True) == momentum(between, [ANEW], ended=True)


def test_momentum_is_weaker_than_what_users_do() -> None:
    assert list(ACTIONS.values()) == sorted(ACTIONS.values(), reverse=True)
    assert ACTIONS["output_discarded"] < DIVERGING < 0.5 < CONVERGING < ACTIONS["output_copied"]
