"""Answers of a classifier: short or structured, and one of the labels that were offered."""

from __future__ import annotations

import re

from .refusals import folded

LONGEST = 300
LONGEST_LINE = 80
LONGEST_LABEL = 24

NAMES_LABEL = re.compile(
    r"\b(?:label|class|category|sentiment|intent|answer|verdict|overall|tone|conclusion"
    r"|kategorie|stimmung|klasse|catégorie|étiquette|categoría|etiqueta|categoria|etichetta"
    r"|категория|класс|kategoria|sınıf)"
    r"\W{0,4}(?:is\b|:|=|ist\b|est\b|es\b|è\b)|\b(?:classification|topic|type|result|therefore"
    r"|thus|so)\W{0,4}[:=,]|[:：]\s*\*{0,2}[\w-]+\*{0,2}$|→|类别|分类|情感|ラベル|分類|분류|감정",
    re.IGNORECASE,
)
SHORT_START = re.compile(r"[^.!?:\n。：]{1,40}[.!:。：]\s")
UNDECIDED = re.compile(
    r"(?:i'?m not sure|i am not sure|not sure|i do(?:n't| not) know|i can(?:'t|not) (?:tell"
    r"|determine|decide|say)|hard to say|it depends"
    r"|it could be|ich bin (?:mir )?nicht sicher|je ne sais pas|no (?:estoy segur|sé)|não sei"
    r"|non (?:lo )?so\b|не знаю|不确定|我不知道|わかりません|모르겠)"
)
OFFER = re.compile(
    r"(?:one of(?: the following| these)?(?: \w+){0,2}|labels?|categor(?:y|ies)|classes|options?"
    r"|choose (?:from|between)|pick(?: from| one)?"
    r"|either)\s*(?:are |is |from )?[:：]?\s*((?:[\"'`]?[\w-]+(?: [\w-]+)?[\"'`]?\s*(?:,\s*(?:or "
    r"|and )?|/|\||\bor\b)\s*)+[\"'`]?[\w-]+[\"'`]?)",
    re.IGNORECASE,
)
SLASHED = re.compile(
    r"[(（]\s*([^\W\d]+(?:\s*[/|／]\s*[^\W\d]+){1,9})\s*[)）]|(?:^"
    r"|: )([^\W\d]+(?: ?/ ?[^\W\d]+){2,9})(?=[:?\s]|$)"
)
SPLIT = re.compile(r"\s*(?:[,/|／]|\bor\b|\band\b)\s*", re.IGNORECASE)


def is_label(text: str) -> bool:
    """A label, alone or with a few words of reason; a long text must show where its label is."""
    if len(text) <= LONGEST:
        return True
    if SHORT_START.match(text):
        return True
    first, last = text[:LONGEST].partition("\n")[0], text[-LONGEST:].rpartition("\n")[2]
    if "\n" in text and min(len(first), len(last)) <= LONGEST_LINE:
        return True
    return bool(NAMES_LABEL.search(text[:LONGEST]) or NAMES_LABEL.search(text[-LONGEST:]))


def is_undecided(text: str, prompt: str) -> bool:
    """Neither a label nor a reason: the answer only says that there is none."""
    head = folded(text)
    if len(head) > 120 or not UNDECIDED.match(head):
        return False
    return not any(label in head for label in offered(prompt)) and head[:8] not in prompt.casefold()


def offered(prompt: str) -> set[str]:
    """The labels that a prompt offers in a plain list; empty where it is not plain."""
    match = OFFER.search(prompt[:4000])
    found = match.group(1) if match else None
    if found is None and (slashed := SLASHED.search(prompt[:4000])):
        found = slashed.group(1) or slashed.group(2)
    labels = {part.strip("\"'` .").casefold() for part in SPLIT.split(found or "")} - {""}
    return labels if len(labels) >= 2 else set()


def is_foreign(text: str, prompt: str) -> bool:
    """A bare label that is none of those offered; a translated or shortened one may be."""
    bare = text.casefold().strip("\"'`*. \n")
    if len(bare) > LONGEST_LABEL or not bare.isascii() or not bare.replace(" ", "").isalpha():
        return False
    labels = offered(prompt)
    if not labels or not all(label.isascii() for label in labels) or bare in prompt.casefold():
        return False
    return not any(bare.startswith(label[:3]) or label in bare or bare in label for label in labels)
