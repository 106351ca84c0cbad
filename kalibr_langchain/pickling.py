"""A ChatKalibr in another process: its settings go along, keys and connections do not."""

from __future__ import annotations

import os
import pickle
from collections.abc import Mapping
from typing import Any

from langchain_core.language_models import BaseChatModel
from pydantic import SecretStr

from kalibr_core.adapter.keys import KEY_ENV, plain_params, portable_spec


def state_of(model: Any, state: dict[Any, Any]) -> dict[Any, Any]:
    """A model's state as it can be pickled.

    Chat models hold locks and connections; one is remade from its settings, and its key is found in
    the environment again.
    """
    fields = dict(state["__dict__"])
    fields["router"] = None
    if fields.get("paths") is not None:
        fields["paths"] = [_packed(spec) for spec in fields["paths"]]
    own_server = fields.get("api_key") is not None and fields.get("base_url") is not None
    fields["api_key"] = KEY_ENV if own_server else None  # its place there, not the key
    fields["model_kwargs"] = plain_params(fields.get("model_kwargs") or {})
    for name in list(fields):
        if name not in type(model).model_fields:
            del fields[name]  # what was worked out and kept
    if model.router is not None:
        raise pickle.PicklingError(
            "a ChatKalibr with a ready router= cannot be pickled: the Router's ledger and "
            "connections belong to this process; give goal= and paths= instead"
        )
    return {**state, "__dict__": fields}


def restored(state: dict[Any, Any]) -> dict[Any, Any]:
    """The state of a pickled model, its chat models remade."""
    fields = dict(state["__dict__"])
    if fields.get("paths") is not None:
        fields["paths"] = [_unpacked(spec) for spec in fields["paths"]]
    if fields.get("api_key") is not None:
        key = os.environ.get(fields["api_key"])
        fields["api_key"] = SecretStr(key) if key else None
    return {**state, "__dict__": fields}


class Packed:
    """A chat model's class and the settings that it was made with."""

    def __init__(self, model: BaseChatModel) -> None:
        self.kind = type(model)
        said = {name: getattr(model, name) for name in model.model_fields_set}
        self.settings = {
            name: value
            for name, value in plain_params(said).items()
            if not isinstance(value, SecretStr) and _is_plain(value)
        }

    def made(self) -> BaseChatModel:
        aliases = {name: f.alias for name, f in self.kind.model_fields.items() if f.alias}
        return self.kind(**{aliases.get(n, n): value for n, value in self.settings.items()})


def _packed(spec: Any) -> Any:
    if isinstance(spec, BaseChatModel):
        return Packed(spec)
    shown = portable_spec(spec)
    if isinstance(shown, Mapping):
        return {name: _packed_model(value) for name, value in shown.items()}
    return shown


def _packed_model(value: Any) -> Any:
    return Packed(value) if isinstance(value, BaseChatModel) else value


def _unpacked(spec: Any) -> Any:
    if isinstance(spec, Packed):
        return spec.made()
    if isinstance(spec, Mapping):
        return {name: _unpacked(value) for name, value in spec.items()}
    return spec


def _is_plain(value: object) -> bool:
    """Clients and functions of this process stay here."""
    try:
        pickle.dumps(value)
    except Exception:  # noqa: BLE001  # pickling raises what it likes
        return False
    return True
