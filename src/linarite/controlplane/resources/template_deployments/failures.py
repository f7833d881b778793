"""What went wrong, as the Resource Manager tells it: errors within errors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from linarite.controlplane.templates.problems import (
    INVALID_DEPLOYMENT,
    INVALID_TEMPLATE,
    TemplateRefused,
)
from linarite.domain.arm_errors import ArmError, Problem

if TYPE_CHECKING:
    from collections.abc import Sequence

    from linarite.domain.errors import LinariteError

AKA_OPERATIONS = "https://aka.ms/arm-deployment-operations"


class DeploymentFailed(Exception):
    """A deployment ended without all it should have done; `error` is its error object."""

    def __init__(self, error: dict[str, Any]) -> None:
        """Keep the error as it is shown."""
        super().__init__(error["message"])
        self.error = error


def refused(refusal: TemplateRefused) -> ArmError:
    """A template that cannot be read or planned."""
    details = [
        Problem(problem.code, problem.message, problem.target or "") for problem in refusal.problems
    ]
    many = len(details) > 1
    return ArmError(
        400,
        refusal.code or INVALID_TEMPLATE,
        refusal.message,
        target=details[0].target if not many else "",
        details=details if many else (),
    )


def not_valid(name: str, tracking_id: str, problems: Sequence[Problem]) -> ArmError:
    """A template that would be refused by what it wants to write."""
    return ArmError(
        400,
        INVALID_DEPLOYMENT,
        f"The template deployment '{name}' is not valid according to the validation procedure. The "
        f"tracking id is '{tracking_id}'. See inner errors for details.",
        details=problems,
    )


def error_of(problem: LinariteError, target: str) -> dict[str, Any]:
    """An error object for a detail."""
    if isinstance(problem, TemplateRefused):
        problem = refused(problem)
    error: dict[str, Any] = {
        "code": problem.code or "InternalServerError",
        "message": problem.message,
        "target": target,
    }
    if isinstance(problem, ArmError) and problem.additional_info:
        error["additionalInfo"] = [*problem.additional_info]
    if isinstance(problem, ArmError) and problem.details:
        error["details"] = [
            {"code": detail.code, "message": detail.message, "target": detail.target or target}
            for detail in problem.details
        ]
    return error


def simple_error(code: str, message: str, target: str) -> dict[str, Any]:
    """An error object without details."""
    return {"code": code, "message": message, "target": target}


def deployment_failed(deployment_id: str, details: list[dict[str, Any]]) -> dict[str, Any]:
    """The error of a deployment some of whose resources could not be written."""
    return {
        "code": "DeploymentFailed",
        "target": deployment_id,
        "message": "At least one resource deployment operation failed. Please list deployment "
        f"operations for details. Please see {AKA_OPERATIONS} for usage details.",
        "details": details,
    }


def write_failed(state: str, target: str, reason: dict[str, Any] | None) -> dict[str, Any]:
    """The error of a resource whose provisioning ended badly."""
    return {
        "code": "ResourceDeploymentFailure",
        "target": target,
        "message": "The resource write operation failed to complete successfully, because it "
        f"reached terminal provisioning state '{state}'.",
        **({"details": [reason]} if reason else {}),
    }
