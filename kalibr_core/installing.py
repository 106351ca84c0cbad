"""How this library is installed, for errors that say what is missing."""

from __future__ import annotations


def command(*extras: str) -> str:
    """The command of a clone of the repository: it is in no package index.

    >>> command("langchain", "cli")
    'pip install -e ".[langchain,cli]"'
    """
    return f'pip install -e ".[{",".join(extras)}]"'
