"""Arguments of a routed model's constructor that it does not take: what to write instead."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from difflib import get_close_matches

from ..errors import ConfigError


def check_names(
    data: Iterable[str],
    known: Collection[str],
    *,
    model: str,
    elsewhere: Mapping[str, str],
    further: str,
) -> None:
    """Refuse what is no argument, with what to write instead.

    Args:
        known: the arguments.
        model: the class's name, for the error.
        elsewhere: arguments of the framework's own models, and what becomes of them.
        further: the argument that takes a provider's further parameters.

    Raises:
        ConfigError: names it.
    """
    for name in data:
        if name in known:
            continue
        if (hint := elsewhere.get(name)) is None:
            close = get_close_matches(name, sorted(known), n=1, cutoff=0.75)
            hint = (
                f"did you mean {close[0]}=?"
                if close
                else f"a parameter of the provider's goes into {further}={{{name!r}: ...}}"
            )
        raise ConfigError(f"{model} takes no {name}=; {hint}")
