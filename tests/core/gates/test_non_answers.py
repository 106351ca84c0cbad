"""Asking for what was given, promising and announcing are no answers."""

from __future__ import annotations

import pytest

from kalibr_core.gates.non_answers import is_non_answer

GIVEN = "Summarize the following text: The Baltic Sea has warmed by 1.5 degrees since 1990."

ASKING = """
Sure! Please provide the text you'd like me to summarize.
Could you please share the article with me?
I don't see any text in your message. Could you paste it?
It looks like you forgot to include the article.
The text you provided appears to be empty.
There is no text to summarize.
Gerne! Bitte schick mir den Text, den ich zusammenfassen soll.
Pourriez-vous me fournir le texte à résumer ?
¿Podrías proporcionar el texto que quieres que resuma?
Por favor, forneça o texto que deseja resumir.
请提供您想要我总结的文本。
要約する文章を提供してください。
요약할 텍스트를 제공해 주세요.
Пожалуйста, предоставьте текст, который нужно обобщить.
Lütfen özetlememi istediğiniz metni paylaşın.
"""
PROMISES = """
Sure, I can summarize that for you.
Of course! I'd be happy to help you with this.
Let me think about that and get back to you.
I'll look into this and report back shortly.
I have summarized the article for you.
Certainly! Here is the summary:
How can I help you today?
"""


@pytest.mark.parametrize("text", (ASKING + PROMISES).strip().replace("\n\n", "\n").split("\n"))
def test_nothing_of_what_was_asked_is_no_answer(text):
    assert is_non_answer(text, GIVEN, "summarization")


@pytest.mark.parametrize("text", ASKING.strip().split("\n"))
def test_asking_is_right_where_nothing_was_given(text):
    assert not is_non_answer(text, "Summarize this please", "summarization")
    assert not is_non_answer(text, "Summarize the attached report in three points", "general")


@pytest.mark.parametrize(
    ("prompt", "text"),
    [
        ("Hello", "Hello! How can I help you today?"),
        ("Thanks a lot for your help", "You're welcome! How can I help you further?"),
        (GIVEN, "Sure! The Baltic has warmed by 1.5 degrees."),
        (GIVEN, "I'll summarise: the Baltic is warmer."),
        (GIVEN, "Here is the summary:\n\nThe Baltic is warmer."),
        ("Extract the mail from: 'call me'", "I don't see any email address in the text."),
    ],
)
def test_an_answer_may_begin_with_courtesy(prompt, text):
    assert not is_non_answer(text, prompt, "general")


def test_a_mail_may_ask_its_reader_for_something():
    prompt = "Write one line to Dana at Acme: ask her for her feedback on the demo, signed Kim"
    text = "Please send me your feedback by Friday. Kim"
    assert not is_non_answer(text, prompt, "outreach_generation")
    asks_the_writer = "Could you please provide the recipient's name and what you want to say?"
    assert is_non_answer(asks_the_writer, prompt, "outreach_generation")
