"""Model names -> servers and keys."""

from __future__ import annotations

import pytest

from kalibr_core import ConfigError, Path
from kalibr_core.providers import NO_KEY, PROVIDERS, endpoint_of, endpoints_of

KEYS = {name: f"key-of-{p.name}" for p in PROVIDERS.values() for name in p.keys[:1]}

WHERE: list[tuple[str, str, str]] = [
    ("gpt-4o", "openai", "gpt-4o"),
    ("o3-mini", "openai", "o3-mini"),
    ("openai/acme-1", "openai", "acme-1"),
    ("claude-sonnet-4", "anthropic", "claude-sonnet-4-20250514"),
    ("claude-haiku-4-5", "anthropic", "claude-haiku-4-5"),
    ("deepseek-coder", "deepseek", "deepseek-coder"),
    ("deepseek-ai/DeepSeek-V3", "together", "deepseek-ai/DeepSeek-V3"),
    ("gemini-2.5-flash", "google", "gemini-2.5-flash"),
    ("llama-3.3-70b", "groq", "llama-3.3-70b-versatile"),
    ("groq/llama-3.3-70b-versatile", "groq", "llama-3.3-70b-versatile"),
    ("meta-llama/Llama-3-70b", "together", "meta-llama/Llama-3-70b"),
    ("together/Qwen/Qwen2", "together", "Qwen/Qwen2"),
    ("openrouter/anthropic/claude-sonnet-4", "openrouter", "anthropic/claude-sonnet-4"),
    ("mistral-large-latest", "mistral", "mistral-large-latest"),
    ("GPT-4o", "openai", "GPT-4o"),
]


@pytest.mark.parametrize(("name", "provider", "model"), WHERE)
def test_a_models_name_tells_its_provider(name: str, provider: str, model: str) -> None:
    endpoint = endpoint_of(Path(model=name), environ=KEYS)
    assert endpoint.provider == provider
    assert endpoint.model == model
    assert endpoint.base_url == PROVIDERS[provider].base_url
    assert endpoint.api_key == f"key-of-{provider}"


def test_a_server_on_ones_own_machine_needs_no_key() -> None:
    endpoint = endpoint_of(Path(model="ollama/llama3.2"), environ={})
    assert (endpoint.provider, endpoint.model, endpoint.api_key) == ("ollama", "llama3.2", NO_KEY)


def test_a_providers_key_goes_to_no_other_server() -> None:
    for path, base_url in (
        (Path(model="gpt-4o", base_url="http://other/v1"), None),
        (Path(model="gpt-4o"), "http://other/v1"),
    ):
        endpoint = endpoint_of(path, base_url=base_url, environ=KEYS)
        assert endpoint.base_url == "http://other/v1"
        assert endpoint.api_key == NO_KEY


def test_the_narrowest_key_wins() -> None:
    environ = {**KEYS, "MINE": "from-mine"}
    given = Path(model="gpt-4o", api_key="given", api_key_env="MINE")
    named = Path(model="gpt-4o", api_key_env="MINE")
    plain = Path(model="gpt-4o")
    for path, key in ((given, "given"), (named, "from-mine"), (plain, "default")):
        assert endpoint_of(path, api_key="default", environ=environ).api_key == key
    assert endpoint_of(plain, environ=environ).api_key == "key-of-openai"


def test_the_first_key_variable_that_is_set_counts() -> None:
    path = Path(model="gemini-2.5-flash")
    assert endpoint_of(path, environ={"GOOGLE_API_KEY": "g"}).api_key == "g"
    both = {"GEMINI_API_KEY": "first", "GOOGLE_API_KEY": "second"}
    assert endpoint_of(path, environ=both).api_key == "first"
    blank = {"GEMINI_API_KEY": " \n", "GOOGLE_API_KEY": "second\n"}
    assert endpoint_of(path, environ=blank).api_key == "second"


def test_a_servers_address_may_come_from_the_environment() -> None:
    environ = {**KEYS, "OPENAI_BASE_URL": "http://proxy/v1"}
    assert endpoint_of(Path(model="gpt-4o"), environ=environ).base_url == "http://proxy/v1"


def test_the_gateways_key_goes_to_the_gateway_only() -> None:
    environ = {**KEYS, "KALIBR_BASE_URL": "http://gateway/v1", "KALIBR_API_KEY": "gate"}
    endpoint = endpoint_of(Path(model="gpt-4o"), environ=environ)
    assert (endpoint.base_url, endpoint.api_key) == ("http://gateway/v1", "gate")
    own = endpoint_of(Path(model="m", base_url="http://own/v1"), environ=environ)
    assert (own.base_url, own.api_key) == ("http://own/v1", NO_KEY)
    given = endpoint_of(Path(model="gpt-4o"), base_url="http://given/v1", environ=environ)
    assert (given.base_url, given.api_key) == ("http://given/v1", NO_KEY)


def test_a_key_is_not_in_an_endpoints_repr() -> None:
    assert "key-of" not in repr(endpoint_of(Path(model="gpt-4o"), environ=KEYS))


def test_an_own_server_takes_any_name_as_it_is_written() -> None:
    endpoint = endpoint_of(Path(model="acme/9000"), base_url="http://own/v1", environ={})
    assert (endpoint.provider, endpoint.model) == (None, "acme/9000")
    alias = endpoint_of(Path(model="claude-sonnet-4"), base_url="http://own/v1", environ={})
    assert alias.model == "claude-sonnet-4"


def test_a_provider_without_a_model_is_refused() -> None:
    with pytest.raises(ConfigError, match="no provider is known for model 'groq/'"):
        endpoint_of(Path(model="groq/"), environ=KEYS)


def test_one_key_is_not_sent_to_several_providers() -> None:
    with pytest.raises(ConfigError, match="would be sent to 2 servers"):
        endpoints_of([Path(model="gpt-4o"), Path(model="deepseek-chat")], api_key="sk-one")


def test_one_key_serves_one_server_with_many_models() -> None:
    paths = [Path(model="gpt-4o"), Path(model="claude-sonnet-4")]
    found = endpoints_of(paths, base_url="http://127.0.0.1:1/v1", api_key="sk-one")
    assert {e.api_key for e in found.values()} == {"sk-one"}


def test_only_openais_own_server_is_openais(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its organisation and project, which the client reads from the environment, stay there."""
    monkeypatch.setenv("OPENAI_API_KEY", "sk-one")
    assert endpoint_of(Path(model="gpt-4o")).is_openais
    assert not endpoint_of(Path(model="gpt-4o", base_url="http://127.0.0.1:1/v1")).is_openais
