"""Runs the loopback provider in the foreground: ``python -m kalibr_bench.provider --port 8399``."""

from __future__ import annotations

import argparse
import asyncio
import json
import secrets
import sys
import threading
from typing import Any

from kalibr_bench.provider.host import serve
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


def main(arguments: list[str] | None = None) -> int:
    """Parse the command line and serve until Ctrl-C; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m kalibr_bench.provider", description=__doc__)
    parser.add_argument("--port", type=int, default=8399, help="TCP port; 0 takes a free one")
    parser.add_argument("--seed", type=int, default=0, help="seed of all chance")
    parser.add_argument("--latency-scale", type=float, default=1.0, help="factor on latencies")
    parser.add_argument("--verbose", action="store_true", help="print one line per request")
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    try:
        asyncio.run(_child() if options.child else _foreground(options))
    except KeyboardInterrupt:
        pass
    except OSError as error:
        if options.child:
            _say({"error": str(error)})
        else:
            print(f"cannot serve on port {options.port}: {error}", file=sys.stderr)
        return 1
    return 0


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
    print(json.dumps(message), flush=True)


if __name__ == "__main__":
    sys.exit(main())
