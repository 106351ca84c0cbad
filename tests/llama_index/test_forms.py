"""The forms of a call: all that LlamaIndex's LLMs have, each with its signature worked out once."""

from __future__ import annotations

import inspect

import pytest
from llama_index.core.llms import LLM

from kalibr_llama_index import KalibrLLM
from kalibr_llama_index.forms import FORMS


def test_they_are_all_that_an_llm_must_have() -> None:
    assert set(FORMS) == {name for name in LLM.__abstractmethods__ if name != "metadata"}


@pytest.mark.parametrize("name", FORMS)
def test_a_routed_calls_signature_is_worked_out_once(name: str) -> None:
    wrapped = getattr(KalibrLLM, name).__wrapped__
    assert inspect.signature(wrapped) is inspect.signature(wrapped)
