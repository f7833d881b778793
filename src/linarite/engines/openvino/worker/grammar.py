"""Shapes of replies in the library's words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from linarite.engines.openvino.shapes import JsonShape, SequenceShape, TextShape

if TYPE_CHECKING:
    from linarite.engines.openvino.shapes import Shape
    from linarite.engines.openvino.worker.native import Native


def structured_output(library: Native, shape: Shape) -> object:
    """The configuration that holds a reply to a shape."""
    config = library.StructuredOutputConfig
    if isinstance(shape, JsonShape):
        return config(json_schema=shape.schema)
    return config(structural_tags_config=_format(config, shape))


def _format(config: Native, shape: Shape) -> object:
    if isinstance(shape, TextShape):
        return config.ConstString(shape.text)
    if isinstance(shape, JsonShape):
        return config.JSONSchema(shape.schema)
    if isinstance(shape, SequenceShape):
        return config.Concat([_format(config, part) for part in shape.parts])
    return config.Union([_format(config, option) for option in shape.options])
