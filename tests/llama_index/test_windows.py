"""How large a named model's context window is."""

from __future__ import annotations

import pytest
from llama_index.core.constants import DEFAULT_CONTEXT_WINDOW

from kalibr_core import Path
from kalibr_llama_index.windows import WINDOWS, window_of
from tests.core.scene import warnings_of


@pytest.mark.parametrize(
    ("model", "window"),
    [
        ("gpt-4o", 128_000),
        ("gpt-4o-mini", 128_000),
        ("claude-sonnet-4-20250514", 200_000),
        ("gemini-1.5-pro-002", 2_097_152),
        ("gemini-2.5-flash", 1_048_576),
        ("deepseek-chat", 64_000),
        ("llama-3.3-70b-versatile", 131_072),
        ("meta-llama/Llama-3.3-70B-Instruct-Turbo", 131_072),
        ("anthropic/claude-3.5-sonnet", 200_000),
        ("qwen/qwen-2.5", 32_768),
    ],
)
def test_a_known_models_window_is_known_whoever_serves_it(
    model: str, window: int, caplog: pytest.LogCaptureFixture
) -> None:
    assert window_of(Path(model=model), model) == window
    assert warnings_of(caplog) == []


@pytest.mark.parametrize("model", ["gpt-4o", "of-our-own"])
def test_what_is_declared_wins(model: str, caplog: pytest.LogCaptureFixture) -> None:
    assert window_of(Path(model=model, context_window=5), model) == 5
    assert warnings_of(caplog) == []


def test_an_unknown_one_is_llama_indexs_default_and_told(caplog: pytest.LogCaptureFixture) -> None:
    path = Path(model="of-our-own", name="mine")
    assert window_of(path, "of-our-own") == DEFAULT_CONTEXT_WINDOW
    (warning,) = warnings_of(caplog)
    assert "'mine'" in warning
    assert '{"model": \'of-our-own\', "context_window": 128000}' in warning


def test_the_narrower_prefix_stands_before_the_wider() -> None:
    seen: list[str] = []
    for prefix, tokens in WINDOWS:
        assert not any(prefix.startswith(before) for before in seen), prefix
        assert tokens > 0
        seen.append(prefix)
