"""Runs the loopback provider in the foreground: ``python -m kalibr_bench.provider --port 8399``.

It plays the models of an OpenAI-compatible provider on 127.0.0.1; nothing leaves the machine.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import importlib.util
import json
import math
import secrets
import sys
import textwrap
import threading
from typing import Any

from kalibr_bench.provider.fault import (
    CONTENT_FAULTS,
    HTTP_FAULTS,
    STREAM_FAULTS,
    TRANSPORT_FAULTS,
)
from kalibr_bench.provider.host import NO_AIOHTTP, serve
from kalibr_bench.provider.models import DEFAULT_MODELS, Model
from kalibr_bench.provider.state import Config, State

_EXAMPLE = """Loopback provider on http://127.0.0.1:{port}/v1 (Ctrl-C stops it)
Models: {names}

Any key is good. For example:

  curl -s http://127.0.0.1:{port}/v1/chat/completions -H 'Authorization: Bearer demo' \\
    -H 'Content-Type: application/json' \\
    -d '{{"model": "gpt-4o-mini", "messages": [{{"role": "user", "content": "Hello"}}]}}'

Steer it: POST http://127.0.0.1:{port}/__control__/degrade with the header
  x-control-token: {control}
and the body {{"model": "gpt-4o", "rate": 0.7}}
"""

_FAILURES = """\
make a path fail, from Python:

  from kalibr_bench.provider import Fault, LoopbackProvider

  with LoopbackProvider() as provider:
      router = Router(..., base_url=provider.base_url)  # kalibr_core's
      provider.degrade("gpt-4o", rate=0.7)  # bad answers with status 200
      provider.fault("gpt-4o", Fault(kind="unavailable", times=3))

kinds of faults (help(Fault) says what each does):
"""


def _failures() -> str:
    """What `--help` says about faults."""
    named = {
        "errors": HTTP_FAULTS,
        "transport": TRANSPORT_FAULTS,
        "answers": CONTENT_FAULTS,
        "streams": STREAM_FAULTS,
    }
    lines = (
        textwrap.fill(
            ", ".join(sorted(kinds)),
            width=78,
            initial_indent=f"  {name + ':':<11}",
            subsequent_indent=" " * 13,
        )
        for name, kinds in named.items()
    )
    return _FAILURES + "\n".join(lines)


def main(arguments: list[str] | None = None) -> int:
    """Parse the command line and serve until Ctrl-C; returns the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m kalibr_bench.provider",
        description=__doc__,
        epilog=_failures(),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--port", type=_port, default=8399, help="TCP port; 0 takes a free one")
    parser.add_argument("--seed", type=int, default=0, help="seed of all chance")
    parser.add_argument("--latency-scale", type=_factor, default=1.0, help="factor on latencies")
    parser.add_argument("--verbose", action="store_true", help="print one line per request")
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if importlib.util.find_spec("aiohttp") is None:
        return _cannot(options, NO_AIOHTTP)
    try:
        asyncio.run(_child() if options.child else _foreground(options))
    except KeyboardInterrupt:
        pass
    except OSError as error:
        return _cannot(options, f"cannot serve on port {options.port}: {error}", str(error))
    return 0


def _port(text: str) -> int:
    port = int(text)
    if not 0 <= port <= 65535:
        raise argparse.ArgumentTypeError(f"must be in [0, 65535], got {port}")
    return port


def _factor(text: str) -> float:
    factor = float(text)
    if not 0.0 <= factor < math.inf:
        raise argparse.ArgumentTypeError(f"must be a number >= 0, got {text}")
    return factor


def _cannot(options: argparse.Namespace, message: str, reason: str = "") -> int:
    """Tell the parent or the user why there is no server; returns the exit status."""
    if options.child:
        _say({"error": reason or message})
    else:
        print(message, file=sys.stderr)
    return 1


async def _foreground(options: argparse.Namespace) -> None:
    config = Config(
        seed=options.seed,
        latency_scale=options.latency_scale,
        port=options.port,
        control_token=secrets.token_urlsafe(12),
    )

    def ready(port: int) -> None:
        names = ", ".join(model.name for model in DEFAULT_MODELS)
        print(_EXAMPLE.format(port=port, names=names, control=config.control_token), flush=True)

    log = print if options.verbose else None
    await serve(State(config), ready=ready, stop=asyncio.Event(), log=log)


async def _child() -> None:
    """Serve for ``ProcessHost``: configuration in by a line, port out, end at the end of input."""
    given: dict[str, Any] = json.loads(sys.stdin.readline())
    models = tuple(Model(**model) for model in given.pop("models"))
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()

    def wait_for_parent() -> None:
        sys.stdin.read()
        loop.call_soon_threadsafe(stop.set)

    threading.Thread(target=wait_for_parent, daemon=True).start()
    state = State(Config(models=models, **given))
    await serve(state, ready=lambda port: _say({"port": port}), stop=stop)


def _say(message: dict[str, Any]) -> None:
    with contextlib.suppress(BrokenPipeError):  # the parent has gone; its end of stdin ends us
        sys.stdout.write(json.dumps(message) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
