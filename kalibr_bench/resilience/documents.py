"""The documents that the agent analyses: short texts of nine kinds, filled in by chance."""

from __future__ import annotations

import random
from functools import cache
from importlib import resources

FIRST = (
    "Amara Björn Chen Dolores Emil Fatima Goran Hana Ivan Jade Kwame Leila Mateo Nadia Olu Priya"
)
LAST = (
    "Adeyemi Brandt Castillo Dubois Eriksson Fischer Gupta Haddad Ito Jansen Kim Lopez Marsh Novak"
)
NAMES = {
    "company": (
        "Northwind Foods|Alder & Finch|Helio Systems|Brightwater Bank|Castor Logistics|Verdant Labs"
        "|Mosaic Retail|Kestrel Air|Tallow Energy|Juniper Health"
    ),
    "partner": (
        "Orbis Parts|Lumen Freight|Quarry Software|Redwood Legal|Sable Print|Delta Optics"
        "|Marlin Foods|Union Textiles"
    ),
    "product": (
        "AquaSense 3|LedgerPro|Halo desk|RouteMate|MediTrack|SolarLink|K2 bicycle"
        "|InboxZen|FieldNote|Vario pump"
    ),
    "city": "Lyon|Porto|Leeds|Tampere|Kyoto|Nairobi|Austin|Quito|Gdansk|Perth|Pune|Halifax",
    "country": "France|Portugal|Canada|Japan|Kenya|Ecuador|Poland|India|Australia|Finland",
    "weekday": "Monday|Tuesday|Wednesday|Thursday|Friday",
    "month": "January|March|April|June|August|October|November",
}
WORDS = {name: words.split("|") for name, words in NAMES.items()}


@cache
def texts() -> tuple[str, ...]:
    """All texts with their places for names, sums and dates."""
    folder = resources.files(__package__) / "corpus"
    files = sorted(file.name for file in folder.iterdir() if file.name.endswith(".txt"))
    whole = [(folder / name).read_text(encoding="utf-8") for name in files]
    return tuple(part.strip() for text in whole for part in text.split("\n===\n"))


def documents(seed: int, count: int) -> tuple[str, ...]:
    """The documents of one run; a longer run of the same seed begins with those of a shorter one.

    No text comes again before all have come, and then with other names.
    """
    made: list[str] = []
    while len(made) < count:
        order = list(range(len(texts())))
        random.Random(f"order {seed} {len(made)}").shuffle(order)
        for index in order:
            made.append(filled(texts()[index], random.Random(f"fill {seed} {len(made)}")))
    return tuple(made[:count])


def filled(text: str, rng: random.Random) -> str:
    """A text with names, sums and dates in its places."""
    values = {name: rng.choice(words) for name, words in WORDS.items()}
    values["person"], values["colleague"] = (_person(rng) for _ in range(2))
    values["date"] = f"{rng.randint(1, 28)} {values['month']} {rng.randint(2024, 2026)}"
    values["amount"] = f"${rng.choice((1, 5, 20, 75, 300)) * rng.randint(11, 99) * 10:,}"
    values["percent"] = f"{rng.randint(3, 68)}%"
    values["count"] = str(rng.randint(6, 480))
    values["days"], values["hours"] = str(rng.randint(5, 60)), str(rng.randint(2, 9))
    values["ref"] = f"{rng.choice('ABCKRT')}{rng.choice('DLNQXZ')}-{rng.randint(1000, 9999)}"
    return text.format_map(values)


def _person(rng: random.Random) -> str:
    return f"{rng.choice(FIRST.split())} {rng.choice(LAST.split())}"
