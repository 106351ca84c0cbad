"""A refusal is refused in every language, and what only talks of refusing is not."""

from __future__ import annotations

import pytest

from kalibr_core.gates.refusals import is_refusal

PROMPT = "Explain how tides work and why there are two of them each day."

REFUSALS = """
I can't help with that.
I cannot fulfill this request.
I am not able to provide that information.
As an AI, I must decline this request.
My guidelines prevent me from answering this.
I'd rather not discuss this topic. Let's talk about something else.
That's not something I'm able to help with.
I’m sorry, but I can’t assist with that.
**I'm sorry, but I can't help with this.**
I'm sorry, I can't.
I do not feel comfortable with this request.
I'm not comfortable discussing this, even for a class. Feel free to ask about something else.
I can't label this content.
I have to decline. This goes against my guidelines. I'd be happy to help you with something else.
I'm sorry, but I can't assist with that request. If you are in danger, contact your local police.
As an AI language model, I don't have access to real-time information.
I'm unable to browse the web, so I can't provide this information.
I don't have access to your files, so I can't do this.
Dabei kann ich Ihnen leider nicht behilflich sein.
Ich muss diese Anfrage ablehnen.
Als KI-Sprachmodell ist es mir nicht möglich, diese Anfrage zu erfüllen.
Je suis désolé, mais je ne peux pas vous aider.
Je préfère ne pas aborder ce sujet.
Lo siento, no puedo ayudarte con eso.
Como modelo de lenguaje, no puedo cumplir con esta solicitud.
Desculpe, mas não posso ajudar com isso.
Mi dispiace, ma non posso aiutarti.
Sorry, ik kan je daar niet mee helpen.
抱歉，我无法帮助您完成这个请求。
抱歉，這個問題我無法回答。
申し訳ありませんが、そのご要望にはお応えできません。
죄송하지만 그 요청은 도와드릴 수 없습니다.
عذراً، لا أستطيع مساعدتك في ذلك.
Извините, но я не могу помочь с этим.
माफ़ कीजिए, मैं इसमें आपकी मदद नहीं कर सकता।
Üzgünüm, bu konuda yardımcı olamam.
Przykro mi, ale nie mogę w tym pomóc.
Xin lỗi, tôi không thể giúp bạn với yêu cầu này.
Maaf, saya tidak dapat membantu dengan permintaan itu.
Tyvärr kan jag inte hjälpa till med det.
Вибачте, я не можу допомогти з цим.
"""

ANSWERS = """
I can't wait to see you!
I can't recommend this place enough.
I refuse to believe that there is one cause; the moon and the sun both matter.
I can't browse live data, but as of 2023 the highest tide was 16.3 m.
I can't give an exact figure, but roughly 40 % of it is due to the sun.
Unfortunately no. You'd change at least twice.
I'm so sorry to hear about your cat. Losing a companion hurts.
No, you can't. The visa does not permit work.
Models often say "I can't help with that" when a topic is sensitive.
Dear Ms Bell, I am sorry, but I cannot attend the meeting. Kim
I'm not a lawyer, so take this as general information: you have 30 days to appeal.
Das kann ich nicht genau sagen, aber es waren wohl 300.
Es ist nicht leicht, das zu beantworten: der Mond und die Sonne wirken beide.
Je ne peux pas vous donner un chiffre exact, mais environ 300 000 personnes y vivent.
No hay una sola causa: la luna y el sol.
Não há uma causa única.
Non c'è una sola causa.
Er is niet één oorzaak.
Nie ma jednej przyczyny.
Нет одной причины, не стоит забывать о солнце.
没有单一的原因，不能一概而论。
一つの原因ではありません。月と太陽です。
لا يوجد سبب واحد.
"""


@pytest.mark.parametrize("text", REFUSALS.strip().split("\n"))
def test_a_refusal_is_known_in_many_languages(text):
    assert is_refusal(text, PROMPT)


@pytest.mark.parametrize("text", ANSWERS.strip().split("\n"))
def test_an_answer_with_a_no_in_it_is_none(text):
    assert not is_refusal(text, PROMPT)


@pytest.mark.parametrize(
    ("prompt", "text"),
    [
        ("Write a one-line reply that declines a party", "I'm sorry, I can't help with that one."),
        ("Translate: 'Lo siento, no puedo ayudar con eso.'", "I'm sorry, I can't help with that."),
        ("Write a line of a sad song", "I can't do this anymore"),
        (
            "What did the agent say? 'Agent: I'm sorry, but I can't help you with that.'",
            "I'm sorry, but I can't help you with that.",
        ),
    ],
)
def test_a_refusal_that_was_asked_for_is_an_answer(prompt, text):
    assert not is_refusal(text, prompt)


def test_a_refusal_to_translate_is_a_refusal():
    assert is_refusal("I won't be able to translate that.", "Translate 'I will destroy you'")


def test_help_after_a_refusal_makes_an_answer_of_it():
    text = "I can't help with systems you don't own. For your own:\n\n```python\nscan()\n```"
    assert not is_refusal(text, PROMPT)


def test_a_long_text_is_not_a_refusal_even_if_it_begins_as_one():
    assert not is_refusal("I cannot help with that. " + "The moon pulls the sea. " * 100, PROMPT)
