"""Where a conversation stands: what is told politely, what has worked, what is built on."""

from __future__ import annotations

import pytest

from kalibr_core.gates.remarks import language_of, remark_in, votes_in
from kalibr_core.gates.turn_marks import MARKS, RIVALS
from kalibr_core.gates.turn_words import LANGUAGES

POLITE = {
    "en": [
        "Thank you, but this isn't quite what I was looking for.",
        "I was hoping for something a little more imaginative.",
        "Thanks for trying, though two of them are in another town.",
        "That's kind, but nobody here could use it. Shorter, please.",
        "Could you have another look?",
    ],
    "de": ["Danke, aber das ist leider gar nicht das, was ich wollte.", "Danke für gar nichts."],
    "fr": ["Merci, mais ce n'est malheureusement pas ce que je cherchais."],
    "es": ["Muy amable, pero así nadie lo entiende.", "Esperaba algo más."],
    "zh": ["谢谢，但这里是另一座城市。", "我期待的是别的"],
}
WORKED = {
    "en": [
        "it runs now, thank you so much",
        "That fixed it",
        "ok, I finally get it",
        "This is really helpful",
        "Not bad at all!",
        "haha ok, love it",
        "good",
    ],
    "de": ["hat geklappt", "Gar nicht schlecht, danke", "Jetzt läuft es, vielen Dank"],
    "fr": ["ça a bien fonctionné, merci", "ok compris", "Ça marche maintenant, merci"],
    "es": ["ya funcionó", "Ahora entiendo, gracias"],
    "zh": ["明白了", "很棒，帮我省了不少时间"],
}


def cases(table: dict[str, list[str]]) -> list[tuple[str, str]]:
    return [(language, text) for language, texts in table.items() for text in texts]


@pytest.mark.parametrize(("language", "text"), cases(POLITE))
def test_politeness_hides_no_complaint(language: str, text: str) -> None:
    remark = remark_in(text, language=language)
    assert remark.complains
    assert not remark.content


@pytest.mark.parametrize(("language", "text"), cases(WORKED))
def test_reports_of_success_are_a_praise(language: str, text: str) -> None:
    remark = remark_in(text, language=language)
    assert remark.content
    assert not remark.complains


@pytest.mark.parametrize(
    "text",
    [
        "Great, but could you also name the price?",
        "Great, but a little shorter, please",
        "Thanks, but what about the price?",
    ],
)
def test_a_request_after_a_praise_is_no_complaint(text: str) -> None:
    remark = remark_in(text, language="en")
    assert remark.changes
    assert not remark.complains
    assert not remark.content


@pytest.mark.parametrize(
    "text",
    [
        "That never worked",
        "This is not really helpful",
        "Wow, great job, any old calculator could do that",
        "Oh wonderful, a wall of text that nobody reads",
        "Perfect, if the aim was to lose me",
        "Could you send me the other one, thanks",
        "That didn't do, thanks",
        "Please write one for my boss, great",
    ],
)
def test_praise_that_is_denied_hollow_or_comes_with_a_wish_is_none(text: str) -> None:
    assert not remark_in(text, language="en").content


def test_wry_openers_are_meant_where_thanks_follow() -> None:
    assert remark_in("Wow, great job, thank you so very much", language="en").content
    assert remark_in("Oh great", language="en").content


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en", "Now add tests"),
        ("en", "Also a table"),
        ("en", "and one for my friend"),
        ("de", "Und jetzt als Tabelle"),
        ("fr", "Ajoute aussi des tests"),
        ("es", "También añade facturas"),
        ("zh", "然后写测试"),
    ],
)
def test_next_steps(language: str, text: str) -> None:
    assert remark_in(text, language=language).adds


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en", "Now it has no title"),
        ("en", "Nowhere near"),
        ("en", "And the dates?"),
        ("de", "Jetzt ist es zu lang"),
        ("fr", "Maintenant c'est trop long"),
        ("es", "Ahora no se lee"),
    ],
)
def test_statements_of_how_it_stands_now_are_no_next_step(language: str, text: str) -> None:
    assert not remark_in(text, language=language).adds


def test_a_wish_for_one_more_is_all_of_the_message() -> None:
    assert remark_in("Another one.", language="en").more
    assert not remark_in("another one of these mistakes", language="en").more


@pytest.mark.parametrize(
    "text",
    [
        "Translate: this is wrong, thank you",
        "Make this shorter: you ignored what I said, that is useless",
        "Summarise this review: Terrible. You never answer.",
    ],
)
def test_what_stands_behind_a_request_s_colon_is_its_material(text: str) -> None:
    remark = remark_in(text, language="en")
    assert not remark.complains
    assert not remark.content


def test_what_stands_behind_another_colon_is_the_user_s_own() -> None:
    assert remark_in("Again: this is wrong", language="en").complains
    assert remark_in("Still not it, make it right: you ignored me", language="en").complains


@pytest.mark.parametrize(
    "text",
    [
        'Traceback (most recent call last):\n  File "a.py", line 1',
        "error[E0308]: mismatched types",
        "./main.go:7:3: undefined: strings.Reverse",
        "npm ERR! code ERESOLVE",
        "now it says #VALUE!",
        "ValueError: no",
    ],
)
def test_errors_of_programs(text: str) -> None:
    assert remark_in(text, language="en").fails
    assert not remark_in(f"{'word ' * 20} {text}", language="en").fails, "what it is about"


@pytest.mark.parametrize("text", ["There is an error in it", "The Error of Man: a novel"])
def test_words_about_errors_are_none(text: str) -> None:
    assert not remark_in(text, language="en").fails


@pytest.mark.parametrize(
    "text",
    [
        "Escreva um convite de aniversário para minha mãe, mais informal por favor",
        "Scrivi una mail di disdetta e anche più breve, per favore",
        "Schrijf een korte brief aan de bank en maak het niet te lang",
    ],
)
def test_a_language_that_is_not_read_is_not_taken_for_its_neighbour(text: str) -> None:
    assert language_of(votes_in(text)) is None


def test_the_language_is_told_by_the_user_s_own_words() -> None:
    code = "```\n" + "for item in items: total += item.price\n" * 9 + "```"
    error = "ValueError: could not convert string to float: 'price'\n" * 9
    for pasted in (code, error):
        assert language_of(votes_in(f"Warum stürzt das ab?\n\n{pasted}")) == "de"


def test_every_language_has_marks_and_no_rival_is_one_that_is_read() -> None:
    assert MARKS.keys() == LANGUAGES.keys()
    assert not RIVALS.keys() & LANGUAGES.keys()
