"""Texts that answer nothing: asking for what was given, promising, or only being polite."""

from __future__ import annotations

import re

from .refusals import folded, weight

LONGEST = 500
ENOUGH = 60.0
"""Weighted characters of prompt from which a payload may be taken as given."""

ASKS_FOR_INPUT = re.compile(
    r"(?:[^.!?\n]{0,80}?[.!,] ?)?(?:"
    r"(?:could|can|would) you (?:please )?(?:provide|share|paste|send|give|supply|upload|clarify"
    r"|specify|tell)"
    r"|please (?:provide|share|paste|send|give me|supply|upload|specify|enter|tell me"
    r"|let me know (?:what|which))"
    r"|(?:i|it) (?:do(?:n't|es not| not)|didn't|can't|cannot) (?:see|have|find|receive"
    r"|appear to have)"
    r" (?:\w+ ){0,2}(?:text|article|document|content|file|attachment|passage|transcript|report"
    r"|essay|"
    r"paragraph|review|message)\b(?! \w*(?:address|number|contain|mention))"
    r"|(?:it )?(?:looks|seems|appears) (?:like |that )?(?:you|the|there|your)[^.!?]{0,60}"
    r"(?:didn't|haven't|not|no |missing|forgot|empty|without)"
    r"|(?:the|your) (?:\w+ )?(?:text|article|document|content|message"
    r"|input)(?: (?:that )?you(?:'ve| have)? \w+)? (?:appears|seems|is|was)"
    r" (?:to be )?(?:empty|missing|blank|not (?:provided|included|attached))"
    r"|there (?:is|was|doesn't seem to be|appears to be) no (?:text|article|document|content|input)"
    r"|no (?:text|content|article|input|document) (?:(?:was|has been|is|were) )?(?:provided|given"
    r"|supplied|included|to \w+)"
    r"|(?:bitte )?(?:(?:geben|teilen|senden|stellen|fügen|schicken|nennen) sie|gib|teile|sende"
    r"|schick)[^.!?]{0,60}"
    r"(?:text|artikel|inhalt|dokument|details|informationen|nachricht|e-mail)"
    r"|(?:veuillez|pouvez-vous|pourriez-vous|merci de)[^.!?]{0,30}"
    r"(?:fournir|partager|envoyer|coller|préciser|indiquer|transmettre)"
    r"|(?:por favor,? )?(?:¿?(?:podrías|puedes|podría|puede) )?(?:proporcion|compart|env[ií]|peg"
    r"|facilit|"
    r"indi[cq]|forneç|compartilh|cole |informe)\w*[^.!?]{0,40}"
    r"(?:texto|artículo|documento|contenido|mensaje|información|detalles|artigo|conteúdo|mensagem"
    r"|detalhes)"
    r"|(?:per favore,? |potresti |può |puoi )?(?:fornisc|forni|condivid|incoll|invi)\w*[^.!?]{0,40}"
    r"(?:testo|articolo|documento|contenuto|messaggio|dettagli)"
    r"|(?:kunt u|kun je|gelieve)[^.!?]{0,40}(?:tekst|artikel|document|inhoud|bericht|details)"
    r"|(?:proszę|czy możesz|czy mógłbyś)[^.!?]{0,30}(?:poda|wkle|przes|udostępni|dostarcz)"
    r"|(?:пожалуйста,? )?(?:предостав|пришл|отправ|укаж|вставь|поделит)\w*[^.!?]{0,40}"
    r"(?:текст|стать|документ|содерж|сообщ|информац|данны|подробн)"
    r"|[^.!?]{0,30}(?:metni|metin|makaleyi|belgeyi|içeriği)[^.!?]{0,30}(?:paylaş|gönder|sağla"
    r"|yapıştır|ilet)"
    r"|(?:请|請|麻烦|您?可以)[^。！？]{0,12}(?:提供|发送|粘贴|分享|输入|上传|發送|貼上|輸入|告诉我)"
    r"|[^。！？]{0,40}(?:提供|入力|共有|貼り付け|お送り|お知らせ|お教え)[^。！？]{0,6}(?:ください|下さい|いただけ)"
    r"|[^.!?]{0,40}(?:제공|입력|공유|붙여|보내|알려)[^.!?]{0,6}(?:주세요|주십시오|주시|주시겠)"
    r"|(?:من فضلك|يرجى|الرجاء|هل يمكنك)[^.!?؟]{0,30}(?:تقديم|تزويد|إرسال|مشاركة|لصق|توفير)"
    r"|(?:कृपया|क्या आप)[^.!?।]{0,40}(?:प्रदान|साझा|भेज|पेस्ट|दें|बताएं)"
    r")"
)
PLEASANTRY = (
    r"(?:(?:sure(?: thing)?|certainly|of course|absolutely|okay|ok|great(?: question)?|got it"
    r"|understood|no problem"
    r"|happy to help|hello|hi(?: there)?|thank you[^.!]{0,40}|thanks[^.!]{0,40}|gerne|natürlich"
    r"|bien sûr|claro|certo"
    r"|конечно|当然|好的|もちろん(?:です)?|물론(?:입니다|이죠)?|tabii|oczywiście|natuurlijk|بالتأكيد"
    r"|ज़रूर)[!,.。！、]* ?){0,2}"
)
PROMISES = re.compile(
    PLEASANTRY
    + r"(?:(?:i'd|i would|i'll|i will|i am|i'm|let me|we'll|we will|just|one moment|give me) ?"
    r"(?:be )?(?:just )?(?:happy|glad|delighted|start|begin|get (?:started|back|right|to)"
    r"|look(?:ing)? into"
    r"|work(?:ing)? on|research|draft|write|prepar|put together|think about|check|analy[sz]e"
    r"|review|a moment|a minute"
    r"|a second|here to help|need (?:a|some|more) (?:time|moment)|do (?:that|this|so)|take a look"
    r"|summari[sz]e)"
    r"[^\n:]{0,160}"
    r"|(?:yes, )?i (?:can|could|'d love to|would love to) (?:certainly |definitely "
    r"|absolutely )?(?:help|assist|do|write|summari[sz]e|create|"
    r"draft|prepare|make|generate|translate|classify|extract)(?: you)?(?: with)? (?:that|this|it"
    r"|you|the \w+|an? \w+)(?: for you)?[.!]?"
    r"|i(?:'ve| have) (?:\w+ed|written|put together|made) (?:that|this|it|the|your"
    r"|an?)\b[^\n:.]{0,50}[.!]?"
    r"|how (?:can|may) i (?:help|assist)[^\n]{0,60}|what (?:can i|would you like)[^\n]{0,80})$"
)
ONLY_POLITE = re.compile(PLEASANTRY + r"$")
ONLY_ANNOUNCED = re.compile(
    PLEASANTRY + r"(?:here(?:'s| is| are)|below (?:is|are)|the following|hier ist"
    r"|hier sind|voici|aquí (?:está|tien)"
    r"|aqui está|ecco|hier (?:is|zijn)|oto|вот|以下(?:是|は)|다음은|إليك|यहाँ|यहां"
    r"|işte)[^.!?\n。]{0,120}[:：…]?\.{0,3}$"
)
ASKS_THE_WRITER = re.compile(
    r"recipient|you(?:'d| would)? (?:want|like|need|wish)|\b(?:write|draft)\b|the (?:e-?mail"
    r"|message) (?:you|should)|empfänger|destinat|odbiorc|получател|收件|受取|宛先|수신"
)
"""A message may ask its reader for something; this asks whoever wants it written."""
GREETS = re.compile(
    r"(?:hi|hello|hey|thanks|thank you|good (?:morning|evening|afternoon)|hallo|guten|danke|moin"
    r"|bonjour|salut|merci|hola|gracias|buen|olá|oi|obrigad"
    r"|ciao|grazie|dank|goede|cześć|dzień|dzięk|привет|здравств|спасиб|merhaba|selam|teşekk|你好|您好"
    r"|谢|こんにち|ありがと|안녕|감사|مرحبا|السلام|شكر|नमस्ते|धन्यवाद)"
)
POINTS_AT_NOTHING = re.compile(r"\b(?:my|this|these|following|attached|above|below)\b")
POINTS_ELSEWHERE = re.compile(
    r"attach|anhang|angehängt|ci-joint|adjunt|anex|allegat|bijlage|załącz|влож|附件|添付|첨부|https?:"
)


def is_non_answer(text: str, prompt: str, task: str) -> bool:
    """Nothing of what was asked is in `text`, and something could have been."""
    if len(text) > LONGEST:
        return False
    head = folded(text, LONGEST)
    if ASKS_FOR_INPUT.match(head):
        if task == "outreach_generation" and not ASKS_THE_WRITER.search(head):
            return False
        return _was_given(prompt, task) and _nothing_else(head)
    if len(head) > 240 or "\n" in text:
        return False
    if task in ("classification", "extraction") and len(head) < 25:
        return False
    only = PROMISES.match(head) or ONLY_ANNOUNCED.match(head) or _is_only_polite(head, task)
    return bool(only) and not _is_small_talk(prompt)


def _is_only_polite(head: str, task: str) -> bool:
    return task not in ("general", "classification", "extraction") and bool(ONLY_POLITE.match(head))


def _nothing_else(head: str) -> bool:
    return not re.search(r"\d{2,}|```|\|", head)


def _is_small_talk(prompt: str) -> bool:
    return weight(prompt[:200]) < (ENOUGH if GREETS.match(prompt.strip().casefold()) else 20)


def _was_given(prompt: str, task: str) -> bool:
    """The prompt holds material: long enough, or something after a colon or a line break."""
    if POINTS_ELSEWHERE.search(prompt[:400].casefold()) and "\n" not in prompt:
        return False
    _, colon, payload = prompt.partition(":") if ":" in prompt else prompt.partition("\n")
    if colon and weight(payload.strip()) >= 12:
        return True
    enough = (
        4 * ENOUGH if task == "general" or POINTS_AT_NOTHING.search(prompt.casefold()) else ENOUGH
    )
    return weight(prompt[:400]) >= enough
