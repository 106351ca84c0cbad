"""The default ledger: one SQLite file in WAL mode, shared by the processes of a host.

Every append is one committed transaction. With `synchronous=NORMAL` a commit is in the operating
system's hands when it returns: it survives `kill -9`; a power cut may take the last moments.
"""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, TypeVar

from ..errors import LedgerError
from ..types import JSON, Batch, Entry, Evidence, EvidenceKind
from .forks import watch_forks
from .statements import BEGIN, COLUMNS, FORGET, INSERT, KEEP, SCHEMA, TAKE_IN

if TYPE_CHECKING:
    import sqlite3

T = TypeVar("T")

SCHEMA_VERSION = 2
APPLICATION_ID = 0x4B414C42  # "KALB"
BUSY_MS = 250
"""How long an append waits for another process; after that it is kept in memory and tried again."""
OPEN_BUSY_S = 2.0
"""How long a start waits: giving up would leave the Router without its memory for good."""

FORGOTTEN_AT_ONCE = 1_000
"""Conversations that one sweep deletes: more would shut other processes out."""
RECENT = 20_000
"""Entries, of any goal, among which the newest of one are looked for."""

KINDS = frozenset(EvidenceKind)

_encode = json.JSONEncoder(separators=(",", ":"), check_circular=False).encode


class SQLiteLedger:
    """A ledger in a file; made with its folder where there is none.

    Raises:
        LedgerError: the file cannot be opened, is no ledger, or is of a newer version.
    """

    def __init__(self, file: str | os.PathLike[str]) -> None:
        self.file = os.fspath(file)
        # The collector may end a stream while this thread holds it, and whose that was may call.
        self._lock = threading.RLock()
        self._closed = False
        folder = os.path.dirname(os.path.abspath(self.file))
        try:
            os.makedirs(folder, exist_ok=True)
        except OSError as error:
            raise LedgerError(f"cannot make the ledger's folder {folder}: {error}") from error
        self._connection: sqlite3.Connection | None = self._open()
        watch_forks(self)

    def append(self, entry: Entry) -> bool:
        """Write one entry.

        Raises:
            ValueError: this one cannot be written at all.
            LedgerError: not now.
        """
        try:
            row = (*entry[:7], entry.evidence.value, entry.reward, _encode(entry.data))
        except (TypeError, RecursionError) as error:
            raise ValueError(f"entry {entry.id} cannot be written as JSON: {error}") from error
        return self._do(lambda db: db.execute(INSERT, row).rowcount == 1)

    def entries(
        self, *, goal: str | None = None, decision_id: str | None = None, after: int = 0
    ) -> Iterator[tuple[int, Entry]]:
        where = "position > ?"
        parameters: list[int | str] = [after]
        if goal is not None:
            where += " AND goal = ?"
            parameters.append(goal)
        if decision_id is not None:
            # Ids begin with their decision's, so this range is a look-up in the unique index.
            where += " AND id >= ? AND id < ? AND decision_id = ?"
            parameters += [f"{decision_id}:", f"{decision_id};", decision_id]
        # By pages, so that a long history is neither held in memory nor locked.
        query = (
            f"SELECT position, {COLUMNS} FROM entries WHERE {where} ORDER BY position LIMIT 2000"
        )
        while rows := self._do(lambda db: db.execute(query, parameters).fetchall()):
            for row in rows:
                yield row[0], _entry(row[1:])
            parameters[0] = rows[-1][0]

    def take_in(self, goal: str, *, after: int, but_from: str) -> tuple[int, Sequence[Batch]]:
        def read(db: sqlite3.Connection) -> tuple[int, Sequence[Batch]]:
            end = int(db.execute("SELECT COALESCE(MAX(position), 0) FROM entries").fetchone()[0])
            if end <= after:
                return end, ()
            rows = db.execute(TAKE_IN, (after, end, goal, but_from)).fetchall()
            known = [row for row in rows if row[1] in KINDS]
            return end, [Batch(row[0], Evidence(EvidenceKind(row[1]), *row[2:])) for row in known]

        return self._do(read)

    def snapshot(self, goal: str, version: str) -> tuple[int, JSON] | None:
        query = "SELECT position, state FROM snapshots WHERE goal = ? AND version = ?"
        row = self._do(lambda db: db.execute(query, (goal, version)).fetchone())
        try:
            return None if row is None else (int(row[0]), json.loads(row[1]))
        except ValueError:
            return None  # unreadable: the beliefs are folded from the record again

    def save(self, goal: str, version: str, position: int, state: JSON) -> None:
        row = (goal, version, position, _encode(state))
        # A worker that has seen less must not overwrite what one that saw more has written.
        query = (
            "INSERT INTO snapshots VALUES (?, ?, ?, ?) ON CONFLICT (goal, version) DO UPDATE "
            "SET position = excluded.position, state = excluded.state "
            "WHERE excluded.position >= snapshots.position"
        )
        self._do(lambda db: db.execute(query, row))

    def conversation(self, key: str) -> tuple[int, float, JSON] | None:
        query = (
            "SELECT CAST(version AS INTEGER), CAST(at AS REAL), state FROM conversations "
            "WHERE key = ?"
        )
        row = self._do(lambda db: db.execute(query, (key,)).fetchone())
        return None if row is None else (int(row[0]), float(row[1]), _data(row[2]))

    def keep(self, key: str, version: int, state: JSON, *, at: float, is_open: bool) -> bool:
        values = [at, int(is_open), _encode(state), key]
        query, row = (KEEP, [*values, version]) if version else (BEGIN, values)
        return self._do(lambda db: db.execute(query, row).rowcount == 1)

    def sweep(self, *, silent: float, gone: float, most: int) -> Sequence[str]:
        def work(db: sqlite3.Connection) -> list[str]:
            db.execute(FORGET, (gone, FORGOTTEN_AT_ONCE))
            query = "SELECT key FROM conversations WHERE is_open = 1 AND at < ? ORDER BY at LIMIT ?"
            return [row[0] for row in db.execute(query, (silent, most))]

        return self._do(work)

    def recent(self, goal: str, most: int) -> list[Entry]:
        """A goal's newest entries, newest first; old ones only where there are no others."""
        query = (
            f"SELECT {COLUMNS} FROM entries WHERE goal = ? AND position > "
            "(SELECT COALESCE(MAX(position), 0) FROM entries) - ? ORDER BY position DESC LIMIT ?"
        )

        def newest(look: int) -> list[Entry]:
            rows = self._do(lambda db: db.execute(query, (goal, look, most)).fetchall())
            return list(map(_entry, rows))

        return newest(RECENT) or newest(2**62)

    def goals(self) -> list[str]:
        rows = self._do(lambda db: db.execute("SELECT DISTINCT goal FROM entries").fetchall())
        return sorted(row[0] for row in rows)

    def close(self) -> None:
        with self._lock:
            self._closed = True
            if self._connection is not None:
                self._connection.close()

    def _leave_parent(self) -> None:
        """In a forked child: leave the connection, and open another with the next use.

        SQLite keeps book of the file locks of its process. A child inherits the book without the
        locks: it must neither use nor keep the connection, and no fork may fall into a transaction.
        """
        self._lock = threading.RLock()
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _do(self, work: Callable[[sqlite3.Connection], T]) -> T:
        import sqlite3

        with self._lock:
            if self._closed:
                raise LedgerError(f"the ledger {self.file} is closed")
            if self._connection is None:
                self._connection = self._open()
            try:
                return work(self._connection)
            except sqlite3.Error as error:
                raise LedgerError(f"the ledger {self.file} failed: {error}") from error

    def _open(self) -> sqlite3.Connection:
        import sqlite3  # slow to import

        try:
            db = sqlite3.connect(
                self.file, timeout=OPEN_BUSY_S, isolation_level=None, check_same_thread=False
            )
        except sqlite3.Error as error:
            raise LedgerError(f"cannot open the ledger {self.file}: {error}") from error
        try:
            self._set_up_in_turn(db)
            db.execute(f"PRAGMA busy_timeout = {BUSY_MS}")
        except sqlite3.Error as error:
            db.close()
            raise LedgerError(
                f"{self.file} is no usable ledger: {error}. Move it away, or choose another file "
                "with ledger= or KALIBR_LEDGER"
            ) from error
        except LedgerError:
            db.close()
            raise
        return db

    def _set_up_in_turn(self, db: sqlite3.Connection) -> None:
        """Set up, beside others: the change to WAL mode does not wait for them by itself."""
        import sqlite3  # slow to import

        until = time.monotonic() + OPEN_BUSY_S
        while True:
            try:
                return self._set_up(db)
            except sqlite3.OperationalError as error:
                busy = error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY
                if not busy or time.monotonic() > until:
                    raise
                time.sleep(0.005)

    def _set_up(self, db: sqlite3.Connection) -> None:
        version = int(db.execute("PRAGMA user_version").fetchone()[0])
        if version > SCHEMA_VERSION:
            raise LedgerError(
                f"the ledger {self.file} is of version {version}, written by a newer kalibr-core; "
                f"this one reads up to {SCHEMA_VERSION}. Upgrade, or choose another file"
            )
        # In this order, since another process may be setting the file up between the two.
        tables = db.execute("SELECT COUNT(*) FROM sqlite_master").fetchone()[0]
        owner = int(db.execute("PRAGMA application_id").fetchone()[0])
        if owner != APPLICATION_ID and tables:
            raise LedgerError(
                f"{self.file} is a database of another program; choose another file for the ledger"
            )
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = NORMAL")
        db.execute("PRAGMA secure_delete = ON")  # sketches that went are not left in free pages
        if version < SCHEMA_VERSION:
            db.execute("BEGIN IMMEDIATE")
            for statement in filter(str.strip, SCHEMA.split(";")):
                db.execute(statement)
            db.execute(f"PRAGMA application_id = {APPLICATION_ID}")
            db.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
            db.execute("COMMIT")


def _entry(row: tuple[str, str, str, str, str, str, float, str, float | None, str]) -> Entry:
    """Read a line back; what is damaged in it teaches nothing and hides no other line."""
    head, at, evidence, reward = row[:6], row[6], row[7], row[8]
    if evidence not in KINDS or not isinstance(reward, float | None):
        evidence, reward = "none", None
    at = at if isinstance(at, float) else 0.0
    return Entry(*head, at, EvidenceKind(evidence), reward, _data(row[9]))


def _data(text: str) -> Mapping[str, JSON]:
    try:
        data = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return data if isinstance(data, dict) else {}
