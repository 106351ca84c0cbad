"""A user and an assistant at work: the sentences that behaviours are made of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random

from kalibr_bench.users.habits import Habits, typed
from kalibr_bench.users.phrases import Phrasebook, Wish
from kalibr_bench.users.records import Exchange


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """What is asked for, the first output, what outputs are made of, and one wish about them."""

    request: str
    output: str
    lines: tuple[str, ...]
    wish: Wish


@dataclass(slots=True, kw_only=True)
class Desk:
    """One session's user, assistant and chance."""

    rng: Random
    book: Phrasebook
    habits: Habits
    done: list[str] = field(default_factory=list)
    """Requests already made: nobody asks for the same new task twice in a session."""

    def chance(self, share: float) -> bool:
        """True in that share of cases."""
        return self.rng.random() < share

    def pick(self, phrases: str) -> str:
        """Any phrase of that list."""
        return self.rng.choice(self.book.phrases[phrases])

    def typed(self, text: str, *, mood: int = 0) -> str:
        """The text as this user would type it."""
        return typed(text, by=self.habits, mood=mood, rng=self.rng)

    def task(self, *, terse: bool = False) -> Task:
        """A task that this session has not seen."""
        topic = self.rng.choice([t for t in self.book.topics if t.name not in self.done])
        self.done.append(topic.name)
        subject = self.rng.choice(topic.subjects)
        lines = tuple(line.format(s=subject) for line in topic.lines)
        own = not topic.prose or self.chance(0.6)
        request = topic.terse if terse else self.rng.choice(topic.requests)
        return Task(
            request=request.format(s=subject),
            output=self.text(lines),
            lines=lines,
            wish=topic.wish if own else self.rng.choice(self.book.wishes),
        )

    def loaded(self, kind: str) -> Task:
        """A task whose request holds a word of blame (`negative`) or of thanks (`praise`)."""
        pairs = [pair for pair in self.book.pairs[kind] if pair[0] not in self.done]
        if not pairs:
            return self.task()
        request, output = self.rng.choice(pairs)
        self.done.append(request)
        return Task(
            request=request,
            output=output,
            lines=(output,),
            wish=self.rng.choice(self.book.wishes),
        )

    def better(self, lines: Sequence[str], *, than: str) -> str:
        """An output that does what was asked: another choice of the lines (three or more)."""
        text = than
        while text == than:
            text = self.text(lines)
        return f"{self.pick('revised')} {text}"

    def text(self, lines: Sequence[str]) -> str:
        """An output: some of the lines, in their order."""
        count = self.rng.randint(min(2, len(lines)), len(lines))
        kept = sorted(self.rng.sample(range(len(lines)), count))
        return " ".join(lines[n] for n in kept)

    def unchanged(self, task: Task) -> str:
        """An output that does not do what was asked: the old one, with or without a promise."""
        return f"{self.pick('same')} {task.output}" if self.chance(0.8) else task.output

    def asks(self, task: Task, *, sign: int | None, lead: bool = False) -> Exchange:
        """The user sets a task; with `lead`, often after a word about the last one."""
        request = task.request
        if lead and self.chance(0.45):
            request = self.pick("next").format(r=request)
        return Exchange(user_message=self.typed(request), output=task.output, sign=sign)

    def says(self, text: str, output: str, *, sign: int | None, mood: int = -1) -> Exchange:
        """The user writes something else."""
        return Exchange(user_message=self.typed(text, mood=mood), output=output, sign=sign)

    def thanks(self) -> Exchange:
        """The user is content and says so; the answer is small talk."""
        return self.says(self.pick("thanks"), self.pick("welcome"), sign=None, mood=1)

    def small_talk(self) -> Exchange:
        """A turn about something else."""
        asked, told = self.rng.choice(self.book.pairs["off_topic"])
        return self.says(asked, told, sign=None, mood=0)

    def wordings(self, task: Task, count: int) -> list[str]:
        """The same wish `count` times, at least once: first plain, then reworded or insisting."""
        first = self.rng.choice(task.wish.openers)
        others = [words for words in task.wish.wordings if words != first]
        order = [*self.rng.sample(others, len(others)), first]
        later = [order[n % len(order)] for n in range(count - 1)]
        return [first] + [
            self.pick("again").format(c=words) if self.chance(0.5) else words for words in later
        ]
