"""Shapes of replies in the library's words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from linarite.engines.openvino.shapes import JsonShape, ObjectShape, SequenceShape, TextShape

if TYPE_CHECKING:
    from linarite.engines.openvino.shapes import Shape
    from linarite.engines.openvino.worker.native import Native


# The library's own grammar for any JSON leaves white space to the model, and small models fill
# their replies with it.
_OBJECT = r"""root ::= object
value ::= object | array | string | number | "true" | "false" | "null"
object ::= "{" (pair (", " pair)*)? "}"
pair ::= string ": " value
array ::= "[" (value (", " value)*)? "]"
string ::= "\"" ([^"\\\x00-\x1f] | "\\" (["\\/bfnrt] | "u" hex hex hex hex))* "\""
hex ::= [0-9a-fA-F]
number ::= "-"? ("0" | [1-9] [0-9]*) ("." [0-9]+)? ([eE] [-+]? [0-9]+)?
"""


def structured_output(library: Native, shape: Shape) -> object:
    """The configuration that holds a reply to a shape."""
    config = library.StructuredOutputConfig
    if isinstance(shape, JsonShape):
        return config(json_schema=shape.schema)
    if isinstance(shape, ObjectShape):
        return config(grammar=_OBJECT)
    return config(structural_tags_config=_format(config, shape))


def _format(config: Native, shape: Shape) -> object:
    if isinstance(shape, TextShape):
        return config.ConstString(shape.text)
    if isinstance(shape, JsonShape):
        return config.JSONSchema(shape.schema)
    if isinstance(shape, ObjectShape):
        return config.EBNF(_OBJECT)
    if isinstance(shape, SequenceShape):
        return config.Concat([_format(config, part) for part in shape.parts])
    return config.Union([_format(config, option) for option in shape.options])
