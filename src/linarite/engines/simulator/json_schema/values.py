"""Makes up a value that is valid under a schema."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from linarite.engines.simulator.json_schema.check import Checker, item_schemas
from linarite.engines.simulator.json_schema.flatten import Flattener, both
from linarite.engines.simulator.json_schema.numbers import numbers
from linarite.engines.simulator.json_schema.shape import require_schema
from linarite.engines.simulator.json_schema.strings import texts
from linarite.engines.simulator.json_schema.types import (
    Schema,
    SchemaTooComplex,
    UnsatisfiableSchema,
    Work,
    as_list,
    same,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from linarite.engines.simulator.dice import Dice
    from linarite.engines.simulator.hints import Hints

DEPTH_MAX = 24
"""nesting beyond which a value counts as endless"""

GENEROUS_DEPTH = 3
"""above it, members and items that may be left out are left out"""


def make_value(schema: Any, dice: Dice, hints: Hints | None = None) -> Any:  # noqa: ANN401 - JSON
    """A valid value, from the question's hints where they fit, else drawn.

    Raises UnsatisfiableSchema or SchemaTooComplex, both with a sentence for the client.
    """
    try:
        require_schema(schema)
        return _Maker(schema, dice, hints).make(schema, "", 0, [])
    except RecursionError as error:
        raise SchemaTooComplex("The schema is too deeply nested.") from error


class _Maker:
    """Makes values for the schemas of one document; every value is checked before it is used."""

    def __init__(self, root: Schema, dice: Dice, hints: Hints | None) -> None:
        work = Work()
        self._dice = dice
        self._hints = hints
        self._checker = Checker(root, work)
        self._flattener = Flattener(root, work)

    def make(self, schema: Schema, field: str, depth: int, taken: list[Any]) -> Any:  # noqa: ANN401 - JSON
        """A value for a field of this name, at this depth, that is none of `taken`."""
        if depth > DEPTH_MAX:
            raise UnsatisfiableSchema("The schema asks for endless nesting.")
        why = f"Nothing is valid under the schema{f' of {field!r}' if field else ''}."
        simple_first = depth > GENEROUS_DEPTH
        for flat in self._flattener.branches(schema, simple_first=simple_first):
            try:
                for value in self._candidates(flat, field, depth):
                    if self._is_valid(value, flat, schema) and not _in(value, taken):
                        return value
            except UnsatisfiableSchema as error:
                why = str(error)
        raise UnsatisfiableSchema(why)

    def _is_valid(self, value: object, flat: dict[str, Any], schema: Schema) -> bool:
        # The whole schema alone would let a text through by another branch's pattern, which
        # always counts as matched; the branch alone does not know `not` and `oneOf`.
        conforms = self._checker.conforms
        return conforms(value, flat) and conforms(value, schema)

    def _candidates(self, flat: dict[str, Any], field: str, depth: int) -> Iterator[Any]:
        if "enum" in flat:
            yield from self._allowed(flat["enum"])
            return
        known = "pattern" in flat or self._hinted(flat, field)
        if flat.get("default") is not None and not known:
            yield flat["default"]
        for name in self._types(flat):
            if name == "null":
                yield None
            elif name == "boolean":
                yield from self._shuffled([True, False])
            elif name == "string":
                yield from self._hinted(flat, field)
                yield from texts(flat, self._dice)
            elif name in ("integer", "number"):
                yield from self._hinted(flat, field)
                yield from numbers(flat, self._dice, whole=name == "integer")
            elif name == "array":
                yield self._array(flat, field, depth)
            else:
                yield self._object(flat, depth)

    def _allowed(self, values: list[Any]) -> Iterator[Any]:
        if self._hints:
            yield from filter(self._hints.mentions, values)
        yield from self._shuffled(values)

    def _shuffled(self, values: list[Any]) -> Iterator[Any]:
        first = self._dice.below(len(values))
        yield from values[first:]
        yield from values[:first]

    def _types(self, flat: dict[str, Any]) -> list[str]:
        """The types to try in order; a schema without `type` tells it by its keywords."""
        if "type" in flat:
            return sorted(as_list(flat["type"]), key=lambda name: name == "null")
        told = [name for name, keywords in _TELLING.items() if keywords & flat.keys()]
        return told or ["string", "integer", "object", "array", "boolean", "null"]

    def _hinted(self, flat: dict[str, Any], field: str) -> list[Any]:
        types = as_list(flat.get("type", "string"))
        if not self._hints or not field or "pattern" in flat or "format" in flat:
            return []
        if "string" in types:
            return self._hints.for_string(field)
        return self._hints.for_number(field) if {"integer", "number"} & set(types) else []

    def _array(self, flat: dict[str, Any], field: str, depth: int) -> list[Any]:
        first, rest = item_schemas(flat)
        wanted = flat.get("contains")
        needed = int(flat.get("minContains", 1)) if wanted is not None else 0
        least = max(int(flat.get("minItems", 0)), needed)
        most = int(flat.get("maxItems", max(least, len(first), 2)))
        length = least if depth > GENEROUS_DEPTH else max(least, min(most, len(first) or 2))
        items: list[Any] = []
        for at in range(length):
            schema = first[at] if at < len(first) else rest
            if wanted is not None and at < needed:
                schema = both(schema, wanted)
            try:
                taken = items if flat.get("uniqueItems") else []
                # Only the first of several items is about what the question named.
                items.append(self.make(schema, field if at == 0 else "", depth + 1, taken))
            except UnsatisfiableSchema:
                if at < least:
                    raise
                break
        return items

    def _object(self, flat: dict[str, Any], depth: int) -> dict[str, Any]:
        properties: dict[str, Schema] = flat.get("properties", {})
        additional: Schema = flat.get("additionalProperties", True)
        made: dict[str, Any] = {}
        for name in self._required(flat):
            made[name] = self.make(properties.get(name, additional), name, depth + 1, [])
        most = int(flat.get("maxProperties", len(properties) + len(made)))
        if depth <= GENEROUS_DEPTH:
            for name, schema in properties.items():
                if name not in made and len(made) < most:
                    self._try_member(made, name, schema, depth)
        least = int(flat.get("minProperties", 0))
        if not properties and isinstance(additional, dict) and depth <= GENEROUS_DEPTH:
            # An object that is a map is no use empty.
            least = max(least, min(1, int(flat.get("maxProperties", 1))))
        self._fill(made, flat, least, depth)
        return {name: made[name] for name in [*properties, *made] if name in made}

    def _required(self, flat: dict[str, Any]) -> list[str]:
        """Names that must be there, with those that they bring along."""
        names = list(dict.fromkeys(flat.get("required", ())))
        dependents = flat.get("dependentRequired", {})
        for name in names:
            names += [other for other in dependents.get(name, ()) if other not in names]
        return names

    def _try_member(self, made: dict[str, Any], name: str, schema: Schema, depth: int) -> None:
        try:
            made[name] = self.make(schema, name, depth + 1, [])
        except UnsatisfiableSchema:
            return

    def _fill(self, made: dict[str, Any], flat: dict[str, Any], least: int, depth: int) -> None:
        """Add members up to `minProperties`, declared ones first."""
        for name, schema in flat.get("properties", {}).items():
            if len(made) < least and name not in made:
                self._try_member(made, name, schema, depth)
        additional = flat.get("additionalProperties", True)
        names = both({"type": "string"}, flat.get("propertyNames", True))
        while len(made) < least and additional is not False:
            name = self.make(names, "", depth + 1, [*made, *flat.get("properties", {})])
            made[name] = self.make(additional, "", depth + 1, [])


def _in(value: object, others: list[Any]) -> bool:
    return any(same(value, other) for other in others)


_TELLING: dict[str, frozenset[str]] = {
    "object": frozenset(
        {"properties", "required", "additionalProperties", "minProperties", "maxProperties"}
    ),
    "array": frozenset({"items", "prefixItems", "minItems", "maxItems", "contains"}),
    "string": frozenset({"minLength", "maxLength", "pattern", "format"}),
    "number": frozenset(
        {"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"}
    ),
}
