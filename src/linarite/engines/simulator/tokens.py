"""The simulator's own tokens: pieces of words, cut by a rule and not by a vocabulary.

A token is, with one leading space if there is one: up to six letters of a word, up to three
digits of a number, up to two punctuation marks; or a run of up to eight blanks. Joined, the
tokens of a text are the text. English comes to about four characters a token, as with OpenAI's
tokenisers, but the counts are the simulator's own.

Clients may send token ids of any vocabulary. An id stands for one token, and is shown as a
made-up word of its own (`render`).
"""

from __future__ import annotations

import re

split = re.compile(r" ?[^\W\d_]{1,6}| ?[\d]{1,3}| ?(?:[^\w\s]|_){1,2}|\w|\s{1,8}").findall
"""the tokens of a text"""

CHARACTERS_MAX = 8
"""of one token"""

_CONSONANTS = "bdfgklmnprstvz"
_VOWELS = "aeiou"


def count(text: str) -> int:
    """How many tokens a text has."""
    return len(split(text))


def least(characters: int) -> int:
    """How many tokens so much text has at least: known at once, however long it is."""
    return characters // CHARACTERS_MAX


def render(token_ids: list[int]) -> list[str]:
    """One made-up word for each id, with a leading space; different ids give different words."""
    return [_word(token_id) for token_id in token_ids]


def _word(token_id: int) -> str:
    syllables = ""
    rest = abs(token_id)
    while True:
        rest, consonant = divmod(rest, len(_CONSONANTS))
        rest, vowel = divmod(rest, len(_VOWELS))
        syllables += _CONSONANTS[consonant] + _VOWELS[vowel]
        if not rest:
            return f" {syllables}" if token_id >= 0 else f" x{syllables}"
        # Without this, a leading zero syllable would give two ids one word.
        rest -= 1
