"""Refusing JSON schemas: those beyond the bounds of an instance, and in the service's words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from linarite.domain.errors import InvalidRequest
from linarite.engines.text_chat.json_values import is_array, is_object

if TYPE_CHECKING:
    from linarite.engines.worker_process.options import WorkerOptions


def bounded_json(schema: dict[str, Any], options: WorkerOptions, param: str) -> bytes:
    """A schema as JSON. Raises InvalidRequest where it is too long or nested too deeply."""
    written = msgspec.json.encode(schema)
    most = options.schema_bytes_max
    if len(written) > most:
        raise schema_refusal(
            f"it has {len(written)} bytes, and at most {most} are supported.", param
        )
    if _deeper_than(schema, options.schema_depth_max):
        raise schema_refusal(
            f"it is nested too deeply. At most {options.schema_depth_max} levels are supported.",
            param,
        )
    return written


def does_not_compile(param: str) -> InvalidRequest:
    """A schema that constrained decoding cannot hold a reply to."""
    return schema_refusal(
        "it is not valid, or uses a keyword, format or pattern that constrained decoding "
        "does not support here.",
        param,
    )


def schema_refusal(why: str, param: str) -> InvalidRequest:
    """With the service's code for a schema of that field."""
    of_reply = param == "response_format"
    code = "invalid_json_schema" if of_reply else "invalid_function_parameters"
    return InvalidRequest(f"Invalid schema: {why}", param=param, code=code)


def _deeper_than(node: object, levels: int) -> bool:
    if is_object(node):
        children = list(node.values())
    elif is_array(node):
        children = node
    else:
        return False
    return levels == 0 or any(_deeper_than(child, levels - 1) for child in children)
