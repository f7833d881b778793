"""Makes texts that match a regular expression, without ever running the expression.

Reads the part of the syntax that schemas use: literals, classes, groups, alternatives, counts and
anchors at the ends. Anything else is refused.
"""

from __future__ import annotations

import string
from typing import TYPE_CHECKING

import msgspec

from linarite.engines.simulator.json_schema.types import SchemaTooComplex, UnsatisfiableSchema

if TYPE_CHECKING:
    from linarite.engines.simulator.dice import Dice

CHARACTERS_MAX = 20_000
"""the longest text that is made up"""

PATTERN_CHARACTERS_MAX = 1_000

_RANGE_MAX = 1_000
_SURROGATES = range(0xD800, 0xE000)
_COUNT_CHARACTERS_MAX = 12
_PRINTABLE = string.ascii_letters + string.digits + string.punctuation + " "
_WORD = string.ascii_letters + string.digits + "_"
_SETS = {"d": string.digits, "w": _WORD, "s": " "}
_CONTROLS = {"n": "\n", "t": "\t", "r": "\r", "f": "\f", "v": "\v", "0": "\0"}


class Characters(msgspec.Struct, frozen=True):
    """One character out of some."""

    alphabet: str


class Sequence(msgspec.Struct, frozen=True):
    """One part after another."""

    parts: tuple[Node, ...]


class Choice(msgspec.Struct, frozen=True):
    """One of several alternatives."""

    options: tuple[Node, ...]


class Repeat(msgspec.Struct, frozen=True):
    """A part several times; `most` is None where there is no bound."""

    part: Node
    least: int
    most: int | None


Node = Characters | Sequence | Choice | Repeat


def parse_pattern(pattern: str) -> Node:
    """Read an expression. Raises UnsatisfiableSchema where texts for it can't be made up."""
    if len(pattern) > PATTERN_CHARACTERS_MAX:
        raise SchemaTooComplex(f"A pattern is longer than {PATTERN_CHARACTERS_MAX} characters.")
    parser = _Parser(pattern)
    node = parser.alternatives()
    if not parser.at_end:
        raise parser.refusal("a bracket is closed that was never opened")
    return node


def text_for(node: Node, dice: Dice, stretch: int) -> str:
    """A text that matches; open counts are exceeded by up to `stretch`."""
    pieces: list[str] = []
    _write(node, dice, stretch, pieces)
    return "".join(pieces)


def _write(node: Node, dice: Dice, stretch: int, pieces: list[str]) -> None:
    if len(pieces) > CHARACTERS_MAX:
        raise SchemaTooComplex(f"A pattern asks for more than {CHARACTERS_MAX} characters.")
    if isinstance(node, Characters):
        pieces.append(dice.pick(node.alphabet))
    elif isinstance(node, Sequence):
        for part in node.parts:
            _write(part, dice, stretch, pieces)
    elif isinstance(node, Choice):
        _write(dice.pick(node.options), dice, stretch, pieces)
    else:
        most = node.least + stretch if node.most is None else node.most
        for _ in range(dice.between(node.least, min(most, node.least + stretch))):
            # An empty part leaves no piece by which to notice that it repeats for ever.
            pieces.append("")
            _write(node.part, dice, stretch, pieces)


class _Parser:
    """A recursive descent over the expression, one method a rule."""

    def __init__(self, pattern: str) -> None:
        self._pattern = pattern
        self._at = 0

    @property
    def at_end(self) -> bool:
        return self._at >= len(self._pattern)

    def refusal(self, why: str) -> UnsatisfiableSchema:
        shown = self._pattern[:100]
        return UnsatisfiableSchema(f"No text can be made up for the pattern '{shown}': {why}.")

    def alternatives(self) -> Node:
        options = [self._sequence()]
        while self._take("|"):
            options.append(self._sequence())
        return options[0] if len(options) == 1 else Choice(tuple(options))

    def _sequence(self) -> Node:
        parts: list[Node] = []
        while not self.at_end and self._pattern[self._at] not in "|)":
            atom = self._atom()
            if atom is not None:
                parts.append(self._repeated(atom))
        return Sequence(tuple(parts))

    def _atom(self) -> Node | None:
        character = self._next()
        if character in "^$":
            return None
        if character == "(":
            return self._group()
        if character == "[":
            return Characters(self._class())
        if character == ".":
            return Characters(_PRINTABLE)
        if character == "\\":
            return Characters(self._escape())
        if character in "*+?":
            raise self.refusal(f"'{character}' has nothing to repeat")
        return Characters(character)

    def _group(self) -> Node:
        if self._take("?"):
            if self._take("P<") or (self._take("<") and self._peek() not in "=!"):
                self._skip_past(">")
            elif not self._take(":"):
                raise self.refusal("look-around and flags are not supported")
        node = self.alternatives()
        if not self._take(")"):
            raise self.refusal("a bracket is not closed")
        return node

    def _repeated(self, atom: Node) -> Node:
        least, most = 1, 1
        if self._take("*"):
            least, most = 0, None
        elif self._take("+"):
            least, most = 1, None
        elif self._take("?"):
            least, most = 0, 1
        elif self._peek() == "{" and (counts := self._counts()):
            least, most = counts
        else:
            return atom
        # A lazy count matches the same texts.
        self._take("?")
        if max(least, most or 0) > CHARACTERS_MAX:
            raise SchemaTooComplex(f"A pattern asks for more than {CHARACTERS_MAX} characters.")
        return Repeat(atom, least, most)

    def _counts(self) -> tuple[int, int | None] | None:
        """`{2}`, `{2,}` or `{2,5}`; None where the brace is an ordinary character."""
        end = self._pattern.find("}", self._at)
        low, comma, high = self._pattern[self._at + 1 : end].partition(",")
        if (
            end < 0
            or not low.isdecimal()
            or (high and not high.isdecimal())
            or end - self._at > _COUNT_CHARACTERS_MAX
        ):
            return None
        self._at = end + 1
        return int(low), int(high) if high else None if comma else int(low)

    def _class(self) -> str:
        negated = self._take("^")
        taken: list[str] = []
        while not self._take("]"):
            taken.append(self._class_member())
        alphabet = "".join(dict.fromkeys("".join(taken)))
        if negated:
            alphabet = "".join(c for c in _PRINTABLE if c not in alphabet)
        if not alphabet:
            raise self.refusal("a class of characters is empty")
        return alphabet

    def _class_member(self) -> str:
        first = self._class_character()
        if len(first) != 1 or self._peek() != "-" or self._peek(1) in ("]", ""):
            return first
        self._at += 1
        last = self._class_character()
        if len(last) != 1 or last < first:
            raise self.refusal("a range of characters is upside down")
        # A thousand to choose from is enough; the range may be all of Unicode.
        width = min(ord(last) - ord(first), _RANGE_MAX)
        return "".join(
            chr(code)
            for code in range(ord(first), ord(first) + width + 1)
            if code not in _SURROGATES
        )

    def _class_character(self) -> str:
        character = self._next()
        return self._escape() if character == "\\" else character

    def _escape(self) -> str:
        """The characters an escape stands for."""
        kind = self._next()
        if kind in _SETS:
            return _SETS[kind]
        if kind in "DWS":
            return "".join(c for c in _PRINTABLE if c not in _SETS[kind.lower()])
        if kind in _CONTROLS:
            return _CONTROLS[kind]
        if kind in "xu":
            digits = "".join(self._next() for _ in range(2 if kind == "x" else 4))
            if any(c not in string.hexdigits for c in digits) or int(digits, 16) in _SURROGATES:
                raise self.refusal(f"'\\{kind}{digits}' is no character")
            return chr(int(digits, 16))
        if kind.isalnum():
            raise self.refusal(f"'\\{kind}' is not supported")
        return kind

    def _peek(self, ahead: int = 0) -> str:
        return self._pattern[self._at + ahead : self._at + ahead + 1]

    def _next(self) -> str:
        if self.at_end:
            raise self.refusal("it ends too early")
        self._at += 1
        return self._pattern[self._at - 1]

    def _take(self, text: str) -> bool:
        if not self._pattern.startswith(text, self._at):
            return False
        self._at += len(text)
        return True

    def _skip_past(self, text: str) -> None:
        end = self._pattern.find(text, self._at)
        if end < 0:
            raise self.refusal("a bracket is not closed")
        self._at = end + len(text)
