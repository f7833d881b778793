"""From the text of a condition to its tree. What can't be read is told with its place."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NoReturn

import msgspec

from linarite.controls.authorize.conditions.comparing import (
    COMPARERS,
    RANGES,
    unreadable,
)
from linarite.controls.authorize.conditions.tree import (
    ActionMatches,
    Attribute,
    Comparison,
    Condition,
    Every,
    Exists,
    Literal,
    Not,
    Some,
    SubOperationMatches,
)
from linarite.controls.authorize.wildcards import Wildcards

if TYPE_CHECKING:
    from linarite.controls.authorize.conditions.tree import Expression, Reach, Value

CHARACTERS_MAX = 8192
"""Azure's own limit"""
DEPTH_MAX = 40
TOKEN = re.compile(
    r"(?P<space>\s+)"
    r"|(?P<attribute>@[A-Za-z]+\[[^\]\[]*\])"
    r"|'(?P<text>[^']*)'"
    r"|(?P<mark>&&|\|\||[(){},!])"
    r"|(?P<word>[\w:.+\-]+)"
)
ATTRIBUTE = re.compile(
    r"(@(?:request|resource|principal|environment)\[[\w./-]+(?::[\w./ -]+)?)(?:<\$[^>]*\$>)?\]"
)
REACHES: dict[str, tuple[Reach, Reach]] = {
    "foranyofanyvalues": ("any", "any"),
    "forallofanyvalues": ("all", "any"),
    "foranyofallvalues": ("any", "all"),
    "forallofallvalues": ("all", "all"),
}


class ConditionUnfit(Exception):
    """What is wrong with a condition, and where."""

    def __init__(self, why: str, at: int) -> None:
        super().__init__(f"{why} (at character {at + 1})")
        self.at = at


class _Token(msgspec.Struct, frozen=True):
    kind: str
    """attribute, text, mark, word or end"""
    text: str
    at: int

    @property
    def said(self) -> str:
        return f"'{self.text[:60]}'" if self.text else "the end"


def read_condition(text: str) -> Condition:
    """The condition. Raises ConditionUnfit."""
    if len(text) > CHARACTERS_MAX:
        raise ConditionUnfit(
            f"The condition has {len(text)} characters; at most {CHARACTERS_MAX} are read.",
            CHARACTERS_MAX,
        )
    reader = _Reader(_tokens(text))
    expression = reader.some()
    reader.must_end()
    return Condition(text, expression)


def _tokens(text: str) -> list[_Token]:
    found: list[_Token] = []
    at = 0
    while at < len(text):
        match = TOKEN.match(text, at)
        if match is None:
            raise ConditionUnfit(f"'{text[at]}' can't stand here.", at)
        kind = str(match.lastgroup)
        if kind != "space":
            found.append(_Token(kind, match[kind], at))
        at = match.end()
    return [*found, _Token("end", "", len(text))]


class _Reader:
    """Reads from left to right; AND binds closer than OR."""

    def __init__(self, tokens: list[_Token]) -> None:
        self._tokens = tokens
        self._next = 0
        self._depth = 0

    def must_end(self) -> None:
        """Nothing may be left."""
        if self._token.kind != "end":
            self._refuse("AND, OR or the end was expected")

    def some(self) -> Expression:
        """Parts joined by OR."""
        parts = [self._every()]
        while self._took("||", "or"):
            parts.append(self._every())
        return parts[0] if len(parts) == 1 else Some(tuple(parts))

    @property
    def _token(self) -> _Token:
        return self._tokens[self._next]

    def _every(self) -> Expression:
        parts = [self._part()]
        while self._took("&&", "and"):
            parts.append(self._part())
        return parts[0] if len(parts) == 1 else Every(tuple(parts))

    def _part(self) -> Expression:
        self._depth += 1
        if self._depth > DEPTH_MAX:
            self._refuse(f"the condition is nested more than {DEPTH_MAX} levels deep")
        part = self._one()
        self._depth -= 1
        return part

    def _one(self) -> Expression:
        if self._took("!", "not"):
            return Not(self._part())
        if self._took("("):
            inner = self.some()
            self._must("(", ")")
            return inner
        return self._predicate() or self._comparison()

    def _predicate(self) -> Expression | None:
        if self._took("actionmatches"):
            return ActionMatches(Wildcards(self._words_in_braces()))
        if self._took("suboperationmatches"):
            return SubOperationMatches(self._words_in_braces()[0])
        if self._took("exists"):
            return Exists(self._attribute())
        if self._took("notexists"):
            return Not(Exists(self._attribute()))
        return None

    def _comparison(self) -> Comparison:
        left = self._operand()
        at = self._token
        operator, negated, reaches = self._operator()
        right = self._operand()
        if reaches is None:
            self._require_single(left, right, operator, at)
        for side in (left, right):
            if value := unreadable(side, operator, right=side is right):
                raise ConditionUnfit(f"{at.said} can't compare '{value}'.", at.at)
        left_reach, right_reach = reaches or ("any", "any")
        return Comparison(
            left=left,
            operator=operator,
            right=right,
            negated=negated,
            left_reach=left_reach,
            right_reach=right_reach,
        )

    def _require_single(
        self, left: Attribute | Literal, right: Attribute | Literal, operator: str, at: _Token
    ) -> None:
        wanted = 2 if operator in RANGES else 1
        for side in (left, right if wanted == 1 else left):
            if isinstance(side, Literal) and len(side.values) != 1:
                raise ConditionUnfit(
                    f"{at.said} compares single values; write ForAnyOfAnyValues:{at.text} or "
                    "another of the For…Values functions to compare several.",
                    at.at,
                )
        if wanted != 1 and not (isinstance(right, Literal) and len(right.values) == wanted):
            raise ConditionUnfit(f"{at.said} needs two values in braces.", at.at)

    def _operator(self) -> tuple[str, bool, tuple[Reach, Reach] | None]:
        token = self._token
        if token.kind != "word":
            self._refuse("an operator was expected")
        function, mark, name = token.text.lower().rpartition(":")
        reaches = REACHES.get(function)
        if mark and reaches is None:
            self._refuse(f"there is no function '{function[:60]}'")
        plain, negated = _without_not(name)
        if plain not in COMPARERS and (plain not in RANGES or reaches is not None):
            self._refuse(f"the operator '{name[:60]}' is not known here")
        self._next += 1
        return plain, negated, reaches

    def _operand(self) -> Attribute | Literal:
        if self._token.kind == "attribute":
            return self._attribute()
        if self._took("{"):
            values = [self._value()]
            while self._took(","):
                values.append(self._value())
            self._must("{", "}")
            return Literal(tuple(values))
        return Literal((self._value(),))

    def _value(self) -> Value:
        token = self._token
        if token.kind not in ("text", "word"):
            self._refuse("a value was expected")
        self._next += 1
        if token.kind == "word" and token.text.lower() in ("true", "false"):
            return token.text.lower() == "true"
        return token.text

    def _attribute(self) -> Attribute:
        token = self._token
        match = ATTRIBUTE.fullmatch(token.text.lower()) if token.kind == "attribute" else None
        if match is None:
            self._refuse(
                "an attribute was expected: @Request[…], @Resource[…], @Principal[…] or "
                "@Environment[…]"
            )
        self._next += 1
        return Attribute(f"{match[1]}]")

    def _words_in_braces(self) -> list[str]:
        self._must("", "{")
        words = [str(self._value())]
        while self._took(","):
            words.append(str(self._value()))
        self._must("{", "}")
        return words

    def _took(self, *words: str) -> bool:
        token = self._token
        if token.kind not in ("mark", "word") or token.text.lower() not in words:
            return False
        self._next += 1
        return True

    def _must(self, opened: str, wanted: str) -> None:
        if not self._took(wanted):
            after = f" to close '{opened}'" if opened else ""
            self._refuse(f"'{wanted}' was expected{after}")

    def _refuse(self, why: str) -> NoReturn:
        token = self._token
        raise ConditionUnfit(f"At {token.said} {why}.", token.at)


def _without_not(name: str) -> tuple[str, bool]:
    """`stringnotequals` is the opposite of `stringequals`."""
    for kind in ("string", "numeric", "datetime", "timeofday", "bool", "guid", "ip", "list"):
        if name.startswith(f"{kind}not"):
            return f"{kind}{name[len(kind) + 3 :]}", True
    return name, False
