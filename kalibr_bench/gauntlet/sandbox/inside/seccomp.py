"""A system call filter, written by hand: what the kernel does for a submission from here on.

Allowed is what an interpreter needs to compute: memory, clocks, reading requests from file 0,
writing answers to file 1, ending. Whatever opens, connects, starts, signals or reconfigures kills
the process, so that the attempt has a verdict. Everything else fails with EPERM.
"""

from __future__ import annotations

import ctypes
import os
import struct
import sys

ALLOW, KILL, DENY = 0x7FFF0000, 0x80000000, 0x00050001
LOAD, EQUAL, AT_LEAST, ANY_BIT, RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
NUMBER, ARCH, FIRST_ARGUMENT, THIRD_ARGUMENT = 0, 4, 16, 32
PROT_EXEC = 4
X32 = 0x40000000
PR_SET_NO_NEW_PRIVS, PR_SET_SECCOMP, FILTER_MODE = 38, 22, 2

# Name -> number on x86_64, on aarch64 (None: it has no such call).
READ, WRITE, MMAP, MPROTECT = (0, 63), (1, 64), (9, 222), (10, 226)
ALLOWED: dict[str, tuple[int | None, int | None]] = {
    "brk": (12, 214),
    "clock_getres": (229, 114),
    "clock_gettime": (228, 113),
    "clock_nanosleep": (230, 115),
    "exit": (60, 93),
    "exit_group": (231, 94),
    "futex": (202, 98),
    "getpid": (39, 172),
    "getrandom": (318, 278),
    "gettid": (186, 178),
    "gettimeofday": (96, 169),
    "madvise": (28, 233),
    "mremap": (25, 216),
    "munmap": (11, 215),
    "nanosleep": (35, 101),
    "restart_syscall": (219, 128),
    "rseq": (334, 293),
    "rt_sigprocmask": (14, 135),
    "rt_sigreturn": (15, 139),
    "sched_yield": (24, 124),
    "set_robust_list": (273, 99),
    "sigaltstack": (131, 132),
    "time": (201, None),
}
KILLED: dict[str, tuple[int | None, int | None]] = {
    "alarm": (37, None),
    "bpf": (321, 280),
    "clone": (56, 220),
    "clone3": (435, 435),
    "connect": (42, 203),
    "creat": (85, None),
    "execve": (59, 221),
    "execveat": (322, 281),
    "fork": (57, None),
    "io_uring_setup": (425, 425),
    "kill": (62, 129),
    "memfd_create": (319, 279),
    "mkdir": (83, None),
    "mkdirat": (258, 34),
    "mount": (165, 40),
    "open": (2, None),
    "openat": (257, 56),
    "openat2": (437, 437),
    "pidfd_open": (434, 434),
    "prctl": (157, 167),
    "prlimit64": (302, 261),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "ptrace": (101, 117),
    "rename": (82, None),
    "renameat2": (316, 276),
    "rt_sigaction": (13, 134),
    "seccomp": (317, 277),
    "setitimer": (38, 103),
    "setns": (308, 268),
    "setrlimit": (160, 164),
    "shmget": (29, 194),
    "socket": (41, 198),
    "socketpair": (53, 199),
    "tkill": (200, 130),
    "unlink": (87, None),
    "unlinkat": (263, 35),
    "unshare": (272, 97),
    "vfork": (58, None),
}
MACHINES = {"x86_64": (0, 0xC000003E), "aarch64": (1, 0xC00000B7)}


def program(machine: str) -> bytes | None:
    """The filter for that machine, None where its numbers are not known."""
    if machine not in MACHINES:
        return None
    column, arch = MACHINES[machine]
    code = [_op(LOAD, ARCH), _op(EQUAL, arch, 1, 0), _op(RETURN, KILL), _op(LOAD, NUMBER)]
    if machine == "x86_64":
        code += [_op(AT_LEAST, X32, 0, 1), _op(RETURN, KILL)]
    code += _if_argument(READ[column], FIRST_ARGUMENT, EQUAL, 0, yes=ALLOW, no=DENY)
    code += _if_argument(WRITE[column], FIRST_ARGUMENT, EQUAL, 1, yes=ALLOW, no=DENY)
    for call in (MMAP, MPROTECT):
        code += _if_argument(call[column], THIRD_ARGUMENT, ANY_BIT, PROT_EXEC, yes=DENY, no=ALLOW)
    for calls, action in ((ALLOWED, ALLOW), (KILLED, KILL)):
        for numbers in calls.values():
            number = numbers[column]
            if number is not None:
                code += [_op(EQUAL, number, 0, 1), _op(RETURN, action)]
    return b"".join([*code, _op(RETURN, DENY)])


def _op(code: int, value: int, if_true: int = 0, if_false: int = 0) -> bytes:
    return struct.pack("=HBBI", code, if_true, if_false, value)


def _if_argument(call: int, where: int, test: int, value: int, *, yes: int, no: int) -> list[bytes]:
    return [
        _op(EQUAL, call, 0, 4),
        _op(LOAD, where),
        _op(test, value, 0, 1),
        _op(RETURN, yes),
        _op(RETURN, no),
    ]


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("code", ctypes.c_void_p))


def install() -> str | None:
    """Put the filter up for this process; None if it holds, else what is missing, in words."""
    if sys.platform != "linux":
        return f"no system call filter: {sys.platform} has no seccomp"
    code = program(os.uname().machine)
    if code is None:
        return f"no system call filter for {os.uname().machine}"
    libc = ctypes.CDLL(None, use_errno=True)
    memory = ctypes.create_string_buffer(code, len(code))
    wanted = _Program(len(code) // 8, ctypes.cast(memory, ctypes.c_void_p))
    if libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0):
        return f"no system call filter: no_new_privs failed, errno {ctypes.get_errno()}"
    if libc.prctl(PR_SET_SECCOMP, FILTER_MODE, ctypes.byref(wanted), 0, 0):
        return f"no system call filter: errno {ctypes.get_errno()}"
    return None
