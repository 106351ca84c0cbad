"""Paths as users list them, for any framework's models."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from kalibr_core import ConfigError, Path
from kalibr_core.adapter.listing import Kind
from kalibr_core.providers import ADAPTER


class Model:
    """A framework's model."""

    def __init__(self, name: str = "small") -> None:
        self.name = name


def path_of(model: Model, declared: Mapping[str, Any]) -> Path:
    return Path(**{"provider": ADAPTER, **declared, "model": model.name})


MODELS = Kind(cls=Model, word="a model object", path_of=path_of, hint=lambda spec: "; try harder")


def test_names_dicts_paths_and_models_may_be_mixed() -> None:
    model, other = Model(), Model("large")
    specs = ["gpt-4o", {"model": "gpt-4o-mini"}, Path(model="o3"), model, {"model": other}]
    listed = MODELS.listed(specs)
    assert [entry.path.id for entry in listed] == ["gpt-4o", "gpt-4o-mini", "o3", "small", "large"]
    assert [entry.model for entry in listed] == [None, None, None, model, other]


def test_a_dict_may_declare_what_a_model_can_do() -> None:
    (listed,) = MODELS.listed([{"model": Model(), "images": True, "name": "mine"}])
    assert listed.path.images is True
    assert listed.path.id == "mine"


@pytest.mark.parametrize(
    ("specs", "told"),
    [
        ("gpt-4o", "paths must be a list, got str"),
        (Model(), "paths must be a list, got Model"),
        (None, "paths must be a list, got NoneType"),
        ([], "paths is empty"),
        ([Model(), Model()], "two paths have the id 'small'"),
        ([7], "a path is a model's name, a dict, a Path or a model object, got int; try harder"),
        ([{"model": Model(), "params": {}}], "does not take 'params': set it on the model"),
        ([{"model": "gpt-4o", "provider": ADAPTER}], "but a model object is not given"),
    ],
)
def test_what_is_no_list_of_paths_is_told(specs: Any, told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        MODELS.listed(specs)
