"""The locks that a child puts on itself before it loads what it was sent.

Each either holds or gives a note; none of them is alone.
"""

from __future__ import annotations

import ctypes
import os
import resource
import signal
import sys
from collections.abc import Callable

NEW_MOUNTS, NEW_UTS, NEW_IPC, NEW_USER, NEW_NET = (
    0x00020000,
    0x04000000,
    0x08000000,
    0x10000000,
    0x40000000,
)
PRIVATE_TREE = 0x40000 | 0x4000
READ_ONLY_BARE = 1 | 2 | 4 | 8
PR_SET_DUMPABLE = 4
NOBODY = 65534
CAPABILITY_VERSION = 0x20080522
MIB = 1 << 20


def limit(cpu_s: int, memory_mb: int, wall_s: float) -> list[str]:
    """Bound time, memory and core files; what stays to be done can still open files.

    The alarm ends a child whose parent has died while it slept: nobody else would.
    """
    notes = _try("processor time", lambda: _set("RLIMIT_CPU", cpu_s, cpu_s + 1))
    notes += _try("memory", lambda: _set("RLIMIT_AS", memory_mb * MIB, memory_mb * MIB))
    notes += _try("core files", lambda: _set("RLIMIT_CORE", 0, 0))
    signal.alarm(int(wall_s) + 5)
    return notes


def close_doors() -> list[str]:
    """No new file descriptor, process, or byte in a file; those that are open stay open."""
    notes: list[str] = []
    for name in ("RLIMIT_FSIZE", "RLIMIT_NPROC", "RLIMIT_MEMLOCK", "RLIMIT_NOFILE"):
        notes += _try(name, lambda name=name: _set(name, 0, 0))  # type: ignore[misc]
    return notes


def leave_the_machine() -> list[str]:
    """An empty, read-only root and no network, where the kernel gives namespaces."""
    if sys.platform != "linux":
        return [f"no namespaces on {sys.platform}"]
    libc = ctypes.CDLL(None, use_errno=True)
    flags = NEW_MOUNTS | NEW_UTS | NEW_IPC | NEW_NET
    if os.geteuid() != 0:
        flags |= NEW_USER
    if libc.unshare(flags):
        return [f"no namespaces: errno {ctypes.get_errno()}"]
    return _empty_root(libc)


def _empty_root(libc: ctypes.CDLL) -> list[str]:
    steps = (
        libc.mount(None, b"/", None, PRIVATE_TREE, None),
        libc.mount(b"none", b"/proc", b"tmpfs", READ_ONLY_BARE, b"size=4k"),
    )
    if any(steps):
        return [f"no empty root: errno {ctypes.get_errno()}"]
    return _try("empty root", _enter_root)


def _enter_root() -> None:
    os.chroot("/proc")
    os.chdir("/")


def drop_rights() -> list[str]:
    """Be nobody, with no capability, and let nobody of the same name look into this process."""
    notes: list[str] = []
    if os.geteuid() == 0:
        notes += _try("leaving root", _be_nobody)
    if sys.platform == "linux":
        libc = ctypes.CDLL(None, use_errno=True)
        libc.prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)
        header = (ctypes.c_uint32 * 2)(CAPABILITY_VERSION, 0)
        if libc.capset(ctypes.byref(header), ctypes.byref((ctypes.c_uint32 * 6)())):
            notes.append(f"capabilities kept: errno {ctypes.get_errno()}")
    return notes


def _be_nobody() -> None:
    os.setgroups([])
    os.setgid(NOBODY)
    os.setuid(NOBODY)


def _set(name: str, soft: int, hard: int) -> None:
    which = getattr(resource, name)
    ceiling = resource.getrlimit(which)[1]
    if ceiling != resource.RLIM_INFINITY:
        soft, hard = min(soft, ceiling), min(hard, ceiling)
    resource.setrlimit(which, (soft, hard))


def _try(what: str, step: Callable[[], object]) -> list[str]:
    try:
        step()
    except (AttributeError, OSError, ValueError) as error:
        return [f"not done: {what} ({type(error).__name__}: {error})"]
    return []
