"""The Resource Manager's error envelope: `{"error":{"code","message","target","details"}}`."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import msgspec

from linarite.domain.arm_errors import ArmError

if TYPE_CHECKING:
    from linarite.domain.errors import LinariteError


def arm_error_body(error: LinariteError) -> bytes:
    """The JSON body of an error; those that are not ARM's own get a code from their status."""
    body: dict[str, Any] = {"code": _code(error), "message": error.message}
    if isinstance(error, ArmError):
        if error.target:
            body["target"] = error.target
        if error.details:
            body["details"] = [
                {"code": each.code, "message": each.message}
                | ({"target": each.target} if each.target else {})
                for each in error.details
            ]
    return msgspec.json.encode({"error": body})


def _code(error: LinariteError) -> str:
    if error.code and not error.code.isdecimal():
        return error.code
    return HTTPStatus(error.status).phrase.title().replace(" ", "")
