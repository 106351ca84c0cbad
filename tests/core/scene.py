"""One Router with fakes on all its seams, and one way through it."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pytest

from kalibr_core import KalibrError, MemoryLedger, Path, Request, Router
from kalibr_core.plan import Done
from kalibr_core.testing import WAYS, FakeClock, FirstArm, FixedGate, Scripted, Step, Way
from kalibr_core.types import Entry

BAD = "bad"
"""The text that the scenes' gate refuses."""


@dataclass(frozen=True)
class Drive:
    """A way through a Router, and what its streams do."""

    way: Way
    mode: str = "live"

    @property
    def streams(self) -> bool:
        return self.way in ("stream", "astream")

    @property
    def heals_late(self) -> bool:
        """Can a failure after the first token still be healed?"""
        return not (self.streams and self.mode == "live")

    def __str__(self) -> str:
        return f"{self.way}-{self.mode}" if self.streams else self.way


DRIVES = [*map(Drive, WAYS), Drive("stream", "hold"), Drive("astream", "hold")]
every_drive = pytest.mark.parametrize("drive", DRIVES, ids=str)


def named(*names: str, **fields: Any) -> list[Path]:
    """Paths of a server of the tests' own, called by these names."""
    return [Path(model=name, name=name, base_url="http://127.0.0.1:9", **fields) for name in names]


class Scene:
    """A Router over scripted paths; `run` sends one request the scene's way."""

    def __init__(
        self,
        script: Mapping[str, Step | list[Step]],
        drive: Drive = DRIVES[0],
        *,
        paths: Sequence[Path] | None = None,
        **router: Any,
    ) -> None:
        self.drive = drive
        self.clock = FakeClock()
        self.provider = Scripted(script, clock=self.clock)
        self.policy = router.pop("policy", None) or FirstArm()
        self.ledger = router.pop("ledger", None) or MemoryLedger()
        if "success_when" not in router:
            router.setdefault("gate", FixedGate(BAD))
        self.router = Router(
            "scene",
            paths=named(*script) if paths is None else paths,
            policy=self.policy,
            ledger=self.ledger,
            stream_mode=drive.mode,  # type: ignore[arg-type]
            seed=1,
            **{**self.clock.arguments(), **router},
        )

    def run(self, request: Request | None = None, **options: Any) -> Done[object]:
        return self.provider.route(self.router, self.drive.way, request, **options)

    def error(self, request: Request | None = None, **options: Any) -> Exception:
        """What a run raises; it must."""
        with pytest.raises(Exception) as caught:
            self.run(request, **options)
        return caught.value

    def kalibr_error(self, request: Request | None = None) -> KalibrError:
        error = self.error(request)
        assert isinstance(error, KalibrError)
        return error

    @property
    def called(self) -> list[str]:
        return self.provider.called

    @property
    def entries(self) -> list[Entry]:
        assert self.router.unwritten >= 0  # settles what was left
        return [entry for _, entry in self.ledger.entries()]

    @property
    def booked(self) -> list[tuple[str, str, str, float | None]]:
        """Per attempt: path, what became of it, kind of evidence, reward."""
        return [
            (e.path_id, _became(e), e.evidence.value, e.reward)
            for e in self.entries
            if e.kind == "attempt"
        ]

    @property
    def learned(self) -> list[tuple[str, str, float, float]]:
        """What the policy was told, without what says nothing."""
        return [
            (arm, e.kind.value, e.gain, e.loss)
            for arm, e in self.policy.seen
            if e.kind.value != "none"
        ]


def _became(entry: Entry) -> str:
    if entry.data.get("abandoned"):
        return "abandoned"
    return str(entry.data.get("failure", "passed"))


def warnings_of(caplog: pytest.LogCaptureFixture) -> list[str]:
    """Texts of the library's warnings so far."""
    return [
        r.getMessage()
        for r in caplog.records
        if r.levelno >= logging.WARNING and r.name == "kalibr"
    ]
