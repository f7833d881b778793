"""Seeded English: sentences put together from parts that fit each other."""

from __future__ import annotations

from typing import TYPE_CHECKING

from linarite.engines.simulator.tokens import split

if TYPE_CHECKING:
    from linarite.engines.simulator.dice import Dice

_OPENINGS = (
    "",
    "",
    "",
    " In the morning,",
    " Before the rain,",
    " On most days,",
    " Far from the road,",
    " Once a year,",
    " After the harvest,",
    " By lamplight,",
    " To everyone's surprise,",
)

_SUBJECTS = (
    " the harbour master",
    " a patient gardener",
    " the old lighthouse",
    " a travelling clockmaker",
    " the village baker",
    " a small brass telescope",
    " the night train",
    " a curious otter",
    " the librarian",
    " a flock of starlings",
    " the river",
    " a retired sailor",
    " the stone bridge",
    " a painter of maps",
    " the orchard",
    " a blue mineral",
)

_ACTS = (
    " keeps watch over",
    " remembers",
    " slowly returns to",
    " draws a picture of",
    " tells stories about",
    " waits beside",
    " measures",
    " sings to",
    " looks after",
    " wanders around",
    " writes letters about",
    " finds a way to",
)

_OBJECTS = (
    " the quiet bay",
    " a field of clover",
    " the highest hill",
    " seven wooden boats",
    " a garden of herbs",
    " the winter market",
    " the ferry across the lake",
    " an unfinished map",
    " the copper roofs",
    " a shelf of green glass",
    " the first snow",
    " a path of flat stones",
)

_ENDINGS = (
    ".",
    ".",
    ".",
    " and asks for nothing in return.",
    ", as it always has.",
    " until the light fades.",
    ", one small step at a time.",
    " with great care.",
    ", and nobody minds.",
    " while the kettle boils.",
)

_WORDS = (
    "amber anchor apple basket beacon birch bridge candle canyon cedar cloud clover copper coral "
    "cotton delta ember falcon feather fern forest garden ginger granite harbour hazel island "
    "ivory jasper juniper kettle lantern lavender linen maple marble meadow mineral mirror moss "
    "nectar oak ocean olive orchard otter pebble pepper pine planet plum quartz quiet rain reed "
    "river robin saffron sailor silver sparrow spruce stone summer thistle thunder timber trail "
    "valley velvet violet walnut water willow winter wool yarrow"
)

WORDS = tuple(_WORDS.split())
"""single words, for short texts and for tokens that might have come instead"""


def _tokenised(parts: tuple[str, ...]) -> tuple[tuple[str, ...], ...]:
    return tuple(tuple(split(part)) for part in parts)


def _capitalised(parts: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(f" {part[1].upper()}{part[2:]}" for part in parts)


_OPENING_TOKENS = _tokenised(_OPENINGS)
_SUBJECT_TOKENS = _tokenised(_SUBJECTS)
_FIRST_SUBJECT_TOKENS = _tokenised(_capitalised(_SUBJECTS))
_ACT_TOKENS = _tokenised(_ACTS)
_OBJECT_TOKENS = _tokenised(_OBJECTS)
_ENDING_TOKENS = _tokenised(_ENDINGS)


def sentences(dice: Dice, tokens_wanted: int) -> list[str]:
    """Tokens of whole sentences, at least `tokens_wanted`; every sentence starts with a space."""
    pick = dice.pick
    tokens: list[str] = []
    while len(tokens) < tokens_wanted:
        opening = pick(_OPENING_TOKENS)
        tokens += opening
        tokens += pick(_SUBJECT_TOKENS if opening else _FIRST_SUBJECT_TOKENS)
        tokens += pick(_ACT_TOKENS)
        tokens += pick(_OBJECT_TOKENS)
        tokens += pick(_ENDING_TOKENS)
    return tokens


def words(dice: Dice, count: int) -> str:
    """A few words, for a field of a generated object."""
    return " ".join(dice.pick(WORDS) for _ in range(count))
