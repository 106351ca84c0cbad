"""Whether what happens now has been brought about in the middle of work that may hold a lock."""

from __future__ import annotations

import sys
from collections.abc import Collection
from types import FrameType

CORE = f"{__name__.partition('.')[0]}."


def interrupts(guarded: Collection[str] = (), *, above: str) -> bool:
    """Does the core, or a guarded module, stand further down in this thread's stack?

    The garbage collector closes streams that were left, wherever an object is made: also in the
    middle of this very thread's reading of a ledger. A framework then tells of a run's end. Who
    uses the ledger for that waits for ever for a lock of its own thread's, or finds a policy half
    updated. Ledgers and policies may be the user's, so that their locks cannot be asked; the stack
    can, in some 10 us. An exception does not tell: LangChain swallows the `GeneratorExit` before.

    Args:
        guarded: names of modules beside the core's that hold locks.
        above: the module that asks. Its own frames on top do not count, nor those of the module
            that called it.
    """
    frame = _below(sys._getframe(1), above)
    if frame is not None:
        frame = _below(frame, _module(frame))
    while frame is not None:
        name = _module(frame)
        if name.startswith(CORE) or name in guarded:
            return True
        frame = frame.f_back
    return False


def _below(frame: FrameType | None, module: str) -> FrameType | None:
    while frame is not None and _module(frame) == module:
        frame = frame.f_back
    return frame


def _module(frame: FrameType) -> str:
    return str(frame.f_globals.get("__name__"))
