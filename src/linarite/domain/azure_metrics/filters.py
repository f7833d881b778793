"""`$filter` of a question: which series are wanted, and by which dimensions they are split.

`ModelDeploymentName eq 'chat' and (StatusCode eq '429' or StatusCode eq '503') and Region eq '*'`:
`eq`, `ne` and `sw` (starts with), `and`, `or`, parentheses; `'*'` wants every value, each as a
series of its own. `or` stands between values of one dimension and binds closer than `and`, as in
Azure Monitor: `A eq 'a' and B eq 'b' or B eq 'c'` means one of the two values of B.
Source: learn.microsoft.com, "Metrics - List", parameter `$filter`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NoReturn

import msgspec

TOKEN = re.compile(r"\s*(?:(?P<mark>[()])|(?P<value>'(?:[^']|'')*')|(?P<word>[^\s()']+))", re.ASCII)
FILTER_CHARACTERS_MAX = 4000
DEPTH_MAX = 20

Values = Callable[[str], str]
"""the value of a series' dimension, by the dimension's name in lower case"""
Wants = Callable[[Values], bool]


class FilterError(Exception):
    """What is wrong with a filter, in words for whoever wrote it."""


class Filter(msgspec.Struct, frozen=True):
    """A filter that was read."""

    dimensions: tuple[str, ...]
    """those that it names, as it writes them, each once: series are told apart by these"""
    wants: Wants
    """whether a series is wanted"""


EVERYTHING = Filter(dimensions=(), wants=lambda _: True)


def read_filter(text: str) -> Filter:
    """Read one. Raises FilterError."""
    if not text.strip():
        return EVERYTHING
    if len(text) > FILTER_CHARACTERS_MAX:
        raise FilterError(f"It has more than {FILTER_CHARACTERS_MAX} characters.")
    reader = _Reader(text)
    wants = reader.all_of(0)
    if reader.next:
        reader.fail("'and', 'or' or the end")
    return Filter(dimensions=tuple(reader.names.values()), wants=wants)


class _Reader:
    def __init__(self, text: str) -> None:
        self.names: dict[str, str] = {}
        self._within: set[str] = set()
        """dimensions of the alternatives that are being read"""
        self._tokens: list[str] = []
        at, end = 0, len(text.rstrip())
        while at < end:
            found = TOKEN.match(text, at)
            if found is None:
                raise FilterError(f"'{text[at : at + 60]}' is not understood: a quote is missing.")
            self._tokens.append(found[found.lastgroup or 0])
            at = found.end()
        self._at = 0

    @property
    def next(self) -> str:
        return self._tokens[self._at] if self._at < len(self._tokens) else ""

    def fail(self, wanted: str) -> NoReturn:
        found = f"'{self.next[:60]}' stands" if self.next else "it ends"
        raise FilterError(f"There should be {wanted} where {found}.")

    def _take(self) -> str:
        token = self.next
        self._at += 1
        return token

    def all_of(self, depth: int) -> Wants:
        parts = [self._any_of(depth)]
        while self.next.lower() == "and":
            self._take()
            parts.append(self._any_of(depth))
        return parts[0] if len(parts) == 1 else lambda of: all(part(of) for part in parts)

    def _any_of(self, depth: int) -> Wants:
        outer, self._within = self._within, set[str]()
        parts = [self._one(depth)]
        while self.next.lower() == "or":
            self._take()
            parts.append(self._one(depth))
        if len(parts) > 1 and len(self._within) > 1:
            names = " and ".join(sorted(self._within))
            raise FilterError(f"'or' can't stand between different dimensions: {names[:200]}.")
        self._within = outer | self._within
        return parts[0] if len(parts) == 1 else lambda of: any(part(of) for part in parts)

    def _one(self, depth: int) -> Wants:
        if self.next == "(":
            if depth >= DEPTH_MAX:
                raise FilterError(f"It has more than {DEPTH_MAX} parentheses in one another.")
            self._take()
            inner = self.all_of(depth + 1)
            if self._take() != ")":
                self._at -= 1
                self.fail("')'")
            return inner
        return self._comparison()

    def _comparison(self) -> Wants:
        if not self.next or self.next[0] in "()'":
            self.fail("the name of a dimension")
        name = self._take()
        verb = self.next.lower()
        if verb not in {"eq", "ne", "sw"}:
            self.fail("eq, ne or sw")
        self._take()
        if not self.next.startswith("'"):
            self.fail("a value in quotes")
        value = self._take()[1:-1].replace("''", "'").lower()
        key = name.lower()
        self.names.setdefault(key, name)
        self._within.add(key)
        if verb == "eq":
            return (lambda _: True) if value == "*" else (lambda of: of(key).lower() == value)
        if verb == "ne":
            return lambda of: of(key).lower() != value
        return lambda of: of(key).lower().startswith(value)
