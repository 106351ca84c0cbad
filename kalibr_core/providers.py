"""Model name -> the OpenAI-compatible server that has it, and the key for it."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from .errors import ConfigError
from .paths import check_base_url
from .types import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Provider:
    """A provider's OpenAI-compatible endpoint."""

    name: str
    base_url: str
    keys: tuple[str, ...]
    """Environment variables that may hold the key, first found wins; none: no key is needed."""
    base_url_env: str | None = None
    """An environment variable that overrides `base_url`."""
    prefixes: tuple[str, ...] = ()
    """How the names of its own models begin."""
    aliases: Mapping[str, str] = field(default_factory=dict)
    """Short model names -> what the endpoint calls them."""


PROVIDERS: dict[str, Provider] = {
    p.name: p
    for p in (
        Provider(
            name="openai",
            base_url="https://api.openai.com/v1",
            base_url_env="OPENAI_BASE_URL",
            keys=("OPENAI_API_KEY",),
            prefixes=("gpt-", "o1", "o3", "o4", "chatgpt-", "ft:gpt-"),
        ),
        Provider(
            name="deepseek",
            base_url="https://api.deepseek.com/v1",
            keys=("DEEPSEEK_API_KEY",),
            prefixes=("deepseek-",),
        ),
        Provider(
            name="anthropic",
            base_url="https://api.anthropic.com/v1/",
            keys=("ANTHROPIC_API_KEY",),
            prefixes=("claude-",),
            aliases={
                "claude-sonnet-4": "claude-sonnet-4-20250514",
                "claude-opus-4": "claude-opus-4-20250514",
            },
        ),
        Provider(
            name="google",
            base_url="https://generativelanguage.googleapis.com/v1beta/openai/",
            keys=("GEMINI_API_KEY", "GOOGLE_API_KEY"),
            prefixes=("gemini-", "gemma-"),
        ),
        Provider(
            name="groq",
            base_url="https://api.groq.com/openai/v1",
            keys=("GROQ_API_KEY",),
            prefixes=("llama-", "llama3"),
            aliases={"llama-3.3-70b": "llama-3.3-70b-versatile"},
        ),
        Provider(
            name="together",
            base_url="https://api.together.xyz/v1",
            keys=("TOGETHER_API_KEY",),
            prefixes=("meta-llama/", "qwen/", "deepseek-ai/", "moonshotai/"),
        ),
        Provider(
            name="openrouter",
            base_url="https://openrouter.ai/api/v1",
            keys=("OPENROUTER_API_KEY",),
        ),
        Provider(
            name="mistral",
            base_url="https://api.mistral.ai/v1",
            keys=("MISTRAL_API_KEY",),
            prefixes=("mistral-", "ministral-", "codestral-", "magistral-", "open-mistral"),
        ),
        Provider(
            name="ollama",
            base_url="http://localhost:11434/v1",
            base_url_env="OLLAMA_BASE_URL",
            keys=(),
        ),
    )
}

GATEWAY_URL, GATEWAY_KEY = "KALIBR_BASE_URL", "KALIBR_API_KEY"
"""One OpenAI-compatible server that has all models: a gateway, or the loopback provider."""

ADAPTER = "adapter"
"""The `provider` of paths that a framework's model object calls."""

NO_KEY = "none"
"""What a server that needs no key is sent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """Where a path's calls go."""

    provider: str | None
    """None: a server of the user's own, by `base_url`."""
    base_url: str
    model: str
    """The name that the server is sent."""
    api_key: str = field(repr=False)
    is_openais: bool = False
    """OpenAI's own server, not one that speaks like it."""


def endpoints_of(
    paths: Sequence[Path], *, base_url: str | None = None, api_key: str | None = None
) -> dict[str, Endpoint]:
    """The endpoints of a Router's paths, by their ids; arguments and errors as `endpoint_of`'s.

    Paths that an adapter calls have none.
    """
    called = [path for path in paths if path.provider != ADAPTER]
    found = {path.id: endpoint_of(path, base_url=base_url, api_key=api_key) for path in called}
    keyed = [path for path in called if path.api_key is None and path.api_key_env is None]
    servers = {found[path.id].base_url for path in keyed}
    if api_key is not None and len(servers) > 1:
        raise ConfigError(
            f"api_key= would be sent to {len(servers)} servers ({', '.join(sorted(servers))}); "
            "set the providers' own environment variables, or give each path its api_key="
        )
    return found


def endpoint_of(
    path: Path,
    *,
    base_url: str | None = None,
    api_key: str | None = None,
    environ: Mapping[str, str] | None = None,
) -> Endpoint:
    """Find a path's server and key.

    Args:
        base_url: the Router's default server, for paths that name none; else `KALIBR_BASE_URL`.
        api_key: the Router's default key, for paths that name none; else `KALIBR_API_KEY`, which
            goes to `KALIBR_BASE_URL` only.
        environ: where the keys are looked up; by default `os.environ`.

    Raises:
        ConfigError: an unknown provider, or no key.
    """
    environ = os.environ if environ is None else environ
    if base_url is None and path.base_url is None and (gateway := environ.get(GATEWAY_URL)):
        base_url, api_key = gateway, api_key or environ.get(GATEWAY_KEY)
    provider, model = _provider_and_model(path, served=path.base_url or base_url)
    server = path.base_url or base_url
    if server is not None:
        check_base_url(server)
    return Endpoint(
        provider=provider.name if provider else None,
        base_url=server or _own_url(provider, path, environ),
        model=model,
        api_key=_sendable(path.id, _key(path, provider, server, api_key, environ)),
        is_openais=provider is PROVIDERS["openai"] and server is None,
    )


def _provider_and_model(path: Path, *, served: str | None) -> tuple[Provider | None, str]:
    if path.provider is not None:
        if path.provider not in PROVIDERS:
            raise ConfigError(_unknown(f"unknown provider {path.provider!r} of path {path.id!r}"))
        provider = PROVIDERS[path.provider]
        model = path.model.removeprefix(provider.name + "/")
        return provider, provider.aliases.get(model, model)
    prefix, slash, rest = path.model.partition("/")
    if slash and prefix in PROVIDERS and rest:
        return PROVIDERS[prefix], PROVIDERS[prefix].aliases.get(rest, rest)
    if (known := _by_prefix(path.model.lower())) is not None:
        # A server of the user's own knows its models by the names that the user wrote.
        return known, path.model if served else known.aliases.get(path.model, path.model)
    if served:
        return None, path.model
    raise ConfigError(_unknown(f"no provider is known for model {path.model!r}"))


def _by_prefix(name: str) -> Provider | None:
    """The provider with the longest prefix of a model's name: `deepseek-ai/` is not DeepSeek."""
    found = [
        (len(prefix), provider)
        for provider in PROVIDERS.values()
        for prefix in provider.prefixes
        if name.startswith(prefix)
    ]
    return max(found, key=lambda one: one[0])[1] if found else None


def _unknown(what: str) -> str:
    return (
        f"{what}; write provider= or a prefix, one of {', '.join(f'{p}/' for p in PROVIDERS)}, "
        "or base_url= for a server of your own"
    )


def _own_url(provider: Provider | None, path: Path, environ: Mapping[str, str]) -> str:
    if provider is None:
        raise ConfigError(_unknown(f"no provider is known for model {path.model!r}"))
    override = environ.get(provider.base_url_env) if provider.base_url_env else None
    return override or provider.base_url


def _key(
    path: Path,
    provider: Provider | None,
    server: str | None,
    default: str | None,
    environ: Mapping[str, str],
) -> str:
    if path.api_key is not None:
        return path.api_key
    if path.api_key_env is not None:
        if key := environ.get(path.api_key_env, "").strip():
            return key
        raise ConfigError(f"path {path.id!r}: set the environment variable {path.api_key_env}")
    if default is not None:
        return default
    # A provider's key never goes to another server than its own.
    if server is not None or provider is None or not provider.keys:
        return NO_KEY
    for name in provider.keys:
        if key := environ.get(name, "").strip():
            return key
    raise ConfigError(
        f"path {path.id!r} needs a key for {provider.name}: set the environment variable "
        f"{' or '.join(provider.keys)}, or give the path api_key= or api_key_env="
    )


def _sendable(path_id: str, key: object) -> str:
    """A key as a header takes it; files and secret managers end it with a line break."""
    sent = key.strip() if isinstance(key, str) else ""
    if not sent or not sent.isascii() or not sent.isprintable():
        raise ConfigError(
            f"path {path_id!r}: api_key must be a string of printable ASCII characters, which this "
            "one is not; copy it again from the provider"
        )
    return sent
