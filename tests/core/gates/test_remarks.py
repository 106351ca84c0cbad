"""What users say of an answer, in the languages that are known and in others."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kalibr_core.gates.remarks import (
    Remark,
    language_of,
    patterns_of,
    remark_in,
    votes_in,
)
from kalibr_core.gates.turn_words import LANGUAGES

CONTENT = {
    "en": ["Thanks, that's perfect", "ok, great", "This works", "Much better!"],
    "de": ["Danke, das passt", "Super", "Viel besser!", "Das ist perfekt"],
    "fr": ["Merci, c'est parfait", "Super", "Parfait !"],
    "es": ["Gracias, perfecto", "Genial", "Muchas gracias"],
    "zh": ["谢谢，很好", "太好了", "完美"],
}
COMPLAINTS = {
    "en": ["This is still far too long", "You ignored what I said", "Useless.", "No, wrong"],
    "de": ["Das ist immer noch zu lang", "Du hast mich nicht verstanden", "Falsch"],
    "fr": ["C'est toujours trop long", "Ce n'est pas ce que j'ai demandé", "Inutile"],
    "es": ["Sigue siendo demasiado largo", "No es lo que pedí", "Mal"],
    "zh": ["还是太长了", "这不是我要的", "不对"],
}
CHANGES = {
    "en": ["Make it shorter, please", "Can you add an example?", "too formal"],
    "de": ["Kürzer bitte", "Kannst du ein Beispiel ergänzen? Mehr Beispiele", "zu förmlich"],
    "fr": ["Plus court, s'il te plaît", "Ajoute un exemple"],
    "es": ["Más corto, por favor", "Añade un ejemplo"],
    "zh": ["短一点", "请加一个例子"],
}


def cases(table: dict[str, list[str]]) -> list[tuple[str, str]]:
    return [(language, text) for language, texts in table.items() for text in texts]


@pytest.mark.parametrize(("language", "text"), cases(CONTENT))
def test_users_who_are_content(language: str, text: str) -> None:
    remark = remark_in(text, language=language)
    assert remark.content
    assert not remark.complains


@pytest.mark.parametrize(("language", "text"), cases(COMPLAINTS))
def test_users_who_complain(language: str, text: str) -> None:
    remark = remark_in(text, language=language)
    assert remark.complains
    assert not remark.content


@pytest.mark.parametrize(("language", "text"), cases(CHANGES))
def test_users_who_ask_for_another_form(language: str, text: str) -> None:
    remark = remark_in(text, language=language)
    assert remark.changes
    assert not remark.complains
    assert not remark.content


@pytest.mark.parametrize(
    "text",
    [
        "Thanks for nothing",
        "Great, now it is wrong again",
        "Not perfect",
        "Thanks in advance",
        "Thanks, but it is still too long",
        "Write a thank-you letter to a great customer of ours",
        'The sign says "perfect, thank you very much"',
    ],
)
def test_praise_that_is_none(text: str) -> None:
    assert not remark_in(text, language="en").content


@pytest.mark.parametrize(
    "text",
    [
        "Write an apology for a wrong and useless delivery",
        'Translate "you ignored me, this is wrong"',
        "Fix this:\nyou ignored me, this is wrong",
        "Run `this is wrong`",
    ],
)
def test_what_a_message_quotes_or_is_about_is_no_complaint(text: str) -> None:
    assert not remark_in(text, language="en").complains


@pytest.mark.parametrize(
    "text", ["Run this\n```\nthis is wrong\n```", "```python\nraise Wrong('this is wrong')\n```\n"]
)
def test_code_between_fences_is_not_the_user_s_own_words(text: str) -> None:
    assert not remark_in(text, language="en").complains


def test_what_stands_below_a_quoted_line_is_the_user_s_own() -> None:
    reply = "> our routing product plans your ways\n\nThis is still wrong, you ignored the tone."
    assert remark_in(reply, language="en").complains


def test_signs_are_read_in_any_language() -> None:
    assert remark_in("🙏", language=None).content
    assert remark_in("👎 sana", language=None).complains
    assert remark_in("👍👎", language=None).complains
    assert not remark_in("👍👎", language=None).content
    assert remark_in("MIKSI NÄIN TAAS", language=None).loud
    assert remark_in("miksi??", language=None).loud
    assert not remark_in("miksi?", language=None).loud


def test_words_are_not_read_where_the_language_is_not_known() -> None:
    assert remark_in("This is wrong", language=None) == Remark(words=3)


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en", "Could you please write this for me, and make it about the weather?"),
        ("de", "Kannst du das bitte für mich schreiben, und zwar über das Wetter?"),
        ("fr", "Peux-tu écrire cela pour moi, et que ce soit sur le temps ?"),
        ("es", "¿Puedes escribir esto para mí, por favor, y que sea sobre el tiempo?"),
        ("zh", "请帮我写一篇关于天气的文章"),
    ],
)
def test_a_language_is_told_by_its_function_words(language: str, text: str) -> None:
    assert language_of(votes_in(text)) == language


@pytest.mark.parametrize(
    "text", ["Kirjoita minulle kirje säästä", "天気についての手紙を書いて", "xyz", "", "เขียนจดหมาย"]
)
def test_another_language_is_none_of_them(text: str) -> None:
    assert language_of(votes_in(text)) is None


def test_a_few_words_of_a_language_do_not_make_a_text_one_of_it() -> None:
    assert language_of({"": 40, "en": 2}) is None
    assert language_of({"": 40, "en": 9, "de": 8}) == "en"


def test_every_language_is_ready() -> None:
    for language in LANGUAGES:
        assert patterns_of(language).good.pattern
    with pytest.raises(KeyError):
        patterns_of("xx")


@settings(max_examples=80, deadline=None)
@given(
    st.text(st.characters(exclude_categories=()), max_size=400)
    | st.lists(
        st.sampled_from(["thanks", "not", "“", "```", ">", ":", "\n", "still", "你", "\ud800"])
    ).map(" ".join),
    st.sampled_from([None, *LANGUAGES]),
)
def test_any_text_can_be_read(text: str, language: str | None) -> None:
    remark = remark_in(text, language=language)
    assert remark.words >= 0
    assert not (remark.content and remark.complains)
    assert language_of(votes_in(text)) in (None, *LANGUAGES)


LONG = 20_000
NASTY = [
    "“",
    "„",
    "«",
    "「",
    "`",
    "```",
    "> ",
    ":\n",
    ": ",
    "no",
    "still ",
    "thanks but ",
    "不",
    "!",
]
GIANT = "no" * 10_000


@pytest.mark.parametrize(
    "text",
    [*(piece * (LONG // len(piece)) for piece in NASTY), f"{GIANT} {'x ' * 40} thanks {GIANT}"],
    ids=[*NASTY, "giant"],
)
def test_the_time_to_read_is_linear_in_the_length(text: str) -> None:
    """Patterns that go over a text again for each of its characters take many seconds here."""
    started = time.process_time()
    for language in (None, *LANGUAGES):
        remark_in(text, language=language)
    assert time.process_time() - started < 0.5


@pytest.mark.parametrize(
    "message",
    [
        "That's not bad.",
        "It's not dropping any more",
        "That is not too expensive.",
        "It is not often that I see this.",
        "And 'forget it' in German?",
        "No notes.",
        "no way, how nice",
    ],
)
def test_what_is_denied_or_quoted_is_no_complaint(message: str) -> None:
    assert not remark_in(message, language="en").complains


@pytest.mark.parametrize(
    "message",
    [
        "nice, it broke the footer",
        "Thanks. This misses the decisions.",
        "excellent, now nothing is visible at all",
        "Thanks, I hate it",
        "thx anyway",
    ],
)
def test_praise_of_what_went_wrong_is_none(message: str) -> None:
    assert not remark_in(message, language="en").content


@pytest.mark.parametrize(
    "message",
    ["No.", "no, this is for dogs", "That's bad.", "It's not it.", "This is not right."],
)
def test_what_is_plainly_a_complaint_still_is_one(message: str) -> None:
    assert remark_in(message, language="en").complains


def test_what_a_mail_quotes_is_not_the_users_word() -> None:
    told = "> This is wrong, you ignored me!\nWhat does the customer want from us here?"
    assert not remark_in(told, language="en").complains
    assert remark_in(told.removeprefix("> "), language="en").complains
