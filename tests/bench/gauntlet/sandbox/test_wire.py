"""Values between parent and child: plain data goes both ways, all else is a name."""

from __future__ import annotations

import math
from collections import Counter, OrderedDict, deque
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kalibr_bench.gauntlet.sandbox.inside.wire import (
    DEPTH,
    Opaque,
    TooMuch,
    WireError,
    decode,
    encode,
    parse,
)

MOST = 1 << 20
scalars = st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.floats() | st.text()
keys = st.none() | st.booleans() | st.integers(-(2**59), 2**59) | st.text()
plain = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner)
        | st.lists(inner).map(tuple)
        | st.dictionaries(keys, inner)
        | st.lists(inner).map(lambda values: deque(values, maxlen=5))
    ),
    max_leaves=20,
)


def there(value: Any) -> Any:
    return decode(parse(encode(value, most=MOST)))


@given(plain)
@settings(max_examples=50, deadline=None)
def test_plain_data_arrives_as_it_was(value: Any) -> None:
    assert repr(there(value)) == repr(value)


def test_a_buffer_keeps_its_bound() -> None:
    assert there({"buffer": deque([1, 2], maxlen=3)})["buffer"].maxlen == 3


def test_the_librarys_dicts_arrive_as_dicts() -> None:
    for value in (OrderedDict(a=1), Counter(a=1)):
        assert type(there(value)) is dict
        assert there(value) == {"a": 1}


class Lying(float):
    def __float__(self) -> float:
        return 2.0

    def __eq__(self, other: object) -> bool:
        return True

    __hash__ = float.__hash__


class LyingDict(dict[str, int]):
    def items(self) -> Any:
        return [("mean", 2)]


class Named(type):
    @property
    def __name__(cls) -> str:  # type: ignore[override]
        raise ValueError("a metaclass's own idea of a name")


class Odd(metaclass=Named):
    pass


@pytest.mark.parametrize(
    ("value", "name"),
    [
        (Lying(1), "Lying"),
        (LyingDict(), "LyingDict"),
        ({1}, "set"),
        (len, "builtin_function_or_method"),
    ],
)
def test_all_else_is_its_types_name_and_equal_to_nothing(value: Any, name: str) -> None:
    arrived = there([value])[0]
    assert type(arrived) is Opaque
    assert arrived.name == name
    assert arrived != value
    assert arrived != there([value])[0]


def test_a_name_is_read_past_a_metaclass() -> None:
    assert there(Odd()).name == "Odd"


def test_numbers_too_long_to_be_floats_are_named_unless_they_are_let_through() -> None:
    assert type(there(10**400)) is Opaque
    assert decode(parse(encode(10**400, most=MOST, int_bits=2000))) == 10**400
    assert math.isfinite(float(there(2**999)))


def test_long_whole_keys_which_could_share_a_hash_do_not_travel() -> None:
    assert [type(key) for key in there({2**61 - 1: 1})] == [Opaque]
    with pytest.raises(WireError, match="key"):
        decode(parse(f'["d",[[{(2**61 - 1) * 7},1]]]'))


def test_what_holds_itself_or_is_too_much_stops() -> None:
    loop: list[Any] = []
    loop.append(loop)
    with pytest.raises(TooMuch, match="deeper"):
        encode(loop, most=MOST)
    with pytest.raises(TooMuch, match="characters"):
        encode(["x" * 50] * 50, most=1000)


@pytest.mark.parametrize(
    "text",
    [
        *("", "1 2", "NaN", "[1", "[" * 100_000, '{"a": 1}', '["l"]', '["x",[]]', '["d",[[1]]]'),
        *('["d",[[["l",[]],1]]]', '["q",-1,[]]', '["q","3",[]]', '["f","1"]', '["o",1]', "[]"),
        *(
            '["s",[1]]',
            "9" * 5000,
            f'["q",{2**63},[]]',
            '["l",' * (2 * DEPTH + 6) + "[]" + "]" * (2 * DEPTH + 6),
        ),
    ],
)
def test_any_other_text_is_refused(text: str) -> None:
    with pytest.raises(WireError):
        decode(parse(text))
