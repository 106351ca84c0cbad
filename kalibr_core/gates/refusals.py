"""Refusals: only where declining is the answer, not where it is what the answer is about."""

from __future__ import annotations

import re

from .refusal_words import STRONG, WEAK_EN

HEAD = 260
LONGEST = 1800
"""Characters; what goes on for longer says something besides no."""
STRONG_ROOM = 260
WEAK_ROOM = 30
OPENING_ROOM = 45
"""Substance, in weighted characters, that makes an answer of a text that begins with a no."""

WORDS = re.compile(r"[^\s\d.,!?;:()\"。！？।،؟—–…]+")  # not \w: Hindi writes vowels as marks
MARKERS = {
    "en": "cannot unable can't won't couldn't sorry unfortunately apologies apologize afraid"
    " decline"
    " refuse not t cant don't guidelines policy policies violates request",
    "de": "ich mir",
    "fr": "désolé désolée regrette malheureusement peux puis pourrai suis impossible préfère"
    " refuse refuser décliner",
    "es": "puedo podré podría posible capaz estoy debo prefiero tengo",
    "pt": "não recusar",
    "it": "non rifiutare",
    "nl": "niet geen weigeren",
    "pl": "nie odmówić",
    "ru": "не вынужден вынуждена",
    "uk": "можу зможу",
    "tr": "üzgünüm maalesef özür dilerim kusura bakmayın",
    "ar": "آسف عذراً عذرا أعتذر للأسف المعذرة لا لن أستطيع يمكنني معذرة آسفة نأسف",
    "hi": "नहीं असमर्थ क्षमा खेद माफ़",
    "vi": "không",
    "id": "maaf",
    "sv": "inte",
}
LANGUAGES = {
    word: frozenset(language for language, words in MARKERS.items() if word in words.split())
    for word in " ".join(MARKERS.values()).split()
}
SPEAKER = frozenset(["i", "i'm", "i'd", "me", "my", "our", "sorry", "apologies", "violates"])
"""Without one of these an English text does not decline for itself."""
UNSPACED = re.compile(
    r"(?P<zh>无法|不能|没法|没有办法|不便|抱歉|对不起|無法|拒绝|不支持|遗憾)"
    r"|(?P<ja>申し訳|すみません|恐れ入り|残念ながら|ごめんなさい|かねます|できません)"
    r"|(?P<ko>죄송|미안|유감|안타깝|없습니다|없어요)"
)
NOT_REFUSING = re.compile(
    r"can(?:'|no)?t\ (?:wait|help\ (?:but|feeling|noticing|wondering)|thank|stress|recommend"
    r"|overstate"
    r"|emphasi[sz]e|imagine|believe|complain|agree\ more|go\ wrong)|couldn't\ (?:agree|be"
    r"|help\ but)"
)
LETTER = re.compile(
    r"(?:subject|re|betreff|objet|asunto|assunto|oggetto|onderwerp|temat|тема|主题|件名|제목|الموضوع"
    r"|विषय|konu)\s*:"
    r"|dear\b|hi\b|hello\b|hey\b|sehr geehrte|liebe[rs]?\b|hallo\b|bonjour|cher\b|chère|hola\b"
    r"|estimad|querid"
    r"|olá|prezad|car[oa]\b|ciao|gentile|buongiorno|beste\b|geachte|szanown|dzień dobry|cześć"
    r"|уважаем"
    r"|здравствуйте|добрый|дорог|sayın|merhaba|尊敬|亲爱|您好|你好|拝啓|안녕하|عزيز|السيد|مرحب|السلام|प्रिय"
    r"|नमस्ते|आदरणीय"
)
ASKED_TO_DECLINE = re.compile(
    r"declin|refus|reject|apolog|turn(?:ing)? (?:\w+ )?down|\bcancel|say(?:ing)? no\b|regret|absag"
    r"|ablehn"
    r"|entschuldig|excus|rechaz|disculp|recus|rifiut|scus|afwij|weiger|odmow|odmów|przepros|отказ"
    r"|отклон|извин"
    r"|拒绝|道歉|婉拒|断り|断る|謝罪|お詫び|거절|사과|رفض|اعتذار|मना|माफी|reddet|özür"
)
SPEAKS_FOR_SOMEONE = re.compile(
    r"\b(?:lyrics?|dialogue?|quotes?|sentences?|lines?|phrases?|examples?|story|stories|poems?"
    r"|songs?|characters?|slogans?|tweets?|roleplay|role-play"
    r"|zitate?|satz|sätze|frases?|zdani\w+)\b|предложен|句|문장|جملة|वाक्य|cümle"
)
QUOTED = re.compile(r"[\"“”«»„:\n]|(?<!\w)'|'(?!\w)")
TRANSLATES = re.compile(
    r"transl|übersetz|tradu|tradz|vertaal|przetłum|перев[её]д|翻译|翻譯|訳|번역|ترجم|अनुवाद|çevir"
    r"|paraphras|rephras|proofread|correct"
)
SPOKEN_BY_AI = re.compile(
    r"assist|request|guideline|polic|as an ai|language model|content|sorry|apolog"
)
SOFT = re.compile(
    r"\b(?:i|i'm|i'd|i'll|me|my|you|your|please|instead|guidelines?|polic\w+|requests?|safety"
    r"|ethic\w*|illegal"
    r"|harm\w*|privacy|apolog\w+|sorry|consult|contact|recommend\w*|professional|content"
    r"|alternative\w*)\b"
)
SENTENCE = re.compile(r"[.!?](?=\s|$)|[。！？।\n]")
DATUM = re.compile(r"\d|@\w|```|\|")
TURN = re.compile(
    r"[,;:.\-–—]? ?\b(?:but|however|though|aber|jedoch|mais|cependant|pero|mas|porém|ma|però|maar"
    r"|но|однако|ale|ama|ancak|لكن|लेकिन)\b,? "
    r"|[，,]?但是?|ですが|ませんが|지만"
)


def folded(text: str, limit: int = HEAD) -> str:
    """The head of a text, case-folded, with straight apostrophes and single blanks."""
    head = text[:limit].casefold().replace("’", "'").replace("‘", "'").replace("*", "")
    return " ".join(head.split()).lstrip("\"'“„«>_# ")


def is_refusal(text: str, prompt: str) -> bool:
    """Does `text` decline and give nothing useful besides?"""
    if len(text) > LONGEST:
        return False
    head = folded(text)
    languages = _languages(head)
    if not languages or LETTER.match(head) or NOT_REFUSING.search(head):
        return False
    return _declines(text, head, languages) and not _asked_for(head, prompt)


def _languages(head: str) -> set[str]:
    words = set(WORDS.findall(head))
    found = {language for word in LANGUAGES.keys() & words for language in LANGUAGES[word]}
    if not head.isascii() and (match := UNSPACED.search(head)):
        found.add(str(match.lastgroup))
    if "en" in found and words.isdisjoint(SPEAKER):
        found.discard("en")
    return found


def _declines(text: str, head: str, languages: set[str]) -> bool:
    starts = _starts(head)
    for language in languages:
        for pattern in STRONG[language]:
            if match := _match_any(pattern, head, starts):
                return not _useful(text, match.end(), STRONG_ROOM, data=language != "en")
    if "en" in languages:
        for pattern in WEAK_EN:
            if match := _match_any(pattern, head, starts):
                return not _useful(text, match.end(), WEAK_ROOM, data=True)
    return False


def _starts(head: str) -> list[int]:
    """Where the first sentences begin, up to the first one that says something."""
    starts, begin = [0], 0
    for stop in SENTENCE.finditer(head, 0, 200):
        sentence = head[begin : stop.start()]
        if not SOFT.search(sentence) and weight(sentence) > OPENING_ROOM:
            break
        begin = stop.end()
        starts.append(begin)
    return starts[:4]


def _match_any(pattern: re.Pattern[str], head: str, starts: list[int]) -> re.Match[str] | None:
    return next((match for start in starts if (match := pattern.match(head, start))), None)


def _useful(text: str, end: int, room: int, *, data: bool) -> bool:
    """Is there enough after the no? `data`: a number or an address is enough."""
    if "```" in text:
        return True
    rest = folded(text, LONGEST)[end:]
    sentence, after = _cut(rest)
    turned = TURN.split(sentence, maxsplit=1)
    if data and len(turned) > 1:
        after = f"{turned[1]}. {after}"
    if data and DATUM.search(after if room == WEAK_ROOM else "".join(turned[1:])):
        return True
    return sum(weight(part) for part in SENTENCE.split(after) if not SOFT.search(part)) > room


def _cut(rest: str) -> tuple[str, str]:
    """The end of the sentence that says no, and what comes after it."""
    stop = SENTENCE.search(rest)
    return (rest, "") if stop is None else (rest[: stop.start()], rest[stop.end() :])


def weight(text: str) -> float:
    """Length in characters, where one of an unspaced script counts for two and a half."""
    if text.isascii():
        return len(text)
    return len(text) + 1.5 * sum(
        "\u3040" <= c <= "\u9fff" or "\uac00" <= c <= "\ud7a3" for c in text
    )


def _asked_for(head: str, prompt: str) -> bool:
    """The prompt wants a refusal written, translated or quoted."""
    asked = prompt[:1000].casefold()
    if ASKED_TO_DECLINE.search(asked):
        return True
    if SPEAKS_FOR_SOMEONE.search(asked) and not SPOKEN_BY_AI.search(head):
        return True
    if TRANSLATES.search(asked) and _holds_refusal(asked):
        return True
    opening = head[:40]
    return len(opening) >= 12 and opening in folded(prompt, 4000)


def _holds_refusal(asked: str) -> bool:
    """What is quoted in the prompt, or follows its colon, is a refusal itself."""
    for part in QUOTED.split(asked)[1:]:
        head = folded(part)
        languages = _languages(head)
        if languages and _declines(head, head, languages):
            return True
    return False
