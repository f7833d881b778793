"""`filter` of a data source, over the attributes of a vector store's files.

The part of OData that Azure AI Search has for single values: `eq`, `ne`, `gt`, `ge`, `lt`, `le`,
`and`, `or`, `not`, brackets, `search.in(field, 'a,b', ',')`, strings, numbers, true, false, null.
Source: learn.microsoft.com, "OData $filter syntax in Azure AI Search".
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from linarite.domain.data_source_errors import SearchFailed
from linarite.vector_stores.filters import comparable, same

if TYPE_CHECKING:
    from collections.abc import Callable

    from linarite.vector_stores.filters import Test

TOKEN = re.compile(
    r"\s*(?:(?P<text>'(?:[^']|'')*')|(?P<number>-?\d{1,40}(?:\.\d{1,40})?)(?![\w.])"
    r"|(?P<word>search\.in\b|[A-Za-z_][\w-]*)|(?P<sign>[(),]))"
)
DEPTH_MAX = 32
ORDERS: dict[str, Callable[[Any, Any], bool]] = {
    "gt": lambda has, wanted: has > wanted,
    "ge": lambda has, wanted: has >= wanted,
    "lt": lambda has, wanted: has < wanted,
    "le": lambda has, wanted: has <= wanted,
}
CONSTANTS = {"true": True, "false": False, "null": None}
SEPARATORS = ", "
"""of `search.in` where it names none"""


def filter_of(said: str) -> Test:
    """What tells whether a file's attributes pass. Raises SearchFailed for what it can't read."""
    reader = _Reader(said)
    test = reader.either(0)
    if reader.next is not None:
        raise reader.wrong("the end")
    return test


class _Reader:
    """Descends from `or` over `and` and `not` to one comparison."""

    def __init__(self, said: str) -> None:
        self._said = said
        self._at = 0
        self._began = 0
        self.next: tuple[str, str] | None = None
        """kind and text of what comes, None at the end"""
        self._step()

    def either(self, depth: int) -> Test:
        tests = [self._all(depth)]
        while self._take("word", "or"):
            tests.append(self._all(depth))
        return tests[0] if len(tests) == 1 else lambda has: any(each(has) for each in tests)

    def _all(self, depth: int) -> Test:
        tests = [self._one(depth)]
        while self._take("word", "and"):
            tests.append(self._one(depth))
        return tests[0] if len(tests) == 1 else lambda has: all(each(has) for each in tests)

    def _one(self, depth: int) -> Test:
        if depth > DEPTH_MAX:
            raise self.wrong(f"no more than {DEPTH_MAX} brackets within another")
        if self._take("word", "not"):
            inner = self._one(depth + 1)
            return lambda has: not inner(has)
        if self._take("sign", "("):
            test = self.either(depth + 1)
            self._need("sign", ")")
            return test
        if self._take("word", "search.in"):
            return self._among()
        return self._comparison()

    def _comparison(self) -> Test:
        field = self._need("word")
        kind = self._need("word")
        if kind not in {"eq", "ne", *ORDERS}:
            raise self.wrong("one of eq, ne, gt, ge, lt, le before this")
        wanted = self._value()
        if kind == "eq":
            return lambda has: same(has.get(field), wanted)
        if kind == "ne":
            return lambda has: not same(has.get(field), wanted)
        order = ORDERS[kind]
        return lambda has: comparable(has.get(field), wanted) and order(has[field], wanted)

    def _among(self) -> Test:
        self._need("sign", "(")
        field = self._need("word")
        self._need("sign", ",")
        listed, separators = self._text(), SEPARATORS
        if self._take("sign", ","):
            separators = self._text()
        self._need("sign", ")")
        parts = re.split(f"[{re.escape(separators)}]", listed) if separators else [listed]
        wanted = {each for each in parts if each}
        return lambda has: has.get(field) in wanted

    def _value(self) -> str | float | bool | None:
        kind, told = self.next or ("", "")
        if kind == "text":
            return self._text()
        self._step()
        if kind == "number":
            return float(told) if "." in told else int(told)
        if kind == "word" and told in CONSTANTS:
            return CONSTANTS[told]
        raise self.wrong("a value such as 'text', 1 or true before this")

    def _text(self) -> str:
        return self._need("text")[1:-1].replace("''", "'")

    def _take(self, kind: str, told: str) -> bool:
        if self.next != (kind, told):
            return False
        self._step()
        return True

    def _need(self, kind: str, told: str = "") -> str:
        if self.next is None or self.next[0] != kind or told not in ("", self.next[1]):
            raise self.wrong(f"'{told}'" if told else f"a {'field' if kind == 'word' else kind}")
        found = self.next[1]
        self._step()
        return found

    def _step(self) -> None:
        self._began = self._at
        found = TOKEN.match(self._said, self._at)
        if found is None:
            if self._said[self._at :].strip():
                raise self.wrong("a field, a value or an operator")
            self.next = None
            return
        self._at = found.end()
        self.next = (str(found.lastgroup), found[found.lastgroup or 0])

    def wrong(self, wanted: str) -> SearchFailed:
        """What stands there is not what must."""
        return SearchFailed(
            f"Invalid expression: expected {wanted} at position {self._began} of "
            f"'{self._said[:200]}'. Parameter name: $filter. A filter over a vector store compares "
            "attributes of its files: year ge 2024 and search.in(team, 'sales,legal')."
        )
