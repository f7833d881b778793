"""Citations of files: the marks that a model sets are taken out of its text and told beside it.

A model reads what was found as numbered passages and is asked to put a passage's number in
brackets behind what it takes from it. Small models often don't: of a text without any mark, each
sentence most of whose words stand together in one passage cites the file of that passage.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

MARK = re.compile(
    r"(?<![ \t])[ \t]*+[\[【](\d{1,3}(?:[,\s]{1,3}\d{1,3}){0,15})(?:†[^\]】\n]{0,200})?[\]】]"
)
BEGUN = re.compile(r"(?<![ \t])[ \t]*+(?:[\[【](?:\d[\d,\s]{0,60}(?:†[^\]】\n]{0,200})?)?)?$")
"""what may become a mark when more of the text comes"""
HELD_MAX = 300
SENTENCE = re.compile(r"[^.!?\n]+(?:[.!?]+(?!\w)|\n|$|[.!?])")
WORD = re.compile(r"\w{4,}|\d+")
SHARED_LEAST, WORDS_LEAST = 0.7, 3
"""how much of a sentence must stand in a passage, and how many words it must have"""


class Passage(NamedTuple):
    """A piece of a file that was found, as the model reads it."""

    file_id: str
    filename: str
    text: str

    def cited(self, index: int) -> dict[str, Any]:
        """An annotation at that place of a text."""
        return {
            "type": "file_citation",
            "file_id": self.file_id,
            "filename": self.filename,
            "index": index,
        }


class Citing:
    """One text, as it comes, and what it cites. `passages` are numbered from 1."""

    def __init__(self, passages: Sequence[Passage]) -> None:
        self._passages = passages
        self._held = ""
        self._told: list[str] = []
        self._length = 0
        self._marked = False

    def add(self, piece: str) -> tuple[str, list[dict[str, Any]]]:
        """What may be told of the text now, and the annotations within it."""
        text = self._held + piece
        begun = BEGUN.search(text)
        cut = len(text) if begun is None else begun.start()
        if len(text) - cut > HELD_MAX:
            cut = len(text)
        self._held = text[cut:]
        return self._without_marks(text[:cut])

    def end(self) -> tuple[str, list[dict[str, Any]]]:
        """The rest of the text, and its annotations."""
        rest, self._held = self._held, ""
        text, found = self._without_marks(rest)
        if not self._marked:
            found = list(self._like_passages("".join(self._told)))
        return text, found

    def _without_marks(self, text: str) -> tuple[str, list[dict[str, Any]]]:
        kept: list[str] = []
        found: list[dict[str, Any]] = []
        at = 0
        for mark in MARK.finditer(text):
            numbers = [int(each) for each in re.findall(r"\d+", mark[1])]
            if not all(1 <= each <= len(self._passages) for each in numbers):
                continue  # brackets of the text's own
            kept.append(text[at : mark.start()])
            self._length += mark.start() - at
            at = mark.end()
            cited: dict[str, Passage] = {}
            for number in numbers:
                cited.setdefault(self._passages[number - 1].file_id, self._passages[number - 1])
            found += [each.cited(self._length) for each in cited.values()]
        kept.append(text[at:])
        self._length += len(text) - at
        self._told += kept
        self._marked = self._marked or bool(found)
        return "".join(kept), found

    def _like_passages(self, text: str) -> Iterable[dict[str, Any]]:
        """The last sentence of each run that is like the passages of one file cites that file."""
        words = [words_of(each.text) for each in self._passages]
        last: dict[str, Any] | None = None
        for sentence in SENTENCE.finditer(text):
            said = words_of(sentence[0])
            if len(said) < WORDS_LEAST:
                continue
            shares = [len(said & each) / len(said) for each in words]
            best = max(range(len(shares)), key=shares.__getitem__)
            cited = None
            if shares[best] >= SHARED_LEAST:
                cited = self._passages[best].cited(len(text[: sentence.end()].rstrip()))
            if last is not None and (cited is None or cited["file_id"] != last["file_id"]):
                yield last
            last = cited
        if last is not None:
            yield last


def words_of(text: str) -> set[str]:
    """The words of a text that mean something, and its numbers."""
    return set(WORD.findall(text.lower()))
