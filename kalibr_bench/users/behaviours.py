"""What users do with an output: the six plain behaviours and the harder ones.

Each function writes one session's exchanges. `SHARES` says how often each occurs; the shares were
set beforehand, from what chat logs are like, and not after any system's results.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from kalibr_bench.users.desk import Desk, Task
from kalibr_bench.users.material import code, pastes
from kalibr_bench.users.records import Exchange

Turns = list[Exchange]


def satisfied(desk: Desk) -> Turns:
    """One good output, a thank-you, gone; one in five goes without a word."""
    turns = [desk.asks(desk.task(), sign=1)]
    return [*turns, desk.thanks()] if desk.chance(0.8) else turns


def refines(desk: Desk) -> Turns:
    """One refinement, then content: leaves silently, with thanks, or for a new task."""
    task = desk.task()
    turns = refined(desk, task)
    ending = desk.rng.random()
    if ending < 0.4:
        return turns
    if ending < 0.8:
        return [*turns, desk.thanks()]
    return [*turns, desk.asks(desk.task(), sign=None, lead=True)]


def repeats(desk: Desk) -> Turns:
    """The same complaint two to five times, word for word or reworded, then gone."""
    task = desk.task()
    count = desk.rng.randint(2, 5)
    turns = [desk.asks(task, sign=-1)]
    if desk.chance(0.35):
        message = desk.typed(desk.rng.choice(task.wish.openers), mood=-1)
        again = [message] * count
    else:
        again = [desk.typed(words, mood=-1) for words in desk.wordings(task, count)]
    return turns + [
        Exchange(user_message=message, output=desk.unchanged(task), sign=-1) for message in again
    ]


def angry(desk: Desk) -> Turns:
    """Complaints that get longer and angrier, some of them louder."""
    task, anger = desk.task(), desk.book.phrases["angry"]
    turns = [desk.asks(task, sign=-1)]
    for level, words in enumerate(desk.wordings(task, desk.rng.randint(2, 4))):
        more = desk.rng.sample(anger, min(level, len(anger)))
        text = " ".join([words, *more])
        if level > 1 and desk.chance(0.3):
            text = text.upper()
        turns.append(desk.says(text, desk.unchanged(task), sign=-1))
    return turns


def moves_on(desk: Desk) -> Turns:
    """Two to four tasks, each taken up after an accepted output."""
    count = desk.rng.randint(2, 4)
    thanked = desk.chance(0.4)
    turns = [
        desk.asks(desk.task(), sign=1 if n < count - 1 or thanked else None, lead=n > 0)
        for n in range(count)
    ]
    return [*turns, desk.thanks()] if thanked else turns


def silent(desk: Desk) -> Turns:
    """One exchange and no more."""
    return [desk.asks(desk.task(), sign=None)]


def off_topic(desk: Desk) -> Turns:
    """A turn about something else in between: it tells nothing of the task."""
    task, story = desk.task(), desk.rng.random()
    if story < 0.3:
        return [desk.asks(task, sign=None), desk.small_talk()]
    if story < 0.5:
        return [desk.asks(task, sign=1), desk.thanks(), desk.small_talk()]
    if story < 0.7:
        first, second = refined(desk, task)
        return [first, desk.small_talk(), second, desk.thanks()]
    first, *rest = complains(desk, task, desk.rng.randint(2, 3))
    return [first, rest[0], desk.small_talk(), *rest[1:]]


def polite(desk: Desk) -> Turns:
    """Thanks in every message, and never content."""
    task = desk.task()
    turns = [desk.asks(task, sign=-1)]
    for words in desk.wordings(task, desk.rng.randint(1, 3)):
        text = desk.pick("polite").format(c=words)
        turns.append(desk.says(text, desk.unchanged(task), sign=-1))
    return turns


def gives_up(desk: Desk) -> Turns:
    """A task that never comes right is dropped for another."""
    task, other = desk.task(), desk.task()
    turns = complains(desk, task, desk.rng.randint(1, 2))
    if desk.chance(0.75):
        request = f"{desk.pick('forget')} {other.request}"
        turns.append(desk.says(request, other.output, sign=None))
    else:
        turns += [desk.says(desk.pick("forget"), desk.unchanged(task), sign=-1)]
        turns += [desk.asks(other, sign=None)]
    if desk.chance(0.4):
        turns[-1] = Exchange(user_message=turns[-1].user_message, output=turns[-1].output, sign=-1)
        turns.append(desk.says(desk.rng.choice(other.wish.openers), desk.unchanged(other), sign=-1))
    return turns


def terse(desk: Desk) -> Turns:
    """A user of few words: two or three, whatever there is to say."""
    task, story = desk.task(terse=True), desk.rng.random()
    accepts = desk.says(desk.pick("terse_yes"), desk.pick("welcome"), sign=None, mood=1)
    if story < 0.35:
        return [desk.asks(task, sign=1), accepts]
    if story < 0.55:
        short = min(task.wish.openers, key=len)
        return [
            desk.asks(task, sign=-1),
            desk.says(short, desk.better(task.lines, than=task.output), sign=1),
            accepts,
        ]
    if story < 0.75:
        return [desk.asks(task, sign=1), desk.asks(desk.task(terse=True), sign=None)]
    words = [desk.pick("terse_no") for _ in range(desk.rng.randint(1, 3))]
    return [desk.asks(task, sign=-1)] + [
        desk.says(word, desk.unchanged(task), sign=-1) for word in words
    ]


def sarcastic(desk: Desk) -> Turns:
    """Words of praise, meant the other way round."""
    task = desk.task()
    turns = [desk.asks(task, sign=-1)]
    for words in desk.wordings(task, desk.rng.randint(1, 3)):
        text = f"{desk.pick('sarcasm')} {words}" if desk.chance(0.5) else desk.pick("sarcasm")
        turns.append(desk.says(text, desk.unchanged(task), sign=-1))
    return turns


def negative_words(desk: Desk) -> Turns:
    """Words of blame inside the tasks, mostly from users who are content."""
    return loaded(desk, "negative", content=0.7)


def praise_words(desk: Desk) -> Turns:
    """Words of thanks inside the tasks, often from users who are not content."""
    return loaded(desk, "praise", content=0.45)


def loaded(desk: Desk, kind: str, *, content: float) -> Turns:
    """Tasks with loaded words; that share of users is content."""
    task = desk.loaded(kind)
    if not desk.chance(content):
        return complains(desk, task, desk.rng.randint(2, 3))
    if desk.chance(0.5):
        return [desk.asks(task, sign=1), desk.thanks()]
    return [desk.asks(task, sign=1), desk.asks(desk.loaded(kind), sign=None)]


def refined(desk: Desk, task: Task) -> Turns:
    """A first output that falls short, and a second that is right."""
    wish, better = desk.rng.choice(task.wish.openers), desk.better(task.lines, than=task.output)
    return [desk.asks(task, sign=-1), desk.says(wish, better, sign=1, mood=0)]


def complains(desk: Desk, task: Task, count: int) -> Turns:
    """The same wish `count` times, and never fulfilled."""
    return [desk.asks(task, sign=-1)] + [
        desk.says(words, desk.unchanged(task), sign=-1) for words in desk.wordings(task, count)
    ]


BEHAVIOURS: Mapping[str, Callable[[Desk], Turns]] = {
    "satisfied": satisfied,
    "refines": refines,
    "repeats": repeats,
    "angry": angry,
    "moves_on": moves_on,
    "silent": silent,
    "off_topic": off_topic,
    "polite": polite,
    "gives_up": gives_up,
    "terse": terse,
    "pastes": pastes,
    "code": code,
    "sarcastic": sarcastic,
    "negative_words": negative_words,
    "praise_words": praise_words,
}

SHARES: Mapping[str, float] = {
    "satisfied": 0.14,
    "refines": 0.12,
    "repeats": 0.11,
    "angry": 0.08,
    "moves_on": 0.13,
    "silent": 0.10,
    "off_topic": 0.04,
    "polite": 0.05,
    "gives_up": 0.04,
    "terse": 0.05,
    "pastes": 0.04,
    "code": 0.04,
    "sarcastic": 0.02,
    "negative_words": 0.02,
    "praise_words": 0.02,
}
"""How large a part of all sessions each behaviour is; they sum to 1."""
