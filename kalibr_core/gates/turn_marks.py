"""How users politely say that something is amiss, that it has worked, or that they want more.

`turn_words` has the plain words of complaint, thanks and change; these are the marks of where a
conversation stands: hopes told in the past, reports of success, steps that build on an answer.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Marks:
    """One language's marks; patterns are of `re`, for text in lower case."""

    unmet: str
    """Hopes that were not met, wherever they stand: "I was hoping for", "is missing"."""
    worked: str
    """Reports that an answer was of use: "that fixed it", "now I get it"."""
    adds: str
    """Openers of a next step on what is there: "also", "now"."""
    more: str
    """All of a message that wishes for one more of the same: "another one"."""
    request: str
    """Signs that something is asked for: what is told without them is a statement."""


EN = Marks(
    unmet=(
        r"\bi(?:'d| had| was|'ve been) (?:\w+ )?(?:hop|expect|look|ask)(?:ed|ing) "
        r"(?:for|that|to)\b|"
        r"\bin mind\b|\b(?:another|closer|second) look\b|"
        r"(?:not|n't) (?:\w+ ){0,3}what i\b|"
        r"n't (?:\w+ )?(?:address|cover|compile|match|run|add up)\b|"
        r"\b(?:seems?|looks?|is|be) (?:\w+ )?(?:off|amiss)\b"
    ),
    worked=(
        r"(?:that|this|it)(?:'s| is) (?:\w+ )?kind\b(?! of)|"
        r"(?:that|this|it)(?:'s| has)? (?:(?!not|never|hardly|barely|only)\w+ )?"
        r"(?:work(?:s|ed)|help(?:s|ed)|fix(?:es|ed)|"
        r"solve[sd]|did|does|makes? (?:\w+ )?sense|runs|clears)\b|"
        r"i (?:\w+ )?(?:get it|got it|understand|understood|see now)\b|(?:makes sense|got it)\b|"
        r"(?:this|that|these|those|it|which)(?:'s| is| are| looks?| sounds?| reads?) "
        r"(?:(?!not|n't|never|hardly)\w+ ){0,2}(?:fantastic|brilliant|amazing|awesome|excellent|"
        r"great|lovely|wonderful|beautiful|helpful|useful|perfect|ideal|touching|clear|nice|neat|fine)\b|"
        r"looks (?:nice|fine|right)\b|did the trick|"
        r"(?:not|isn't) (?:half )?bad\b|couldn't be better|(?:good|fine)\W*$"
    ),
    adds=(
        r"(?:and )?(?:also|plus|additionally)\b|"
        r"(?:and )?(?:now|next|then|finally|lastly)\b"
        r"(?! (?:it|this|that|i|you|there|the \w+ (?:is|are)))|"
        r"and (?:one|a|an|another)\b|(?:can|could) you (?:please )?also\b"
    ),
    more=(
        r"(?:yet )?(?:another|one more|some more|more|next)(?: one| ones| example)?|"
        r"continue|carry on|go on|keep going"
    ),
    request=(
        r"\b(?:please|pls|can you|could you|would you|can we|i need|i want|i'd like|let's|"
        r"(?:what|how) about|should|must)\b|[?？]"
    ),
)
DE = Marks(
    unmet=(
        r"\bich (?:hatte|habe) .{0,30}(?:gehofft|erwartet|gesucht|gemeint|vorgestellt)|"
        r"\bwas ich .{0,20}(?:suchte|wollte|gesucht|gemeint|erwartet|brauche)|"
        r"\bhatte ich mir anders\b|\bfür (?:\w+ )?nichts\b|nicht (?:\w+ ){0,3}(?:das|was), ?was\b"
    ),
    worked=(
        r"(?:hat|es|das) (?:(?!nicht|nie|kaum)\w+ )?"
        r"(?:geklappt|funktioniert|geholfen|läuft|klappt)\b|"
        r"(?:jetzt )?(?:verstanden|verstehe ich|hab ich's|leuchtet ein)\b|"
        r"(?:gar |auch )?nicht schlecht\b|das nehme ich\b|gut\W*$"
    ),
    adds=(
        r"(?:und )?(?:auch|außerdem|zusätzlich|zum schluss|als nächstes)\b|"
        r"(?:und )?(?:jetzt|nun|dann|noch)\b"
        r"(?! (?:ist|sind|hat|habe|geht|kommt|steht|fehlt|immer))|"
        r"und (?:ein|eine|einen)\b|(?:ergänze|füge?) (?:\w+ )?(?:auch|noch)\b"
    ),
    more=r"(?:noch )?(?:eins|einer|eine|einen|mehr|ein weiteres|eine weitere)|weiter|mach weiter",
    request=(
        r"\b(?:bitte|kannst du|könntest du|können sie|könnten sie|ich brauche|ich möchte|"
        r"wie wäre|soll|sollte|muss)\b|[?？]"
    ),
)
FR = Marks(
    unmet=(
        r"\bj(?:e m'|')(?:espérais|attendais)\b|"
        r"\bce que je (?:cherchais|voulais|attendais|souhaitais)\b|"
        r"(?:n'est|n'était) (?:\w+ ){0,2}pas\b"
    ),
    worked=(
        r"(?:ça|c'?est) (?:(?!pas|plus|jamais)\w+ )?"
        r"(?:marche|a marché|fonctionne|réglé|bon|clair|compris|résolu)\b"
        r"(?! (?:pas|plus))|j'ai (?:\w+ )?compris\b|compris\b|"
        r"pas mal\b|je (?:le |la )?prends\b|bien\W*$"
    ),
    adds=(
        r"(?:et )?(?:aussi|ensuite|puis|enfin|également|en plus)\b|"
        r"(?:et )?maintenant\b(?!,? (?:c'|il|elle|ça|j'|on\b|ce))|"
        r"et (?:un|une)\b|ajoute[zr]? (?:aussi|également|maintenant)\b"
    ),
    more=r"(?:encore )?(?:un|une) autre|encore (?:un|une)|continue[zr]?|la suite|suivant",
    request=(
        r"(?:s'il (?:te|vous) pla[iî]t|\bstp\b|\bsvp\b|peux-tu|pouvez-vous|pourrais|pourriez|"
        r"j'ai besoin|j'aimerais|je voudrais|\bfaut\b|\bdoit\b)|[?？]"
    ),
)
ES = Marks(
    unmet=(
        r"\b(?:esperaba|buscaba|me refería|tenía en mente|me imaginaba)\b|"
        r"no (?:es|era) (?:\w+ ){0,2}lo que\b"
    ),
    worked=(
        r"(?:muy|qué) amable\b|"
        r"(?:ya |así |eso )?(?:funcionó|funciona|sirvió|quedó|me sirve|resuelto|solucionado)\b|"
        r"(?:ya )?(?:entendido|entendí|lo entiendo|comprendo)\b|nada mal\b|me lo quedo\b|bien\W*$"
    ),
    adds=(
        r"(?:y )?(?:también|luego|después|además|por último|finalmente)\b|"
        r"(?:y )?ahora\b(?! (?:es|está|no|me|se|sale|hay|tengo))|"
        r"y (?:un|una)\b|(?:añade|agrega) (?:también|además)\b"
    ),
    more=r"otr[oa](?: más)?|un[oa] más|sigue|continúa|más",
    request=(
        r"\b(?:por favor|porfa|puedes|podrías|puede|podría|necesito|quiero|quisiera|"
        r"debe|debería)\b|[?？]"
    ),
)
ZH = Marks(
    unmet=r"我(?:希望|期待|以为|本来想)|不太(?:是|对|像|符合)|不完全是",
    worked=r"(?:明白|懂|搞定|解决|成功)了|可以(?:运行|用)了|能跑了|好\W*$|有(?:用|帮助)",
    adds=r"(?:然后|接着|接下来|最后|另外|同时)|再(?:加|写|来|给|做)|也(?:加|写|给)",
    more=r"再来(?:一个|一条|一次)?|继续|下一个|换一个",
    request=r"请|能不能|可以.{0,20}吗|可否|帮我|我(?:想|需)要|[?？]",
)

MARKS: Mapping[str, Marks] = {"en": EN, "de": DE, "fr": FR, "es": ES, "zh": ZH}


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


RIVALS: Mapping[str, frozenset[str]] = {
    "pt": _words(
        "o os um uma não é do da dos das no na com em que para por favor você mais muito ao está "
        "eu seu sua isso isto esse essa como mas de se ou e foi tem já meu minha sem"
    ),
    "it": _words(
        "il lo gli di del della che per con non è sono una un questo questa come più mi ci si nel "
        "nella alla al anche ma e ho ha le la i da su grazie favore"
    ),
    "nl": _words(
        "de het een en van ik je niet dat die voor met op zijn is wat hoe aan er maar ook naar "
        "kun wil mij mijn dit in te"
    ),
}
"""Function words of languages that are not read, and that would be taken for one that is."""
