"""A Router, and a framework's model for each of its paths: any framework's."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from kalibr_core import ConfigError, Path, Router, RouterClosed
from kalibr_core.adapter.listing import Kind
from kalibr_core.adapter.routing import Making, Routing
from kalibr_core.providers import ADAPTER, Endpoint

KEY = "sk-12345678"
MESSAGES = [{"role": "user", "content": "x"}]


class Model:
    """A framework's model."""

    def __init__(self, name: str, *, limiter: object = None, most: int | None = None) -> None:
        self.name, self.limiter, self.most = name, limiter, most


class Held:
    """What calls a path."""

    def __init__(self, path: Path, model: Model, endpoint: Endpoint | None) -> None:
        self.path, self.model, self.endpoint = path, model, endpoint
        self.limiter = model.limiter
        self.longest_limiter_wait_s = 1e9
        self.most_tokens = model.most
        self.closed = False

    def close(self) -> None:
        self.closed = True


def path_of(model: Model, declared: Mapping[str, Any]) -> Path:
    return Path(**{"provider": ADAPTER, **declared, "model": model.name})


MAKING = Making(
    kind=Kind(cls=Model, word="a model", path_of=path_of),
    named=lambda path, endpoint: Model(endpoint.model),
    held=Held,
    declared=lambda path, model: path,
)
SETTINGS = {"goal": "g", "ledger": "memory", "api_key": KEY}


def make(*paths: Any, **settings: Any) -> Routing[Held]:
    return Routing.make(MAKING, list(paths), {**SETTINGS, **settings})


def test_names_get_a_model_and_models_are_kept() -> None:
    mine = Model("mine")
    found = make("gpt-4o", mine).models
    assert found["mine"].model is mine
    assert found["mine"].endpoint is None
    assert found["gpt-4o"].model.name == "gpt-4o"
    assert found["gpt-4o"].endpoint is not None
    assert found["gpt-4o"].endpoint.api_key == KEY


def test_a_limiter_is_waited_for_longer_where_every_path_has_one() -> None:
    limited, other, free = (
        Model("a", limiter=object()),
        Model("b", limiter=object()),
        Model("c"),
    )
    waits = [held.longest_limiter_wait_s for held in make(limited, other).models.values()]
    assert waits == [1e9, 1e9]
    beside = make(limited, free, max_wait_s=2.0).models
    assert beside["a"].longest_limiter_wait_s == 2.0


def test_a_limit_of_answers_counts_where_all_models_have_it() -> None:
    assert make(Model("a", most=5), Model("b", most=5)).most_tokens == 5
    assert make(Model("a", most=5), Model("b", most=6)).most_tokens is None


def test_closing_closes_what_was_made_here() -> None:
    routing = make("gpt-4o")
    routing.close()
    assert all(held.closed for held in routing.models.values())
    with pytest.raises(RouterClosed):
        routing.router.completion(MESSAGES)


def test_a_ready_router_stays_open() -> None:
    router = Router(
        "g", paths=["gpt-4o"], api_key=KEY, base_url="http://127.0.0.1:9", ledger="memory"
    )
    routing = Routing.around(MAKING, router)
    assert routing.models["gpt-4o"].endpoint is not None
    routing.close()
    assert not router.is_closed


@pytest.mark.parametrize("router", [None, "router", object(), Router])
def test_what_is_no_router_is_told(router: Any) -> None:
    with pytest.raises(ConfigError, match=r"router must be a kalibr_core\.Router"):
        Routing.around(MAKING, router)


def test_a_path_without_a_server_and_a_model_is_told() -> None:
    router = Router("g", paths=[Path(model="mine", provider=ADAPTER)], ledger="memory")
    with pytest.raises(ConfigError, match="path 'mine' has no server, and a model is not given"):
        Routing.around(MAKING, router)
