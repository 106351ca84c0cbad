"""What a submission may name: modules, attributes, built-ins. Tables, and one question each."""

from __future__ import annotations

MODULES: dict[str, tuple[str, ...] | None] = {
    "__future__": None,
    "abc": ("ABC", "abstractmethod"),
    "bisect": None,
    "collections": None,
    "collections.abc": None,
    "contextlib": ("contextmanager", "nullcontext", "suppress", "ExitStack", "closing"),
    "copy": ("copy", "deepcopy", "Error"),
    "dataclasses": ("asdict", "astuple", "dataclass", "field", "fields", "replace", "MISSING"),
    "datetime": None,
    "decimal": None,
    "enum": ("Enum", "Flag", "IntEnum", "IntFlag", "StrEnum", "auto", "unique"),
    "fractions": ("Fraction",),
    "functools": (
        *("cache", "cached_property", "cmp_to_key", "lru_cache", "partial", "reduce"),
        *("total_ordering", "wraps"),
    ),
    "heapq": None,
    "itertools": None,
    "json": ("JSONDecodeError", "dumps", "loads"),
    "logging": None,
    "math": None,
    "numbers": None,
    "operator": None,
    "random": None,
    "re": None,
    "statistics": None,
    "string": ("ascii_letters", "ascii_lowercase", "ascii_uppercase", "digits", "punctuation"),
    "time": ("monotonic", "monotonic_ns", "perf_counter", "perf_counter_ns", "sleep", "time"),
    "types": ("MappingProxyType", "SimpleNamespace"),
    "typing": None,
    "warnings": None,
}
"""Allowed modules, and which of their names; None: those of its `__all__`, or all public
ones, that are no modules.

`logging` and `warnings` are stand-ins that do nothing: the real ones open files.
"""

WITHHELD = frozenset(
    {
        # They take attributes by a name that no check of the source has seen.
        *("attrgetter", "methodcaller", "get_type_hints", "ForwardRef", "get_annotations"),
        "evaluate_forward_ref",
        *("SystemRandom", "Formatter"),
    }
)
"""Public names that no module shows."""

REFUSED_MODULES = frozenset(
    {
        *("os", "sys", "io", "posix", "nt", "pathlib", "shutil", "tempfile", "glob", "fcntl"),
        *("subprocess", "multiprocessing", "threading", "_thread", "concurrent", "asyncio"),
        *("socket", "ssl", "http", "urllib", "requests", "httpx", "select", "selectors", "ftplib"),
        *("ctypes", "_ctypes", "cffi", "mmap", "signal", "resource", "pty", "platform", "gc"),
        *("importlib", "imp", "pkgutil", "runpy", "builtins", "inspect", "code", "codeop", "ast"),
        *("pickle", "marshal", "shelve", "sqlite3", "dbm", "atexit", "weakref", "faulthandler"),
        *("tracemalloc", "traceback", "linecache", "tokenize", "dis", "zipfile", "tarfile"),
        "kalibr_bench",
        "kalibr_core",
    }
)
"""An import of these is a breach. Of any other module that is not allowed: it is not installed."""

DUNDER_ATTRIBUTES = frozenset(
    {"__name__", "__class__", "__init__", "__doc__", "__len__", "__post_init__", "__qualname__"}
)
READ_NAMES = frozenset({"__name__", "__doc__", "__debug__"})
METHODS = frozenset(
    {
        *("__init__", "__len__", "__post_init__"),
        *("__add__", "__bool__", "__call__", "__contains__", "__enter__", "__eq__", "__exit__"),
        *("__float__", "__ge__", "__getitem__", "__gt__", "__hash__", "__int__", "__iter__"),
        *("__le__", "__lt__", "__mul__", "__ne__", "__neg__", "__next__", "__radd__", "__repr__"),
        *("__reversed__", "__setitem__", "__delitem__", "__slots__", "__str__", "__sub__"),
        *("__truediv__", "__missing__", "__copy__", "__deepcopy__", "__format__", "__index__"),
        *("__all__", "__version__", "__author__"),
    }
)
"""Dunder names that may be defined: of methods, mostly."""
FRAME_ATTRIBUTES = frozenset(
    {
        *("gi_frame", "gi_code", "gi_yieldfrom", "cr_frame", "cr_code", "cr_await", "cr_origin"),
        *("ag_frame", "ag_code", "ag_await", "tb_frame", "tb_next", "f_back", "f_globals"),
        *("f_locals", "f_builtins", "f_code", "f_trace", "co_code", "co_consts", "func_globals"),
    }
)

BUILTINS = (
    *("abs", "all", "any", "ascii", "bin", "bool", "bytearray", "bytes", "callable", "chr"),
    *("classmethod", "complex", "dict", "divmod", "enumerate", "filter", "float", "format"),
    *("frozenset", "hash", "hex", "id", "int", "isinstance", "issubclass", "iter", "len", "list"),
    *("map", "max", "min", "next", "object", "oct", "ord", "pow", "property", "range", "repr"),
    *("reversed", "round", "set", "slice", "sorted", "staticmethod", "str", "sum", "super"),
    *("tuple", "zip", "Ellipsis", "NotImplemented", "__build_class__"),
)
REFUSED_BUILTINS = (
    *("open", "eval", "exec", "compile", "globals", "locals", "vars", "dir", "input"),
    *("breakpoint", "memoryview", "help", "exit", "quit"),
)


def is_dunder(name: str) -> bool:
    """Whether it is a name of the interpreter's own."""
    return name.startswith("__") and name.endswith("__") and len(name) > 4


def may_read(attribute: str) -> bool:
    """Whether an attribute of that name may be taken."""
    if is_dunder(attribute):
        return attribute in DUNDER_ATTRIBUTES
    return attribute not in FRAME_ATTRIBUTES


def may_bind(name: str) -> bool:
    """Whether a variable, parameter or method may have that name.

    Not `__match_args__`, `__annotations__`, `__name__` and their like: parts of the interpreter
    and of the library take names of attributes, or code, from them.
    """
    return not is_dunder(name) or name in METHODS


def may_load(name: str) -> bool:
    """Whether a name may be read."""
    return may_bind(name) or name in READ_NAMES
