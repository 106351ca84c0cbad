"""The examples themselves are run by the root `conftest.py`; here: that none falls out of it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
FENCE = re.compile(r"^```python$", re.MULTILINE)
DOCTEST = re.compile(r"^\s+>>> |^>>> ", re.MULTILINE)
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


def files_with_examples() -> list[Path]:
    pages = [page for page in PAGES if FENCE.search(page.read_text())]
    modules = [
        module
        for package in ("kalibr_core", "kalibr_bench")
        for module in sorted((ROOT / package).rglob("*.py"))
        if DOCTEST.search(module.read_text())
    ]
    return pages + modules


@pytest.mark.parametrize("file", files_with_examples(), ids=lambda f: str(f.relative_to(ROOT)))
def test_a_file_with_examples_is_collected(file: Path, pytestconfig: pytest.Config) -> None:
    collect = pytestconfig.pluginmanager.getplugin(str(ROOT / "conftest.py"))
    assert collect is not None, "the root conftest.py collects the examples"
    assert any(s.should_parse(file) for s in (collect.DOCS, collect.DOCTESTS))


def test_a_fence_of_python_is_marked_as_such() -> None:
    """`py`, `Python` or `python3` would never be run."""
    for page in PAGES:
        others = re.findall(r"^```(py|Python|python3|pycon)\b.*$", page.read_text(), re.MULTILINE)
        assert others == [], page


def test_the_readmes_two_commands_are_marked() -> None:
    """The check of a change runs them from here."""
    readme = (ROOT / "README.md").read_text()
    for name in ("benchmark", "tests"):
        assert re.search(rf"<!-- command: {name} -->\n```bash\n.+\n```", readme), name
