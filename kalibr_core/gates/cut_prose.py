"""Prose that breaks off in the middle, where it is plain to see."""

from __future__ import annotations

import re

from .refusals import weight

TAIL = 400
CUT_WORDS = {
    "en": "the a an of and or with my your our their its because than into between how what where"
    " who when about including such for from to by if which whose"
    " is are was were has have that as at in on be will would can",
    "de": "der die das dem den des ein eine einen einer einem und oder mit von für zum zur im am"
    " beim weil dass sowie aber ist sind wird"
    " werden durch über unter zwischen als wenn",
    "fr": "le la les un une des du de et ou pour avec dans sur que qui aux au ce cette ces leur"
    " par à est sont sa son ses mais",
    "es": "el la los las un una unos de del y o con para por en que su sus al es son como pero sin"
    " sobre entre",
    "pt": "o a os as um uma de do da dos das e ou com para por em no na que seu sua ao é são como"
    " mas sem sobre",
    "it": "il lo la gli le un una di del della dei delle e o con per in che nel nella al alla è"
    " sono come ma da dal",
    "nl": "de het een en of van met voor op te door bij naar dat die als maar is zijn wordt aan om",
    "pl": "i w z na do że oraz dla przez o od po ale jest są który która które za ze się",
    "ru": "и в на с по для что от к из при о за или но а не это как который которая которые",
    "tr": "ve ile bir için de da bu veya olarak gibi ancak",
    "ar": "في من على إلى أن التي الذي و عن مع أو هذا هذه بين",
    "hi": "का के की में और कि को से पर ने एक लिए जो या",
}
NEVER_LAST = (
    "the a an of and or my your our their its because than der dem des einen einem und oder sowie"
    " les des du et pour avec los las del para uma dos das gli della dei delle per oraz dla przez"
    " ve veya для или التي الذي"
)
"""Words that end no sentence, not even a careless one."""
STRONG = frozenset(NEVER_LAST.split())
WORDS = {language: frozenset(words.split()) for language, words in CUT_WORDS.items()}
CJK_CUT = re.compile(
    r"(?:[的和与及或在是对把被为从向、，；以将]|以及|因为|由于|或者|[をがはにで、]|에서|하고|그리고|[을를의와과])$"
)
STOP = re.compile(r"[.!?。！？।؟][\"'”»)\]]*(?:\s|$)|[。！？]")
PARAGRAPH = 120
FRAGMENT = 25
"""Characters, weighted: a paragraph that ends its sentences ends the last one too."""
LAST_WORD = re.compile(r"(?:^|[\s'’(])([^\W\d_]+)[ ]*$")
TOKEN = re.compile(r"[^\W\d_]+")
EMPTY_ITEM = re.compile(r"\n[ \t]*(?:[-*•]|(\d{1,2})\.|#{1,6})[ \t]*(?:\*\*)?$")
OPEN_BOLD = re.compile(r"\s*(?:(?:[-*•]|\d+[.)])\s+)?\*\*[^\s*][^*]{0,60}$")
EMOJI_CODE = re.compile(r":\w+:$")


def is_cut(text: str, *, sentences: int | None = 2) -> bool:
    """Does this prose end before its last sentence does? In doubt, no.

    Args:
        text: without blanks at its end.
        sentences: after so many that end with a mark, in one long paragraph, the last one must
            too; None: it never must, as in a message.
    """
    if _ends_on_empty_item(text):
        return True
    last = text[-1:]
    if last in ".!?。！？।؟\"'”»`}>|…":
        return False
    tail = text[-TAIL:]
    line = tail.rpartition("\n")[2]
    if OPEN_BOLD.match(line):
        return True
    if last in ",、，:：(":
        return _ends_open(text, line, last)
    if _has_open_bracket(line):
        return True
    return _ends_on_cut_word(text, tail) or _stops_stopping(line, sentences)


def _ends_on_empty_item(text: str) -> bool:
    """A list's next bullet or number with nothing behind it; `42.` alone is an answer."""
    found = EMPTY_ITEM.search(text[-12:])
    if found is None:
        return False
    number = found.group(1)
    before = str(int(number) - 1) + "." if number else found.group().strip(" \t\n*") + " "
    return before in text[: -len(found.group())]


def _stops_stopping(line: str, sentences: int | None) -> bool:
    """A long paragraph whose sentences end with a mark, but for the last one."""
    if (
        sentences is None
        or weight(line) < PARAGRAPH * sentences / 2
        or not line[-1].isalpha()
        or line[-1].isupper()
    ):
        return False
    stops = list(STOP.finditer(line))
    if len(stops) < sentences:
        return False
    fragment = line[stops[-1].end() :]
    return weight(fragment) >= FRAGMENT and "/" not in fragment and "@" not in fragment


def _ends_open(text: str, line: str, last: str) -> bool:
    """A comma or colon at the very end; `Best regards,` is a closing."""
    if last == "(" or EMOJI_CODE.search(line):
        return line.endswith(" (")
    return (
        len(line.split()) >= 6
        or (len(line) >= 24 and not line.isascii())
        or (last in ":：" and len(text.split()) >= 5)
    )


def _has_open_bracket(line: str) -> bool:
    """`(` without `)` in a last line of prose; not a face such as `:(`."""
    at = line.rfind("(")
    return (
        at > 0
        and ")" not in line[at:]
        and "]" not in line[at:]
        and line[at - 1] == " "
        and line[at + 1 : at + 2].isalnum()
        and len(line) >= 30
    )


def _ends_on_cut_word(text: str, tail: str) -> bool:
    if CJK_CUT.search(tail):
        return len(text) >= 12 and bool(STOP.search(tail))
    match = LAST_WORD.search(tail)
    if match is None or (not match.group(1).islower() and match.group(1).isascii()):
        return False
    word = match.group(1)
    if not any(word in words for words in WORDS.values()):
        return False
    tokens = TOKEN.findall(tail.casefold())
    if len(tokens) < 5:
        return False
    language = max(WORDS, key=lambda name: sum(map(WORDS[name].__contains__, tokens)))
    return word in WORDS[language] and (
        word in STRONG or bool(STOP.search(tail)) or ("\n" in tail and _last_line_runs(tail))
    )


def _last_line_runs(tail: str) -> bool:
    return tail.rpartition("\n")[2].count(" ") >= 2
