"""Whether deployments would comply with the policies that are assigned, before they are made."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from linarite.controlplane.policy.guard import judged
from linarite.controlplane.policy.refusals import expression_of
from linarite.controlplane.request import Answer
from linarite.controlplane.stocktaking import account_of
from linarite.controlplane.wire import read_object
from linarite.domain.arm_errors import content_invalid
from linarite.domain.resource import DEPLOYMENT_TYPE, Resource

if TYPE_CHECKING:
    from linarite.controlplane.policy.guard import Judged
    from linarite.controlplane.request import ArmRequest, Target
    from linarite.controlplane.surface import Surface
    from linarite.controls.policy.decisions import Finding

DEPLOYMENTS_MAX = 100
"""of one request: each is held against every policy"""


class AskedProperties(msgspec.Struct, rename="camel"):
    """What a deployment would be."""

    model: dict[str, Any]
    rai_policy_name: str | None = None


class AskedDeployment(msgspec.Struct):
    """A deployment that may be made."""

    name: str
    properties: AskedProperties


class Asked(msgspec.Struct):
    """What is to be evaluated."""

    deployments: list[AskedDeployment]


async def evaluate(request: ArmRequest, target: Target, surface: Surface) -> Answer:
    """Each deployment by its name, with the assignments that it would not comply with.

    Nothing is written. Raises ArmError, PoliciesUnknown.
    """
    account = await account_of(surface, target)
    row = surface.rows[DEPLOYMENT_TYPE.lower()]
    results: dict[str, Any] = {}
    for asked in _asked(request.body):
        would_be = Resource(
            id=f"{account.id}/deployments/{asked.name}",
            type=DEPLOYMENT_TYPE,
            name=asked.name,
            properties=_without_none(msgspec.to_builtins(asked.properties)),
        )
        results[asked.name] = _result(await judged(would_be, request, row, surface))
    return Answer(200, {"results": results})


def _asked(body: bytes) -> list[AskedDeployment]:
    try:
        deployments = msgspec.convert(read_object(body), Asked).deployments
    except msgspec.ValidationError as problem:
        raise content_invalid(f"The request content was invalid: {problem}.") from None
    if len(deployments) > DEPLOYMENTS_MAX:
        raise content_invalid(
            f"The request content was invalid: at most {DEPLOYMENTS_MAX} deployments are "
            f"evaluated at once; there are {len(deployments)}."
        )
    for place, each in enumerate(deployments):
        if not each.name or "/" in each.name:
            raise content_invalid(
                f"Deployment {place} has no proper name.", target=f"deployments[{place}].name"
            )
    return deployments


def _without_none(properties: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in properties.items() if value is not None}


def _result(found: Judged) -> dict[str, Any]:
    against = [_details(finding) for finding in (*found.denied, *found.audited)]
    failed = next((finding.failed for finding in found.denied if finding.failed), "")
    result: dict[str, Any] = {"evaluationOutcome": "Compliant", "nonCompliantAssignments": against}
    if against:
        result["evaluationOutcome"] = "NonCompliant"
    if failed:
        result |= {"evaluationOutcome": "Error", "errorMessage": failed}
    return result


def _details(finding: Finding) -> dict[str, Any]:
    bound = finding.bound
    details: dict[str, Any] = {
        "assignmentId": bound.assignment.resource.id,
        "policyDefinitionId": bound.definition.resource.id,
        "evaluationOutcome": "Error" if finding.failed else "NonCompliant",
        "effect": finding.effect,
        "expressionEvaluations": [expression_of(each) for each in finding.compared],
    }
    if bound.initiative is not None:
        details["policySetDefinitionId"] = bound.initiative.resource.id
    if reason := finding.failed or bound.message:
        details["nonComplianceReason"] = reason
    return details
