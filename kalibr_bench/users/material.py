"""Users who paste: long documents, and programs with their error messages."""

from __future__ import annotations

from kalibr_bench.users.desk import Desk
from kalibr_bench.users.phrases import Snippet, snippets
from kalibr_bench.users.records import Exchange


def pastes(desk: Desk) -> list[Exchange]:
    """A long document and a question about it; some paste it again when the answer is wrong."""
    story, (document, other) = desk.rng.random(), _documents(desk)
    if story < 0.3:
        return [_asks(desk, document, sign=1), desk.thanks()]
    if story < 0.5:
        after = _asks(desk, other, sign=None) if other else desk.asks(desk.task(), sign=None)
        return [_asks(desk, document, sign=1), after]
    if story < 0.7:
        first = _asks(desk, document, sign=-1)
        better = desk.better(desk.book.phrases["paste_lines"], than=first.output)
        turns = [first, desk.says(desk.pick("paste_wish"), better, sign=1, mood=0)]
        return [*turns, desk.thanks()] if desk.chance(0.5) else turns
    turns = [_asks(desk, document, sign=-1)]
    for _ in range(desk.rng.randint(2, 3)):
        words = desk.typed(desk.pick("paste_wish"), mood=-1)
        message = f"{words}\n\n{document}" if desk.chance(0.3) else words
        output = f"{desk.pick('same')} {turns[0].output}"
        turns.append(Exchange(user_message=message, output=output, sign=-1))
    return turns


def code(desk: Desk) -> list[Exchange]:
    """A broken program; it is mended or not, and the error message says so."""
    snippet, story = desk.rng.choice(snippets()), desk.rng.random()
    lead = desk.typed(desk.pick("code_lead"))
    asked = f"{lead}\n\n{_fenced(snippet.code)}"
    if story < 0.5:
        mended = Exchange(user_message=asked, output=_answer(desk, snippet.fixed), sign=1)
        return [mended, _builds_on(desk, snippet)] if story < 0.2 else [mended, _works(desk)]
    turns = [Exchange(user_message=asked, output=_answer(desk, snippet.other), sign=-1)]
    if story < 0.7:
        return [*turns, _fails(desk, snippet, mended=True), _works(desk)]
    count = desk.rng.randint(2, 4)
    return turns + [_fails(desk, snippet, mended=False) for _ in range(count)]


def _documents(desk: Desk) -> tuple[str, str]:
    """Two documents that share nothing; the second is empty where the first took everything."""
    material = desk.book.phrases["paste"]
    shuffled = desk.rng.sample(material, len(material))
    count = desk.rng.randint(1, len(material))
    return "\n\n".join(shuffled[:count]), "\n\n".join(shuffled[count:])


def _asks(desk: Desk, document: str, *, sign: int | None) -> Exchange:
    message = f"{desk.typed(desk.pick('paste_lead'))}\n\n{document}"
    output = desk.text(desk.book.phrases["paste_lines"])
    return Exchange(user_message=message, output=output, sign=sign)


def _fenced(text: str) -> str:
    return f"```\n{text}\n```"


def _answer(desk: Desk, program: str) -> str:
    return f"{desk.pick('code_out')}\n\n{_fenced(program)}"


def _fails(desk: Desk, snippet: Snippet, *, mended: bool) -> Exchange:
    message = f"{desk.typed(desk.pick('code_error'), mood=-1)}\n\n{snippet.error}"
    output = _answer(desk, snippet.fixed if mended else snippet.other)
    return Exchange(user_message=message, output=output, sign=1 if mended else -1)


def _works(desk: Desk) -> Exchange:
    return desk.says(desk.pick("code_works"), desk.pick("welcome"), sign=None, mood=1)


def _builds_on(desk: Desk, snippet: Snippet) -> Exchange:
    """The next step, without a word about the last: who builds on an output has taken it."""
    return desk.says(desk.pick("code_next"), _answer(desk, snippet.fixed), sign=None, mood=0)
