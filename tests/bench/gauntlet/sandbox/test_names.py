"""What a submission sees: copies of modules, and built-ins with a guard at each door."""

from __future__ import annotations

import statistics
import types
from typing import Any

import pytest

from kalibr_bench.gauntlet.sandbox.inside.names import (
    CLASS_OF,
    SET_PAST,
    Forbidden,
    TooMuchPrinted,
    Watch,
    copies,
    namespace,
)
from kalibr_bench.gauntlet.sandbox.inside.rules import (
    MODULES,
    REFUSED_BUILTINS,
    REFUSED_MODULES,
    WITHHELD,
    may_bind,
    may_load,
    may_read,
)


@pytest.fixture
def watch() -> Watch:
    return Watch(100)


@pytest.fixture
def space(watch: Watch) -> dict[str, Any]:
    return namespace(watch, copies(list(MODULES)))


@pytest.mark.parametrize("name", MODULES)
def test_a_copy_is_no_module_of_ours_and_shows_none(name: str) -> None:
    made = copies([name])
    shown = vars(made[name])
    children = {each for each in MODULES if each.startswith(f"{name}.")}
    assert made[name] is not __import__(name, fromlist=["x"])
    assert {n for n, v in shown.items() if isinstance(v, types.ModuleType)} <= {
        child.rpartition(".")[2] for child in children
    }
    assert not WITHHELD & set(shown)
    assert [n for n in shown if not n.startswith("__")]


def test_what_is_set_on_a_copy_stays_on_it() -> None:
    copy = copies(["statistics"])["statistics"]
    copy.fmean = None  # type: ignore[attr-defined]
    assert statistics.fmean([1, 2]) == 1.5


def test_no_module_is_both_allowed_and_refused() -> None:
    assert not {name.partition(".")[0] for name in MODULES} & REFUSED_MODULES


@pytest.mark.parametrize("name", REFUSED_BUILTINS)
def test_a_refused_built_in_is_a_breach_that_is_remembered(
    name: str, watch: Watch, space: dict[str, Any]
) -> None:
    with pytest.raises(Forbidden):
        space[name]("x")
    assert watch.breach == f"{name}()"


@pytest.mark.parametrize("door", ["getattr", "hasattr", "setattr", "delattr"])
@pytest.mark.parametrize("name", ["__globals__", "__subclasses__", "gi_frame", "tb_frame"])
def test_no_door_leads_inside(door: str, name: str, watch: Watch, space: dict[str, Any]) -> None:
    with pytest.raises(Forbidden):
        space[door](len, name, *([1] if door == "setattr" else []))
    assert watch.breach == f"attribute {name}"


def test_hasattr_answers_for_what_may_be_defined(watch: Watch, space: dict[str, Any]) -> None:
    assert space["hasattr"]([], "__iter__")
    assert not space["hasattr"](1, "__getattr__")
    assert watch.breach is None
    with pytest.raises(Forbidden):
        space["getattr"](property(), "__get__")


def test_the_class_of_a_class_is_the_guarded_type(space: dict[str, Any]) -> None:
    of, guarded = space[CLASS_OF], space["type"]
    assert (of(1), of(int), of(of(int)), space["getattr"](int, "__class__")) == (
        *(int, guarded, guarded, guarded),
    )
    assert guarded[Exception] is guarded


def test_a_frozen_thing_is_set_by_names_of_its_own_alone(
    watch: Watch, space: dict[str, Any]
) -> None:
    error = ValueError()
    space[SET_PAST](error, "reading", 3)
    assert error.reading == 3  # type: ignore[attr-defined]
    with pytest.raises(Forbidden):
        space[SET_PAST](error, "__class__", TypeError)
    assert watch.breach == "object.__setattr__ of such a name"


def test_the_doors_are_open_for_the_rest(watch: Watch, space: dict[str, Any]) -> None:
    class Thing:
        pass

    thing = Thing()
    space["setattr"](thing, "reading", 3)
    assert space["getattr"](thing, "reading") == 3
    assert space["getattr"](thing, "other", None) is None
    assert space["hasattr"](thing, "reading")
    space["delattr"](thing, "reading")
    assert not space["hasattr"](thing, "reading")
    assert space["type"](thing) is Thing
    assert isinstance(Thing, space["type"])
    assert watch.breach is None


def test_an_import_gives_the_copy_its_parent_or_nothing(
    watch: Watch, space: dict[str, Any]
) -> None:
    importer = space["__import__"]
    assert importer("collections.abc").deque
    assert importer("collections.abc", names=("Mapping",)).Mapping
    with pytest.raises(ModuleNotFoundError):
        importer("numpy")
    assert watch.breach is None
    with pytest.raises(Forbidden):
        importer("os.path")
    assert watch.breach == "import os.path"


def test_printing_is_counted_over_all(watch: Watch) -> None:
    watch.print("x" * 60, 1, sep="-", end="")
    with pytest.raises(TooMuchPrinted):
        watch.print("x" * 60)
    assert "".join(watch.printed) == "x" * 60 + "-1"


def test_names_of_the_interpreters_inside_are_known_by_their_form() -> None:
    assert may_read("_private")
    assert may_read("__name__")
    assert not may_read("__dict__")
    assert may_bind("__init__")
    assert not may_bind("__match_args__")
    assert not may_bind("__name__")
    assert may_load("__name__")
    assert not may_load("__builtins__")
    assert may_load("__")
