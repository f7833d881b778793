"""Texts as words, and how often each word stands where: what BM25 counts."""

from __future__ import annotations

import re
import sys
from array import array
from collections import Counter
from typing import TYPE_CHECKING
from unicodedata import category, normalize
from zlib import crc32

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

COUNT_MAX = 255
LONGEST = 40
"""characters of a word that tell it from others"""
_WORD = re.compile(r"[^\W_]+")
_PAIRED = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff"
    "\uac00-\ud7a3\uf900-\ufaff\U00020000-\U0003ffff]+"
)
"""Thai, Lao, Burmese, Khmer, kana and Chinese characters, which know no spaces, and Hangul"""


class Postings(msgspec.Struct, frozen=True):
    """The words of some chunks: little-endian numbers, one behind the other."""

    terms: bytes
    """uint32: each word of each chunk once, as `term_of` it"""
    places: bytes
    """uint16: in which of the chunks each stands, counted from 0"""
    counts: bytes
    """uint8: how often each stands there; COUNT_MAX for more"""
    lengths: bytes
    """uint32: how many words each chunk has"""


def terms_of(text: str) -> Iterator[int]:
    """What BM25 counts in a text: words without regard to case and accents.

    Writings without spaces are taken apart into pairs of characters, as Lucene's CJK analyzer does.
    """
    if not text.isascii():
        plain = (each for each in normalize("NFKD", text) if category(each)[0] != "M")
        text = normalize("NFC", "".join(plain))
    for word in _WORD.findall(text.casefold()):
        if word.isascii():
            yield term_of(word)
        else:
            yield from map(term_of, _parts(word))


def term_of(word: str) -> int:
    """A word as a number. Among a million others, one word in four thousand shares its own."""
    return crc32(word[:LONGEST].encode("utf-8", "surrogatepass"))


def postings_of(texts: Sequence[str]) -> Postings:
    """The words of at most 65,536 texts."""
    terms, places, counts = array("I"), array("H"), array("B")
    lengths = array("I")
    for place, text in enumerate(texts):
        found = Counter(terms_of(text))
        terms.extend(found)
        places.extend([place] * len(found))
        counts.extend(min(each, COUNT_MAX) for each in found.values())
        lengths.append(found.total())
    return Postings(*map(_packed, (terms, places, counts, lengths)))


def _parts(word: str) -> Iterator[str]:
    at = 0
    for run in _PAIRED.finditer(word):
        if run.start() > at:
            yield word[at : run.start()]
        characters = run.group()
        yield from _pairs(characters) if len(characters) > 1 else (characters,)
        at = run.end()
    if at < len(word):
        yield word[at:]


def _pairs(characters: str) -> Iterator[str]:
    return (characters[at : at + 2] for at in range(len(characters) - 1))


def _packed(numbers: array[int]) -> bytes:
    if sys.byteorder == "big":
        numbers.byteswap()
    return numbers.tobytes()
