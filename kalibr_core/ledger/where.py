"""Which ledger a Router writes to."""

from __future__ import annotations

import logging
import os

from ..errors import ConfigError, LedgerError
from ..ports import Ledger
from .memory import MemoryConversations, MemoryLedger
from .sqlite import SQLiteLedger

log = logging.getLogger("kalibr")

VARIABLE = "KALIBR_LEDGER"
DEFAULT = ".kalibr/kalibr.db"


def default_location() -> str:
    """`KALIBR_LEDGER` where it is set, else `.kalibr/kalibr.db` under the working directory."""
    return os.environ.get(VARIABLE) or DEFAULT


def place_of(ledger: object) -> str:
    """Where a ledger keeps what it has, for errors."""
    file = getattr(ledger, "file", None)
    if isinstance(file, str | os.PathLike):
        return os.path.abspath(os.fspath(file))
    in_memory = isinstance(ledger, MemoryLedger | MemoryConversations)
    return "this Router's memory" if in_memory else "this ledger"


def open_ledger(ledger: str | os.PathLike[str] | Ledger | None) -> Ledger:
    """Make a Router's ledger out of what the user said.

    A file that cannot be used costs one warning, and the Router keeps its record in memory: a
    service that restarts must not be down for its bookkeeping. Who wants the error instead
    makes the ledger: `ledger=SQLiteLedger(file)`.

    Raises:
        ConfigError: not a ledger, or of a kind that is not there.
    """
    if ledger is None:
        ledger = default_location()
    if not isinstance(ledger, str | os.PathLike):
        if all(callable(getattr(ledger, name, None)) for name in ("append", "entries", "close")):
            return ledger
        raise ConfigError(
            f"ledger must be a file, 'memory' or a Ledger, got {type(ledger).__name__}"
        )
    place = os.fspath(ledger)
    if place == "memory":
        return MemoryLedger()
    if place.startswith(("postgresql://", "postgres://")):
        raise ConfigError("ledger: PostgreSQL is not there yet; use a file or 'memory'")
    if not place.strip():
        raise ConfigError("ledger is an empty string; write a file's name or 'memory'")
    try:
        return SQLiteLedger(os.path.expanduser(place))
    except LedgerError as error:
        log.warning("kalibr: %s. Routing goes on; this process keeps its record in memory.", error)
        return MemoryLedger()
