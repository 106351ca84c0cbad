"""How many bytes a policy holds per arm, whatever its insides look like."""

from __future__ import annotations

import enum
import gc
import json
import random
import sys
import types
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from kalibr_core.types import JSON

NOT_HELD = (
    type,
    types.ModuleType,
    types.FunctionType,
    types.BuiltinFunctionType,
    types.CodeType,
    enum.Enum,
    bool,
    type(None),
    random.Random,
)
"""Code and singletons, and the source of chance, which is an argument."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Footprint:
    """Bytes per arm.

    Attributes:
        mean: Everything, divided by the number of arms.
        most: The largest arm: its own and an equal share of what is common to all.
    """

    mean: float
    most: float


def in_memory(policy: object, arms: Collection[str]) -> Footprint:
    """The deep size of a policy. Each object counts once, constants included; singletons do not.

    Under a dict whose keys are all arms, what hangs on a key is that arm's own.
    """
    owners = _owners(policy, frozenset(arms))
    seen: set[int] = set()
    common = _size([policy], seen, owners, None)
    own = dict.fromkeys(arms, 0)
    for arm, roots in _roots(owners).items():
        own[arm] = _size(roots, seen, owners, arm)
    return _footprint(common, list(own.values()))


def in_snapshot(state: JSON, arms: Collection[str]) -> Footprint:
    """The length of a state as compact JSON."""
    whole = len(_compact(state))
    written = state.get("arms") if isinstance(state, Mapping) else None
    records = written if isinstance(written, Mapping) else {}
    own = [len(_compact({arm: records[arm]})) if arm in records else 0 for arm in arms]
    return _footprint(whole - sum(own), own)


def _footprint(common: int, own: list[int]) -> Footprint:
    count = len(own)
    return Footprint(mean=(common + sum(own)) / count, most=common / count + max(own))


def _compact(value: JSON) -> bytes:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()


def _owners(policy: object, arms: frozenset[str]) -> dict[int, tuple[str, object]]:
    """By id: the roots of what belongs to one arm, with the arm."""
    owners: dict[int, tuple[str, object]] = {}
    seen: set[int] = set()
    left = [policy]
    while left:
        thing = left.pop()
        if id(thing) in seen or _is_free(thing):
            continue
        seen.add(id(thing))
        if isinstance(thing, dict) and thing and arms.issuperset(map(_hashable, thing)):
            for arm, value in thing.items():
                owners.setdefault(id(value), (arm, value))
        left += _parts(thing)
    return owners


def _hashable(key: object) -> object:
    return key if isinstance(key, str) else None


def _roots(owners: Mapping[int, tuple[str, object]]) -> dict[str, list[object]]:
    roots: dict[str, list[object]] = {}
    for arm, value in owners.values():
        roots.setdefault(arm, []).append(value)
    return roots


def _size(
    roots: list[object],
    seen: set[int],
    owners: Mapping[int, tuple[str, object]],
    arm: str | None,
) -> int:
    """Bytes of what is reached and not yet seen, other arms' roots left out."""
    size, left = 0, list(roots)
    while left:
        thing = left.pop()
        owner = owners.get(id(thing), (arm,))[0]
        if id(thing) in seen or owner != arm or _is_free(thing):
            continue
        seen.add(id(thing))
        size += sys.getsizeof(thing)
        left += _parts(thing)
    return size


def _parts(thing: object) -> list[object]:
    """What a thing refers to: also a dict's keys, and attributes that have a dict of their own."""
    parts: list[object] = gc.get_referents(thing)
    if isinstance(thing, dict):  # the collector leaves out keys that are texts
        parts += thing
    attributes = getattr(thing, "__dict__", None)
    return parts if attributes is None else [*parts, attributes]


def _is_free(thing: object) -> bool:
    """Also the small integers, which the interpreter holds anyway."""
    return isinstance(thing, NOT_HELD) or (type(thing) is int and -5 <= thing <= 256)
