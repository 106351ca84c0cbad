"""Below HTTP: resets, half bodies, endless waits. Each needs the raw connection."""

from __future__ import annotations

import asyncio
import socket
import struct

from aiohttp import web

_RESET_ON_CLOSE = struct.pack("ii", 1, 0)
_GRACE_S = 0.01


async def reset(request: web.BaseRequest) -> None:
    """Send a TCP reset, after what was written has had a moment to arrive."""
    transport = request.transport
    if transport is None:
        return
    await asyncio.sleep(_GRACE_S)
    raw = transport.get_extra_info("socket")
    if raw is not None:
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
    transport.abort()


def hang_up(request: web.BaseRequest) -> None:
    """Close the connection in order, whatever is missing from the response."""
    if request.transport is not None:
        request.transport.close()


async def wait(seconds: float | None) -> None:
    """Wait, or with None until the client leaves and the request is cancelled."""
    if seconds is None:
        await asyncio.Event().wait()
    elif seconds > 0:
        await asyncio.sleep(seconds)
