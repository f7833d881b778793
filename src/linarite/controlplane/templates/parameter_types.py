"""Whether a value is of the type that a parameter, output or definition declares.

Source: "Parameters in ARM templates" and "Type definitions in ARM templates".
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from linarite.controlplane.templates.values import equal, find, get, kind_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from linarite.controlplane.templates.values import Value

    _Object = dict[str, Value]

TYPES = {
    "string": "String",
    "securestring": "String",
    "int": "Integer",
    "bool": "Boolean",
    "array": "Array",
    "object": "Object",
    "secureobject": "Object",
}
SECURE = {"securestring": "SecureString", "secureobject": "SecureObject"}
REFERENCES_MAX = 32
_SPELLED = {"string": "String", "int": "Int", "bool": "Bool", "array": "Array", "object": "Object"}


def resolved(definition: _Object, definitions: Mapping[str, _Object]) -> _Object:
    """The definition with its `$ref` followed; what stands beside the reference wins."""
    for _ in range(REFERENCES_MAX):
        reference = get(definition, "$ref")
        if not isinstance(reference, str):
            return definition
        name = reference.removeprefix("#/definitions/")
        target = definitions.get(name, {})
        definition = {**target, **{k: v for k, v in definition.items() if k != "$ref"}}
    return definition


def type_of(definition: _Object) -> str:
    """The declared type in lower case, "" when there is none."""
    declared = get(definition, "type")
    return declared.lower() if isinstance(declared, str) else ""


def is_secure(definition: _Object) -> bool:
    """Whether its value must never be shown."""
    return type_of(definition) in SECURE


def shown_type(definition: _Object) -> str:
    """The type as ARM shows it beside a value."""
    declared = type_of(definition)
    return SECURE.get(declared) or _SPELLED.get(declared, declared)


def complaints(
    path: str, value: Value, definition: _Object, definitions: Mapping[str, _Object], depth: int = 0
) -> Iterator[str]:
    """Everything that makes the value unfit for the definition; values of secrets are not told."""
    definition = resolved(definition, definitions)
    if depth > REFERENCES_MAX or (value is None and get(definition, "nullable") is True):
        return
    expected = TYPES.get(type_of(definition))
    if expected is not None and kind_of(value) != expected:
        yield (
            f"The provided value for the template parameter '{path}' is not valid. Expected a "
            f"value of type '{shown_type(definition)}', but received a value of type "
            f"'{kind_of(value)}'. Please see https://aka.ms/arm-create-parameter-file for usage "
            "details"
        )
        return
    yield from _out_of_bounds(path, value, definition)
    if isinstance(value, dict):
        yield from _unfit_properties(path, value, definition, definitions, depth)
    if isinstance(value, list):
        yield from _unfit_members(path, value, definition, definitions, depth)


def _out_of_bounds(path: str, value: Value, definition: _Object) -> Iterator[str]:
    allowed = get(definition, "allowedValues")
    if isinstance(allowed, list) and not _is_allowed(value, allowed):
        what = "" if is_secure(definition) else f" '{_short(value)}'"
        choices = ",".join(_short(choice) for choice in allowed)
        yield (
            f"The provided value{what} for the template parameter '{path}' is not valid. The "
            f"value{what} is not part of the allowed value(s): '{choices}'"
        )
    if isinstance(value, str | list):
        size = len(value)
        yield from _bound(path, "length", size, get(definition, "minLength"), -1)
        yield from _bound(path, "length", size, get(definition, "maxLength"), 1)
    elif isinstance(value, int) and not isinstance(value, bool):
        yield from _bound(path, "value", value, get(definition, "minValue"), -1)
        yield from _bound(path, "value", value, get(definition, "maxValue"), 1)


def _is_allowed(value: Value, allowed: list[Value]) -> bool:
    """Among the choices, or an array of choices; ARM compares strings here without case."""
    members = value if isinstance(value, list) and value not in allowed else [value]
    return all(any(_same(member, choice) for choice in allowed) for member in members)


def _same(value: Value, choice: Value) -> bool:
    if isinstance(value, str) and isinstance(choice, str):
        return value.lower() == choice.lower()
    return equal(value, choice)


def _bound(path: str, what: str, size: int, limit: Value, side: int) -> Iterator[str]:
    if not isinstance(limit, int) or (size - limit) * side <= 0:
        return
    word, compared = ("maximum", "less") if side > 0 else ("minimum", "greater")
    yield (
        f"The provided value for the template parameter '{path}' is not valid. Its {what} is "
        f"'{size}', it must be {compared} than or equal to the {word} '{limit}'"
    )


def _unfit_properties(
    path: str,
    value: _Object,
    definition: _Object,
    definitions: Mapping[str, _Object],
    depth: int,
) -> Iterator[str]:
    properties = get(definition, "properties")
    declared = properties if isinstance(properties, dict) else {}
    for name, inner in declared.items():
        key = find(value, name)
        wanted = resolved(inner, definitions) if isinstance(inner, dict) else {}
        if key is not None:
            yield from complaints(f"{path}.{name}", value[key], wanted, definitions, depth + 1)
        elif get(wanted, "nullable") is not True:
            yield (
                f"The provided value for the template parameter '{path}' is not valid. The "
                f"required property '{name}' is missing"
            )
    others = get(definition, "additionalProperties")
    for key, member in value.items():
        if find(declared, key) is not None:
            continue
        if others is False:
            yield (
                f"The provided value for the template parameter '{path}' is not valid. The "
                f"property '{key}' is not known"
            )
        elif isinstance(others, dict):
            yield from complaints(f"{path}.{key}", member, others, definitions, depth + 1)


def _unfit_members(
    path: str,
    value: list[Value],
    definition: _Object,
    definitions: Mapping[str, _Object],
    depth: int,
) -> Iterator[str]:
    prefix = get(definition, "prefixItems")
    heads = prefix if isinstance(prefix, list) else []
    others = get(definition, "items")
    for at, member in enumerate(value):
        wanted = heads[at] if at < len(heads) else others
        if isinstance(wanted, dict):
            yield from complaints(f"{path}[{at}]", member, wanted, definitions, depth + 1)
        elif wanted is False:
            yield (
                f"The provided value for the template parameter '{path}' is not valid. It has more "
                f"than {len(heads)} members"
            )


def _short(value: Value) -> str:
    return str(value)[:100]
