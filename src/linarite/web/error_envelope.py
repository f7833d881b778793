"""The one place where an error becomes bytes: Azure's gateway shape or the model layer's."""

from __future__ import annotations

import msgspec

from linarite.domain.errors import GatewayError, LinariteError, ModelError, UpstreamRefused

_encode = msgspec.json.encode


def error_body(error: LinariteError) -> bytes:
    """The JSON body of an error.

    Gateway errors have the literal form of Azure's front end, a space after `"message":` included;
    a hint is added as `innererror`. Model-layer errors have OpenAI's four fields.
    """
    return b'{"error":' + error_object(error) + b"}"


def error_object(error: LinariteError) -> bytes:
    """What stands under `error`; an SSE error event carries the same object."""
    if isinstance(error, UpstreamRefused):
        return _encode(error.error)
    if isinstance(error, ModelError):
        return _encode(
            {
                "message": error.message,
                "type": error.type,
                "param": error.param,
                "code": error.code,
            }
        )
    head = b'{"code":' + _encode(error.code) + b',"message": ' + _encode(error.message)
    if isinstance(error, GatewayError) and error.hint:
        return head + b',"innererror":' + _encode(error.hint) + b"}"
    return head + b"}"
