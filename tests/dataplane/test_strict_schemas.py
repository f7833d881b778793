"""What a schema must be to be held to strictly, where a chat asks so."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pydantic
import pytest
from openai.lib._pydantic import to_strict_json_schema

from tests.dataplane.rig import rig

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.dataplane.rig import Rig

pytestmark = pytest.mark.anyio

USER = {"role": "user", "content": "Hi"}
TEXT = {"type": "string"}


class Step(pydantic.BaseModel):
    """One of several."""

    explanation: str
    output: float | None


class Answer(pydantic.BaseModel):
    """What the official client makes a strict schema of."""

    steps: list[Step]
    kind: str = pydantic.Field(pattern="^[a-z]+$", description="one word")


@pytest.fixture
async def server() -> AsyncIterator[Rig]:
    """One whose engine notes what it was asked."""
    async with rig() as running:
        yield running


def closed(**properties: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    """An object as the rules want it."""
    return {
        "type": "object",
        "properties": properties,
        "required": [*properties],
        "additionalProperties": False,
    }


def nested(levels: int) -> dict[str, Any]:
    """Objects in one another."""
    schema = closed(a=TEXT)
    for _ in range(levels - 1):
        schema = closed(a=schema)
    return schema


def as_format(schema: Any, *, strict: bool = True) -> dict[str, Any]:  # noqa: ANN401 - JSON
    """A chat whose reply is held to a schema."""
    named = {"name": "p", "strict": strict, "schema": schema}
    return {
        "messages": [USER],
        "response_format": {"type": "json_schema", "json_schema": named},
    }


def as_tool(schema: Any, *, strict: bool = True) -> dict[str, Any]:  # noqa: ANN401 - JSON
    """A chat that offers a function."""
    function = {"name": "f", "strict": strict, "parameters": schema}
    return {"messages": [USER], "tools": [{"type": "function", "function": function}]}


OPEN = {"type": "object", "properties": {"name": TEXT}}
WRONG: list[tuple[Any, str]] = [
    ({}, "schema must be a JSON Schema of 'type: \"object\"', got 'type: null'."),
    ({"type": "array", "items": TEXT}, "got 'type: \"array\"'."),
    (closed(a=TEXT) | {"anyOf": []}, "'anyOf' is not permitted at the root."),
    (OPEN, "In context=(), 'additionalProperties' is required to be supplied and to be false."),
    (
        OPEN | {"additionalProperties": False},
        "to be an array including every key in properties. Missing 'name'.",
    ),
    (closed(a=TEXT) | {"required": ["a", "b"]}, "'required' has the key 'b'"),
    (closed(a=TEXT) | {"required": ["a", {}]}, "'required' has the key '{}'"),
    (closed(a=TEXT) | {"required": ["a", None]}, "'required' has the key 'None'"),
    (closed(a=OPEN), "In context=('properties', 'a'), 'additionalProperties'"),
    (
        closed(a={"type": "array", "items": OPEN}),
        "In context=('properties', 'a', 'items'), 'additionalProperties'",
    ),
    (
        closed(a={"anyOf": [TEXT, OPEN]}),
        "In context=('properties', 'a', 'anyOf', '1'), 'additionalProperties'",
    ),
    (
        closed(a={"$ref": "#/$defs/b"}) | {"$defs": {"b": OPEN}},
        "In context=('$defs', 'b'), 'additionalProperties'",
    ),
    (closed(a={"type": ["object", "null"]}), "In context=('properties', 'a'), 'additional"),
    (nested(11), "more than 10 levels of nesting"),
    (closed(**{f"p{number}": TEXT for number in range(5001)}), "more than 5000 properties"),
]


@pytest.mark.parametrize(("schema", "words"), WRONG)
async def test_what_is_wrong_is_named(server: Rig, schema: Any, words: str) -> None:  # noqa: ANN401 - JSON
    """Of a reply's schema and of a function's alike; without `strict` both are taken."""
    answer = await server.chat(as_format(schema))
    assert (answer.status, answer.error["code"]) == (400, "invalid_json_schema")
    assert answer.error["param"] == "response_format"
    assert answer.error["message"].startswith("Invalid schema for response_format 'p': ")
    assert words in answer.error["message"]
    assert (await server.chat(as_format(schema, strict=False))).status == 200
    if schema.get("type") == "object":
        answer = await server.chat(as_tool(schema))
        assert (answer.status, answer.error["code"]) == (400, "invalid_function_parameters")
        assert answer.error["param"] == "tools[0].function.parameters"
        assert words in answer.error["message"]
        assert (await server.chat(as_tool(schema, strict=False))).status == 200


@pytest.mark.parametrize(
    "schema",
    [
        closed(),
        nested(10),
        closed(a={"type": ["string", "null"], "minLength": 2}, b={"enum": [1, 2]}),
        to_strict_json_schema(Answer),
    ],
)
async def test_what_is_right_is_taken(server: Rig, schema: Any) -> None:  # noqa: ANN401 - JSON
    """What the official client makes of a model is."""
    for fields in (as_format(schema), as_tool(schema)):
        answer = await server.chat(fields)
        assert answer.status == 200, answer.body
