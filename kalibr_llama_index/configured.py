"""What a KalibrLLM is made of: its settings, the Router behind them, and its copies."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import Any, ClassVar, Literal, Self

from llama_index.core.base.llms.types import LLMMetadata
from llama_index.core.bridge.pydantic import Field, PrivateAttr
from llama_index.core.llms import LLM
from llama_index.core.llms.function_calling import FunctionCallingLLM
from pydantic import (
    AliasChoices,
    ConfigDict,
    SecretStr,
    ValidationError,
    field_serializer,
    field_validator,
)

from kalibr_core import Router
from kalibr_core.adapter.asking import checked_parameters
from kalibr_core.adapter.keys import KEY_ENV, hidden, plain_params, without_login
from kalibr_core.adapter.routers import Routers, key_of, settings_of
from kalibr_core.arguments import for_create
from kalibr_core.errors import ConfigError
from kalibr_core.gates.judge import DEFAULT

from .arguments import check_names
from .paths import LLMS
from .routing import Routing
from .serial import classes_in, made_path, plain_path

log = logging.getLogger("kalibr")

LOCAL = ("success_when", "score_when", "gate", "judge", "policy")
"""Functions and objects of this process."""


class ConfiguredLLM(FunctionCallingLLM):
    """The fields of `KalibrLLM`, which documents them, and all that follows from them alone."""

    model_config = ConfigDict(
        arbitrary_types_allowed=True, populate_by_name=True, hide_input_in_errors=True
    )

    is_routed: ClassVar[bool] = True

    goal: str | None = None
    paths: Any = None
    router: Any = Field(default=None, exclude=True, repr=False)
    task: str | None = None
    success_when: Callable[[str], bool] | None = Field(default=None, exclude=True)
    score_when: Callable[[str], float] | None = Field(default=None, exclude=True)
    gate: Any = Field(default=None, exclude=True)
    judge: Any = DEFAULT
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
    api_key: SecretStr | None = Field(default=None, exclude=True)
    seed: int | None = None
    temperature: float | None = None
    max_tokens: int | None = None
    additional_kwargs: dict[str, Any] = Field(default_factory=dict, repr=False)
    max_retries: int | None = None

    _routers: Routers[Routing] = PrivateAttr(default_factory=Routers)
    """Shared with copies of this LLM."""

    @field_validator("additional_kwargs")
    @classmethod
    def _only_parameters(cls, kwargs: dict[str, Any]) -> dict[str, Any]:
        checked_parameters("additional_kwargs", kwargs)
        return kwargs

    @field_serializer("additional_kwargs")
    def _without_key_headers(self, kwargs: dict[str, Any]) -> dict[str, Any]:
        return plain_params(kwargs)

    @field_serializer("paths")
    def _without_keys(self, paths: Sequence[Any] | None) -> Any:
        if paths is None and self.router is not None:
            paths = self.router.paths
        return None if paths is None else [plain_path(spec) for spec in paths]

    @field_serializer("goal")
    def _known_goal(self, goal: str | None) -> str | None:
        return self.router.goal if goal is None and self.router is not None else goal

    @field_serializer("base_url")
    def _without_login(self, url: str | None) -> str | None:
        return without_login(url)

    @field_serializer("judge")
    def _plain_judge(self, judge: Any) -> str | None:
        return None if judge is None else DEFAULT

    @field_serializer("ledger")
    def _named_ledger(self, ledger: Any) -> str | None:
        return ledger if isinstance(ledger, str) else None

    def __init__(self, **data: Any) -> None:
        check_names(data, type(self).model_fields)
        if (paths := data.get("paths")) is not None:
            # Keys in dicts are used as any text, and are not shown; plain data is made LLMs of.
            data["paths"] = [hidden(made_path(spec)) for spec in LLMS.checked(paths)]
        try:
            super().__init__(**data)
        except ValidationError as error:
            raise ConfigError(_told(error)) from None
        routing = self._routing  # what cannot be routed is told now, and as it is
        if self._defaults and not any(llm.is_named for llm in routing.models.values()):
            log.warning(
                "kalibr: %s of KalibrLLM is for paths that are named, of which there are none; "
                "set it on the LLMs",
                ", ".join(self._defaults),
            )

    @property
    def core(self) -> Router:
        """The Router behind this LLM: `explain`, `report`, `unwritten`."""
        return self._routing.router

    @property
    def metadata(self) -> LLMMetadata:
        """What can be said of all paths: the smallest window, and what any of them can do."""
        return self._routing.metadata

    @classmethod
    def class_name(cls) -> str:
        """LlamaIndex's name for it."""
        return "KalibrLLM"

    def __repr_args__(self) -> list[tuple[str | None, Any]]:
        """No key of an LLM among the paths is shown."""
        routing = vars(self).get("_routing")
        shown = [path.id for path in routing.router.paths] if routing is not None else None
        return [("goal", self.goal if routing is None else routing.router.goal), ("paths", shown)]

    def close(self) -> None:
        """Write what is learned down, and close connections and ledger; further calls raise.

        Not needed at the end of a program. A `router` that was given stays open.
        """
        self._routers.close()

    @cached_property
    def _routing(self) -> Routing:
        if self.router is not None:
            if self.goal is not None or self.paths is not None:
                raise ConfigError("give router, or goal and paths, not both")
            router = self.router
            return self._routers.get(id(router), lambda: Routing.of(router))
        if self.goal is None or self.paths is None:
            raise ConfigError(
                'KalibrLLM needs goal and paths, such as KalibrLLM(goal="support", '
                'paths=["gpt-4o-mini", "claude-sonnet-4"]), or a ready router='
            )
        paths, settings = LLMS.checked(self.paths), self._settings()
        return self._routers.get(key_of(paths, settings), lambda: Routing.made(paths, settings))

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
        given = {"temperature": self.temperature, "max_tokens": self.max_tokens}
        return {
            **{name: value for name, value in given.items() if value is not None},
            **(for_create(self.additional_kwargs) if self.additional_kwargs else {}),
        }

    # Copies.

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """A copy; one with other settings of the router's has a Router of its own."""
        copy = super().model_copy(update=update)
        if isinstance(copy.api_key, str):
            copy.api_key = SecretStr(copy.api_key)
        copy._forget()
        return copy

    def __setattr__(self, name: str, value: Any) -> None:
        if name == "api_key" and isinstance(value, str):
            value = SecretStr(value)
        super().__setattr__(name, value)
        if name in type(self).model_fields:
            self._forget()

    def _forget(self) -> None:
        """Drop what was worked out from the settings before."""
        for name in ("_routing", "_defaults"):
            vars(self).pop(name, None)

    def __deepcopy__(self, memo: dict[int, Any] | None = None) -> Self:
        """A copy that learns with this one: same Router, same connections."""
        return self.model_copy()

    def __reduce__(self) -> tuple[Any, ...]:
        """Another process makes its own, and finds its keys in the environment."""
        if self.router is not None:
            import pickle  # slow to import

            raise pickle.PicklingError(
                "a KalibrLLM with a ready router= cannot be pickled: the Router's ledger and "
                "connections belong to this process; give goal= and paths= instead"
            )
        fields = type(self).model_fields
        held = {name: getattr(self, name) for name in LOCAL}
        local = {name: v for name, v in held.items() if v is not fields[name].default}
        own_server = self.api_key is not None and self.base_url is not None
        return _remade, (type(self), self.to_dict(), local, own_server, classes_in(self.paths))


def _told(error: ValidationError) -> str:
    """Pydantic's error in one line; what was given is not shown, for it may be a key."""
    faults = (
        f"{'.'.join(map(str, fault['loc']))}: {fault['msg'].removeprefix('Value error, ')}"
        for fault in error.errors(include_input=False, include_url=False)
    )
    return f"KalibrLLM cannot be made: {'; '.join(faults)}"


def _remade(
    cls: type[ConfiguredLLM],
    plain: dict[str, Any],
    local: dict[str, Any],
    own_server: bool,
    classes: Sequence[type[LLM]],
) -> ConfiguredLLM:
    """An LLM from its pickle, which has imported the classes of its paths' LLMs."""
    import os

    key = {"api_key": os.environ.get(KEY_ENV)} if own_server else {}
    return cls.from_dict(plain, **local, **key)
