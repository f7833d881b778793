"""What a schema must be to be held to strictly: the rules of structured outputs.

Azure: "How to use structured outputs". Every property is required, every object is closed, and the
root is an object. The page's bounds on size and its list of keywords that are not supported are
older than what newer models take, so they are not held here: an engine that can't follow a keyword
says so itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import msgspec

from linarite.domain.errors import InvalidRequest

if TYPE_CHECKING:
    from collections.abc import Iterator

    Place = tuple[str, ...]

DEPTH_MAX = 10
PROPERTIES_MAX = 5000
NAMED_SCHEMAS = ("properties", "$defs", "definitions")


def require_strict(schema: dict[str, Any], of: str, *, param: str, code: str) -> None:
    """Raise InvalidRequest where a schema can't be held to strictly.

    `of` names it in the message ("function 'f'").
    """
    problem = _problem_of(schema)
    if problem:
        raise InvalidRequest(f"Invalid schema for {of}: {problem}", param=param, code=code)


def _problem_of(schema: dict[str, Any]) -> str:
    if schema.get("type") != "object":
        kind = msgspec.json.encode(schema.get("type")).decode()[:100]
        return f"schema must be a JSON Schema of 'type: \"object\"', got 'type: {kind}'."
    if "anyOf" in schema:
        return "In context=(), 'anyOf' is not permitted at the root."
    properties = 0
    for place, depth, each in _parts(schema, (), 1):
        if "properties" not in each and not _is_object(each.get("type")):
            continue
        properties += len(_object(each.get("properties")))
        if properties > PROPERTIES_MAX:
            return f"the schema has more than {PROPERTIES_MAX} properties."
        problem = _problem_of_object(each)
        if depth > DEPTH_MAX:
            problem = f"the schema has more than {DEPTH_MAX} levels of nesting."
        if problem:
            return f"In context={place!r}, {problem}"
    return ""


def _problem_of_object(schema: dict[str, Any]) -> str:
    if schema.get("additionalProperties") is not False:
        return "'additionalProperties' is required to be supplied and to be false."
    named, required = _object(schema.get("properties")), schema.get("required")
    listed = cast("list[Any]", required) if isinstance(required, list) else []
    told = {name for name in listed if isinstance(name, str)}
    missing = next((name for name in named if name not in told), None)
    if missing is not None:
        return (
            "'required' is required to be supplied and to be an array including every key in "
            f"properties. Missing '{missing[:100]}'."
        )
    for extra in listed:
        if not isinstance(extra, str) or extra not in named:
            return f"'required' has the key {str(extra)[:100]!r}, which 'properties' has not."
    return ""


def _parts(schema: dict[str, Any], place: Place, depth: int) -> Iterator[tuple[Place, int, Any]]:
    """Each schema within, itself first; `depth` counts objects and arrays, the root is the first.

    What it is made of has been held to a depth of nesting before.
    """
    yield place, depth, schema
    for keyword in NAMED_SCHEMAS:
        for name, inner in _object(schema.get(keyword)).items():
            if isinstance(inner, dict):
                deeper = depth + 1 if keyword == "properties" else 1
                yield from _parts(cast("Any", inner), (*place, keyword, name), deeper)
    items = schema.get("items")
    if isinstance(items, dict):
        yield from _parts(cast("Any", items), (*place, "items"), depth + 1)
    choices = schema.get("anyOf")
    for at, choice in enumerate(cast("list[Any]", choices) if isinstance(choices, list) else []):
        if isinstance(choice, dict):
            yield from _parts(cast("Any", choice), (*place, "anyOf", str(at)), depth)


def _is_object(kind: object) -> bool:
    return kind == "object" or (isinstance(kind, list) and "object" in kind)


def _object(value: object) -> dict[str, Any]:
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}
