"""Says whether a value is valid under a schema, as far as making values up needs it.

`pattern` and `format` count as satisfied: texts are made to fit them, and matching a client's
expression against a client's text could keep the process busy for ever.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from linarite.engines.simulator.json_schema.types import (
    Schema,
    Work,
    as_list,
    exact,
    is_list,
    is_number,
    is_object,
    resolve,
    same,
)

if TYPE_CHECKING:
    from collections.abc import Callable


class Checker:
    """Checks values against schemas of one document, within one allowance of work."""

    def __init__(self, root: Schema, work: Work) -> None:
        self._root = root
        self._work = work

    def conforms(self, value: object, schema: Schema) -> bool:
        """Whether the value is valid. Raises UnsatisfiableSchema, SchemaTooComplex."""
        self._work.spend()
        if isinstance(schema, bool):
            return schema
        if "$ref" in schema and not self.conforms(value, resolve(self._root, schema["$ref"])):
            return False
        return (
            _kind_holds(value, schema)
            and _size_holds(value, schema)
            and self._combinators_hold(value, schema)
            and self._parts_hold(value, schema)
        )

    def _combinators_hold(self, value: object, schema: dict[str, Any]) -> bool:
        def holds(part: Schema) -> bool:
            return self.conforms(value, part)

        if not all(map(holds, schema.get("allOf", ()))):
            return False
        if "anyOf" in schema and not any(map(holds, schema["anyOf"])):
            return False
        if "oneOf" in schema and sum(map(holds, schema["oneOf"])) != 1:
            return False
        if "not" in schema and holds(schema["not"]):
            return False
        if "if" in schema:
            return holds(schema.get("then" if holds(schema["if"]) else "else", True))
        return True

    def _parts_hold(self, value: object, schema: dict[str, Any]) -> bool:
        if is_object(value):
            return self._members_hold(value, schema)
        if is_list(value):
            return self._items_hold(value, schema)
        return True

    def _members_hold(self, value: dict[str, Any], schema: dict[str, Any]) -> bool:
        properties = schema.get("properties", {})
        additional = schema.get("additionalProperties", True)
        if "patternProperties" in schema:
            additional = True
        names = schema.get("propertyNames", True)
        dependents = schema.get("dependentSchemas", {})
        return all(
            self.conforms(name, names)
            and self.conforms(value, dependents.get(name, True))
            and self.conforms(member, properties.get(name, additional))
            for name, member in value.items()
        )

    def _items_hold(self, value: list[Any], schema: dict[str, Any]) -> bool:
        first, rest = item_schemas(schema)
        schemas = [*first[: len(value)], *[rest] * (len(value) - len(first))]
        if not all(map(self.conforms, value, schemas)):
            return False
        if "contains" not in schema:
            return True
        found = sum(self.conforms(item, schema["contains"]) for item in value)
        return schema.get("minContains", 1) <= found <= schema.get("maxContains", len(value))


def item_schemas(schema: dict[str, Any]) -> tuple[list[Schema], Schema]:
    """Schemas of the first items, and the one of all further ones; reads draft 7's form too."""
    items = schema.get("items", True)
    if is_list(items):
        return items, schema.get("additionalItems", True)
    return schema.get("prefixItems", []), items


def _kind_holds(value: object, schema: dict[str, Any]) -> bool:
    if "enum" in schema and not any(same(value, allowed) for allowed in schema["enum"]):
        return False
    if "const" in schema and not same(value, schema["const"]):
        return False
    return "type" not in schema or any(_IS[name](value) for name in as_list(schema["type"]))


def _size_holds(value: object, schema: dict[str, Any]) -> bool:
    if is_number(value):
        return _number_holds(value, schema)
    if isinstance(value, str):
        return _length_holds(len(value), schema, "minLength", "maxLength")
    if is_list(value):
        return _array_holds(value, schema)
    if is_object(value):
        return _object_holds(value, schema)
    return True


def _array_holds(value: list[Any], schema: dict[str, Any]) -> bool:
    unique = not schema.get("uniqueItems") or _unique(value)
    return unique and _length_holds(len(value), schema, "minItems", "maxItems")


_IS: dict[str, Callable[[object], bool]] = {
    "null": lambda value: value is None,
    "boolean": lambda value: isinstance(value, bool),
    "integer": lambda value: is_number(value) and value == int(value),
    "number": is_number,
    "string": lambda value: isinstance(value, str),
    "array": lambda value: isinstance(value, list),
    "object": lambda value: isinstance(value, dict),
}


def _number_holds(value: float, schema: dict[str, Any]) -> bool:
    step = schema.get("multipleOf")
    return (
        value >= schema.get("minimum", value)
        and value <= schema.get("maximum", value)
        and not ("exclusiveMinimum" in schema and value <= schema["exclusiveMinimum"])
        and not ("exclusiveMaximum" in schema and value >= schema["exclusiveMaximum"])
        and (step is None or (exact(value) / exact(step)).denominator == 1)
    )


def _length_holds(length: int, schema: dict[str, Any], least: str, most: str) -> bool:
    return schema.get(least, 0) <= length <= schema.get(most, length)


def _unique(items: list[Any]) -> bool:
    return not any(same(item, other) for at, item in enumerate(items) for other in items[:at])


def _object_holds(value: dict[str, Any], schema: dict[str, Any]) -> bool:
    dependents = schema.get("dependentRequired", {})
    return (
        all(name in value for name in schema.get("required", ()))
        and all(other in value for name in value for other in dependents.get(name, ()))
        and _length_holds(len(value), schema, "minProperties", "maxProperties")
    )
