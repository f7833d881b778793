"""The Resource Manager's error envelope: `{"error":{"code","message","target","details"}}`."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import msgspec

from linarite.domain.arm_errors import ArmError

if TYPE_CHECKING:
    from linarite.domain.arm_errors import Problem
    from linarite.domain.errors import LinariteError


def arm_error_body(error: LinariteError) -> bytes:
    """The JSON body of an error; those that are not ARM's own get a code from their status."""
    body: dict[str, Any] = {"code": _code(error), "message": error.message}
    if isinstance(error, ArmError):
        if error.target:
            body["target"] = error.target
        if error.details:
            body["details"] = [arm_detail(each) for each in error.details]
        if error.additional_info:
            body["additionalInfo"] = error.additional_info
    return msgspec.json.encode({"error": body})


def arm_detail(problem: Problem) -> dict[str, Any]:
    """One of several problems, as an error object within the error."""
    told: dict[str, Any] = {"code": problem.code, "message": problem.message}
    if problem.target:
        told["target"] = problem.target
    if problem.additional_info:
        told["additionalInfo"] = problem.additional_info
    return told


def _code(error: LinariteError) -> str:
    if error.code and not error.code.isdecimal():
        return error.code
    return HTTPStatus(error.status).phrase.title().replace(" ", "")
