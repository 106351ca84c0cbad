"""The corpus."""

from __future__ import annotations

import re

from kalibr_bench.resilience.documents import documents, texts


def test_there_are_many_different_texts() -> None:
    assert len(texts()) >= 40
    assert len(set(texts())) == len(texts())
    assert all(40 <= len(text.split()) <= 140 for text in texts())


def test_every_place_is_filled() -> None:
    for document in documents(5, 2 * len(texts())):
        assert not re.search(r"[{}]", document)


def test_no_text_comes_again_before_all_have_come() -> None:
    first = documents(1, len(texts()))
    assert len({re.sub(r"\W", "", d)[:12] for d in first}) > len(texts()) * 0.7
    assert len(set(documents(1, 3 * len(texts())))) == 3 * len(texts())


def test_a_seed_fixes_the_documents_and_a_longer_run_begins_as_a_shorter_one() -> None:
    assert documents(7, 35) == documents(7, 200)[:35]
    assert documents(7, 35) != documents(8, 35)
