"""What a reply must be, said so that the engine's process can hold the model to it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from linarite.domain.json_values import is_array, is_object
from linarite.engines.text_chat.schema_bounds import bounded_json, schema_refusal
from linarite.engines.text_chat.toolbox import CALL_CLOSING, CALL_OPENING, arguments_schema

if TYPE_CHECKING:
    from linarite.domain.chat import FunctionDefinition, ResponseFormat
    from linarite.engines.openvino.options import OpenvinoOptions

# xgrammar passes over what it does not know. Held back with `strict` are those keywords that
# would be promised and not kept.
_NOT_HELD = frozenset(
    {
        *("uniqueItems", "not", "if", "then", "else", "contains", "minContains", "maxContains"),
        *("dependentRequired", "dependentSchemas", "propertyNames", "multipleOf"),
        *("unevaluatedItems", "contentEncoding", "contentMediaType", "$dynamicRef"),
    }
)
_NAMED_SCHEMAS = ("properties", "patternProperties", "$defs", "definitions")
_VALUES = ("enum", "const", "default", "examples")


class TextShape(msgspec.Struct, frozen=True, tag="text"):
    """Just this text."""

    text: str


class JsonShape(msgspec.Struct, frozen=True, tag="json"):
    """JSON after a schema."""

    schema: str
    """as JSON"""


class ObjectShape(msgspec.Struct, frozen=True, tag="object"):
    """Any JSON object."""


class SequenceShape(msgspec.Struct, frozen=True, tag="sequence"):
    """One after the other."""

    parts: list[Shape]


class EitherShape(msgspec.Struct, frozen=True, tag="either"):
    """One of these."""

    options: list[Shape]


Shape = TextShape | JsonShape | ObjectShape | SequenceShape | EitherShape


class Constraint(msgspec.Struct, frozen=True):
    """A shape, and the request field it comes from, for the refusal."""

    shape: Shape
    param: str


class Shaper:
    """Makes shapes of schemas, within bounds."""

    def __init__(self, options: OpenvinoOptions) -> None:
        self._options = options

    def of_format(self, wanted: ResponseFormat | None) -> Shape | None:
        """What `response_format` demands; None for free text. Raises InvalidRequest."""
        if wanted is None or wanted.type == "text":
            return None
        described = wanted.json_schema
        if wanted.type == "json_object" or described is None or described.schema is None:
            return ObjectShape()
        return self._json(described.schema, strict=bool(described.strict), param="response_format")

    def arguments(self, function: FunctionDefinition) -> Shape:
        """Arguments of this function. Raises InvalidRequest."""
        return self._json(arguments_schema(function), strict=bool(function.strict), param="tools")

    def calls(self, functions: list[FunctionDefinition]) -> Shape:
        """A call of one of the functions, without tags."""
        calls: list[Shape] = [
            SequenceShape(
                [
                    TextShape(f'{{"name": {_quoted(function.name)}, "arguments": '),
                    self.arguments(function),
                    TextShape("}"),
                ]
            )
            for function in functions
        ]
        return calls[0] if len(calls) == 1 else EitherShape(calls)

    def calls_or(self, functions: list[FunctionDefinition], reply: Shape) -> Shape:
        """A tagged call of one of the functions, or such a reply."""
        tagged = SequenceShape(
            [TextShape(CALL_OPENING), self.calls(functions), TextShape(CALL_CLOSING)]
        )
        return EitherShape([reply, tagged])

    def _json(self, schema: dict[str, Any], *, strict: bool, param: str) -> Shape:
        text = bounded_json(schema, self._options, param)
        if strict and (found := _not_held(schema)):
            raise schema_refusal(
                f"'{found}' cannot be enforced by this deployment's engine. Leave it out, or say "
                "strict: false and check the reply yourself.",
                param,
            )
        return JsonShape(text.decode())


def _quoted(text: str) -> str:
    return msgspec.json.encode(text).decode()


def _not_held(schema: object) -> str:
    """The first keyword of a schema, or of one inside it, that replies are not held to."""
    if is_array(schema):
        return next((found for item in schema if (found := _not_held(item))), "")
    if not is_object(schema):
        return ""
    for key, value in schema.items():
        if key in _NOT_HELD:
            return key
        inner = list(value.values()) if key in _NAMED_SCHEMAS and is_object(value) else value
        if key not in _VALUES and (found := _not_held(inner)):
            return found
    return ""
