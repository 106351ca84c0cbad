"""LLM classes without callbacks: so a routed call is one start and one end, whatever its attempts.

LlamaIndex wraps the methods of an LLM so that each call sends events and spans. A path's own would
stand beside the routed call's, one set for each attempt. What is inside the wrapping is found and
called instead; the user's own class and objects stay as they are.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

from llama_index.core.llms import LLM

from .forms import FORMS

QUIET = "kalibr_quiet"
"""What marks a class of ours; it is nobody's to make LLMs of."""
INNER = "f"
"""What LlamaIndex's own wrapper calls the method that it wraps."""
WRAPPERS = "llama_index.core.llms.callbacks"


@lru_cache(maxsize=256)
def quiet(cls: type[LLM]) -> type[LLM]:
    """A subclass whose calls send no events.

    Between each class that wraps its methods and the one that inherits it, one is put that has them
    unwrapped, so that `super().chat(...)` is quiet too.
    """
    try:
        return _quiet(cls)
    except TypeError:  # the class wants more of those that inherit it: its events come twice
        return cls


def _quiet(cls: type[LLM]) -> type[LLM]:
    layer: type[LLM] | None = None
    for base in reversed(cls.__mro__):
        found = {n: inner for n, m in vars(base).items() if (inner := _unwrapped(n, m)) is not None}
        if found and issubclass(base, LLM) and base is not LLM:
            layer = _layer(base, layer, found)
    if layer is None or issubclass(layer, cls):
        return layer or cls
    return _layer(cls, layer, {})


def _layer(cls: type[LLM], below: type[LLM] | None, methods: dict[str, Any]) -> type[LLM]:
    bases = (cls,) if below is None or issubclass(cls, below) else (cls, below)
    namespace = {"__module__": cls.__module__, "__qualname__": cls.__qualname__}
    made: type[LLM] = type(cls)(cls.__name__, bases, namespace)  # type: ignore[misc]  # a class's class
    type.__setattr__(made, QUIET, True)
    for name, method in methods.items():
        setattr(made, name, method)  # only now: a class body's methods would be wrapped in spans
    return made


def _unwrapped(name: str, method: Any) -> Any:
    """The method inside LlamaIndex's spans and callbacks; None: it is wrapped in neither."""
    function = method
    if name in FORMS and hasattr(function, "__dispatcher_span_decorated__"):
        function = getattr(function, "__wrapped__", function)
    inner = _inside_callbacks(function)
    if inner is not None:
        return inner
    return None if function is method and name not in FORMS else function


def _inside_callbacks(function: Any) -> Callable[..., Any] | None:
    code = getattr(function, "__code__", None)
    if code is None or INNER not in code.co_freevars:
        return None
    if getattr(function, "__globals__", {}).get("__name__") != WRAPPERS:
        return None
    inner: Callable[..., Any] = function.__closure__[code.co_freevars.index(INNER)].cell_contents
    return _inside_callbacks(inner) or inner  # it may have been wrapped twice
