"""What is done with an answer is reported of that very answer: by a call, and by buttons."""

from __future__ import annotations

import sys
from typing import Any

import pytest
from langchain_core.messages import AIMessage

from kalibr_bench.provider import LoopbackProvider
from kalibr_core import ConfigError, UnknownAction, UnknownDecision
from kalibr_langchain import ChatKalibr, feedback_buttons, report_action
from kalibr_langchain.feedback import decision_id_of
from kalibr_llama_index import KalibrLLM

from .ways import first_arm, joined


@pytest.fixture
def model(shared_server: LoopbackProvider) -> ChatKalibr:
    return first_arm("gpt-4o", base_url=shared_server.base_url, api_key="sk-of-the-test")


def told(model: ChatKalibr) -> list[tuple[object, float | None]]:
    entries = [entry for _, entry in model.core._learner.ledger.entries()]
    return [(entry.data["action"], entry.reward) for entry in entries if entry.kind == "action"]


def test_an_action_needs_no_session(model: ChatKalibr) -> None:
    first, second = model.invoke("Hi"), joined(list(model.stream("Hi")))
    assert report_action(first, "output_copied")
    assert not report_action(first, "output_copied")
    assert report_action(second, "output_discarded")
    assert report_action(decision_id_of(second), "output_edited")
    assert told(model) == [
        ("output_copied", 0.85),
        ("output_discarded", 0.0),
        ("output_edited", 0.5),
    ]


def test_bad_input_is_told(model: ChatKalibr) -> None:
    answer = model.invoke("Hi")
    with pytest.raises(UnknownAction, match="output_used_verbatim"):
        report_action(answer, "used")
    with pytest.raises(UnknownDecision, match="any ChatKalibr in this process"):
        report_action("d1", "output_copied")
    for call in (feedback_buttons, lambda message: report_action(message, "output_copied")):
        with pytest.raises(ConfigError, match="was not given by a ChatKalibr"):
            call(AIMessage("Hi"))
    assert told(model) == []


def parts(widget: Any) -> tuple[dict[str, Any], Any]:
    """The buttons by what stands on them, and the line below."""
    row, line = widget.children
    return {button.description: button for button in row.children}, line


def test_each_button_reports_once_and_says_what(model: ChatKalibr) -> None:
    answer = model.invoke("Hi")
    buttons, line = parts(feedback_buttons(answer))
    assert list(buttons) == ["used", "copied", "edited", "discarded"]
    expected = {
        "used": ("output_used_verbatim", 1.0),
        "copied": ("output_copied", 0.85),
        "edited": ("output_edited", 0.5),
        "discarded": ("output_discarded", 0.0),
    }
    for name, button in buttons.items():
        for _ in range(2):
            button.click()
        assert line.value == f"Reported: {expected[name][0]}"
        assert button.disabled
    assert told(model) == list(expected.values())
    again, line = parts(feedback_buttons(answer))
    again["discarded"].click()
    assert line.value == "Reported before: output_discarded"


def test_of_the_buttons_the_last_one_clicked_counts_and_the_others_may_be_clicked(
    model: ChatKalibr,
) -> None:
    buttons, line = parts(feedback_buttons(model.invoke("Hi")))
    for name in ("copied", "discarded", "copied"):
        buttons[name].click()
        assert [one for one in buttons if buttons[one].disabled] == [name]
    assert line.value == "Reported: output_copied"
    assert told(model)[-1] == ("output_copied", 0.85)


def test_an_error_is_shown_and_the_button_stays(model: ChatKalibr) -> None:
    buttons, line = parts(feedback_buttons("d1"))
    buttons["copied"].click()
    assert line.value.startswith("Not reported: UnknownDecision: ")
    assert not buttons["copied"].disabled


def test_buttons_take_any_answer_whose_decision_an_open_model_has(
    model: ChatKalibr, shared_server: LoopbackProvider
) -> None:
    llm = KalibrLLM(
        goal="li", paths=["gpt-4o"], base_url=shared_server.base_url, api_key="k", ledger="memory"
    )
    answer = llm.complete("Hi")
    for given in (answer, answer.additional_kwargs["kalibr"]["decision_id"]):
        buttons, line = parts(feedback_buttons(given))
        buttons["edited" if given is answer else "copied"].click()
        assert line.value.startswith("Reported: ")
    with pytest.raises(ConfigError, match="include_raw=True"):
        feedback_buttons(llm.complete)
    with pytest.raises(ConfigError, match="before any StrOutputParser"):
        feedback_buttons(model.invoke("Hi").text)
    llm.close()


def test_without_ipywidgets_the_error_names_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ipywidgets", None)
    with pytest.raises(ImportError, match=r'pip install -e "\.\[notebooks\]"'):
        feedback_buttons("d1")
