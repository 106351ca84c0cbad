"""Ways out for whom the language does not hold, and the verdicts that each may get."""

from __future__ import annotations

from kalibr_bench.gauntlet import Verdict

FORBIDDEN, RAISED, MEMORY = Verdict.FORBIDDEN, Verdict.RAISED, Verdict.MEMORY
CRASHED, FORGED = Verdict.CRASHED, Verdict.FORGED

KERNEL: dict[str, tuple[str, set[Verdict]]] = {
    "file read": ("open('/etc/passwd').read()", {FORBIDDEN}),
    "file write": ("open('/tmp/kalibr-escaped', 'w')", {FORBIDDEN}),
    "folder": ("import os\nos.listdir('/')", {FORBIDDEN}),
    "file's date": ("import os\nos.stat('/etc/passwd')", {RAISED}),
    "socket": ("import socket\nsocket.socket()", {FORBIDDEN}),
    "fork": ("import os\nos.fork()", {FORBIDDEN}),
    "shell": ("import os\nos.system('id')", {FORBIDDEN}),
    "another program": ("import os\nos.execv('/bin/sh', ['sh'])", {FORBIDDEN}),
    "threads": ("import _thread\n_thread.start_new_thread(print, ())", {FORBIDDEN}),
    "C": ("import ctypes\nctypes.CDLL(None).system(b'id')", {FORBIDDEN}),
    "the parent": ("import os\nos.kill(os.getppid(), 9)", {FORBIDDEN, RAISED}),
    "ignored signals": ("import signal\nsignal.signal(15, signal.SIG_IGN)", {FORBIDDEN}),
    "no more alarm": ("import signal\nsignal.alarm(0)", {FORBIDDEN}),
    "higher limits": (
        "import resource\nresource.setrlimit(resource.RLIMIT_NOFILE, (9, 9))",
        {FORBIDDEN},
    ),
    "an exit": ("import os\nos._exit(0)", {CRASHED}),
    "a fault": ("import ctypes\nctypes.string_at(0)", {CRASHED}),
    "another's pipe": ("import os\nos.read(3, 1)", {RAISED}),
    "a forged answer": ("import os\nos.write(1, b'[[\"d\",[]],null,null]\\n')", {FORGED}),
    "half an answer": ("import os\nos.write(1, b'[')", {FORGED}),
    "a closed pipe": ("import os\nos.close(1)", {RAISED}),
    "executable memory": ("import mmap\nmmap.mmap(-1, 4096, prot=7)", {RAISED}),
    "memory": ("[0] * 10**10", {MEMORY}),
    "another user": ("import os\nos.setuid(0)", {RAISED}),
}
"""With the language checks off: what the kernel's layers alone make of it."""
