"""What a message says of the answer before it: by words in a known language, and by its form."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from .sketch import UNSPACED, cut, words_of
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
    r"faux|no|mal)\b|n['’]t\b|不|没|错"
)
"""What turns a praise before it into irony, or into no praise."""
OPENER = re.compile(
    r"(oh|ah|ok(ay)?|yes|yeah|yep|wow|ja|oui|sí|si|vale|嗯|哇|是的|well|hmm+|so)[\s,.!，。！]+"
)
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


@cache
def patterns_of(language: str) -> Patterns:
    """Compiled when a language is first met.

    Raises:
        KeyError: none of `LANGUAGES`.
    """
    words = LANGUAGES[language]
    end = r"" if language == "zh" else r"\b"
    return Patterns(
        complaint=re.compile(words.complaint),
        bad=re.compile(f"({words.bad}){end}"),
        good=re.compile(f"({words.good}){end}"),
        contrast=re.compile(words.contrast),
        change=re.compile(words.change),
        task=re.compile(words.task),
    )


def votes_in(text: str) -> dict[str, int]:
    """How many function words of each known language a text has, and its words under ""."""
    words = words_of(text)
    votes = {"": count_of(words)}
    unspaced = sum(len(run) for word in words for run in UNSPACED.findall(word))
    if unspaced and not re.search("[\u3040-\u30ff\u0e00-\u0e7f]", text):
        votes["zh"] = unspaced // UNSPACED_PER_WORD or 1
    for name, language in LANGUAGES.items():
        if hits := sum(word in language.common for word in words):
            votes[name] = hits
    return votes


def language_of(votes: Mapping[str, float]) -> str | None:
    """The language that a conversation is held in; None: it is none of the known ones."""
    hits = {name: count for name, count in votes.items() if name}
    best = max(hits, key=hits.__getitem__, default=None)
    return best if best is not None and hits[best] >= SURE * min(votes.get("", 0), 10**9) else None


def count_of(words: list[str]) -> int:
    """About how many words these are, where some are runs of a script without spaces."""
    unspaced = [run for word in words for run in UNSPACED.findall(word)]
    others = sum(1 for word in words if not UNSPACED.fullmatch(word))
    return others + sum(max(1, len(run) // UNSPACED_PER_WORD) for run in unspaced)


def remark_in(text: str, *, language: str | None) -> Remark:
    """Read a message; of a language that is not known, only what needs no words."""
    own = QUOTED.sub(" ", cut(text)).strip()
    words = count_of(words_of(text))
    plain = Remark(
        words=words,
        loud=_is_loud(own),
        content=POSITIVE.search(own) is not None and NEGATIVE.search(own) is None,
        complains=NEGATIVE.search(own) is not None,
    )
    if language is None or not own:
        return plain
    patterns = patterns_of(language)
    near = _ends(own.casefold().replace("’", "'"))
    complains = plain.complains or _complains(near, patterns, words)
    praise = None if BEFOREHAND.search(near) else _praise_in(near, patterns, words)
    rest = near if praise is None else near[praise.end() :]
    content = plain.content or praise is not None
    contrast = patterns.contrast.search(rest) is not None
    doubted = contrast or complains or (praise is not None and DENIED.search(rest) is not None)
    return Remark(
        words=words,
        content=content and not doubted,
        complains=complains,
        changes=patterns.change.search(rest) is not None or (content and contrast),
        asks=patterns.task.match(near) is not None,
        known=True,
        loud=plain.loud,
    )


def _complains(near: str, patterns: Patterns, words: int) -> bool:
    if patterns.complaint.search(near):
        return True
    opened = OPENER.sub("", near, count=1) if OPENER.match(near) else near
    bad = patterns.bad.search(near) if words < SHORT else patterns.bad.match(opened)
    if bad is None or NEGATED.search(near[: bad.start()]):
        return False  # "not bad"
    return patterns.good.search(near) is None


def _praise_in(near: str, patterns: Patterns, words: int) -> re.Match[str] | None:
    opener = OPENER.match(near)
    found = patterns.good.match(near, opener.end() if opener else 0)
    if found is None and words <= SHORT and patterns.task.match(near) is None:
        found = patterns.good.search(near)
        if found is not None and NEGATED.search(near[: found.start()]):
            return None
    return found


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
