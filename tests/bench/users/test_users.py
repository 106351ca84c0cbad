"""The population keeps its own rules: seeded, varied, in many languages, and true to its signs."""

from __future__ import annotations

import tomllib
from collections import Counter
from importlib.resources import files
from itertools import pairwise

import pytest

from kalibr_bench.users import KNOWN, SHARES, UNKNOWN, UserSession, sessions
from kalibr_bench.users.behaviours import BEHAVIOURS
from kalibr_bench.users.phrases import phrasebook

PLAIN = {"satisfied", "refines", "repeats", "angry", "moves_on", "silent"}
NEVER_CONTENT = {"repeats", "angry", "polite", "gives_up", "sarcastic"}
CONTENT = {"satisfied", "refines", "moves_on"}

DRAWN = tuple(sessions(2000, seed=0))
STRANGE = tuple(sessions(400, seed=0, languages=UNKNOWN))
HELD = tuple(sessions(2000, seed=0, held_out=True))
EVERYBODY = DRAWN + STRANGE + HELD


def said(drawn: tuple[UserSession, ...]) -> list[str]:
    return [turn.user_message for session in drawn for turn in session.turns]


def test_the_same_seed_draws_the_same_and_the_first_are_always_the_same() -> None:
    assert tuple(sessions(50, seed=0)) == DRAWN[:50]
    assert tuple(sessions(50, seed=1)) != DRAWN[:50]
    assert tuple(sessions(0, seed=0)) == ()


def test_every_behaviour_in_every_language() -> None:
    assert set(BEHAVIOURS) == set(SHARES) >= PLAIN
    assert {(s.behaviour, s.language) for s in DRAWN} == {(b, c) for b in SHARES for c in KNOWN}
    assert {s.language for s in STRANGE} == set(UNKNOWN)
    assert {"en"} < set(KNOWN)
    assert len(KNOWN) == 5


def test_behaviours_come_in_their_shares() -> None:
    assert sum(SHARES.values()) == pytest.approx(1)
    found = Counter(s.behaviour for s in DRAWN)
    for name, share in SHARES.items():
        margin = 4 * (share * (1 - share) / len(DRAWN)) ** 0.5
        assert found[name] / len(DRAWN) == pytest.approx(share, abs=margin)


def test_no_text_is_empty_and_no_gap_is_left_unfilled() -> None:
    for session in EVERYBODY:
        assert session.turns
        for turn in session.turns:
            assert turn.user_message.strip()
            assert turn.output.strip()
            for gap in ("{s}", "{r}", "{c}"):
                assert gap not in turn.user_message.lower() + turn.output


def test_signs_are_those_of_the_behaviour() -> None:
    for session in EVERYBODY:
        assert {turn.sign for turn in session.turns} <= {-1, None, 1}
        known = [turn.sign for turn in session.turns if turn.sign is not None]
        assert session.sign == (known[-1] if known else None)
        if session.behaviour in NEVER_CONTENT:
            assert session.sign == -1
            assert 1 not in known
        if session.behaviour in CONTENT:
            assert session.sign == 1
        if session.behaviour == "silent":
            assert session.sign is None
            assert len(session.turns) == 1


def test_only_the_last_task_or_small_talk_can_be_unknown_to_everybody() -> None:
    """Who moves on has accepted all outputs but, at most, the last."""
    for session in EVERYBODY:
        if session.behaviour == "moves_on":
            assert {turn.sign for turn in session.turns[:-2]} <= {1}
            assert len(session.turns) >= 2


def test_who_repeats_is_given_the_same_output_and_who_refines_another() -> None:
    for session in EVERYBODY:
        outputs = [turn.output for turn in session.turns]
        if session.behaviour == "repeats":
            assert 3 <= len(outputs) <= 6
            assert all(output.endswith(outputs[0]) for output in outputs)
        if session.behaviour == "refines":
            leads = phrasebook(session.language, held_out=False).phrases["revised"]
            assert outputs[1] not in {f"{lead} {outputs[0]}" for lead in leads}


def test_only_who_was_not_served_writes_the_same_again() -> None:
    for session in EVERYBODY:
        for before, after in pairwise(session.turns):
            if after.user_message == before.user_message:
                assert (before.sign, session.sign) == (-1, -1)


def test_who_is_angry_writes_more_each_time() -> None:
    """On the whole: a longer wording early may outweigh one sentence of anger."""
    longer = [
        len(b.user_message) > len(a.user_message)
        for session in EVERYBODY
        if session.behaviour == "angry"
        for a, b in pairwise(session.turns[1:])
    ]
    assert sum(longer) / len(longer) > 0.8


def test_some_repeat_word_for_word_and_most_do_not() -> None:
    first = [s.turns[1:] for s in EVERYBODY if s.behaviour == "repeats"]
    verbatim = sum(len({turn.user_message for turn in turns}) == 1 for turns in first)
    assert 0.25 < verbatim / len(first) < 0.5


def test_sessions_are_varied() -> None:
    assert len(set(DRAWN)) > 0.98 * len(DRAWN)
    assert len({s.turns[0].user_message for s in DRAWN}) > 0.65 * len(DRAWN)


def test_users_differ_in_how_they_type() -> None:
    messages = said(DRAWN)
    lower = sum(
        m == m.lower() for s in DRAWN if s.language == "de" for m in [s.turns[0].user_message]
    )
    assert lower > 0.2 * sum(s.language == "de" for s in DRAWN)
    assert any("😊" in m for m in messages)
    assert any(m.endswith(".") for m in messages)
    assert any(m[-1].isalpha() for m in messages)


@pytest.mark.parametrize("language", KNOWN + UNKNOWN)
def test_a_third_of_the_phrases_is_held_out(language: str) -> None:
    tuned, held = (phrasebook(language, held_out=kept) for kept in (False, True))
    for name in ("thanks", "angry", "polite", "again", "sarcasm"):
        assert not set(tuned.phrases[name]) & set(held.phrases[name])
    counts = [
        sum(len(topic.requests) + len(topic.wish.wordings) for topic in book.topics)
        + sum(len(phrases) for phrases in book.phrases.values())
        for book in (tuned, held)
    ]
    assert 0.3 < counts[1] / sum(counts) < 0.45
    for mine, theirs in zip(tuned.topics, held.topics, strict=True):
        assert not set(mine.requests) & set(theirs.requests)
        assert not set(mine.wish.wordings) & set(theirs.wish.wordings)


def test_held_out_phrases_are_said_by_held_out_users_alone() -> None:
    for kept, drawn, other in ((False, DRAWN, HELD), (True, HELD, DRAWN)):
        for phrase in phrasebook("de", held_out=kept).phrases["polite"]:
            begins = phrase.partition("{c}")[0].strip()
            assert any(begins in message for message in said(drawn))
            assert not any(begins in message for message in said(other))


@pytest.mark.parametrize("language", KNOWN + UNKNOWN)
def test_every_language_has_the_same_lists(language: str) -> None:
    def read(name: str) -> dict[str, object]:
        path = files("kalibr_bench.users").joinpath("texts", f"{name}.toml")
        return tomllib.loads(path.read_text("utf-8"))

    assert set(read(language)) == set(read("en"))
    for held_out in (False, True):
        book = phrasebook(language, held_out=held_out)
        assert len(book.topics) >= (12 if language in KNOWN else 4)
        assert all(book.phrases.values())
        assert all(book.pairs.values())
        for wish in (*book.wishes, *(topic.wish for topic in book.topics)):
            assert wish.openers
            assert len(set(wish.wordings)) >= 2


@pytest.mark.parametrize(
    "arguments",
    [{"count": -1}, {"count": 1, "languages": ()}, {"count": 1, "languages": ("xx",)}],
)
def test_impossible_populations_are_refused_at_once(arguments: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"count|languages|no phrases in 'xx'; there are en"):
        sessions(**arguments, seed=0)  # type: ignore[arg-type]
