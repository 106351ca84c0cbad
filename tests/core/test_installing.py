"""Errors name the command that the README names."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from kalibr_core.installing import command

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("extra", ["cli", "langchain", "llama-index", "bench"])
def test_the_readme_names_it(extra: str) -> None:
    assert command(extra) in (ROOT / "README.md").read_text("utf-8")


def test_no_error_and_no_page_names_another_way() -> None:
    """There is no package of this name in an index to be installed from."""
    pages = [*ROOT.glob("kalibr_*/**/*.py"), *ROOT.glob("docs/*.md"), ROOT / "README.md"]
    wrong = [str(page) for page in pages if re.search("install '?kalibr", page.read_text("utf-8"))]
    assert wrong == []
