"""Turns a schema with references and combinators into plain ones, one branch after another."""

from __future__ import annotations

from itertools import chain
from math import gcd, lcm
from typing import TYPE_CHECKING, Any

from linarite.engines.simulator.json_schema.check import item_schemas
from linarite.engines.simulator.json_schema.types import (
    Schema,
    UnsatisfiableSchema,
    Work,
    as_list,
    exact,
    resolve,
    same,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    _Weigh = Callable[[Schema], int]

REFERENCES_MAX = 64
"""references followed without coming to a value: more is a circle"""

_COMBINATORS = frozenset({"$ref", "allOf", "anyOf", "oneOf", "if", "then", "else", "not"})


class Flattener:
    """Flattens schemas of one document, within one allowance of work."""

    def __init__(self, root: Schema, work: Work) -> None:
        self._root = root
        self._work = work

    def branches(self, schema: Schema, *, simple_first: bool) -> Iterator[dict[str, Any]]:
        """Every way to satisfy the combinators, as one schema without any (`not` apart).

        A value for one of them is nearly always valid under the schema; the caller checks.
        `simple_first` prefers branches without objects and references, to come to an end.
        """
        return self._branches([schema], {}, _weight if simple_first else _is_null, REFERENCES_MAX)

    def _branches(
        self, pending: list[Schema], merged: dict[str, Any], weigh: _Weigh, references: int
    ) -> Iterator[dict[str, Any]]:
        self._work.spend()
        if not pending:
            yield merged
            return
        head, *rest = pending
        if isinstance(head, bool):
            if head:
                yield from self._branches(rest, merged, weigh, references)
            return
        more = list(head.get("allOf", ()))
        if "$ref" in head:
            if not references:
                raise UnsatisfiableSchema(f"$ref '{head['$ref'][:100]}' leads back to itself.")
            references -= 1
            more.append(resolve(self._root, head["$ref"]))
        try:
            merged = merge(merged, {k: v for k, v in head.items() if k not in _COMBINATORS})
        except UnsatisfiableSchema:
            return
        for choice in self._choices(head, weigh):
            yield from self._branches([*more, *choice, *rest], merged, weigh, references)

    def _choices(self, head: dict[str, Any], weigh: _Weigh) -> Iterator[list[Schema]]:
        """One branch of each combinator, in every combination."""
        combinations: list[list[Schema]] = [[]]
        for options in _alternatives(head):
            ordered = sorted(options, key=weigh)
            combinations = [[*taken, option] for taken in combinations for option in ordered]
            self._work.spend(len(combinations))
        return iter(combinations)


def _alternatives(head: dict[str, Any]) -> list[list[Schema]]:
    alternatives = [head[name] for name in ("anyOf", "oneOf") if name in head]
    if "if" in head:
        met: Schema = {"allOf": [head["if"], head.get("then", True)]}
        alternatives.append([met, head.get("else", True)])
    return alternatives


def _is_null(schema: Schema) -> int:
    return int(isinstance(schema, dict) and schema.get("type") == "null")


def _weight(schema: Schema) -> int:
    if isinstance(schema, bool) or "const" in schema or "enum" in schema:
        return 0
    types = as_list(schema.get("type", "object"))
    return 0 if "null" in types else 1 if not {"object", "array"} & set(types) else 2


def merge(left: dict[str, Any], right: dict[str, Any]) -> dict[str, Any]:
    """One schema that asks for both. Raises UnsatisfiableSchema where they contradict."""
    left, right = _normalised(left), _normalised(right)
    merged = dict(left)
    properties = _merged_properties(left, right)
    for name, value in right.items():
        merger = _MERGERS.get(name)
        if name not in merged:
            merged[name] = value
        elif merger is not None:
            merged[name] = merger(merged[name], value)
    if properties:
        merged["properties"] = properties
    return merged


def _normalised(schema: dict[str, Any]) -> dict[str, Any]:
    schema = dict(schema)
    if "const" in schema:
        value = schema.pop("const")
        schema["enum"] = [v for v in schema.get("enum", [value]) if same(v, value)]
    if isinstance(schema.get("items"), list):
        schema["prefixItems"], schema["items"] = item_schemas(schema)
    return schema


def _merged_properties(left: dict[str, Any], right: dict[str, Any]) -> dict[str, Schema]:
    """A name that one side does not know falls under that side's additionalProperties."""
    one, other = left.get("properties", {}), right.get("properties", {})
    beside_one, beside_other = (side.get("additionalProperties", True) for side in (left, right))
    return {
        name: both(one.get(name, beside_one), other.get(name, beside_other))
        for name in chain(one, (name for name in other if name not in one))
    }


def both(left: Schema, right: Schema) -> Schema:
    """The schema that asks for both."""
    if left is True:
        return right
    if right is True:
        return left
    if left is False or right is False:
        return False
    return {"allOf": [left, right]}


def _types(left: str | list[str], right: str | list[str]) -> list[str]:
    one, other = as_list(left), as_list(right)
    types = [name for name in one if name in other or (name == "integer" and "number" in other)]
    types += ["integer" for name in other if name == "integer" and "number" in one]
    if not types:
        raise UnsatisfiableSchema(f"Nothing is both {left} and {right}.")
    return list(dict.fromkeys(types))


def _allowed(left: list[Any], right: list[Any]) -> list[Any]:
    allowed = [value for value in left if any(same(value, other) for other in right)]
    if not allowed:
        raise UnsatisfiableSchema("Two enumerations have no value in common.")
    return allowed


def _step(left: float, right: float) -> float:
    one, other = exact(left), exact(right)
    top, bottom = lcm(one.numerator, other.numerator), gcd(one.denominator, other.denominator)
    return top if bottom == 1 else top / bottom


def _same_pattern(left: str, right: str) -> str:
    if left != right:
        raise UnsatisfiableSchema(f"Two patterns at once: '{left[:80]}' and '{right[:80]}'.")
    return left


def _prefixes(left: list[Schema], right: list[Schema]) -> list[Schema]:
    length = max(len(left), len(right))
    padded = [[*items, *[True] * (length - len(items))] for items in (left, right)]
    return list(map(both, *padded))


def _required(left: list[str], right: list[str]) -> list[str]:
    return list(dict.fromkeys([*left, *right]))


def _dependents(left: dict[str, list[str]], right: dict[str, list[str]]) -> dict[str, list[str]]:
    return {name: _required(left.get(name, []), right.get(name, [])) for name in {**left, **right}}


def _either(left: bool, right: bool) -> bool:  # noqa: FBT001 - two values of one keyword
    return left or right


_MERGERS: dict[str, Callable[[Any, Any], Any]] = {
    "type": _types,
    "enum": _allowed,
    "multipleOf": _step,
    "pattern": _same_pattern,
    "required": _required,
    "dependentRequired": _dependents,
    "prefixItems": _prefixes,
    "items": both,
    "contains": both,
    "additionalProperties": both,
    "propertyNames": both,
    "uniqueItems": _either,
} | {
    name: bound
    for bound, names in (
        (max, ("minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties")),
        (min, ("maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties")),
        (max, ("minContains",)),
        (min, ("maxContains",)),
    )
    for name in names
}
