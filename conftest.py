"""Every `python` fence of README and docs, and every doctest, is run by the test command."""

from __future__ import annotations

import os
import tempfile
from typing import Any

from sybil import Sybil
from sybil.parsers.doctest import DocTestParser
from sybil.parsers.markdown import PythonCodeBlockParser, SkipParser
from sybil.sybil import SybilCollection

from kalibr_bench.provider import LoopbackProvider

KEPT_OUT = ("_API_KEY", "_BASE_URL", "_PROXY", "_proxy")


def set_up(namespace: dict[str, Any]) -> None:
    """Give each file an empty folder, none of the machine's keys, and a provider of its own."""
    folder, provider = tempfile.TemporaryDirectory(), LoopbackProvider().start()
    namespace["_before"] = (folder, provider, os.getcwd(), dict(os.environ))
    os.chdir(folder.name)
    for name in list(os.environ):
        if name.endswith(KEPT_OUT) or name == "KALIBR_LEDGER":
            del os.environ[name]
    os.environ.update(KALIBR_BASE_URL=provider.base_url, OUR_LLM_KEY="of the docs' example")


def tear_down(namespace: dict[str, Any]) -> None:
    folder, provider, where, environment = namespace["_before"]
    os.chdir(where)
    os.environ.clear()
    os.environ.update(environment)
    provider.close()
    folder.cleanup()


DOCS = Sybil(
    parsers=[DocTestParser(), PythonCodeBlockParser(), SkipParser()],
    patterns=["README.md", "CONTRIBUTING.md", "docs/*.md", "docs/**/*.md"],
    setup=set_up,
    teardown=tear_down,
)
# In any folder: `**` in a pattern is one folder up to Python 3.12.
DOCTESTS = Sybil(
    parsers=[DocTestParser()], patterns=["*.py"], excludes=["test_*.py", "conftest.py"]
)
pytest_collect_file = SybilCollection([DOCS, DOCTESTS]).pytest()
