"""A session's id: what may be one, and what is made of it so that it need not be kept."""

from __future__ import annotations

import hashlib
from uuid import UUID

from .errors import LONGEST_ID, ConfigError, UnknownSession
from .ledger.where import place_of

GONE_S = 7 * 86_400.0
"""After so long a conversation is forgotten."""


def checked_session(session_id: object) -> str:
    """A session's id as text; numbers and UUIDs count as theirs.

    Raises:
        ConfigError: it is none, or empty.
    """
    is_id = isinstance(session_id, str | int | UUID) and not isinstance(session_id, bool)
    try:
        told = str(session_id) if is_id else ""
    except Exception:  # noqa: BLE001  # a number of too many digits; a class's own `__str__`
        told = ""
    if not told.strip():
        raise ConfigError(f"session_id must be a text that is not empty, got {shown(session_id)}")
    return told


def secret_of(session_id: object) -> bytes:
    """Keys a conversation's sketches and events: not to be told from the hash that it is kept
    under."""
    return hashlib.sha256(f"sketch:{session_id}".encode("utf-8", "surrogatepass")).digest()


def event_of(event_id: str, secret: bytes) -> str:
    """An event's id as a conversation keeps it: 16 hex digits."""
    told = event_id.encode("utf-8", "surrogatepass")
    return hashlib.blake2b(told, digest_size=8, key=secret).hexdigest()


def unknown(session_id: object, *, ledger: object) -> UnknownSession:
    """The error for a conversation that nothing was reported of.

    Args:
        ledger: where it was looked for.
    """
    return UnknownSession(
        f"no session {shown(session_id)} in {place_of(ledger)}: report_pipeline begins one, with "
        f"the same session_id; it is forgotten {GONE_S / 86_400:.0f} days after its last event"
    )


def shown(value: object) -> str:
    """A value in an error's text: not all of it, where it is long."""
    try:
        told = repr(value)
    except Exception:  # noqa: BLE001  # as above
        told = f"{type(value).__name__}(...)"
    return told if len(told) <= LONGEST_ID else f"{told[:20]}..."
