"""What the SQLite ledger says to its file."""

from __future__ import annotations

SCHEMA = """
CREATE TABLE IF NOT EXISTS entries (
    position INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    goal TEXT NOT NULL,
    kind TEXT NOT NULL,
    decision_id TEXT NOT NULL,
    path_id TEXT NOT NULL,
    origin TEXT NOT NULL,
    at REAL NOT NULL,
    evidence TEXT NOT NULL,
    reward REAL,
    data TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS snapshots (
    goal TEXT NOT NULL,
    version TEXT NOT NULL,
    position INTEGER NOT NULL,
    state TEXT NOT NULL,
    PRIMARY KEY (goal, version)
);
CREATE TABLE IF NOT EXISTS conversations (
    key TEXT PRIMARY KEY,
    version INTEGER NOT NULL,
    at REAL NOT NULL,
    is_open INTEGER NOT NULL,
    state TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS conversations_by_silence ON conversations (is_open, at);
"""
COLUMNS = "id, goal, kind, decision_id, path_id, origin, at, evidence, reward, data"
INSERT = (
    f"INSERT INTO entries ({COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) "
    "ON CONFLICT (id) DO NOTHING"
)
TAKE_IN = """
SELECT path_id, evidence, SUM(reward), SUM(1.0 - reward), MAX(CAST(at AS REAL)) FROM entries
WHERE position > ? AND position <= ? AND goal = ? AND origin <> ? AND reward BETWEEN 0.0 AND 1.0
GROUP BY path_id, evidence ORDER BY MIN(position)
"""

KEEP = (
    "UPDATE conversations SET version = version + 1, at = ?, is_open = ?, state = ? "
    "WHERE key = ? AND version = ?"
)
BEGIN = (
    "INSERT INTO conversations (at, is_open, state, key, version) VALUES (?, ?, ?, ?, 1) "
    "ON CONFLICT (key) DO NOTHING"
)
FORGET = (
    "DELETE FROM conversations WHERE key IN (SELECT key FROM conversations "
    "WHERE is_open = 0 AND at < ? LIMIT ?)"
)
