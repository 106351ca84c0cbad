"""What a message says of the answer before it: by words in a known language, and by its form."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache

from .sketch import UNSPACED, legible, words_of
from .turn_marks import MARKS, RIVALS
from .turn_words import LANGUAGES

QUOTED = re.compile(
    r"```.*?(```|\Z)|`[^`\n]+`|(?<!\w)'[^'\n]{4,}'(?!\w)|\"[^\"]{12,}\"|“[^“”]{4,}”|„[^„“”]{4,}[“”]|«[^«»]{4,}»|「[^「」]{2,}」"
    r"|^>[^\n]*$|(?<=:)\s*\n.*",
    re.DOTALL | re.MULTILINE,
)
"""Code, quotations, and what stands below a line that ends in a colon: not the user's own words."""
POSITIVE = re.compile("[👍👏🙏🎉😊😀😃😄😁🙂😍🥰🤩❤💯✅👌🔥💪🙌]")
NEGATIVE = re.compile("[👎😡🤬😤🙄😠😒🤦😞😩😫💩❌]")
LOUD = re.compile(r"[!?！？]{2,}")
NEGATED = re.compile(
    r"(not|n['’]?t|never|nicht|kein\w*|pas|no|nada|sin|不|没)\W{0,2}(\w{1,20}\W+)?$"
)
BEFOREHAND = re.compile(r"(in advance|im voraus|vorab|d'avance|de antemano|por adelantado)\b")
"""A thanks for what is yet to come."""
DENIED = re.compile(
    r"\b(not|wrong|ignor\w+|broke\w*|miss(es|ed|ing)|nothing|hate|anyway|nicht|kein\w*|falsch|pas|"
    r"faux|no|mal)\b|n['’]t\b|不(?!少|错|用)|没|错"
)
"""What turns a praise before it into irony, or into no praise."""
FAILS = re.compile(
    r"Traceback \(most recent|\b[A-Za-z]\w*(?:Error|Exception)\b ?(?::|$)|\b[Ee]rror(?:\[\w+\])?: |"
    r"npm ERR!|^\S+:\d+:\d+: |\bpanic: |[Ss]egmentation fault|#(?:NAME\?|VALUE!|REF!|DIV/0!)",
    re.MULTILINE,
)
"""What programs say that do not run."""
SAID_BEFORE = 8
"""Words before an error's text that may stand there where it is what the message is about."""
CLAUSE = re.compile(r"(?:[.!?。！？…]+|[,;，、—–]|\s-)\s*(?=\S)")
"""What stands between clauses."""
CONDITION = re.compile(r"\W*(if|wenn|falls|si|如果|要是)(?=\W|[^\x00-\x7f])")
"""Opens what a praise holds under only: "perfect, if the aim was to lose me"."""
WRY = re.compile(r"(oh|wow|yeah|na|bravo|qué|哇|呵呵)\b")
"""Openers of a praise that is seldom meant where much else follows."""
MUCH = 4
"""Words that are much else."""
MATERIAL = re.compile(r"([^\n:：]{2,60})(?:：|:(?=\s))")
"""The head of "translate: this is wrong"; what follows is the request's, not the user's."""
OPENER = re.compile(
    r"(?:(?:o+h|a+h+a?|(?:ha|he|je|ja){2,}\w*|lol|ok(?:ay)?|yes|yeah|yep|wow|right|ja|oui|sí|si|vale|"
    r"嗯|哇|是的|哈+|well|hmm+|so)[\s,.!，。！]+){1,3}"
)
POLITELY = re.compile(
    r"[\s,，]*(?:please|pls|bitte|s'il (?:te|vous) pla[iî]t|stp|por favor|porfa|吧)?[\s.!。！]*$"
)
"""What a wish may end with."""
WISH = 60
"""Characters that a bare wish for one more may have."""
BRIEF = 12
"""Words of a message whose praise may stand at the head of any clause."""
SHORT = 5
"""Words of a message that may be nothing but a remark."""
LONG = 30
"""Words from which on only a message's beginning and end are read for remarks."""
SURE = 0.15
"""Function words' share of the words from which on a language counts as known."""
UNSPACED_PER_WORD = 2
"""Characters that make about a word in scripts without spaces."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Remark:
    """What a message says, apart from what it is about."""

    words: int
    """About how many it has."""
    content: bool = False
    """The user is content with the answer."""
    complains: bool = False
    changes: bool = False
    """Asks for another form of what is there."""
    asks: bool = False
    """Opens as a request."""
    wants: bool = False
    """Asks for something anywhere: "can you", "?"."""
    adds: bool = False
    """Asks for a next step on what is there: "now add tests"."""
    more: bool = False
    """Wishes for one more, and says nothing else: "another one"."""
    fails: bool = False
    """Shows the error of a program that did not run."""
    known: bool = False
    """Its language is known, and its words were read."""
    loud: bool = False
    """`!!`, or capitals throughout: one is loud out of joy or out of anger."""


@dataclass(frozen=True, slots=True)
class Patterns:
    """A language's patterns, ready."""

    complaint: re.Pattern[str]
    bad: re.Pattern[str]
    good: re.Pattern[str]
    contrast: re.Pattern[str]
    change: re.Pattern[str]
    task: re.Pattern[str]
    unmet: re.Pattern[str]
    worked: re.Pattern[str]
    adds: re.Pattern[str]
    more: re.Pattern[str]
    request: re.Pattern[str]


@cache
def patterns_of(language: str) -> Patterns:
    """Compiled when a language is first met.

    Raises:
        KeyError: none of `LANGUAGES`.
    """
    words, marks = LANGUAGES[language], MARKS[language]
    end = r"" if language == "zh" else r"\b"
    return Patterns(
        complaint=re.compile(words.complaint),
        bad=re.compile(f"({words.bad}){end}"),
        good=re.compile(f"({words.good}){end}"),
        contrast=re.compile(words.contrast),
        change=re.compile(words.change),
        task=re.compile(words.task),
        unmet=re.compile(marks.unmet),
        worked=re.compile(marks.worked),
        adds=re.compile(marks.adds),
        more=re.compile(marks.more),
        request=re.compile(marks.request),
    )


def votes_in(text: str) -> dict[str, int]:
    """How many function words of each known language a text has, and its words under "".

    Read in the user's own words: code, quotations and programs' errors are in anyone's language.
    """
    text = _spoken(text) or text
    words = words_of(text)
    votes = {"": count_of(words)}
    unspaced = sum(len(run) for word in words for run in UNSPACED.findall(word))
    if unspaced and not re.search("[\u3040-\u30ff\u0e00-\u0e7f]", text):
        votes["zh"] = unspaced // UNSPACED_PER_WORD or 1
    common = {name: language.common for name, language in LANGUAGES.items()}
    for name, known in {**common, **RIVALS}.items():
        if hits := sum(word in known for word in words):
            votes[name] = hits
    return votes


def _spoken(text: str) -> str:
    """A text's part that is the user's own, with what follows a program's error left out."""
    text = legible(text)
    error = FAILS.search(text)
    return QUOTED.sub(" ", text if error is None else text[: error.start()]).strip()


def language_of(votes: Mapping[str, float]) -> str | None:
    """The language that a conversation is held in; None: it is none of the known ones."""
    hits = {name: votes[name] for name in LANGUAGES if name in votes}
    best = max(hits, key=hits.__getitem__, default=None)
    if best is None or any(votes.get(rival, 0) > hits[best] for rival in RIVALS):
        return None
    return best if hits[best] >= SURE * min(votes.get("", 0), 10**9) else None


def count_of(words: list[str]) -> int:
    """About how many words these are, where some are runs of a script without spaces."""
    unspaced = [run for word in words for run in UNSPACED.findall(word)]
    others = sum(1 for word in words if not UNSPACED.fullmatch(word))
    return others + sum(max(1, len(run) // UNSPACED_PER_WORD) for run in unspaced)


def remark_in(text: str, *, language: str | None) -> Remark:
    """Read a message; of a language that is not known, only what needs no words."""
    text = legible(text)
    own = QUOTED.sub(" ", text).strip()
    plain = Remark(
        words=count_of(words_of(text)),
        loud=_is_loud(own),
        content=POSITIVE.search(own) is not None and NEGATIVE.search(own) is None,
        complains=NEGATIVE.search(own) is not None,
        fails=_fails(text),
    )
    if language is None or not own:
        return plain
    patterns = patterns_of(language)
    near = _ends(own.casefold().replace("’", "'"))
    return _read(_own_part(near, patterns), plain, patterns)


def _read(near: str, plain: Remark, patterns: Patterns) -> Remark:
    praise = None if BEFOREHAND.search(near) else _praise_in(near, patterns, plain.words)
    rest = near if praise is None else near[praise.end() :]
    content = plain.content or praise is not None
    contrast = patterns.contrast.search(rest)
    complains = plain.complains or _complains(near, patterns, plain.words)
    if content and contrast and not complains:
        first, *_ = CLAUSE.split(rest[contrast.end() :].strip(" ,，"), maxsplit=1)
        complains = _is_told(first, patterns)
    changes = patterns.change.search(rest) is not None
    denied = praise is not None and (DENIED.search(rest) or CONDITION.match(rest)) is not None
    return replace(
        plain,
        content=content and not (contrast or complains or denied or plain.fails),
        complains=complains,
        changes=changes or (content and contrast is not None),
        asks=patterns.task.match(near) is not None,
        wants=patterns.request.search(near) is not None,
        adds=patterns.adds.match(near) is not None,
        more=patterns.more.fullmatch(POLITELY.sub("", near[:WISH])) is not None,
        fails=plain.fails and not content,
        known=True,
    )


def _is_told(text: str, patterns: Patterns) -> bool:
    """Is this a statement, neither a request nor a praise?"""
    asked = (patterns.request, patterns.change, patterns.good, patterns.worked)
    return not any(pattern.search(text) for pattern in asked)


def _fails(text: str) -> bool:
    found = FAILS.search(text)
    return found is not None and len(words_of(text[: found.start()])) <= SAID_BEFORE


def _own_part(near: str, patterns: Patterns) -> str:
    """A request up to the colon behind which its material stands."""
    head = MATERIAL.match(near)
    if head is None:
        return near
    return head[1] if patterns.task.match(near) or patterns.change.search(head[1]) else near


def _complains(near: str, patterns: Patterns, words: int) -> bool:
    if patterns.complaint.search(near) or patterns.unmet.search(near):
        return True
    opened = OPENER.sub("", near, count=1) if OPENER.match(near) else near
    bad = patterns.bad.search(near) if words < SHORT else patterns.bad.match(opened)
    if bad is None or NEGATED.search(near[: bad.start()]):
        return False  # "not bad"
    return patterns.good.search(near) is None


def _praise_in(near: str, patterns: Patterns, words: int) -> re.Match[str] | None:
    opener = OPENER.match(near)
    found = _praise_at(near, opener.end() if opener else 0, patterns)
    if found is not None:
        return None if WRY.match(near) and _is_hollow(near[found.end() :], patterns) else found
    if words > BRIEF or patterns.task.match(near):
        return None
    for clause in CLAUSE.finditer(near):
        found = _praise_at(near, clause.end(), patterns)
        if found is not None:
            before = near[: clause.start()]
            return found if _is_told(before, patterns) and not DENIED.search(before) else None
    found = patterns.good.search(near) if words <= SHORT else None
    return None if found is None or NEGATED.search(near[: found.start()]) else found


def _praise_at(near: str, at: int, patterns: Patterns) -> re.Match[str] | None:
    return patterns.good.match(near, at) or patterns.worked.match(near, at)


def _is_hollow(rest: str, patterns: Patterns) -> bool:
    """Is what follows a praise much else, and no thanks or request?"""
    return count_of(words_of(rest)) >= MUCH and _is_told(rest, patterns)


def _ends(text: str) -> str:
    """A message's beginning and end, where it is long."""
    words = text.split()
    if len(words) > LONG:
        return " ".join([*words[: LONG // 2], "…", *words[-LONG // 4 :]])
    return text if len(text) < LONG * 12 else f"{text[: LONG * 4]} … {text[-LONG * 2 :]}"


def _is_loud(text: str) -> bool:
    letters = [character for character in text if character.isalpha()]
    upper = sum(map(str.isupper, letters))
    return LOUD.search(text) is not None or (len(letters) >= 8 and upper > 0.7 * len(letters))
