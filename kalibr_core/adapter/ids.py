"""A decision that users name by its id rather than by the answer that it gave."""

from __future__ import annotations

import re

from ..errors import ConfigError
from ..outputs import Named

ID = re.compile(r"[!-~]{1,64}")
"""What may be a decision's id: no spaces, nothing long. An answer's text is seldom so."""


def named_by_id(given: str, *, instead: str) -> Named:
    """A decision by its id.

    Args:
        instead: what to give in place of an answer's text, for the error.

    Raises:
        ConfigError: this is a text rather than an id; the error does not show it.
    """
    if ID.fullmatch(given) is None:
        raise ConfigError(f"a text of {len(given)} characters is no decision's id; {instead}")
    return Named(given)
