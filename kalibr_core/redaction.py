"""Keys are taken out of errors before anybody reads, logs or pickles them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from .types import Path


def redact(error: BaseException, secrets: Sequence[str]) -> None:
    """Take keys out of an exception's texts and its causes': some servers echo them."""
    seen: set[int] = set()
    cause: BaseException | None = error
    while cause is not None and id(cause) not in seen:
        seen.add(id(cause))
        for secret in secrets:
            for name in ("message", "body", "code", "param", "type"):
                value = getattr(cause, name, None)
                if value is not None and secret in str(value):
                    setattr(cause, name, "[removed: it held the API key]")
            if any(secret in str(argument) for argument in cause.args):
                cause.args = tuple(str(a).replace(secret, "[API key]") for a in cause.args)
        cause = cause.__cause__ or cause.__context__


def header_secrets(path: Path) -> Iterator[str]:
    """A path's own headers may carry keys, as `Bearer <key>` too."""
    headers = path.params.get("extra_headers")
    for value in headers.values() if isinstance(headers, Mapping) else ():
        for secret in (value, *value.split()[1:]) if isinstance(value, str) else ():
            if len(secret) >= 8:
                yield secret
