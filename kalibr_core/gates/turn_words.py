"""What users say of an answer, in the languages that are known here.

Phrases that speak to the answer's writer ("you ignored", "not what I asked") count wherever they
stand near a message's beginning or end; bare words ("useless", "perfect") only where they open it
or are nearly all of it, since a task may be about them ("write an apology for the wrong delivery").
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


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
        "not be can could do does have what how which about from your at as or but so now still "
        "there here one were will they them more than then any some if when out up get got it's t"
    ),
    complaint=(
        r"\bstill\b.{0,20}\b(too|not|no|wrong|the same|isn'?t|doesn'?t|missing|bad|"
        r"hasn'?t|far|fails?|broken|as|way|incorrect|off|can'?t)\b|"
        r"\bstill (has|have|contains?|sounds?|reads?|the|uses?)\b|not what i|isn'?t what i|"
        r"wasn'?t what i|not (at all )?(right|correct|helpful|good enough|working|it)\b|"
        r"(doesn'?t|does not|didn'?t|did not|isn'?t|is not) (work|help|answer|make sense|"
        r"change|fix|address|do what|match|right|correct)|"
        r"\byou (\w+ )?(ignored?|forgot|missed|didn'?t|did not|aren'?t|keep|kept|never|"
        r"don'?t|haven'?t|changed nothing|broke|just (repeated|gave))\b|"
        r"\bi (already|just|clearly|specifically) (said|told|asked|wrote)|"
        r"\bi (said|told you|asked (you )?(for|to|you)|keep (saying|asking|telling))\b|"
        r"how many times|how often do i|(second|third|fourth|last|hundredth|\dth) time|"
        r"\b(this|that|it|answer)('s| is| was) "
        r"(?!not (at all )?(bad|too|often|a problem|wrong|\w+ing any)\b)"
        r"(\w+ )?(wrong|incorrect|useless|terrible|"
        r"awful|bad|nonsense|garbage|ridiculous|unacceptable|worse|broken|not)\b|"
        r"\b(same|exact same) (mistake|problem|error|issue|thing|text|answer)|"
        r"as i (said|wrote|asked)|for nothing|waste of (my )?time|are you even|do you even|"
        r"did you even|"
        r"why (do|does|did|is|are|can'?t|won'?t) (you|it|this) (\w+ )?(keep|still|not|so|"
        r"always|just|ignore)|nothing (has )?changed|wrong again|again wrong|no better|"
        r"(just )?(as|even) worse|far too|way too|getting (nowhere|frustrat|annoy|worse)|"
        r"i'?m (done|frustrated|annoyed|disappointed|losing)|never ?mind|forget (it|that|this)|"
        r"i give up|\b(skip|drop|leave) (it|that|this)\b|whatever\b|going nowhere|\bugh+\b|"
        r"\bwtf\b|for (god|heaven|crying|fu?c?k?s)\b"
    ),
    bad=(
        r"no(?! (notes|way|worries|problem|complaints|doubt|need|changes|more questions))|"
        r"nope|wrong|incorrect|useless|ridiculous|unacceptable|terrible|awful|nonsense|rubbish|"
        r"garbage|bad|worse|unhelpful|hopeless|disappointing|seriously|again|come on|not good|"
        r"not helpful|crap|meh"
    ),
    good=(
        r"thanks|thank you|thank u|thx|tysm|ty|cheers|many thanks|perfect|great|excellent|awesome|"
        r"amazing|brilliant|wonderful|lovely|nice|good job|well done|exactly|love (it|this|that)|"
        r"(that|this|it) works|"
        r"(that|this|it)('s| is) (\w+ )?(perfect|great|good|exactly|it|what i|better|fine|"
        r"lovely|right)|works|fantastic|spot on|just what i|much better|"
        r"looks (good|great|perfect)|all good|sorted|beautiful|super|cool|good enough|appreciate"
    ),
    contrast=r"\b(but|however|except|though|although|only that|unfortunately|yet)\b",
    change=(
        r"\b(shorter|longer|simpler|clearer|warmer|friendlier|more|less|fewer|add|remove|"
        r"drop|delete|change|replace|rewrite|rephrase|reword|instead|make (it|this|that|"
        r"them|the)|tone|formal|casual|include|mention|without|bullets?|shorten|expand|"
        r"adjust|tweak|paragraph|sentence|version|format|too (\w+ )?(long|short|formal|"
        r"vague|general|much)|cut|keep|turn (it|this|that)|put|trim|leave out|swap|rather|"
        r"that one|in (plain|simple|simpler)|details?|examples?|sources?)\b"
    ),
    task=(
        r"(ok(ay)?|now|next|also|great|thanks|and|so|another|new|different|please|hi|"
        r"hello|hey)?[\s,:.!]*(can you |could you |please |i need |help me |"
        r"let'?s )*(write|draft|translate|summari[sz]e|explain|create|generate|give me|"
        r"list|find|compare|plan|suggest|compose|design|build|code|implement|how (do|does|can|"
        r"to|much|many|long|should|would|is|are)|what\b|which\b|who|when|where|"
        r"why (is|are|do|does)|recommend|calculate|convert|a |an |some |another|"
        r"something (else|different|new)|new (task|topic|question)|different (task|topic|question))"
    ),
)
DE = Language(
    common=_words(
        "der die das den dem und ist sind war nicht ein eine einen einer für mit ich du wir sie es "
        "mir mich bitte zu auf im in von noch immer auch als wie was kannst könntest mein meine "
        "aber so dass zum zur am an bei wird über doch jetzt mal uns dir warum wenn kann soll danke"
    ),
    complaint=(
        r"immer noch|noch immer|nach wie vor|schon wieder|nicht (das|,? ?was)|"
        r"habe? ich (doch|schon|bereits|gerade|nicht)|\bich (habe? )?(doch|schon|bereits) |"
        r"hast du|du (hast|ignorierst|verstehst|hörst|liest|machst|kannst) .{0,40}(nicht|wieder|"
        r"ignoriert|vergessen|nichts|immer|gar)|"
        r"(ist|war|sind|bleibt) (\w+ )?(falsch|unbrauchbar|schlecht|nutzlos|quatsch|"
        r"unsinn|schlimmer|nicht|viel zu|kein)|"
        r"(funktioniert|geht|hilft|stimmt|passt|reicht|klappt|bringt) (\w+ )?(nicht|nichts|nie)|"
        r"wie oft|wie (gesagt|geschrieben|ich (schon|bereits|oben))|für nichts|"
        r"zum (zweiten|dritten|vierten|letzten|x-ten|hundertsten) mal|"
        r"(dasselbe|derselbe|dieselbe|der gleiche|das gleiche|den gleichen)(?! (in|für|mit|auf)\b)|"
        r"viel zu|"
        r"wieder (falsch|zu|nicht|das|der|die)|nichts (geändert|verändert|verbessert)|"
        r"zeitverschwendung|vergiss (es|das)|(ich )?gebe? auf|lass(en)? (es|wir|das)|überspring|"
        r"führt zu nichts|egal|reicht'?s|was soll das|"
        r"warum (ist|hast|machst|kannst|immer|wird) .{0,30}(nicht|noch|wieder|immer)|nervt|"
        r"frustrier|enttäusch|keine hilfe|nicht zu fassen|unglaublich"
    ),
    bad=(
        r"nein|falsch|nö|unsinn|quatsch|blödsinn|nutzlos|unbrauchbar|schlecht|furchtbar|"
        r"schrecklich|lächerlich|schlimmer|mist|nochmal|ernsthaft|nicht hilfreich|nicht gut"
    ),
    good=(
        r"danke|dankeschön|danke schön|vielen dank|besten dank|herzlichen dank|lieben dank|"
        r"perfekt|super|klasse|toll|genau|prima|wunderbar|ausgezeichnet|hervorragend|sehr gut|"
        r"passt|spitze|top|großartig|klappt|funktioniert|"
        r"(das )?(ist|sieht|passt|klingt) (\w+ )?(gut|perfekt|super|toll|genau|besser)|"
        r"viel besser|wunderschön|merci|gefällt"
    ),
    contrast=r"\b(aber|jedoch|allerdings|nur dass|leider|trotzdem|doch|außer)\b",
    change=(
        r"\b(kürzer|länger|einfacher|klarer|freundlicher|lockerer|mehr|weniger|füge?|"
        r"ergänze|entferne|streiche|lösche|ändere|ersetze|umschreiben|formuliere|"
        r"stattdessen|mach (es|das|ihn|sie|den)|ton|förmlich\w*|formell\w*|erwähne|ohne|"
        r"stichpunkte?n?|kürze|absatz|satz|version|format|zu (lang|kurz|\w+lich|allgemein|"
        r"vage)|bisschen|nimm|statt|lieber|einzelheiten|details?|beispiele?|quellen?)\b"
    ),
    task=(
        r"(ok(ay)?|jetzt|nun|als nächstes|dann|super|danke|und|also|bitte|hallo|hi|andere|"
        r"neue)?[\s,:.!]*(kannst du |könntest du |bitte |ich brauche |hilf mir |"
        r"jetzt )*(schreib|verfass|entwirf|übersetz|fass|erklär|erstell|generier|gib mir|"
        r"liste|finde|vergleich|plan|schlag|wie |was |wer |wann |wo |warum (ist|sind)|"
        r"empfiehl|berechne|ein(e|en)? |neue(s)? (aufgabe|thema|frage)|ander(e|"
        r"es) (aufgabe|thema|frage)|etwas (anderes|ganz))"
    ),
)
FR = Language(
    common=_words(
        "le la les de des du et est sont pas un une pour avec je vous tu nous il elle ce cette ces "
        "que qui dans sur au aux me mon ma mes plus plait plaît mais ou en se ne c d l j s n qu "
        "encore toujours peux pouvez comment quel quelle votre ton fait ça pourquoi "
        "maintenant merci"
    ),
    complaint=(
        r"toujours (pas|trop|aussi|le|la|les|faux|un|une|en)|"
        r"encore (une fois|trop|faux|raté|la même|le même|pas)|"
        r"n'?est pas (du tout )?(ce que|bon|ça|correct|juste|utile)|pas (du tout )?(ce que|ce qu)|"
        r"c'?est (\w+ )?(faux|nul|inutile|mauvais|n'importe|pire|ridicule|inacceptable|trop|pas)|"
        r"(ne )?(marche|fonctionne|répond|aide|change|sert|convient|va) (\w+ )?(pas|rien|"
        r"à rien|toujours)|"
        r"(tu|vous) (n'|ne |m'|as |avez |l')?\w*.{0,25}(pas|ignor|oubli|rien|encore|jamais)|"
        r"j'?(ai|avais) (déjà|bien|pourtant|demandé|dit)|"
        r"je (t'|vous |l')?(ai |avais )?(déjà|pourtant|répète)|combien de fois|"
        r"comme (je l'ai )?(déjà )?(dit|écrit)|pour rien|"
        r"(deuxième|troisième|quatrième|dernière|énième) fois|"
        r"(la|le|les) mêmes? (erreur|problème|chose|texte|faute|réponse)|rien (n'a )?changé|"
        r"beaucoup trop|bien trop|perte de temps|(laisse|oublie|passe)[zs]? (tomber|ça|à autre)|"
        r"mène à rien|tant pis|j'abandonne|pourquoi .{0,30}(pas|toujours|encore)|énerv|frustr|"
        r"déçu|ras le bol|marre|n'importe quoi|franchement|aucune? (aide|sens)"
    ),
    bad=(
        r"non|faux|nul|inutile|mauvais|ridicule|inacceptable|pire|raté|sérieusement|absurde|"
        r"horrible|affreux|pas bon|pas terrible|encore"
    ),
    good=(
        r"merci( beaucoup| bien)?|mille mercis|parfait|super|génial|excellent|impeccable|nickel|"
        r"exactement|très bien|bravo|formidable|magnifique|top|ça marche|"
        r"c'?est (\w+ )?(parfait|super|bon|bien|mieux|ça|exactement|génial|nickel)|beaucoup mieux|"
        r"j'adore|ok merci|cool|ça me va|exact"
    ),
    contrast=r"\b(mais|cependant|toutefois|par contre|sauf|malheureusement|pourtant)\b",
    change=(
        r"\b(court|courte|plus|moins|ajoute|ajoutez|enlève|enlevez|supprime|retire|change|"
        r"changez|remplace|réécris|reformule|plutôt|rends|rendez|ton|formel|formelle|"
        r"mentionne|sans|puces|raccourcis|raccourcir|développe|paragraphe|phrase|version|"
        r"format|trop|un peu|mets|mettez|garde|fais|coupe|détails?|exemples?|sources?)\b"
    ),
    task=(
        r"(ok|maintenant|ensuite|super|merci|et|alors|autre|bonjour|"
        r"salut)?[\s,:.!]*(peux-tu |pouvez-vous |pourrais-tu |tu peux |j'ai besoin d'?|"
        r"aide-moi à |s'il (te|vous) pla[iî]t )*(écri|rédige|tradui|résume|expli|crée|"
        r"génère|donne|liste|trouve|compar|planifie|propose|comment |qu'est|quel|qui |"
        r"quand |où |pourquoi (est|le|la)|recommande|calcule|une? |autre (chose|sujet|"
        r"question|tâche)|nouve(au|lle) (sujet|question|tâche))"
    ),
)
ES = Language(
    common=_words(
        "el la los las de y es son no un una para con por favor que en mi me se lo al del su como "
        "más muy pero o te tu le esto esta este eso puedes podrías qué cómo sigue está ya sin a "
        "quiero necesito hay todavía nos ahora gracias"
    ),
    complaint=(
        r"sigue (siendo|sin|estando|igual|demasiado|mal|teniendo|muy)|"
        r"todavía (no|es|está|muy|demasiado)|aún (no|es|está|muy)|otra vez|"
        r"de nuevo (lo mismo|mal|el|la)|no (es|era) (\w+ )?(lo que|eso|así|correcto)|"
        r"(está|es|sigue) (\w+ )?(mal|fatal|incorrecto|equivocad|inútil|peor|ridículo|"
        r"inaceptable|horrible)|"
        r"no (me )?(funciona|sirve|ayuda|responde|cambi|entiend|hiciste|hace|has|escuch|le)|"
        r"ya (te )?(lo )?(dije|he dicho|pedí|he pedido|había)|"
        r"te (dije|pedí|he dicho|he pedido|estoy)|cuántas veces|"
        r"como (ya )?(te )?(dije|escribí|pedí)|por nada|"
        r"(segunda|tercera|cuarta|última|enésima) vez|"
        r"(el|la|lo) mism[oa] (error|problema|texto|cosa|respuesta|fallo)|"
        r"lo mismo(?! (en|para|con|pero)\b)|"
        r"(has |me )?(ignor|olvid)\w*|nada (ha )?cambi|demasiado .{0,20}(todavía|aún)|"
        r"pérdida de tiempo|olvíd(alo|ate|emos)|me rindo|déjalo|dejémoslo|da igual|"
        r"no lleva a nada|sáltat|pasemos|por qué .{0,30}(no|sigue|otra|siempre)|frustr|decepcion|"
        r"harto|harta|no puede ser|en serio|cansad"
    ),
    bad=(
        r"no|mal|fatal|incorrecto|inútil|ridículo|inaceptable|horrible|peor|basura|tontería|"
        r"absurdo|terrible|nada|tampoco|pésimo|no sirve"
    ),
    good=(
        r"(muchas |mil )?gracias|perfecto|genial|excelente|estupendo|fantástico|exacto|"
        r"exactamente|muy bien|bien hecho|maravilloso|buenísimo|me encanta|me gusta|funciona|"
        r"(así )?(está|es|queda|quedó) (\w+ )?(perfecto|bien|genial|mejor|lo que)|mucho mejor|"
        r"vale|guay|súper|super|increíble|listo|de lujo|justo lo que"
    ),
    contrast=r"\b(pero|sin embargo|aunque|excepto|salvo|lamentablemente|por desgracia)\b",
    change=(
        r"\b(corto|corta|largo|larga|breve|más|menos|añade|agrega|quita|elimina|borra|"
        r"cambia|reemplaza|sustituye|reescribe|reformula|mejor|hazlo|hazla|haz|tono|"
        r"formal|informal|incluye|menciona|sin|viñetas|acorta|amplía|párrafo|frase|"
        r"versión|formato|demasiado|un poco|pon|ponlo|en vez|en lugar|detalles?|ejemplos?|"
        r"fuentes?)\b"
    ),
    task=(
        r"(ok|vale|ahora|luego|después|genial|gracias|y|otra|otro|"
        r"hola)?[\s,:.!¿¡]*(puedes |podrías |me puedes |necesito |ayúdame a |"
        r"por favor )*(escrib|redact|traduc|resum|explic|crea|genera|dame|lista|encuentra|"
        r"compar|planifica|sugi|propon|cómo |qué |quién |cuándo |dónde |cuánt|recomi|"
        r"calcula|una? |otr[ao] (cosa|tema|pregunta|tarea)|nuev[ao] (tema|pregunta|tarea)|"
        r"algo (distinto|diferente))"
    ),
)
ZH = Language(
    common=frozenset(),
    complaint=(
        r"还是|仍然|依然|依旧|再说一(遍|次)|又(错|是|来|写|没|忘|变|给|这)|不对|错了|"
        r"不是我(要|想|说|问|需)|不是这(个|样)|没(有)?(用|帮助|按|听|看|改|变|解决|理解|回答)|"
        r"我(都|已经|刚才?|明明)?说(了|过|的)|我要的(是|不是)|"
        r"(说|讲|问|强调)了?(多少|几|好几|那么多|三|两)(遍|次)|第(二|三|四|五|几|n)(次|遍)|太差|"
        r"怎么(还|又|老|总|就)|根本|完全(不|没)|同样的(错|问题)|一模一样|浪费时间|算了|放弃|跳过|"
        r"不管了|没意义|到底|能不能(认真|好好|听)|受不了|失望|生气|离谱|无语|"
        r"为什么(还|又|总|老|不)|你(没|忘|忽略|总是|老是|根本|到底|又)|一点(都|也)(没|不)|"
        r"越(改|来)越|不(行|满意|符合|合适|理解|明白)"
    ),
    bad=r"不(?!错|用谢)|错|垃圾|没用|差|糟糕|太烂|烂|胡说|呵呵|不好",
    good=(
        r"谢谢|多谢|感谢|谢啦|谢了|太好了|太棒了|很好|非常好|完美|不错|好的|可以了|"
        r"可以(?=$|[，,。！!～~])|就是这样|就是这个|正是|棒|真棒|赞|没问题|好多了|很满意|满意|"
        r"正好|行了|好极了|厉害|喜欢|辛苦了|完全正确|ok"
    ),
    contrast=r"但|不过|可是|只是|然而|就是(有|太)",
    change=(
        r"短|长一点|更|改|换成|加(上|入|点|一)|删|去掉|减|简|正式|语气|代替|重写|润色|一点|再|"
        r"分段|格式|版本|补充|保留|调整|口语|太(长|短|正|笼)|细节|例子|来源|出处"
    ),
    task=(
        r"(好的?|谢谢|现在|接下来|然后|另外|那么?|太好了|请|你好)?[\s，,。！!：:]*(请|"
        r"帮我|能不能|可以|你能|麻烦|给我|我想|我需要)*(写|翻译|总结|解释|创建|生成|列|找|"
        r"比较|计划|推荐|设计|计算|介绍|什么|怎么|如何|为什么是|谁|哪|换个(话题|问题)|"
        r"另一个|新的?(任务|问题|话题)|起草|做一|制定)"
    ),
)

LANGUAGES: Mapping[str, Language] = {"en": EN, "de": DE, "fr": FR, "es": ES, "zh": ZH}
