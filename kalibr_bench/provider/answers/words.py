"""Word lists of the plain readers."""

from __future__ import annotations

_STOP_WORDS = """
the this that these those they there their when where what which while with from have been will
would should could must into over under about after before between because however than then them
also more most such only other some very were was are and but for not our your his her its who how
why all any each please
"""
_POSITIVE_WORDS = """
achieved benefit best better exceeded excellent gain good great growth happy improve improved
improvement increase increased love opportunity pleased positive profit record resolved robust
satisfied strong success successful up win wonderful delighted praised ahead impressive reliable
thanks amazing fantastic
"""
_NEGATIVE_WORDS = """
bad breach complaint concern concerns crash critical decline declined decrease decreased delay
delayed difficult disappointing down drop error fail failed failing failure fell hate issue issues
late lawsuit loss lost negative outage poor problem problems risk risks shortage slow terrible
threat unhappy unresolved weak worse worst angry broken frustrated awful
"""
_FILLER_WORDS = """
write a an the that which to in python function please program code script me for and of with is
it returns return takes given implement create called named using class method javascript
typescript sql golang rust java bash go
"""

_CALENDAR_WORDS = """
monday tuesday wednesday thursday friday saturday sunday january february march april may june july
august september october november december today tomorrow yesterday
"""
_IMPERATIVE_WORDS = """
add analyse analyze answer book build calculate check classify compare create describe draft explain
extract fetch find generate get give implement json list look make order plan please return schedule
search send show summarise summarize tell translate use what when where who why write
"""

STOP = frozenset(_STOP_WORDS.split())
"""Words that say nothing of a text's subject."""
POSITIVE = frozenset(_POSITIVE_WORDS.split())
"""Words of a good tone."""
NEGATIVE = frozenset(_NEGATIVE_WORDS.split())
"""Words of a bad tone."""
FILLER = frozenset(_FILLER_WORDS.split())
"""Words of a request for code that do not name the program."""
NO_NAMES = STOP | frozenset(
    f"a an of in on at as it we i {_CALENDAR_WORDS} {_IMPERATIVE_WORDS}".split()
)
"""Capitalised words that begin a sentence or name a day, and are nobody's name."""
