"""Blanks that nobody filled are found, and those that were asked for are left."""

from __future__ import annotations

import pytest

from kalibr_core.gates.prose import has_blank, has_filler, is_shell

PROMPT = "Write a short cold email to Dana at Acme about Lumo, signed Kim."


@pytest.mark.parametrize(
    "text",
    [
        "Hi [Name],\n\nLumo is great.\n\n[Your Name]",
        "Hi {{first_name}}, Lumo is great",
        "Hi {name}, Lumo is great",
        "Dear <Name>, hello",
        "Lumo helps [COMPANY] grow",
        "Best,\n[Recipient's Name]",
        "Sehr geehrte Frau [Nachname],",
        "Bonjour [Prénom],",
        "Estimada [Nombre]:",
        "尊敬的[姓名]：",
        "〇〇様",
        "Hi ________,",
        "Hi %FIRST_NAME%,",
        "Hi Dana, INSERT VALUE HERE.",
        "As shown [insert source here]",
    ],
)
def test_an_unfilled_blank_is_found_unless_a_template_was_asked_for(text):
    assert has_blank(text, PROMPT)
    assert not has_blank(text, "Write a template for a cold email")
    assert not has_blank(text, f"Shorten this: {text}")


@pytest.mark.parametrize(
    "text",
    [
        "Hi Dana, see [our company](https://lumo.ai).",
        "Subject: [Webinar] Lumo",
        "As shown in [1] and [2].",
        "- [ ] call\n- [x] mail",
        "It grew by 40 % (see below).",
        "Use f{x} < 3 > 2",
    ],
)
def test_other_brackets_are_no_blanks(text):
    assert not has_blank(text, PROMPT)


def test_filler_text_is_found_unless_asked_for():
    assert has_filler("Lorem ipsum dolor sit amet", PROMPT)
    assert not has_filler("Lorem ipsum dolor sit amet", "Give me some lorem ipsum")
    assert not has_filler("A sentence.", PROMPT)


@pytest.mark.parametrize("text", ["N/A", "TODO: write", "[Summary]", "<answer>", "**Subject:**"])
def test_a_shell_is_a_name_without_its_thing(text):
    assert is_shell(text, PROMPT)


@pytest.mark.parametrize("text", ["Paris", "No.", "A: b", "Note: the bridge closes in May"])
def test_a_short_text_is_no_shell(text):
    assert not is_shell(text, PROMPT)
