"""The child process as its parent sees it: start, one exchange with a deadline, kill."""

from __future__ import annotations

import os
import selectors
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from time import monotonic

from kalibr_bench.gauntlet.sandbox.records import SandboxError, Verdict

INSIDE = Path(__file__).with_name("inside")
START = """\
import sys, types
inside = types.ModuleType("inside")
inside.__path__ = [sys.argv[1]]
sys.modules["inside"] = inside
from inside.child import main
main()
"""
"""The child's package without the packages around it: those would import the whole bench."""
FLAGS = ("-P", "-s", "-S", *(["-B"] if sys.dont_write_bytecode else []))
ENVIRONMENT = {"PYTHONHASHSEED": "0", "PYTHONUTF8": "1", "TZ": "UTC0"}
"""All of it, with where the interpreter's own libraries are. With the flags it isolates as `-I`
does, which would ignore the hash seed."""
LIBRARIES = "LD_LIBRARY_PATH"
START_S = 30.0
"""Longest start of an interpreter, seconds; a busy machine is no reason to give up."""
CHUNK = 1 << 18
OUT_OF_MEMORY = 77
"""The exit status of a child that had no room left for an answer."""
OUT_OF_TIME = frozenset({signal.SIGXCPU, signal.SIGKILL, signal.SIGALRM})


class Gone(Exception):
    """The child is dead; `verdict` says what of."""

    def __init__(self, verdict: Verdict, text: str) -> None:
        self.verdict = verdict
        self.text = text
        super().__init__(text)


class ChildProcess:
    """One interpreter, alone in its process group.

    Args:
        output_bytes: What it may send in one exchange before it is killed.
        clock: Seconds; only differences count.

    Raises:
        SandboxError: It cannot be started.
    """

    def __init__(self, output_bytes: int, clock: Callable[[], float] = monotonic) -> None:
        self._most = output_bytes
        self._clock = clock
        self._kept = b""
        if not sys.executable:
            raise SandboxError("no Python interpreter is known (sys.executable is empty)")
        try:
            self._process = subprocess.Popen(
                [sys.executable, *FLAGS, "-c", START, str(INSIDE)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env=ENVIRONMENT | {k: v for k, v in os.environ.items() if k == LIBRARIES},
                cwd="/",
                start_new_session=True,
                bufsize=0,
            )
        except OSError as error:
            raise SandboxError(f"no sandbox process: {error}") from error
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._in, self._out = self._process.stdin.fileno(), self._process.stdout.fileno()
        os.set_blocking(self._in, False)
        os.set_blocking(self._out, False)
        try:
            self.exchange("", START_S)
        except Gone as gone:
            raise SandboxError(f"the sandbox's interpreter does not start: {gone}") from None

    def exchange(self, request: str, seconds: float) -> bytes:
        """Send a line (nothing, if it is empty), get the next; kill what misbehaves, raise `Gone`.

        Writing and reading go on side by side: a child that answers before it has read, or never
        reads, must not hold the parent.
        """
        deadline = self._clock() + seconds
        unsent = memoryview(request.encode() + b"\n" if request else b"")
        self._left = self._most
        if self._kept:
            raise self._end(Verdict.FORGED, "an answer before the question")
        with selectors.DefaultSelector() as ready:
            ready.register(self._out, selectors.EVENT_READ)
            if unsent:
                ready.register(self._in, selectors.EVENT_WRITE)
            while b"\n" not in self._kept[-CHUNK:]:
                events = ready.select(max(0.0, deadline - self._clock()))
                if self._clock() >= deadline:
                    raise self._end(Verdict.TIMEOUT, f"no answer within {seconds:g} s")
                for key, _ in events:
                    if key.fd == self._out:
                        self._read()
                        continue
                    unsent = self._write(unsent)
                    if not unsent:
                        ready.unregister(self._in)
        line, _, self._kept = self._kept.partition(b"\n")
        if self._kept or unsent:
            raise self._end(Verdict.FORGED, "more than one answer, or one before the question")
        return line

    def _write(self, unsent: memoryview) -> memoryview:
        try:
            return unsent[os.write(self._in, unsent) :]
        except BlockingIOError:
            return unsent
        except BrokenPipeError:
            raise self._dead() from None

    def _read(self) -> None:
        data = os.read(self._out, CHUNK)
        if not data:
            raise self._dead()
        self._left -= len(data)
        if self._left < 0:
            raise self._end(Verdict.OUTPUT, "sent more than it may")
        self._kept += data

    def _dead(self) -> Gone:
        """It closed its pipe. How it ended tells why; one that lives on without it is killed."""
        try:
            status = self._process.wait(0.5)
        except subprocess.TimeoutExpired:
            return self._end(Verdict.CRASHED, "closed its pipe")
        self.kill()
        if status == -getattr(signal, "SIGSYS", 0):
            return Gone(Verdict.FORBIDDEN, "a forbidden system call")
        if -status in OUT_OF_TIME:
            return Gone(Verdict.TIMEOUT, "out of processor time")
        if status == OUT_OF_MEMORY:
            return Gone(Verdict.MEMORY, "out of memory")
        how = signal.Signals(-status).name if status < 0 else f"exit status {status}"
        return Gone(Verdict.CRASHED, how)

    def _end(self, verdict: Verdict, text: str) -> Gone:
        self.kill()
        return Gone(verdict, text)

    def kill(self) -> None:
        """End it and whatever is left of its group; doing it again is no error."""
        try:
            os.killpg(self._process.pid, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):
            # Gone already; or only zombies are left, which some kernels refuse to signal.
            self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()
