"""What calls cost: known, or None; never the dearest, and never 0 for what is not known."""

from __future__ import annotations

import pytest

from kalibr_core import Path, Usage
from kalibr_core.prices import FREE, TABLE, Price, cost_usd, price_of

PER_1000 = {
    "gpt-4o": 0.0025,
    "gpt-4o-2024-08-06": 0.0025,
    "openai/gpt-4o": 0.0025,
    "gpt-4o-mini": 0.00015,
    "claude-sonnet-4-20250514": 0.003,
    "groq/llama-3.3-70b-versatile": 0.00059,
}


@pytest.mark.parametrize("model", PER_1000)
def test_list_prices(model: str) -> None:
    usage = Usage(input_tokens=1000, output_tokens=0)
    assert cost_usd(price_of(Path(model=model)), usage) == pytest.approx(PER_1000[model])


def test_what_nobody_knows_has_no_price() -> None:
    assert price_of(Path(model="acme-9000")) is None
    assert cost_usd(None, Usage(input_tokens=1, output_tokens=1)) is None
    assert cost_usd(FREE, None) is None


def test_ones_own_machine_is_free() -> None:
    price = price_of(Path(model="ollama/llama3.2"), provider="ollama")
    assert cost_usd(price, Usage(input_tokens=10**6, output_tokens=10**6)) == 0.0


def test_the_paths_own_price_comes_first() -> None:
    path = Path(model="gpt-4o", input_usd_per_mtok=0.0, output_usd_per_mtok=4.0)
    price = price_of(path)
    assert price is not None
    assert (price.input, price.output, price.cached_input) == (0.0, 4.0, None)
    assert price.context_window == TABLE["gpt-4o"].context_window
    assert price_of(Path(model="gpt-4o", context_window=5)).context_window == 5  # type: ignore[union-attr]


def test_cached_tokens_are_part_of_the_prompt_and_have_their_own_price() -> None:
    price = Price(10.0, 20.0, 1.0)
    usage = Usage(input_tokens=1_000_000, output_tokens=0, cached_input_tokens=400_000)
    assert cost_usd(price, usage) == pytest.approx(6.0 + 0.4)
    assert cost_usd(price._replace(cached_input=None), usage) == pytest.approx(10.0)
    odd = Usage(input_tokens=10, output_tokens=0, cached_input_tokens=50)
    assert cost_usd(price, odd) == pytest.approx(10e-6), "more cached than sent is no discount"


def test_a_small_cost_does_not_become_0() -> None:
    cost = cost_usd(TABLE["gpt-4o-mini"], Usage(input_tokens=1, output_tokens=0))
    assert cost is not None
    assert cost > 0.0


def test_an_alike_name_is_not_taken_for_another_model() -> None:
    for model in ("gpt-4o-audio-preview", "gpt-4o-minimal", "claude-sonnet-40"):
        found = price_of(Path(model=model))
        assert found is None or found not in (TABLE["gpt-4o"], TABLE["gpt-4o-mini"])
