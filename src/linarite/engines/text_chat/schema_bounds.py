"""Refusing JSON schemas: those beyond the bounds of an instance, and in the service's words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from linarite.domain.errors import InvalidRequest
from linarite.domain.json_values import is_deeper

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
    if is_deeper(schema, options.schema_depth_max):
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
