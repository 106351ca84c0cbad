"""A run that answers a person, as it grows."""

from __future__ import annotations

from dataclasses import dataclass, field

from kalibr_core.adapter.behaviour import Decided
from kalibr_core.adapter.ends import short

from .said import Said


@dataclass(slots=True)
class Talk:
    """Its texts are let go when they are told.

    Args:
        id: the span's.
        began: when, by the clock of `Talks`.
        session_id: None: an agent's context will tell it.
        said: None: nobody has said anything, the run goes on where it had stopped.
        is_marked: the agent's context knows the conversation, or there is none.
    """

    id: str
    began: float
    session_id: str | None
    said: Said | None
    is_marked: bool
    is_routed: bool = False
    """A routed LLM has been called for it."""
    asked: bool = False
    """What was said has been told."""
    answered: list[Decided] = field(default_factory=list)
    told: int = 0
    """Answered calls that were."""
    output: str | None = None
    """None: it is yet to come."""
    ended: bool = False
    failed: bool = False
    passed: bool = False
    """It was told that no routed call has given the answer."""
    is_written: bool = False
    """Its stream tells the whole text at its end."""
    broken: bool = False
    """That went wrong."""
    in_spans: dict[str, Decided] = field(default_factory=dict)
    """The last answered call in each span."""
    texts: dict[int, Decided] = field(default_factory=dict)
    """Who gave an answer, by its text's hash."""
    author: Decided | None = None

    def decided(self, call: Decided, span_id: str | None) -> None:
        """A routed call has given an answer."""
        self.answered.append(call)
        self.in_spans[span_id or ""] = call

    def wrote(self, span_id: str | None, text: str) -> None:
        """This is the text of the last call in a span."""
        call = self.in_spans.get(span_id or "")
        if call is not None and text.strip():
            self.texts[hash(short(text))] = call

    def credited(self) -> list[Decided]:
        """The calls that gave an answer, at the end the one whose text is the run's: another may
        come after it, such as one that draws facts for the memory from it."""
        if self.author is None and self.output:
            self.author = self.texts.get(hash(self.output))
        if self.author is None:
            return list(self.answered)
        return [*(call for call in self.answered if call != self.author), self.author]

    def forget(self) -> None:
        """Let its texts go."""
        self.output = None if self.output is None else ""
        self.said = None if self.said is None else self.said._replace(text="")
        self.texts.clear()
        self.in_spans.clear()
