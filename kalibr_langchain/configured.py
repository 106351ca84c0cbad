"""What a ChatKalibr is made of: its settings, the Router behind them, and its copies."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import Any, Literal, Self

from langchain_core.language_models import BaseChatModel
from langchain_core.language_models.model_profile import ModelProfile
from langchain_core.messages import BaseMessage
from pydantic import (
    AliasChoices,
    ConfigDict,
    Field,
    SecretStr,
    field_serializer,
    field_validator,
)

from kalibr_core import Router
from kalibr_core.adapter.asking import checked_parameters
from kalibr_core.adapter.keys import KEY_ENV, dumped, hidden, plain_params, unkeyed
from kalibr_core.adapter.routers import Routers, key_of, settings_of
from kalibr_core.arguments import for_create
from kalibr_core.errors import ConfigError
from kalibr_core.gates.judge import DEFAULT

from .arguments import check_names
from .pickling import restored, state_of
from .profile import common_profile
from .routing import Routing

log = logging.getLogger("kalibr")

RUN, STRUCTURED, SESSION = "kalibr_run", "kalibr_structured", "session_id"
"""Arguments of a call that are for this model, and go to no path."""


class ConfiguredChat(BaseChatModel):
    """The fields of `ChatKalibr`, which documents them, and all that follows from them alone."""

    model_config = ConfigDict(arbitrary_types_allowed=True, extra="forbid", populate_by_name=True)

    goal: str | None = None
    paths: Sequence[Any] | None = None
    router: Any = Field(default=None, exclude=True, repr=False)
    task: str | None = None
    success_when: Callable[[str], bool] | None = Field(default=None, exclude=True)
    score_when: Callable[[str], float] | None = Field(default=None, exclude=True)
    gate: Any = Field(default=None, exclude=True)
    judge: Any = Field(default=DEFAULT, exclude=True)
    policy: Any = Field(default=None, exclude=True)
    ledger: Any = None
    max_attempts: int | None = None
    deadline_s: float | None = None
    timeout_s: float | None = Field(
        default=None, validation_alias=AliasChoices("timeout", "request_timeout")
    )
    first_token_s: float | None = None
    max_cost_usd: float | None = None
    max_wait_s: float | None = None
    same_path_retries: int | None = None
    stream_mode: Literal["live", "hold"] | None = None
    on_exhausted: Literal["raise", "best"] | None = None
    base_url: str | None = None
    api_key: SecretStr | None = None
    seed: int | None = None
    temperature: float | None = None
    max_tokens: int | None = None
    stop: list[str] | str | None = Field(
        default=None, validation_alias=AliasChoices("stop", "stop_sequences")
    )
    model_kwargs: dict[str, Any] = Field(default_factory=dict, repr=False)
    max_retries: int | None = None
    streaming: bool = False
    routers: Routers[Routing] = Field(default_factory=Routers, exclude=True, repr=False)
    """Shared with the copies that LangChain makes of this model."""

    @field_validator("paths", mode="before")
    @classmethod
    def _keep_keys(cls, paths: Any) -> Any:
        """Keys in dicts are used as any text, and are not shown."""
        return [hidden(spec) for spec in paths] if isinstance(paths, list | tuple) else paths

    @field_validator("model_kwargs")
    @classmethod
    def _only_parameters(cls, kwargs: dict[str, Any]) -> dict[str, Any]:
        checked_parameters("model_kwargs", kwargs)
        return kwargs

    @field_serializer("model_kwargs")
    def _without_key_headers(self, kwargs: dict[str, Any]) -> dict[str, Any]:
        return plain_params(kwargs)

    @field_serializer("paths")
    def _without_keys(self, paths: Sequence[Any] | None) -> Any:
        return None if paths is None else [unkeyed(spec) for spec in paths]

    def __init__(self, **data: Any) -> None:
        check_names(data, type(self).model_fields)
        super().__init__(**data)
        routing = self._routing  # what cannot be routed is told now, and as it is
        if self._defaults and not any(chat.is_named for chat in routing.models.values()):
            log.warning(
                "kalibr: %s of ChatKalibr is for paths that are named, of which there are none; "
                "set it on the chat models",
                ", ".join(self._defaults),
            )
        if self.output_version is None and "output_version" not in self.model_fields_set:
            versions = {chat.model.output_version for chat in routing.models.values()}
            vars(self)["output_version"] = versions.pop() if len(versions) == 1 else None

    @property
    def core(self) -> Router:
        """The Router behind this model: `explain`, `report`, `unwritten`."""
        return self._routing.router

    def close(self) -> None:
        """Write what is learned down, and close connections and ledger; further calls raise.

        Not needed at the end of a program. A `router` that was given stays open.
        """
        self.routers.close()

    @cached_property
    def _routing(self) -> Routing:
        if self.router is not None:
            if self.goal is not None or self.paths is not None:
                raise ConfigError("give router, or goal and paths, not both")
            router = self.router
            return self.routers.get(id(router), lambda: Routing.of(router))
        if self.goal is None or self.paths is None:
            raise ConfigError(
                'ChatKalibr needs goal and paths, such as ChatKalibr(goal="support", '
                'paths=["gpt-4o-mini", "claude-sonnet-4"]), or a ready router='
            )
        paths, settings = self.paths, self._settings()
        return self.routers.get(key_of(paths, settings), lambda: Routing.made(paths, settings))

    def _settings(self) -> dict[str, Any]:
        """The Router's settings, as far as they were given."""
        given = settings_of(
            self,
            max_attempts=self.max_attempts,
            max_retries=self.max_retries,
            timeout_s=self.timeout_s,
        )
        if self.api_key is not None:
            given["api_key"] = self.api_key.get_secret_value()
        return given

    @cached_property
    def _defaults(self) -> dict[str, Any]:
        """What named paths are sent, where the call or the path says nothing else."""
        stop = [self.stop] if isinstance(self.stop, str) else self.stop or None
        given = {"temperature": self.temperature, "max_tokens": self.max_tokens, "stop": stop}
        return {
            **{name: value for name, value in given.items() if value is not None},
            **(for_create(self.model_kwargs) if self.model_kwargs else {}),
        }

    # What LangChain, its tracing and its cache know of the model.

    @property
    def _llm_type(self) -> str:
        return "kalibr"

    @property
    def _identifying_params(self) -> dict[str, Any]:
        return {**self._routing.identity, **plain_params(self._defaults)}

    def _get_invocation_params(
        self, stop: list[str] | None = None, **kwargs: Any
    ) -> dict[str, Any]:
        return super()._get_invocation_params(stop=stop, **_without_ours(kwargs))

    def _get_llm_string(self, stop: list[str] | None = None, **kwargs: Any) -> str:
        kwargs.pop(RUN, None)
        kwargs.pop(SESSION, None)
        return super()._get_llm_string(stop=stop, **kwargs)

    def _get_ls_params(self, stop: list[str] | None = None, **kwargs: Any) -> Any:
        params = super()._get_ls_params(stop=stop, **_without_ours(kwargs))
        params["ls_provider"] = "kalibr"
        params.setdefault("ls_model_name", f"kalibr/{self._routing.router.goal}")
        if stops := stop or self._defaults.get("stop"):
            params["ls_stop"] = stops
        return params

    def _combine_llm_outputs(self, _llm_outputs: list[dict[str, Any] | None], /) -> dict[str, Any]:
        usages = [out["token_usage"] for out in _llm_outputs if out and out.get("token_usage")]
        names = ("prompt_tokens", "completion_tokens", "total_tokens")
        summed = {n: sum(u.get(n) or 0 for u in usages) for n in names} if usages else {}
        models = [out["model_name"] for out in _llm_outputs if out and out.get("model_name")]
        return {"token_usage": summed, **({"model_name": models[-1]} if models else {})}

    def _resolve_model_profile(self) -> ModelProfile | None:
        return common_profile([chat.model.profile for chat in self._routing.models.values()])

    def get_token_ids(self, text: str) -> list[int]:
        """As the first path's model counts them."""
        return self._first.get_token_ids(text)

    def get_num_tokens_from_messages(self, messages: list[BaseMessage], tools: Any = None) -> int:
        """As the first path's model counts them."""
        return self._first.get_num_tokens_from_messages(messages, tools)

    @property
    def _first(self) -> BaseChatModel:
        return next(iter(self._routing.models.values())).model

    # Copies.

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """A copy; one with other settings of the router's has a Router of its own."""
        copy = super().model_copy(update=update)
        if update:
            copy._forget()
        return copy

    def _forget(self) -> None:
        """Drop what was worked out from the settings before."""
        for name in ("_routing", "_defaults", "_serialized"):
            vars(self).pop(name, None)

    def __setattr__(self, name: str, value: Any) -> None:
        super().__setattr__(name, value)
        self._forget()

    @classmethod
    def is_lc_serializable(cls) -> bool:
        return True

    @classmethod
    def get_lc_namespace(cls) -> list[str]:
        return ["kalibr_langchain"]

    @property
    def lc_secrets(self) -> dict[str, str]:
        return {"api_key": KEY_ENV}

    @property
    def lc_attributes(self) -> dict[str, Any]:
        """The paths without their keys."""
        told: dict[str, Any] = {}
        if self.paths is not None:
            told["paths"] = [dumped(spec) for spec in self.paths]
        if self.judge is None:
            told["judge"] = None  # it is turned off
        if self.model_kwargs:
            told["model_kwargs"] = plain_params(self.model_kwargs)
        return told

    def __deepcopy__(self, memo: dict[int, Any] | None = None) -> Self:
        """A copy that learns with this one: same Router, same connections."""
        return self.__copy__()

    def __getstate__(self) -> dict[Any, Any]:
        return state_of(self, super().__getstate__())

    def __setstate__(self, state: dict[Any, Any]) -> None:
        super().__setstate__(restored(state))


def _without_ours(kwargs: dict[str, Any]) -> dict[str, Any]:
    return {k: v for k, v in kwargs.items() if k not in (RUN, STRUCTURED, SESSION, "on_exhausted")}
