"""What users say of an answer, in the languages that are known here.

Phrases that speak to the answer's writer ("you ignored", "not what I asked") count wherever they
stand near a message's beginning or end; bare words ("useless", "perfect") only where they open it
or are nearly all of it, since a task may be about them ("write an apology for the wrong delivery").
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache


@dataclass(frozen=True, slots=True, kw_only=True)
class Language:
    """One language's words; patterns are of `re`, for text in lower case."""

    common: frozenset[str]
    """Function words: the language is told by them."""
    complaint: str
    """Phrases that say that the answer is not what was wanted."""
    bad: str
    """Words that say so where they are nearly all of the message."""
    good: str
    """Words that open a message of somebody who is content."""
    contrast: str
    """Words after which a thanks is none."""
    change: str
    """Words that ask for another form of what is there."""
    task: str
    """Words that open a request."""


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


EN = Language(
    common=_words(
        "the and is are was to of a an for in on it its my me this that these please with you i "
        "not be can could do does have what how which about from your at as or but so now still"
    ),
    complaint=(
        r"\bstill\b.{0,20}\b(too|not|no|wrong|the same|isn'?t|doesn'?t|missing|bad|hasn'?t|far|"
        r"fails?|broken|as|way|incorrect|off|can'?t)\b|\bstill (has|have|contains?|sounds?|reads?|"
        r"the|uses?)\b|not what i|isn'?t what i|wasn'?t what i|not (at all )?(right|correct|"
        r"helpful|good enough|working|it)\b|(doesn'?t|does not|didn'?t|did not|isn'?t|is not) "
        r"(work|help|answer|make sense|change|fix|address|do what|match|right|correct)|"
        r"\byou (\w+ )?(ignored?|forgot|missed|didn'?t|did not|aren'?t|keep|kept|never|don'?t|"
        r"haven'?t|changed nothing|broke|just (repeated|gave))\b|\bi (already|just|clearly|"
        r"specifically) (said|told|asked|wrote)|\bi (said|told you|asked (you )?(for|to|you)|"
        r"keep (saying|asking|telling))\b|how many times|how often do i|(second|third|fourth|"
        r"last|hundredth|\dth) time|\b(this|that|it|answer)('s| is| was) (\w+ )?(wrong|incorrect|"
        r"useless|terrible|awful|bad|nonsense|garbage|ridiculous|unacceptable|worse|broken|"
        r"not)\b|\b(same|exact same) (mistake|problem|error|issue|thing|text|answer)|waste of "
        r"(my )?time|are you even|do you even|did you even|why (do|does|did|is|are|can'?t|won'?t) "
        r"(you|it|this) (\w+ )?(keep|still|not|so|always|just|ignore)|nothing (has )?changed|"
        r"wrong again|again wrong|no better|(just )?(as|even) worse|far too|way too|"
        r"getting (nowhere|frustrat|annoy|worse)|i'?m (done|frustrated|annoyed|disappointed|"
        r"losing)|never ?mind|forget it|i give up|\bugh+\b|\bwtf\b|for (god|heaven|crying|f)"
    ),
    bad=(
        r"no|nope|wrong|incorrect|useless|ridiculous|unacceptable|terrible|awful|nonsense|"
        r"rubbish|garbage|bad|worse|unhelpful|hopeless|disappointing|seriously|again|come on|"
        r"not good|not helpful|crap|meh"
    ),
    good=(
        r"thanks|thank you|thank u|thx|tysm|ty|cheers|many thanks|perfect|great|excellent|"
        r"awesome|amazing|brilliant|wonderful|lovely|nice|good job|well done|exactly|love (it|"
        r"this|that)|(that|this|it) works|(that|this|it)('s| is) (\w+ )?(perfect|great|good|"
        r"exactly|it|what i|better|fine|lovely|right)|works|fantastic|spot on|just what i|"
        r"much better|looks (good|great|perfect)|all good|sorted|beautiful|super|cool|"
        r"good enough|appreciate"
    ),
    contrast=r"\b(but|however|except|though|although|only that|unfortunately|yet)\b",
    change=(
        r"\b(shorter|longer|simpler|clearer|warmer|friendlier|more|less|fewer|add|remove|drop|"
        r"delete|change|replace|rewrite|rephrase|reword|instead|make (it|this|that|them|the)|"
        r"tone|formal|casual|also|include|mention|without|bullets?|shorten|expand|adjust|tweak|"
        r"paragraph|sentence|version|format|too|cut|keep|turn (it|this|that)|put|trim|skip|"
        r"leave out|use|swap|rather|bit|it|that one|the (first|second|last))\b"
    ),
    task=(
        r"(ok(ay)?|now|next|also|great|thanks|and|so|another|new|different|please|hi|hello|hey)?"
        r"[\s,:.!]*(can you |could you |please |i need |help me |let'?s )*(write|draft|translate|"
        r"summari[sz]e|explain|create|generate|give me|list|find|compare|plan|suggest|compose|"
        r"design|build|code|implement|how (do|can|to|much|many)|what(’|'?s| is| are| was)|who|"
        r"when|where|why (is|are|do|does)|recommend|calculate|convert|a |an |some |another|"
        r"something (else|different|new)|new (task|topic|question)|different (task|topic|question))"
    ),
)
DE = Language(
    common=_words(
        "der die das den dem und ist sind war nicht ein eine einen einer für mit ich du wir sie es "
        "mir mich bitte zu auf im in von noch immer auch als wie was kannst könntest mein meine "
        "aber so dass zum zur am an bei wird über doch jetzt mal"
    ),
    complaint=(
        r"immer noch|noch immer|nach wie vor|schon wieder|nicht (das|,? ?was)|habe? ich (doch|"
        r"schon|bereits|gerade|nicht)|\bich (habe? )?(doch|schon|bereits) |hast du|du (hast|"
        r"ignorierst|verstehst|hörst|liest|machst|kannst) .{0,40}(nicht|wieder|ignoriert|vergessen|nichts|"
        r"immer|gar)|(ist|war|sind|bleibt) (\w+ )?(falsch|unbrauchbar|schlecht|nutzlos|quatsch|"
        r"unsinn|schlimmer|nicht|viel zu|kein)|(funktioniert|geht|hilft|stimmt|passt|reicht|"
        r"klappt|bringt) (\w+ )?(nicht|nichts|nie)|wie oft|zum (zweiten|dritten|vierten|letzten|"
        r"x-ten|hundertsten) mal|(dasselbe|derselbe|dieselbe|der gleiche|das gleiche|den gleichen)|"
        r"viel zu|wieder (falsch|zu|nicht|das|der|die)|nichts (geändert|verändert|verbessert)|"
        r"zeitverschwendung|vergiss es|ich gebe auf|lass es|reicht'?s|was soll das|warum (ist|"
        r"hast|machst|kannst|immer|wird) .{0,30}(nicht|noch|wieder|immer)|nervt|frustrier|"
        r"enttäusch|keine hilfe|nicht zu fassen|unglaublich"
    ),
    bad=(
        r"nein|falsch|nö|unsinn|quatsch|blödsinn|nutzlos|unbrauchbar|schlecht|furchtbar|"
        r"schrecklich|lächerlich|schlimmer|mist|nochmal|ernsthaft|nicht hilfreich|nicht gut"
    ),
    good=(
        r"danke|dankeschön|danke schön|vielen dank|besten dank|herzlichen dank|lieben dank|"
        r"perfekt|super|klasse|toll|genau|prima|wunderbar|ausgezeichnet|hervorragend|sehr gut|"
        r"passt|spitze|top|großartig|klappt|funktioniert|(das )?(ist|sieht|passt|klingt) (\w+ )?"
        r"(gut|perfekt|super|toll|genau|besser)|viel besser|wunderschön|merci|gefällt"
    ),
    contrast=r"\b(aber|jedoch|allerdings|nur dass|leider|trotzdem|doch|außer)\b",
    change=(
        r"\b(kürzer|länger|einfacher|klarer|freundlicher|lockerer|mehr|weniger|füge?|ergänze|"
        r"entferne|streiche|lösche|ändere|ersetze|umschreiben|formuliere|stattdessen|mach (es|"
        r"das|ihn|sie|den)|ton|förmlich\w*|formell\w*|auch|noch|erwähne|ohne|stichpunkte?n?|kürze|"
        r"absatz|satz|version|format|zu|etwas|bisschen|nimm|lass|statt|den (ersten|zweiten|"
        r"letzten)|lieber|es|du)\b"
    ),
    task=(
        r"(ok(ay)?|jetzt|nun|als nächstes|dann|super|danke|und|also|bitte|hallo|hi|andere|neue)?"
        r"[\s,:.!]*(kannst du |könntest du |bitte |ich brauche |hilf mir |jetzt )*(schreib|"
        r"verfass|entwirf|übersetz|fass|erklär|erstell|generier|gib mir|liste|finde|vergleich|"
        r"plan|schlag|wie |was |wer |wann |wo |warum (ist|sind)|empfiehl|berechne|ein(e|en)? |"
        r"neue(s)? (aufgabe|thema|frage)|ander(e|es) (aufgabe|thema|frage)|etwas (anderes|ganz))"
    ),
)
FR = Language(
    common=_words(
        "le la les de des du et est sont pas un une pour avec je vous tu nous il elle ce cette ces "
        "que qui dans sur au aux me mon ma mes plus plait plaît mais ou en se ne c d l j s n qu "
        "encore toujours peux pouvez comment quel quelle votre ton fait"
    ),
    complaint=(
        r"toujours (pas|trop|aussi|le|la|les|faux|un|une|en)|encore (une fois|trop|faux|raté|"
        r"la même|le même|pas)|n'?est pas (du tout )?(ce que|bon|ça|correct|juste|utile)|pas (du "
        r"tout )?(ce que|ce qu)|c'?est (\w+ )?(faux|nul|inutile|mauvais|n'importe|pire|ridicule|"
        r"inacceptable|trop|pas)|(ne )?(marche|fonctionne|répond|aide|change|sert|convient|va) "
        r"(\w+ )?(pas|rien|à rien|toujours)|(tu|vous) (n'|ne |m'|as |avez |l')?\w*.{0,25}(pas|"
        r"ignor|oubli|rien|encore|jamais)|j'?(ai|avais) (déjà|bien|pourtant|demandé|dit)|je (t'|"
        r"vous |l')?(ai |avais )?(déjà|pourtant|répète)|combien de fois|(deuxième|troisième|"
        r"quatrième|dernière|énième) fois|(la|le|les) mêmes? (erreur|problème|chose|texte|faute|"
        r"réponse)|rien (n'a )?changé|beaucoup trop|bien trop|perte de temps|laisse(z)? tomber|"
        r"j'abandonne|pourquoi .{0,30}(pas|toujours|encore)|énerv|frustr|déçu|ras le bol|marre|"
        r"n'importe quoi|franchement|aucune? (aide|sens)"
    ),
    bad=(
        r"non|faux|nul|inutile|mauvais|ridicule|inacceptable|pire|raté|sérieusement|absurde|"
        r"horrible|affreux|pas bon|pas terrible|encore"
    ),
    good=(
        r"merci( beaucoup| bien)?|mille mercis|parfait|super|génial|excellent|impeccable|nickel|"
        r"exactement|très bien|bravo|formidable|magnifique|top|ça marche|c'?est (\w+ )?(parfait|"
        r"super|bon|bien|mieux|ça|exactement|génial|nickel)|beaucoup mieux|j'adore|ok merci|cool|"
        r"ça me va|exact"
    ),
    contrast=r"\b(mais|cependant|toutefois|par contre|sauf|malheureusement|pourtant)\b",
    change=(
        r"\b(court|courte|plus|moins|ajoute|ajoutez|enlève|enlevez|supprime|retire|change|"
        r"changez|remplace|réécris|reformule|plutôt|rends|rendez|ton|formel|formelle|aussi|"
        r"mentionne|sans|puces|raccourcis|raccourcir|développe|paragraphe|phrase|version|format|"
        r"trop|un peu|mets|mettez|garde|le (premier|deuxième|dernier)|fais|utilise|coupe|le|la)\b"
    ),
    task=(
        r"(ok|maintenant|ensuite|super|merci|et|alors|autre|bonjour|salut)?[\s,:.!]*(peux-tu |"
        r"pouvez-vous |pourrais-tu |tu peux |j'ai besoin d'?|aide-moi à |s'il (te|vous) pla[iî]t )*"
        r"(écri|rédige|tradui|résume|expli|crée|génère|donne|liste|trouve|compar|planifie|propose|"
        r"comment |qu'est|quel|qui |quand |où |pourquoi (est|le|la)|recommande|calcule|une? |"
        r"autre (chose|sujet|question|tâche)|nouve(au|lle) (sujet|question|tâche))"
    ),
)
ES = Language(
    common=_words(
        "el la los las de y es son no un una para con por favor que en mi me se lo al del su como "
        "más muy pero o te tu le esto esta este eso puedes podrías qué cómo sigue está ya sin a "
        "quiero necesito hay todavía"
    ),
    complaint=(
        r"sigue (siendo|sin|estando|igual|demasiado|mal|teniendo|muy)|todavía (no|es|está|muy|"
        r"demasiado)|aún (no|es|está|muy)|otra vez|de nuevo (lo mismo|mal|el|la)|no (es|era) "
        r"(\w+ )?(lo que|eso|así|correcto)|(está|es|sigue) (\w+ )?(mal|fatal|incorrecto|equivocad|"
        r"inútil|peor|ridículo|inaceptable|horrible)|no (me )?(funciona|sirve|ayuda|responde|cambi|"
        r"entiend|hiciste|hace|has|escuch|le)|ya (te )?(lo )?(dije|he dicho|pedí|he pedido|había)|"
        r"te (dije|pedí|he dicho|he pedido|estoy)|cuántas veces|(segunda|tercera|cuarta|última|"
        r"enésima) vez|(el|la|lo) mism[oa] (error|problema|texto|cosa|respuesta|fallo)|"
        r"lo mismo|(has |me )?(ignor|olvid)\w*|nada (ha )?cambi|demasiado .{0,20}(todavía|aún)|"
        r"pérdida de tiempo|olvídalo|me rindo|déjalo|por qué .{0,30}(no|sigue|otra|siempre)|"
        r"frustr|decepcion|harto|harta|no puede ser|en serio|cansad"
    ),
    bad=(
        r"no|mal|fatal|incorrecto|inútil|ridículo|inaceptable|horrible|peor|basura|tontería|"
        r"absurdo|terrible|nada|tampoco|pésimo|no sirve"
    ),
    good=(
        r"(muchas |mil )?gracias|perfecto|genial|excelente|estupendo|fantástico|exacto|"
        r"exactamente|muy bien|bien hecho|maravilloso|buenísimo|me encanta|me gusta|funciona|"
        r"(así )?(está|es|queda|quedó) (\w+ )?(perfecto|bien|genial|mejor|lo que)|mucho mejor|vale|"
        r"guay|súper|super|increíble|listo|de lujo|justo lo que"
    ),
    contrast=r"\b(pero|sin embargo|aunque|excepto|salvo|lamentablemente|por desgracia)\b",
    change=(
        r"\b(corto|corta|largo|larga|breve|más|menos|añade|agrega|quita|elimina|borra|cambia|"
        r"reemplaza|sustituye|reescribe|reformula|mejor|hazlo|hazla|haz|tono|formal|informal|"
        r"también|incluye|menciona|sin|viñetas|acorta|amplía|párrafo|frase|versión|formato|"
        r"demasiado|un poco|pon|ponlo|deja|usa|en vez|en lugar|el (primer|segundo|último))\b"
    ),
    task=(
        r"(ok|vale|ahora|luego|después|genial|gracias|y|otra|otro|hola)?[\s,:.!¿¡]*(puedes |"
        r"podrías |me puedes |necesito |ayúdame a |por favor )*(escrib|redact|traduc|resum|"
        r"explic|crea|genera|dame|lista|encuentra|compar|planifica|sugi|propon|cómo |qué |quién |"
        r"cuándo |dónde |cuánt|recomi|calcula|una? |otr[ao] (cosa|tema|pregunta|tarea)|"
        r"nuev[ao] (tema|pregunta|tarea)|algo (distinto|diferente))"
    ),
)
ZH = Language(
    common=frozenset(),
    complaint=(
        r"还是|仍然|依然|依旧|又(错|是|来|写|没|忘|变|给|这)|不对|错了|不是我(要|想|说|问|需)|不是这(个|样)|"
        r"没(有)?(用|帮助|按|听|看|改|变|解决|理解|回答)|我(都|已经|刚才?|明明)?说(了|过|的)|我要的(是|不是)|"
        r"(说|讲|问|强调)了?(多少|几|好几|那么多|三|两)(遍|次)|第(二|三|四|五|几|n)(次|遍)|太差|怎么(还|又|老|总|就)|"
        r"根本|完全(不|没)|同样的(错|问题)|一模一样|浪费时间|算了|放弃|到底|能不能(认真|好好|听)|受不了|失望|生气|"
        r"离谱|无语|为什么(还|又|总|老|不)|你(没|忘|忽略|总是|老是|根本|到底|又)|一点(都|也)(没|不)|越(改|来)越|"
        r"不(行|满意|符合|合适|理解|明白)"
    ),
    bad=r"不(?!错|用谢)|错|垃圾|没用|差|糟糕|太烂|烂|胡说|呵呵|不好",
    good=(
        r"谢谢|多谢|感谢|谢啦|谢了|太好了|太棒了|很好|非常好|完美|不错|好的|可以了|可以(?=$|[，,。！!～~])|就是这样|就是这个|"
        r"正是|棒|真棒|赞|没问题|好多了|很满意|满意|正好|行了|好极了|厉害|喜欢|辛苦了|完全正确|ok"
    ),
    contrast=r"但|不过|可是|只是|然而|就是(有|太)",
    change=(
        r"短|长一点|更|改|换|加|删|去掉|减|简|正式|语气|代替|重写|润色|一点|一些|再|也|分段|段|句|"
        r"格式|版本|补充|保留|调整|列表|口语|太"
    ),
    task=(
        r"(好的?|谢谢|现在|接下来|然后|另外|那么?|太好了|请|你好)?[\s，,。！!：:]*(请|帮我|能不能|可以|你能|"
        r"麻烦|给我|我想|我需要)*(写|翻译|总结|解释|创建|生成|列|找|比较|计划|推荐|设计|计算|介绍|"
        r"什么|怎么|如何|为什么是|谁|哪|换个(话题|问题)|另一个|新的?(任务|问题|话题)|起草|做一|制定)"
    ),
)

LANGUAGES: Mapping[str, Language] = {"en": EN, "de": DE, "fr": FR, "es": ES, "zh": ZH}


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
