"""Where all that happened is recorded."""

from .memory import MemoryLedger
from .sqlite import SQLiteLedger
from .where import default_location, open_ledger

__all__ = ["MemoryLedger", "SQLiteLedger", "default_location", "open_ledger"]
