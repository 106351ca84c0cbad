"""What users list as paths -> core `Path`s, and the framework's model objects that call them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, Generic, TypeVar

from ..errors import ConfigError
from ..paths import parse_path, parse_paths
from ..providers import ADAPTER
from ..types import Path

M = TypeVar("M")

DECLARED = frozenset(f.name for f in fields(Path) if f.init) - {
    "model",
    "provider",
    "params",
    "base_url",
    "api_key",
    "api_key_env",
}
"""What a dict may say of a model object; its parameters are its own."""


@dataclass(frozen=True, slots=True)
class Listed(Generic[M]):
    """One entry of `paths`."""

    path: Path
    model: M | None
    """None: it is made from the path's name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind(Generic[M]):
    """A framework's models, as paths."""

    cls: type[M]
    word: str
    """What the framework calls one, with its article."""
    path_of: Callable[[M, Mapping[str, Any]], Path]
    """A model as a path; what is declared of it wins over what the model says of itself."""
    hint: Callable[[object], str] = lambda spec: ""
    """What to write instead of something that is no path."""

    def listed(self, specs: Sequence[Any]) -> tuple[Listed[M], ...]:
        """Check a model's `paths`.

        Raises:
            ConfigError: none, two of the same id, or one that is no path.
        """
        found = tuple(map(self._listed, self.checked(specs)))
        parse_paths([entry.path for entry in found])  # none at all, or one twice
        return found

    def checked(self, specs: Any) -> Sequence[Any]:
        """A list; what is in it is not looked at.

        Raises:
            ConfigError: it is none.
        """
        if isinstance(specs, str | Mapping | Path | self.cls) or not isinstance(specs, Sequence):
            raise ConfigError(
                f"paths must be a list, got {type(specs).__name__}; write paths=[...]"
            )
        return specs

    def _listed(self, spec: Any) -> Listed[M]:
        if isinstance(spec, self.cls):
            return Listed(self.path_of(spec, {}), spec)
        model = spec.get("model") if isinstance(spec, Mapping) else None
        if isinstance(spec, Mapping) and isinstance(model, self.cls):
            return Listed(self.path_of(model, self._declared(spec)), model)
        if not isinstance(spec, str | Mapping | Path):
            raise ConfigError(
                f"a path is a model's name, a dict, a Path or {self.word}, "
                f"got {type(spec).__name__}{self.hint(spec)}"
            )
        path = parse_path(spec)
        if path.provider == ADAPTER:
            raise ConfigError(
                f"path {path.id!r} has provider={ADAPTER!r}, but {self.word} is not given"
            )
        return Listed(path, None)

    def _declared(self, spec: Mapping[str, Any]) -> Mapping[str, Any]:
        for name in spec:
            if name != "model" and name not in DECLARED:
                raise ConfigError(
                    f"a path with {self.word} does not take {name!r}: set it on the model. "
                    f"What may be declared is {', '.join(sorted(DECLARED))}"
                )
        return spec
