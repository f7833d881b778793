"""`$filter`, as far as clients of the directory use it.

`name eq 'x'`, `ne`, `in (…)`, `startswith(name,'x')`, `names/any(s:s eq 'x')`, joined by `and`,
`or`, `not` and parentheses. Source: learn.microsoft.com, "Use the $filter query parameter".
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, cast

from linarite.signin.graph.refusals import bad

Test = Callable[[dict[str, Any]], bool]

TOKEN = re.compile(r"\s*(?:('(?:[^']|'')*')|([A-Za-z_][\w/.-]*|[\w.-]+)|([(),:]))")
CHARACTERS_MAX = 4000
DEPTH_MAX = 20


def filter_of(text: str) -> Test:
    """The test that a filter means, over objects as they are shown. Raises GraphRefused."""
    if not text.strip():
        return lambda _: True
    if len(text) > CHARACTERS_MAX:
        raise bad(f"The $filter is too long: at most {CHARACTERS_MAX} characters are read.")
    reader = _Reader(text)
    test = reader.either(0)
    if reader.left:
        raise reader.wrong()
    return test


class _Reader:
    """Reads a filter from left to right."""

    def __init__(self, text: str) -> None:
        self._text = text
        self.left: list[str] = []
        at = 0
        while at < len(text.rstrip()):
            token = TOKEN.match(text, at)
            if token is None:
                raise self.wrong()
            self.left.append(token.group(token.lastindex or 0))
            at = token.end()
        self.left.reverse()

    def wrong(self) -> Exception:
        """The refusal of a filter that is not understood."""
        return bad(
            f"Invalid filter clause: '{self._text[:200]}'. Understood are eq, ne, in, startswith, "
            "any, and, or, not."
        )

    def either(self, depth: int) -> Test:
        """Tests joined by `or`."""
        tests = [self._all(depth)]
        while self._take_word("or"):
            tests.append(self._all(depth))
        return tests[0] if len(tests) == 1 else lambda item: any(test(item) for test in tests)

    def _all(self, depth: int) -> Test:
        tests = [self._one(depth)]
        while self._take_word("and"):
            tests.append(self._one(depth))
        return tests[0] if len(tests) == 1 else lambda item: all(test(item) for test in tests)

    def _one(self, depth: int) -> Test:
        if depth > DEPTH_MAX:
            raise self.wrong()
        if self._take_word("not"):
            test = self._one(depth + 1)
            return lambda item: not test(item)
        if self._take_word("("):
            test = self.either(depth + 1)
            self._require(")")
            return test
        if self._take_word("startswith"):
            return self._starts_with()
        name = self._take()
        if name.lower().endswith("/any"):
            return self._any(name[: -len("/any")])
        return self._compared(name)

    def _compared(self, name: str) -> Test:
        operator = self._take().lower()
        if operator == "in":
            wanted = self._values()
            return lambda item: bool(wanted & _values_of(item, name))
        value = _plain(self._take())
        if operator == "eq":
            return lambda item: value in _values_of(item, name)
        if operator == "ne":
            return lambda item: value not in _values_of(item, name)
        raise self.wrong()

    def _starts_with(self) -> Test:
        self._require("(")
        name = self._take()
        self._require(",")
        beginning = _plain(self._take())
        self._require(")")
        return lambda item: any(each.startswith(beginning) for each in _values_of(item, name))

    def _any(self, name: str) -> Test:
        self._require("(")
        variable = self._take()
        self._require(":")
        if self._take() != variable or self._take().lower() != "eq":
            raise self.wrong()
        value = _plain(self._take())
        self._require(")")
        return lambda item: value in _values_of(item, name)

    def _values(self) -> set[str]:
        self._require("(")
        values = {_plain(self._take())}
        while self._take_word(","):
            values.add(_plain(self._take()))
        self._require(")")
        return values

    def _take(self) -> str:
        if not self.left:
            raise self.wrong()
        return self.left.pop()

    def _take_word(self, word: str) -> bool:
        if self.left and self.left[-1].lower() == word:
            self.left.pop()
            return True
        return False

    def _require(self, word: str) -> None:
        if not self._take_word(word):
            raise self.wrong()


def _plain(token: str) -> str:
    """A value as it is compared: without quotes and case."""
    if token.startswith("'"):
        return token[1:-1].replace("''", "'").lower()
    return token.lower()


def _values_of(item: dict[str, Any], name: str) -> set[str]:
    value = item.get(name)
    if isinstance(value, list):
        return {str(each).lower() for each in cast("list[object]", value)}
    if isinstance(value, bool):
        return {"true" if value else "false"}
    return {"null" if value is None else str(value).lower()}
