"""`import kalibr_core` is light, and does nothing but define names."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]

HEAVY = (
    "openai",
    "pydantic",
    "jsonschema",
    "httpx",
    "httpx2",
    "asyncio",
    "sqlite3",
    "ssl",
    "socket",
    "email",
    "urllib",
    "http",
    "typer",
    "rich",
    "genai_prices",
    "tiktoken",
    "psycopg",
    "opentelemetry",
    "langchain_core",
    "llama_index",
    "aiohttp",
    "numpy",
    "kalibr_bench",
    "kalibr_langchain",
    "kalibr_llama_index",
    "kalibr_core.testing",
    "kalibr_core.gates.structural",
)


def run(code: str, folder: Path, *flags: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *flags, "-c", code],
        cwd=folder,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "HOME": str(folder)},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )


def test_no_heavy_module_is_imported(tmp_path: Path) -> None:
    told = run("import kalibr_core", tmp_path, "-X", "importtime").stderr
    imported = {line.rpartition("|")[2].strip() for line in told.splitlines()}
    assert "kalibr_core.router" in imported, "the list was read"
    baseline = run("pass", tmp_path, "-X", "importtime").stderr
    already = {line.rpartition("|")[2].strip() for line in baseline.splitlines()}
    found = {m for m in imported - already for heavy in HEAVY if re.match(rf"{heavy}(\.|$)", m)}
    assert found == set()


def test_it_prints_nothing_writes_nothing_and_starts_nothing(tmp_path: Path) -> None:
    code = """
import os, sys, threading, gc
before = dict(os.environ)
import kalibr_core
assert threading.active_count() == 1
assert dict(os.environ) == before
assert not os.path.exists("/proc/self/fd") or all(
    not os.readlink(f"/proc/self/fd/{f}").startswith("socket:")
    for f in os.listdir("/proc/self/fd") if os.path.exists(f"/proc/self/fd/{f}")
)
"""
    done = run(code, tmp_path, "-B")
    assert (done.stdout, done.stderr) == ("", "")
    assert list(tmp_path.iterdir()) == []


def test_a_router_is_made_without_the_clients_library(tmp_path: Path) -> None:
    """It is imported with the first call: programs that only make one start fast."""
    code = """
import sys
from kalibr_core import Router
with Router("g", paths=["gpt-4o"], api_key="none", ledger="memory"):
    print(*({"openai", "pydantic"} & set(sys.modules)))
"""
    assert run(code, tmp_path).stdout.split() == []


def test_only_a_router_makes_the_ledgers_file(tmp_path: Path) -> None:
    code = """
import os
from kalibr_core import Router
print(os.path.exists(".kalibr"))
Router("g", paths=["gpt-4o"], api_key="none").close()
print(os.path.exists(".kalibr/kalibr.db"))
"""
    assert run(code, tmp_path).stdout.split() == ["False", "True"], "before one, and after"


def test_no_module_of_the_core_imports_another_package_of_ours() -> None:
    pattern = re.compile(r"^\s*(from|import) (kalibr_bench|kalibr_langchain|kalibr_llama_index)\b")
    for file in (ROOT / "kalibr_core").rglob("*.py"):
        for line in file.read_text().splitlines():
            assert not pattern.match(line), f"{file}: {line}"
