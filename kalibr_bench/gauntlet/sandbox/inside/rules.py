"""What a submission may name: modules, attributes, built-ins. Tables, and one question each."""

from __future__ import annotations

MODULES: dict[str, tuple[str, ...] | None] = {
    "__future__": None,
    "abc": ("ABC", "ABCMeta", "abstractmethod"),
    "bisect": None,
    "collections": None,
    "collections.abc": None,
    "contextlib": (
        *("AbstractContextManager", "contextmanager", "nullcontext", "suppress", "ExitStack"),
        "closing",
    ),
    "copy": ("copy", "deepcopy", "Error"),
    "dataclasses": (
        *("asdict", "astuple", "dataclass", "field", "fields", "is_dataclass", "replace"),
        *("FrozenInstanceError", "InitVar", "KW_ONLY", "MISSING"),
    ),
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
    "json": ("JSONDecodeError", "JSONDecoder", "JSONEncoder", "dumps", "loads"),
    "logging": None,
    "math": None,
    "numbers": None,
    "operator": None,
    "random": None,
    "re": None,
    "statistics": None,
    "string": (
        *("ascii_letters", "ascii_lowercase", "ascii_uppercase", "capwords", "digits"),
        *("hexdigits", "octdigits", "printable", "punctuation", "whitespace"),
    ),
    "time": (
        *("asctime", "ctime", "gmtime", "localtime", "mktime", "monotonic", "monotonic_ns"),
        *("perf_counter", "perf_counter_ns", "process_time", "process_time_ns", "sleep"),
        *("strftime", "strptime", "struct_time", "time", "time_ns"),
    ),
    "types": (
        *("BuiltinFunctionType", "FunctionType", "GeneratorType", "LambdaType", "MappingProxyType"),
        *("MethodType", "NoneType", "SimpleNamespace", "TracebackType"),
    ),
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
        # Their origin, or what is derived from them, is a real metaclass.
        *("ABCMeta", "Type"),
        "SystemRandom",
    }
)
"""Public names that no module shows; for some of them `names` has a guarded one."""

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

OPERATORS = frozenset(
    f"__{reflected}{name}__"
    for reflected in ("", "r", "i")
    for name in (
        *("add", "sub", "mul", "truediv", "floordiv", "mod", "pow", "matmul", "and", "or", "xor"),
        *("lshift", "rshift", "divmod"),
    )
)
METHODS = OPERATORS | {
    *("__new__", "__init__", "__post_init__", "__init_subclass__", "__call__"),
    *("__eq__", "__ge__", "__gt__", "__le__", "__lt__", "__ne__", "__hash__", "__bool__"),
    *("__abs__", "__ceil__", "__float__", "__floor__", "__index__", "__int__", "__invert__"),
    *("__neg__", "__pos__", "__round__", "__trunc__"),
    *("__contains__", "__delitem__", "__getitem__", "__iter__", "__len__", "__length_hint__"),
    *("__missing__", "__next__", "__reversed__", "__setitem__"),
    *("__enter__", "__exit__", "__copy__", "__deepcopy__"),
    *("__format__", "__repr__", "__str__", "__slots__"),
}
"""Dunder names that may be defined and called: syntax, or a built-in, says the same."""
DEFINED = frozenset(
    {
        *("__getattr__", "__get__", "__set__", "__delete__", "__set_name__", "__class_getitem__"),
        *("__all__", "__version__", "__author__"),
    }
)
"""May be defined, and not read."""
DUNDER_ATTRIBUTES = METHODS | {
    *("__name__", "__class__", "__doc__", "__qualname__", "__cause__", "__context__", "__notes__"),
}
READ_NAMES = frozenset({"__name__", "__doc__", "__debug__"})
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


def may_ask(attribute: str) -> bool:
    """Whether `hasattr` answers, which gives no attribute away."""
    return may_read(attribute) or attribute in DEFINED


def may_bind(name: str) -> bool:
    """Whether a variable, parameter or method may have that name.

    Not `__match_args__`, `__annotations__`, `__name__` and their like: parts of the interpreter
    and of the library take names of attributes, or code, from them.
    """
    return not is_dunder(name) or name in METHODS or name in DEFINED


def may_load(name: str) -> bool:
    """Whether a name may be read."""
    return may_bind(name) or name in READ_NAMES
