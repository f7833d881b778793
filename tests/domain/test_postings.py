"""Words as BM25 counts them, in all languages."""

from __future__ import annotations

from array import array

import pytest

from linarite.domain.postings import COUNT_MAX, postings_of, term_of, terms_of


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("It's PORT-8080, ok_go!", "it s port 8080 ok go"),
        ("Straße ÉTÉ naïve", "strasse ete naive"),
        ("e\u0301te\u0301", "ete"),
        ("東京都の天気", "東京 京都 都の の天 天気"),
        ("Python3の本", "python3 の本"),
        ("본 책", "본 책"),
        ("한국어", "한국 국어"),
        ("हिन्दी", "हनद"),
        ("Москва", "москва"),
        ("ﬁne ①", "fine 1"),
        ("", ""),
        ("…", ""),
    ],
)
def test_texts_are_taken_apart(text: str, words: str) -> None:
    """Without regard to case and accents; into pairs where a language has no spaces."""
    assert list(terms_of(text)) == [term_of(each) for each in words.split()]


def test_postings_count_each_word_of_each_text() -> None:
    """In little-endian numbers."""
    found = postings_of(["a b a", "", "b " * 300])
    assert array("I", found.terms).tolist() == [term_of("a"), term_of("b"), term_of("b")]
    assert array("H", found.places).tolist() == [0, 0, 2]
    assert list(found.counts) == [2, 1, COUNT_MAX]
    assert array("I", found.lengths).tolist() == [3, 0, 300]
