"""Faults of written texts: blanks that nobody filled, filler text."""

from __future__ import annotations

import re
from itertools import islice

BLANK_WORDS = (
    r"your|my|insert|add|enter|name|first[ _-]?name|last[ _-]?name|full[ _-]?name|company|title"
    r"|position|role|date|industry|product"
    r"|recipient|sender|contact|phone|e-?mail|address|topic|link|url|number|amount|specific"
    r"|customer|client|job|city|team|university"
    r"|school|project|signature|prospect|organi[sz]ation|website|time|day|month|year|manager"
    r"|mutual|pain point|benefit|placeholder|todo|tbd"
    r"|ihr|ihre|dein|deine|vorname|nachname|firma|unternehmen|position|datum|betreff|votre|nom"
    r"|prénom|entreprise|société|poste|su|tu|nombre|apellido"
    r"|empresa|cargo|fecha|seu|sua|nome|sobrenome|data|il tuo|tuo|cognome|azienda|ruolo|uw|jouw"
    r"|naam|voornaam|bedrijf|functie|imię|nazwisko|firmy|nazwa"
    r"|twoje|имя|фамилия|ваше|компани|должност|название|дата|isim|isminiz|adınız|adı|şirket|soyad"
    r"|tarih|الاسم|اسم|اسمك|الشركة|نام|नाम|आपका|कंपनी"
)
CANDIDATE = re.compile(
    r"(?=[\[{<_%【［〇○某xXI])(?:\[[^\[\]\n]{1,80}\](?!\()|\{\{?[^{}\n]{1,50}\}\}?|<[^<>\n]{1,40}>"
    r"|_{4,}"
    r"|%[A-Z_]{3,40}%|【[^】\n]{1,24}】|［[^］\n]{1,24}］|INSERT [\w ]{2,40} HERE"
    r"|〇〇|○○|某某|(?:xx"
    r"|XX)(?:公司|先生|女士))"
)
"""Each alternative begins with a mark that prose seldom holds, so that a search is quick."""
BLANK = re.compile(
    r"[\[<【［](?:(?:"
    + BLANK_WORDS
    + r")\b.{0,70}|(?:[\w'’/-]+ ){0,3}(?:name|company|here|date|title|link)"
    r"|.{0,12}(?:姓名|名字|公司|您的|你的|称呼|职位|名前|会社|お名前|氏名|御社|貴社|이름|회사|성함|귀사|직책).{0,12}"
    r"|\.\.\.|…|_+|x{2,})[\]>】］]$|\{\{? ?[a-z_][\w .]{2,40} ?\}?\}$|[_%〇○某xI]",
    re.IGNORECASE,
)
SHELLS = frozenset(
    (
        "null",
        "none",
        "n/a",
        "na",
        "nan",
        "nil",
        "undefined",
        "[object object]",
        "{}",
        "[]",
        "-",
        "--",
        "todo",
        "tbd",
        "error",
        "unknown error",
        "unauthorized",
        "access denied",
        "forbidden",
        "timeout",
    )
)
SHELL = re.compile(
    r"(?:TODO|TBD|FIXME|PLACEHOLDER)\b.*|[\[<{(][^\]>})]*[^\W\d_][^\]>})]*[\]>})]"
    r"|\**\w+(?: \w+){0,3}\**[:：]\**"
    r"|(?:insert|add|write|enter) [\w ]+ here\.?"
)
MOST_CANDIDATES = 40
LONGEST = 20_000
"""Characters that are looked at."""
FILLER = ("rem ipsum", "dolor sit amet")
OPENERS = ("[", "{", "<", "____", "%", "【", "［", "〇", "○", "某", "xx公", "XX公", "INSERT")
WANTS_BLANKS = re.compile(
    r"template|placeholder|merge (?:tag|field)|variable|fill[- ]in|vorlage|platzhalter|modèle"
    r"|gabarit|plantilla|marcador|modelo|modello"
    r"|segnaposto|sjabloon|szablon|шаблон|şablon|模板|テンプレート|ひな形|雛形|템플릿|양식|نموذج|قالب|टेम्पलेट"
    r"|टेम्प्लेट|boilerplate|skeleton|mustache|jinja|handlebars|\bblanks?\b",
    re.IGNORECASE,
)


def has_blank(text: str, prompt: str) -> bool:
    """An unfilled blank that the prompt neither asks for nor holds itself."""
    shown = text[:LONGEST]
    if not any(opener in shown for opener in OPENERS):
        return False
    for candidate in islice(CANDIDATE.finditer(shown), MOST_CANDIDATES):
        blank = candidate.group()
        if BLANK.match(blank) and blank not in prompt:
            return not WANTS_BLANKS.search(prompt[:5000])
    return False


def is_shell(text: str, prompt: str) -> bool:
    """Nothing but a name for what should be there: `N/A`, `[Summary]`, `Subject:`, `TODO:"
    " write`."""
    if len(text) > 80 or "\n" in text or text in prompt:
        return False
    return text.casefold().strip(". ") in SHELLS or bool(SHELL.fullmatch(text))


def has_filler(text: str, prompt: str) -> bool:
    """Lorem ipsum where none was asked for."""
    shown = text[:LONGEST].casefold()
    if not any(filler in shown for filler in FILLER):
        return False
    return not any(word in prompt.casefold() for word in (*FILLER, "lorem", "filler"))
