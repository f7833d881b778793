"""Values made up for schemas are checked by an independent validator."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from jsonschema.exceptions import best_match

from linarite.engines.simulator.dice import Dice
from linarite.engines.simulator.hints import Hints
from linarite.engines.simulator.json_schema.pattern import parse_pattern, text_for
from linarite.engines.simulator.json_schema.types import SchemaTooComplex, UnsatisfiableSchema
from linarite.engines.simulator.json_schema.values import make_value

QUESTION = "What is 'amber', 7 or 2.5, in Paris and Rome?"

PATTERNS = (
    r"^[A-Z]{3}-\d{2,4}$",
    r"^(red|green|blue)(-\w+)?$",
    r"[0-9a-f]{8}",
    r"^\+?[1-9]\d{1,14}$",
    r"^[^\s@]+@[^\s@]+\.[a-z]{2,}$",
    r"^(?:a|b(?:c|d)*)+$",
    r"\w*",
    r"^[\u4e00-\u9fa5]{2,4}$",
    r"^v\d+\.\d+\.\d+(-[0-9A-Za-z-.]+)?$",
)

numbers = st.integers(-50, 50) | st.sampled_from([0.5, -2.25, 0.1, 3.7])
names = st.sampled_from(["city", "count", "name", "query", "id", "items", "value"])
scalars = st.none() | st.booleans() | st.integers(-9, 9) | st.sampled_from(["Paris", "red", ""])


@st.composite
def number_schemas(draw: st.DrawFn) -> dict[str, Any]:
    """Numbers between bounds that leave room, in steps that fit."""
    schema: dict[str, Any] = {"type": draw(st.sampled_from(["number", "integer"]))}
    low = draw(st.none() | numbers)
    if low is not None:
        schema[draw(st.sampled_from(["minimum", "exclusiveMinimum"]))] = low
    if draw(st.booleans()):
        schema[draw(st.sampled_from(["maximum", "exclusiveMaximum"]))] = (low or 0) + draw(
            st.integers(8, 40)
        )
    if draw(st.booleans()):
        schema["multipleOf"] = draw(st.sampled_from([1, 2, 3, 0.5, 0.25, 0.1, 0.01]))
    return schema


@st.composite
def string_schemas(draw: st.DrawFn) -> dict[str, Any]:
    """Texts of a length, a pattern or a format."""
    schema: dict[str, Any] = {"type": "string"}
    kind = draw(st.sampled_from(["plain", "length", "pattern", "format"]))
    if kind == "length":
        schema["minLength"] = draw(st.integers(0, 60))
        schema["maxLength"] = schema["minLength"] + draw(st.integers(0, 20))
    elif kind == "pattern":
        schema["pattern"] = draw(st.sampled_from(PATTERNS))
    elif kind == "format":
        schema["format"] = draw(
            st.sampled_from(["date", "email", "ipv4", "ipv6", "uuid", "regex", "date-time", "uri"])
        )
    return schema


def array_schemas(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """Lists with bounds, with first items of their own, or of items that all differ."""
    plain = st.fixed_dictionaries(
        {"type": st.just("array"), "items": inner},
        optional={"minItems": st.integers(0, 3), "maxItems": st.integers(3, 5)},
    )
    first = st.fixed_dictionaries(
        {
            "type": st.just("array"),
            "prefixItems": st.lists(inner, min_size=1, max_size=3),
            "items": st.booleans(),
        },
    )
    differing = st.fixed_dictionaries(
        {
            "type": st.just("array"),
            "items": st.sampled_from([{"enum": [1, 2, 3, 4]}, {"type": "string"}]),
            "minItems": st.integers(1, 4),
            "uniqueItems": st.just(True),
        }
    )
    holding = st.fixed_dictionaries(
        {"type": st.just("array"), "contains": st.fixed_dictionaries({"const": scalars})},
        optional={"minContains": st.integers(1, 3)},
    )
    return plain | first | differing | holding


@st.composite
def object_schemas(draw: st.DrawFn, inner: st.SearchStrategy[Any]) -> dict[str, Any]:
    """Objects with required and optional members, closed or open."""
    properties = draw(st.dictionaries(names, inner, max_size=4))
    schema: dict[str, Any] = {"type": "object", "properties": properties}
    if properties:
        schema["required"] = draw(
            st.lists(st.sampled_from(sorted(properties)), unique=True, max_size=4)
        )
    schema["additionalProperties"] = draw(st.sampled_from([False, True, {"type": "integer"}]))
    if schema["additionalProperties"] is not False:
        schema["minProperties"] = draw(st.integers(0, 4))
    return schema


def combined_schemas(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """One of several, all of several, references, conditions."""
    options = st.lists(inner, min_size=1, max_size=3)
    tagged = st.sampled_from(
        [
            {
                "oneOf": [
                    {"properties": {"kind": {"const": "a"}}, "required": ["kind", "left"]},
                    {"properties": {"kind": {"const": "b"}}, "required": ["kind", "right"]},
                ],
                "type": "object",
            },
            {"oneOf": [{"type": "integer"}, {"type": "number"}]},
            {"type": ["string", "null"]},
            {"type": "string", "not": {"minLength": 30}},
            {
                "type": "object",
                "properties": {"kind": {"enum": ["x", "y"]}},
                "required": ["kind"],
                "if": {"properties": {"kind": {"const": "x"}}},
                "then": {"required": ["more"]},
                "else": {"required": ["less"]},
            },
            {
                "allOf": [
                    {"type": "object", "properties": {"a": {"minimum": 3}}, "required": ["a"]},
                    {"properties": {"a": {"type": "integer", "maximum": 5}}},
                ]
            },
            {"type": "object", "required": ["a"], "dependentRequired": {"a": ["b"]}},
        ]
    )
    return st.fixed_dictionaries({"anyOf": options}) | tagged


def extended(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Schemas one level deeper."""
    return array_schemas(inner) | object_schemas(inner) | combined_schemas(inner)


schemas = st.recursive(
    number_schemas()
    | string_schemas()
    | st.fixed_dictionaries({"enum": st.lists(scalars, min_size=1, max_size=4)})
    | st.fixed_dictionaries({"const": scalars})
    | st.sampled_from([{"type": "null"}, {"type": "boolean"}, {}, True]),
    extended,
    max_leaves=8,
)


def problem(value: Any, schema: bool | dict[str, Any]) -> str | None:  # noqa: ANN401 - any JSON
    """What an independent validator has against a value."""
    validator = Draft202012Validator(schema, format_checker=Draft202012Validator.FORMAT_CHECKER)
    error = best_match(validator.iter_errors(value))
    return error and f"{error.message} (value {value!r})"


@settings(max_examples=400, deadline=None)
@given(schemas, st.integers(0, 50), st.booleans())
def test_values_are_valid_under_their_schema(
    schema: bool | dict[str, Any], seed: int, hinted: bool
) -> None:
    """Whatever a satisfiable schema asks for, the value made up for it is valid."""
    hints = Hints(QUESTION, schema if isinstance(schema, dict) else None) if hinted else None
    value = make_value(schema, Dice(seed), hints)
    assert problem(value, schema) is None


NODE = {
    "$defs": {
        "node": {
            "type": "object",
            "properties": {
                "value": {"type": "integer"},
                "next": {"anyOf": [{"$ref": "#/$defs/node"}, {"type": "null"}]},
            },
            "required": ["value", "next"],
            "additionalProperties": False,
        }
    },
    "$ref": "#/$defs/node",
}

TREE = {
    "type": "object",
    "properties": {"name": {"type": "string"}, "children": {"items": {"$ref": "#"}}},
    "required": ["name", "children"],
}


@pytest.mark.parametrize(
    "schema",
    [
        NODE,
        TREE,
        {"definitions": {"a/b": {"type": "string"}}, "$ref": "#/definitions/a~1b"},
        {"items": [{"const": 1}, {"const": 2}], "minItems": 2, "type": "array"},
        {"type": "object", "propertyNames": {"pattern": "^[a-c]$"}, "minProperties": 3},
        {"type": "string", "format": "date-time", "maxLength": 5},
        {"type": "integer", "multipleOf": 1.5, "minimum": 1},
        {"type": "number", "exclusiveMinimum": 0.1, "exclusiveMaximum": 0.1001},
        {"type": "number", "minimum": 0.1, "maximum": 0.1},
        {"type": "number", "minimum": 1e308, "maximum": 1.1e308},
        {"type": "number", "exclusiveMinimum": 0, "maximum": 1e-300},
        {"type": "integer", "minimum": -(10**25), "maximum": -(10**24)},
        {"type": "array", "items": {"type": "boolean"}, "uniqueItems": True, "minItems": 2},
    ],
)
def test_awkward_schemas_are_satisfied(schema: dict[str, Any]) -> None:
    """References, recursion, older forms and narrow bounds come to a valid value."""
    if isinstance(schema.get("items"), list):
        assert make_value(schema, Dice(1)) == [1, 2]
    else:
        assert problem(make_value(schema, Dice(1)), schema) is None


@pytest.mark.parametrize(
    ("schema", "words"),
    [
        (False, "Nothing is valid"),
        ({"type": "integer", "minimum": 4, "maximum": 3}, "between the bounds"),
        ({"allOf": [{"type": "string"}, {"type": "integer"}]}, "Nothing is valid"),
        ({"$ref": "#"}, "leads back to itself"),
        ({"$ref": "#/$defs/none"}, "points to nothing"),
        ({"$ref": "https://example.com/schema"}, "another document"),
        ({"properties": {"a": {"$ref": "#"}}, "required": ["a"]}, "endless nesting"),
        ({"type": "string", "pattern": "(?=a)b"}, "look-around"),
        ({"type": "string", "pattern": "(a"}, "not closed"),
        ({"type": "strang"}, "#/type must be one or more of"),
        ({"properties": {"a": {"minimum": "3"}}}, "#/properties/a/minimum must be a number"),
        ({"anyOf": []}, "#/anyOf must be a list"),
        ({"required": "a"}, "#/required must be a list of names"),
        (["type"], "# must be an object or a boolean"),
    ],
)
def test_impossible_schemas_are_refused_with_a_reason(schema: object, words: str) -> None:
    """A schema that nothing satisfies, or that is none, is named as such."""
    with pytest.raises(UnsatisfiableSchema, match=re.escape(words)):
        make_value(schema, Dice(1))


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "array", "minItems": 10**9},
        {"type": "string", "minLength": 10**9},
        {"type": "string", "pattern": "((a{100}){100}){100}"},
        {"type": "string", "pattern": "(" * 900 + ")" * 900},
        {"allOf": [{}] * 5_000},
        {"anyOf": [{"anyOf": [{"not": {}}] * 40}] * 40, "oneOf": [{}] * 40},
    ],
)
def test_schemas_that_ask_for_too_much_are_refused_soon(schema: dict[str, Any]) -> None:
    """No schema keeps the process busy or fills its memory."""
    with pytest.raises(SchemaTooComplex):
        make_value(schema, Dice(1))


@given(st.sampled_from(PATTERNS), st.integers(0, 1_000), st.integers(0, 12))
def test_texts_match_their_pattern(pattern: str, seed: int, stretch: int) -> None:
    """A text made up for an expression is found by it."""
    assert re.search(pattern, text_for(parse_pattern(pattern), Dice(seed), stretch))
