"""How models decline, language by language.

Each pattern is tried from the start of a case-folded text in which apostrophes are straight and
blanks are single. `.{0,n}` never crosses a sentence's end, so a match stays in one sentence.
"""

from __future__ import annotations

import re

GAP = r"[^.!?\n。！？।\"“«]"


def _compiled(*patterns: str) -> tuple[re.Pattern[str], ...]:
    return tuple(re.compile(p.replace("…", GAP), re.VERBOSE) for p in patterns)


EN_NEGATION = r"""
    (?:can\ ?(?:'t|not)|cant|won't|will\ not|could(?:n't|\ not)|must\ decline|have\ to\ decline
    |(?:am|'m|be)\ (?:not\ able|unable|not\ allowed|not\ permitted|not\ designed|not\ comfortable
      |not\ in\ a\ position|not\ going|prohibited\ from|restricted\ from|programmed\ not)
    |do(?:n't|\ not)\ feel\ comfortable|do(?:n't|\ not)\ have\ the\ ability
    |(?:must|have\ to|need\ to|respectfully|politely)\ (?:decline|refuse)|decline|refuse)"""
EN_ADVERB = r"(?:(?:really|directly|simply|also|ethically|actually|currently|knowingly)\ )?"
EN_STRONG_VERB = r"""
    (?:(?:help(?:ing)?|assist(?:ing)?|aid)(?:\ you)?\ (?:with\ )?(?:that|this|such|these
    |the\ request
      |your|in\ (?:that|this)|any|creat|mak|writ|generat)
    |(?:help|assist)(?:\ you)?(?:\ (?:here|further))?\ ?(?:[.!,;]|$)
    |comply|fulfil+|engage\ (?:in|with)|participate|proceed|continue\ with
    |(?:do|answer|write|create|generate|produce|discuss|complete|provide|process|respond\ to
      |share|support|facilitate|perform|accommodate|discuss|talk\ about|comment\ on|advise\ on
      |speak\ (?:to|about|on))
      \ (?:that|this|such|these|your\ request|the\ request|(?:any\ )?(?:content|information
      |material|code)
      \ (?:that|which|of|related|for))(?!\ \w+\ enough))"""
EN_WEAK_VERB = r"""
    (?:help|assist|provide|creat|writ|generat|produc|draft|answer|discuss|summari[sz]|analy[sz]
    |classif
    |extract|translat|complet|offer|giv|share\b|browse|access|process|respond|perform|open|view
    |read\b
    |retriev|look\ up|search|verify|predict|execut|run\b|label|rate\b|judg|evaluat|assess
    |categori[sz]
    |make\ (?:(?:a|an|that|such|this|any)\b|judg)|interpret|advise|diagnos|speculat|disclos|reveal
    |tell\ you|reproduc|quot
    |role-?play|pretend|simulat|explain|show\ you|teach|list\b|explor|weigh\ in|comment|elaborat
    |edit|convert|download
    |watch|listen|send|talk\ about|speak|form\ opinion|take\ (?:a|sides)|compl|fulfil)"""

STRONG = {
    "en": _compiled(
        rf"(?:…{{0,90}}?\b)?i\ ?{EN_ADVERB}{EN_NEGATION}\ ?{EN_ADVERB}(?:to\ )?"
        rf"(?:be\ able\ to\ )?{EN_STRONG_VERB}",
        rf"(?:…{{0,120}}?\b)?i\ ?{EN_ADVERB}(?:must|have\ to|need\ to|will\ have\ to"
        rf"|am\ going\ to\ have\ to"
        r"|am\ obliged\ to)\ (?:\w+ly\ )?(?:decline|refuse)\b",
        r"(?:…{0,90}?\b)?i(?:'d|\ would)?\ (?:rather|prefer"
        r"|choose)\ (?:to\ )?not\ (?:to\ )?(?:\w+\ )?(?:discuss|talk|answer"
        r"|engage|continue|write|help|respond|comment|say|do|provide|get\ into)",
        r"(?:…{0,60}?\b)?i(?:\ am|'m|\ do)(?:n't|\ not)\ (?:feel\ )?(?:allowed|permitted"
        r"|comfortable|authorized)"
        r"\ (?:to|with|discuss|writ|creat|help|answer|provid|generat|talk|assist|shar|engag)",
        r"(?:…{0,40}?\b)?(?:not\ something|nothing)\ (?:that\ )?i(?:'m|\ am|\ can|\ could|\ will"
        r"|'ll)\b",
        r"(?:…{0,40}?\b)?i\ (?:do(?:n't|\ not)\ think|do(?:n't|\ not)\ believe)\ i\ (?:can"
        r"|should)\ (?:help|assist|answer|write)",
        r"(?:…{0,40}?\b)?(?:would(?:n't|\ not)\ be|is(?:n't|\ not))\ (?:appropriate|ethical"
        r"|responsible|right)\ for\ me\ to",
        r"(?:…{0,40}?\b)?my\ (?:\w+\ ){0,2}(?:guidelines?|polic\w+|programming|training"
        r"|instructions|rules)\ (?:\w+\ )?"
        r"(?:prevent|prohibit|forbid|do(?:n't|\ not)\ (?:allow|permit)|restrict)",
        r"(?:…{0,60}?\b)?(?:(?:this|that|your|the)\ (?:request|content|prompt|question|topic)\ "
        r"(?:\w+\ ){0,3}?(?:violates|goes\ against|is\ against|conflicts\ with|falls\ outside))",
        r"…{0,90}?\b(?:against|violat\w+|outside)\ (?:my|our|openai's|anthropic's)\ "
        r"(?:\w+\ ){0,3}(?:guideline|polic|programming|principle|usage|terms)",
        r"(?:(?:i'm\ |i\ am\ )?(?:so\ |very\ |really\ )?(?:sorry|afraid)|apologies"
        r"|no)[,.!]?\ (?:but\ )?(?:i\ )?(?:can't|cannot|won't)"
        r"(?:\ (?:do|help)(?:\ (?:with\ )?(?:that|this))?)?[.!]?$",
    ),
    "de": _compiled(
        r"(?:…{0,70}?\b(?:kann|darf|möchte|werde|könnte|will|bin)\ ich\b"
        r"|…{0,70}?\bich\ (?:\w+\ ){0,2}?(?:kann|darf"
        r"|möchte|werde|könnte|will|bin)\b|…{0,60}?ist\ es\ mir)…{0,80}?\b(?:nicht|kein\w*|nichts"
        r"|weder)\b…{0,120}?(?:helfen|weiterhelf"
        r"|unterstütz|nachkommen|beantwort|erfüll|bereitstell|behilflich|erstell|schreib|verfass"
        r"|liefern|anbieten|geben|durchführ|bearbeit|verarbeit|zusammenfass|diskutier|in\ der\ lage"
        r"|mitwirk|ausführ|entsprechen|einordn|einstuf|bewert|beurteil|klassifiz|übersetz|äußern"
        r"|eingehen|generier|zugreif|verarbeiten|machen|tun\b|besprech|auskunft|sprechen)",
        r"…{0,60}?\bich\b…{0,60}?\bablehnen\b",
    ),
    "fr": _compiled(
        r"…{0,90}?\b(?:je\ ne\ (?:vous\ |te\ |le\ )?(?:peux|puis|pourrai|pourrais|suis|serai|dois"
        r"|souhaite)"
        r"|m'est\ (?:pas\ possible|impossible)|impossible\ pour\ moi)…{0,120}?(?:aider|aide"
        r"|répondre|fournir|satisfaire|assister"
        r"|créer|écrire|rédiger|donner|traiter|accéder|générer|produire|effectuer|résumer|accepter"
        r"|proposer|participer|donner\ suite|en\ mesure|discuter|faire\b|parler|class|juger"
        r"|évaluer|tradui|comment|analys|conseil|divulg)",
        r"…{0,60}?\bje\ (?:refuse|dois\ (?:refuser|décliner)|préfère\ ne\ pas)",
    ),
    "es": _compiled(
        r"…{0,70}?\bno\ (?:te\ |le\ |me\ |os\ )?(?:puedo|podré|podría|es\ posible|soy\ capaz|tengo"
        r"|estoy|debo)…{0,120}?(?:ayud|asist|proporcion|cumpl|respond|crear|gener|escrib|ofrec"
        r"|realiz|brind|acced|proces|redact|dar|facilit|resum|complac|hacer\ eso|particip"
        r"|capacidad|clasific|juzg|evalu|traduc|coment|analiz|aconsej|habl|discut|extra)",
        r"…{0,60}?\b(?:prefiero\ no|debo\ (?:negarme|rechazar|declinar))",
    ),
    "pt": _compiled(
        r"…{0,70}?\bnão\ (?:te\ |o\ |lhe\ |me\ )?(?:posso|consigo|poderei|poderia|sou\ capaz|é"
        r"\ possível|tenho|estou|devo)…{0,120}?(?:ajud|auxili|fornec|atend|respond|cri|ger|escrev"
        r"|realiz|process|cumpr|acess|oferec|redig|particip|fazer\ isso|capacidade|dar\ |classific"
        r"|julg|avali|traduz|coment|analis|falar|discut|extra)",
        r"…{0,60}?\b(?:prefiro\ não|devo\ recusar)",
    ),
    "it": _compiled(
        r"…{0,70}?\bnon\ (?:ti\ |le\ |mi\ |vi\ )?(?:posso|potrò|potrei|sono|è\ possibile|riesco"
        r"|sarò)…{0,120}?(?:aiut|assist|forni|soddisf|rispond|cre|gener|scriv|elabor|esegu|offr"
        r"|acced|redig|dare|dar|partecip|in\ grado|riassum|farlo|fare\b|parlar|discut|classific"
        r"|giudic|valut|tradur|comment|analizz|estra)",
        r"…{0,60}?\b(?:preferisco\ non|devo\ (?:rifiutare|declinare))",
    ),
    "nl": _compiled(
        r"…{0,70}?\bik\b…{0,60}?\b(?:niet|geen|niets)\b…{0,120}?(?:help|assist|beantwoord|voldoen"
        r"|verstrek|maken|schrijv|genere|geven|verwerk|ingaan|meewerk|uitvoer|bied|in\ staat|maak"
        r"|samenvat|ondersteun|bespreken|classific|beoordel|vertal|praten|zeggen)",
        r"…{0,60}?\bik\ (?:moet…{0,30}?weigeren|wil…{0,20}?liever\ niet)",
    ),
    "pl": _compiled(
        r"…{0,70}?\bnie\ (?:mogę|jestem|będę|wolno|potrafię|mam\ możliwości)…{0,120}?(?:pom[oó]"
        r"|spełni|odpowiedzie|udzieli|zrealizow|stworz|napis|wygener|dostarcz|przetw|wykona|utworz"
        r"|w\ stanie|omawia|uczestnicz|poda[ćj]|sklasyf|oceni|przetłum|skoment|rozmaw|analiz)",
        r"…{0,60}?\b(?:muszę\ odmówić|wolę\ nie)",
    ),
    "ru": _compiled(
        r"…{0,70}?\b(?:не\ (?:могу|смогу|буду|стану|имею|в\ состоянии|вправе|способ)"
        r"|вынужден\w*\ отказ)"
        r"…{0,120}?(?:помо[чг]|выполни|ответ|отвеч|предостав|созда|напис|обсужд|сгенер|обработ"
        r"|содейств"
        r"|возможност|дать|удовлетвор|поддерж|участв|отказ|продолж|этого|классиф|оцени|перевес"
        r"|коммент|говор|анализ|извлеч|сдела|обсу|реклам|подели)",
        r"…{0,40}?вынужден\w*\ отказать",
    ),
    "uk": _compiled(r"…{0,60}?\bне\ (?:можу|зможу)…{0,90}?(?:допомог|викон|відпов|надати|створ)"),
    "tr": _compiled(
        r"…{0,140}?(?:yardımcı|yardım|yerine|talebi|isteği|istek|içeri|bilgi|cevap|yanıt|metn|bunu"
        r"|konuda|kod|oluştur|yaz|sağla|üret)…{0,60}?"
        r"(?:amam|emem|amıyorum|emiyorum|amıyoruz|emiyoruz|mam\ mümkün\ değil"
        r"|mem\ mümkün\ değil)\b",
    ),
    "zh": _compiled(
        r"…{0,40}?(?:无法|不能|没法|没有办法|不便|不可以|不会|無法|沒辦法|难以|不支持|拒绝)…{0,30}?"
        r"(?:帮|协助|提供|满足|回答|完成|处理|生成|创建|撰写|编写|执行|讨论|继续|回应|写|给出|参与|访问|支持"
        r"|幫|協助|滿足|處理|撰寫|編寫|創建|討論|回應|回覆|答复|答覆|这样做|总结|翻译|分析|分类|评价|判断|评论|透露|涉及|谈论|进行|提取|接受|回覆|這個|直接)",
    ),
    "ja": _compiled(
        r"…{0,80}?(?:でき(?:ません|かねます|ない)|出来ません|(?:致し|いたし|対応し|応じ|答えし)?かねます"
        r"|控えさせて|控えます|お断り|(?:沿|添|お応え)(?:え|いかね|でき)ま"
        r"|応じられません|お答えできま"
        r"|不可能です|いたしません)",
    ),
    "ko": _compiled(
        r"…{0,80}?(?:수\ ?(?:가\ |는\ )?없(?:습니다|어요|음|네요|을)|어렵습니다"
        r"|불가능합니다|못\ ?합니다|드리지\ 못|지\ 않습니다|못\ 해요|거절)",
    ),
    "ar": _compiled(
        r"…{0,80}?(?:لا\ (?:أستطيع|استطيع|يمكنني|أقدر|يمكن)|لن\ (?:أتمكن|أستطيع|أقوم)|لست\ قادر"
        r"|غير\ قادر)"
        r"…{0,90}?(?:مساعد|تقديم|الإجابة|إجابة|تلبية|إنشاء|كتابة|تنفيذ|توفير|معالجة|القيام"
        r"|المشاركة|الرد|تصنيف|ترجمة|مناقشة|التعليق|تحليل|الخوض|استخراج|التحدث)",
    ),
    "hi": _compiled(
        r"…{0,140}?(?:नहीं\ (?:कर|दे|लिख|बना|पाऊ|हो)|असमर्थ|सक(?:ता|ती|ते)\ नहीं|(?:मदद"
        r"|सहायता)…{0,20}?नहीं"
        r"|संभव\ नहीं)",
    ),
    "vi": _compiled(r"…{0,50}?tôi\ (?:không|chưa)\ thể…{0,60}?(?:giúp|hỗ\ trợ|cung\ cấp|đáp|thực)"),
    "id": _compiled(r"…{0,50}?tidak\ (?:bisa|dapat)…{0,50}?(?:bantu|memberi|memenuhi|menjawab)"),
    "sv": _compiled(r"…{0,50}?\bjag\b…{0,30}?\binte\b…{0,50}?(?:hjälp|svar|skap|skriv|uppfyll)"),
}

WEAK_EN = _compiled(
    rf"(?:…{{0,90}}?\b)?i\ ?{EN_ADVERB}{EN_NEGATION}\ ?{EN_ADVERB}(?:to\ )?"
    rf"(?:be\ able\ to\ )?{EN_WEAK_VERB}",
    r"(?:…{0,60}?\b)?i\ (?:do(?:n't|\ not)|currently\ do(?:n't|\ not))\ (?:currently\ |actually\ )?"
    r"have\ (?:(?:direct|real-?time|live|the|any|up-to-date|current)\ )*(?:access"
    r"|information\ about|ability"
    r"|capability|knowledge|data|personal|feelings|opinions|experiences|emotions)",
    r"(?:…{0,30}?\b)?(?:as\ an?\ (?:ai|artificial|large\ language)…{0,60}?,?\ )i\ …{0,40}?(?:can't"
    r"|cannot|don't|do\ not|not)",
)
"""Limits rather than refusals: a real answer often follows them."""
