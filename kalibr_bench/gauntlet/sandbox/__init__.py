"""The sandbox: code that a model wrote is hostile until shown otherwise.

A submission runs in an interpreter of its own. `pydantic-monty` was weighed and its language is
too small for real submissions (1.4: no `statistics`, `logging` or `contextlib`, no generators, no
`del`, no inheritance), so it is CPython behind layers, of which each is assumed to be broken:

- **What the child knows.** Requests hold the arguments of one call. What is expected, and the
  judging, stay in the parent; results come back as JSON with a token of that request, and plain
  data of exact types is all that they can hold (`inside.wire`). Whoever forges one can say no more
  than a function that had returned it.
- **Language** (`inside.rules`, `inside.reading`, `inside.rewriting`, `inside.names`,
  `inside.disarm`): a check of the syntax tree and guarded built-ins: no names of the interpreter's
  inside, no frames, modules as copies of their public names, from a list. What has a sound use (the
  class of a value, a frozen dataclass that sets itself) is rewritten into a guarded form. It gives
  most breaches their verdict and is no border by itself. Known to be left: `str.format` with a
  format made up at run time shows the child's own state as text, and `Enum("E", {...})` makes
  classes with special methods that nobody has read.
- **Limits** (`inside.lock`): processor time, memory, no new file descriptor, process or byte in a
  file; the parent adds wall-clock and size limits on the pipe, and kills the whole process group.
  On every Unix; what a system refuses (macOS: memory) becomes a note. Left by them alone: file
  names and dates can be looked up, signals sent to processes of the same user.
- **Namespaces** (Linux, root or where users may make them): an empty read-only root, no network.
  In a container that forbids them: a note, and the other layers hold.
- **System calls** (Linux on x86_64 and aarch64, root or not): a seccomp filter that the child puts
  on itself before it loads the source: compute, read requests, write answers, end. A call beyond
  that kills it. Elsewhere: a note.
- **Rights**: root becomes nobody, capabilities go, no ptrace.

A grade's `notes` say which layers the machine did not give. Not a goal: hiding the machine's speed
or the time of day. Windows has none of the limits: use a container there.

>>> with Session("def process_batch(events, state): return len(events)", limits=Limits()) as it:
...     it.call([1, 2, 3]).value
3
"""

from kalibr_bench.gauntlet.sandbox.evaluation import evaluate
from kalibr_bench.gauntlet.sandbox.inside.rules import MODULES
from kalibr_bench.gauntlet.sandbox.records import (
    FATAL,
    Layers,
    Limits,
    Loaded,
    Reply,
    SandboxError,
    Verdict,
)
from kalibr_bench.gauntlet.sandbox.session import Session

__all__ = [
    "FATAL",
    "MODULES",
    "Layers",
    "Limits",
    "Loaded",
    "Reply",
    "SandboxError",
    "Session",
    "Verdict",
    "evaluate",
]
