"""Prose that breaks off is seen where that is plain, and a missing full stop is not enough."""

from __future__ import annotations

import pytest

from kalibr_core.gates.cut_prose import is_cut

LONG = (
    "Born in a small fishing village, she joined her first expedition at nineteen. "
    "She mapped 3,000 km of coast over four decades. "
)


@pytest.mark.parametrize(
    "text",
    [
        "Large cities plan their transport by modelling demand and then the",
        "The article discusses how the",
        "They begin with demand models (surveys, ticket data and",
        LONG + "Her journals describe in detail how",
        LONG + "The museum shows her maps and the instru",
        "First, buses feed the rail network at hubs, and",
        "Die Stadt plant den Verkehr. Danach folgt die Wahl der",
        "La ville commence par la demande. Ensuite elle dessine les lignes avec",
        "La ciudad modela la demanda. Después dibuja las líneas para",
        "Город моделирует спрос. Затем проектирует линии для",
        "城市先做客流预测。然后设计线路，并根据预算调整班次的",
        "都市はまず需要を予測します。次に路線を",
        "1. Demand\n2. Design\n3.",
        "- Launch: moved to May\n- Hiring: two offers\n-",
        "- **Launch**: moved to May\n- **Bud",
        "We looked at the three plans. The main differences are:",
        "**Clothing**\n- Base layers (2-3 sets)\n- Insulated boots with",
    ],
)
def test_a_text_that_breaks_off_is_cut(text):
    assert is_cut(text)


@pytest.mark.parametrize(
    "text",
    [
        "Paris",
        "They model demand first, then draw lines to fit it",
        "The city that I come from",
        "Best regards,\nAnna",
        "Best regards,",
        "Use 2**10",
        "Pass **kwargs on",
        "The answer:\n42.",
        "The solution is the half-open interval (0, 1]",
        "Great job everyone on the release :tada:",
        "in\non\nat\nwith",
        "const total = a + b + c * d + e;",
        "A tale of\nroses and\nthe end",
        "旧桥五月起关闭，工期两年",
        "| a | b |\n|---|---|\n| 1 | 2 |",
        "Read it at https://example.org/the",
        "Vitamin A",
    ],
)
def test_a_text_without_a_last_full_stop_is_whole(text):
    assert not is_cut(text)


def test_a_message_may_do_without_its_last_full_stop():
    text = LONG + "Let me know if Thursday suits you for a talk about it"
    assert is_cut(text, sentences=2)
    assert not is_cut(text, sentences=None)
