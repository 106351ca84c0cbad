"""The child: read a request, lock the door, load the source, answer calls.

It knows nothing that a submission must not: the requests hold the arguments of one call each, the
judging is done by the parent.
"""

from __future__ import annotations

import ast
import importlib
import os
import sys
import types
from collections.abc import Callable
from typing import Any

from . import lock, seccomp
from .disarm import disarm
from .names import TooMuchPrinted, Watch, copies, namespace
from .reading import allowed, imported, refusals, words
from .rewriting import guarded, spelled_out
from .wire import DICTS, TooMuch, Value, decode, encode, parse

REQUESTS, ANSWERS = 0, 1
MODULE = "submission"
MOST_WORDS = 2000
OUT_OF_MEMORY = 77
"""Exit status."""


def main() -> None:
    """Serve one parent until it hangs up."""
    try:
        _serve()
    except MemoryError:
        # What the submission keeps leaves no room to say so.
        os._exit(OUT_OF_MEMORY)
    os._exit(0)


def _serve() -> None:
    lines = _Lines()
    os.write(ANSWERS, b"ready\n")
    order = parse(lines.next())
    child = _Child(order)
    answer = _safely(child.open, child.watch, order["text_chars"])
    _answer(order["token"], answer | {"words": child.words, "notes": child.notes})
    while line := lines.next():
        request = parse(line)

        def call(request: Value = request) -> dict[str, Value]:
            return child.call(request)

        _answer(request["token"], _safely(call, child.watch, order["text_chars"]))


class _Lines:
    """Requests, one a line."""

    def __init__(self, read: Callable[[int, int], bytes] = os.read) -> None:
        self._read, self._kept = read, b""

    def next(self) -> str:
        """The next line; empty when the parent has hung up."""
        parts = [self._kept]
        while b"\n" not in parts[-1]:
            parts.append(self._read(REQUESTS, 1 << 16))
            if not parts[-1]:
                return ""
        line, _, self._kept = b"".join(parts).partition(b"\n")
        return line.decode()


def _answer(token: str, answer: dict[str, Value], write: Any = os.write) -> None:
    """One line: token, verdict and text, what else is told, and two values as they stand."""
    value, events = answer.pop("value", "null"), answer.pop("events", "null")
    head = encode({"token": token, **answer}, most=1 << 30)
    data = memoryview(f"[{head},{value},{events}]\n".encode())
    while data:
        data = data[write(ANSWERS, data) :]


def _safely(
    step: Callable[[], dict[str, Value]], watch: Watch, text_chars: int
) -> dict[str, Value]:
    """What the step answers, or the verdict on what came out of it."""
    try:
        answer = step()
    except (MemoryError, RecursionError) as error:
        deep = isinstance(error, RecursionError)
        answer = _bad("raised" if deep else "memory", type(error).__name__)
    except (TooMuch, TooMuchPrinted) as error:
        answer = _bad("output", str(error))
    except BaseException as error:  # noqa: BLE001  # a submission may raise SystemExit too
        answer = _bad("raised", _told(error, text_chars))
    if watch.breach:
        answer = _bad("forbidden", watch.breach)
    elif watch.left < 0:
        answer = _bad("output", "printed too much")
    return answer


def _reasons(tree: ast.Module) -> list[str]:
    """Why it may not run; where there is no reason it is rewritten to be guarded."""
    spelled_out(tree)
    reasons = list(dict.fromkeys(refusals(tree)))
    if not reasons:
        guarded(tree)
    return reasons


def _bad(verdict: str, text: str) -> dict[str, Value]:
    return {"verdict": verdict, "text": text}


def _told(error: BaseException, most: int) -> str:
    """The error's type and text; its own `__str__` may be the submission's and do anything."""
    # Not `type(error).__name__`: a metaclass may have made that up.
    name: str = type.__dict__["__name__"].__get__(type(error))[:most]
    try:
        text = str(error)
    except BaseException:  # noqa: BLE001  # see above
        return name
    return f"{name}: {text[:most]}" if text else name


class _Child:
    """One source, its namespace and the state that its calls hand on."""

    def __init__(self, order: Value) -> None:
        self.order = order
        self.watch = Watch(order["printed_chars"])
        self.space: dict[str, Any] = {}
        self.state: object = None
        self.words: list[str] = []
        self.notes: list[str] = []
        self.load: Callable[[], None] = lambda: None
        self.result: Callable[[], object] = lambda: None

    def open(self) -> dict[str, Value]:
        """Lock, read, load."""
        order = self.order
        if order["rlimits"]:
            self.notes += lock.limit(order["cpu_s"], order["memory_mb"], order["wall_s"])
        try:
            tree = ast.parse(order["source"], f"<{MODULE}>")
            self.words = words(tree)[:MOST_WORDS]
            reasons = _reasons(tree) if order["language"] else []
            self._prepare(tree)
        except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
            # Null bytes, lone surrogates, and nesting that the compiler gives up on are among them.
            return _bad("syntax", _told(error, order["text_chars"]))
        if reasons:
            return _bad("forbidden", "; ".join(reasons[:5]))
        self.notes += _lock(order)
        if order["entry"] is None:
            return {"verdict": "ok", "text": self._evaluated()}
        self.load()
        if not callable(self.space.get(order["entry"])):
            return _bad("missing", f"no function {order['entry']}")
        return {"verdict": "ok"}

    def _prepare(self, tree: ast.Module) -> None:
        """Import what the source names while imports still work; compile it."""
        names = imported(tree)
        last = tree.body.pop() if self._ends_in_expression(tree) else None
        code = compile(tree, f"<{MODULE}>", "exec", dont_inherit=True)
        module = types.ModuleType(MODULE)
        sys.modules[MODULE] = module
        if self.order["language"]:
            modules = copies(allowed([*names, *self.order["given"]]))
            built_in: Any = namespace(self.watch, modules)
            disarm(self.watch, module.__dict__, modules)
        else:
            modules = {}
            for name in names:
                _try_import(name)
            built_in = __builtins__
        given = {name: modules[name] for name in self.order["given"] if name in modules}

        def load() -> None:
            module.__dict__.clear()
            if "random" in sys.modules:
                sys.modules["random"].seed(0)  # the same grade for the same source
            module.__dict__.update(given, __name__=MODULE, __builtins__=built_in)
            exec(code, module.__dict__)

        self.space, self.load = module.__dict__, load
        if isinstance(last, ast.Expr):
            value = compile(ast.Expression(last.value), f"<{MODULE}>", "eval", dont_inherit=True)
            self.result = lambda: eval(value, module.__dict__)

    def _ends_in_expression(self, tree: ast.Module) -> bool:
        return (
            self.order["entry"] is None and bool(tree.body) and isinstance(tree.body[-1], ast.Expr)
        )

    def _evaluated(self) -> str:
        self.load()
        value = self.result()
        shown = "" if value is None and self.watch.printed else repr(value)
        text = "".join(self.watch.printed) + str.__str__(shown)
        return text[: self.order["text_chars"] + 1]

    def call(self, request: Value) -> dict[str, Value]:
        """One call of the entry; `keep` hands it the state that the call before returned."""
        events = decode(request["events"])
        if request["fresh"]:
            self.load()
        state = self.state if request["keep"] else decode(request["state"])
        value = self.space[self.order["entry"]](events, state)
        self.state = dict.get(value, "state") if type(value) in DICTS else None
        most = self.order["output_bytes"]
        answer = {"verdict": "ok", "value": encode(value, most=most)}
        if request["echo"]:
            answer["events"] = encode(events, most=most, int_bits=1 << 20)
        return answer


def _lock(order: Value) -> list[str]:
    notes: list[str] = []
    notes += lock.leave_the_machine() if order["namespaces"] else ["namespaces are switched off"]
    notes += lock.drop_rights()
    if order["rlimits"]:
        notes += lock.close_doors()
    # No import from here on reads a file, so that a file that is opened is always a breach.
    sys.meta_path.clear()
    sys.path.clear()
    note = seccomp.install() if order["seccomp"] else "the system call filter is switched off"
    for module in (lock, seccomp):
        vars(module).clear()
    if order["language"]:
        for name in ("ctypes", "_ctypes"):
            sys.modules.pop(name, None)
    return notes + ([note] if note else [])


def _try_import(name: str) -> None:
    try:
        importlib.import_module(name)
    except ImportError:
        return
