"""RequestDisallowedByPolicy: what the Resource Manager says when a policy refuses a request.

Source: "Troubleshoot errors with using Azure Policy" and the answers people have met.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import msgspec

from linarite.domain.arm_errors import Problem
from linarite.domain.scopes import scope_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from linarite.controls.policy.decisions import Finding
    from linarite.controls.policy.evaluation import Compared
    from linarite.domain.resource import Resource

CODE = "RequestDisallowedByPolicy"
IDENTIFIERS_CHARACTERS_MAX = 8000


def disallowed(name: str, findings: Sequence[Finding], *, verb: str = "") -> Problem:
    """A refusal that names every policy which refuses; in the assigners' words, if they have any.

    `verb` says what was refused where it is no write.
    """
    reasons = list(dict.fromkeys(each.bound.message for each in findings if each.bound.message))
    what = f"Resource '{name}' was disallowed by policy."
    if verb:
        what = f"Resource '{name}' was disallowed to be {verb} by policy."
    if reasons:
        message = (
            f"{what} Reasons: '{' ; '.join(reasons)}'. See error details for policy resource IDs."
        )
    else:
        identifiers = msgspec.json.encode([_identifier(each) for each in findings]).decode()
        message = f"{what} Policy identifiers: '{identifiers[:IDENTIFIERS_CHARACTERS_MAX]}'."
    failed = next((each.failed for each in findings if each.failed), "")
    if failed:
        message = f"{message} A rule could not be evaluated, which refuses the request: {failed}"
    return Problem(
        CODE,
        message,
        target=name,
        status=403,
        additional_info=tuple(
            {"type": "PolicyViolation", "info": violation(each)} for each in findings
        ),
    )


def violation(finding: Finding) -> dict[str, Any]:
    """Which policy it was, and what it compared."""
    details = {"evaluatedExpressions": [expression_of(each) for each in finding.compared]}
    return {"evaluationDetails": details} | told(finding)


def expression_of(compared: Compared) -> dict[str, Any]:
    """What a rule compared, as Azure writes it."""
    shown: dict[str, Any] = {
        "result": str(compared.result),
        "expressionKind": compared.kind,
        "expression": compared.expression,
        "path": compared.path or None,
        "expressionValue": compared.value,
        "targetValue": compared.target,
        "operator": compared.operator[0].upper() + compared.operator[1:],
    }
    return {key: value for key, value in shown.items() if value is not None}


def told(finding: Finding) -> dict[str, Any]:
    """A policy as refusals and the activity log tell it."""
    bound = finding.bound
    definition, assignment = bound.definition.resource, bound.assignment.resource
    info: dict[str, Any] = {
        "policyDefinitionId": definition.id,
        "policyDefinitionName": definition.name,
        "policyDefinitionDisplayName": title(definition),
        "policyDefinitionVersion": str(definition.properties.get("version") or "1.0.0"),
        "policyDefinitionEffect": finding.effect,
        "policyAssignmentId": assignment.id,
        "policyAssignmentName": assignment.name,
        "policyAssignmentDisplayName": title(assignment),
        "policyAssignmentScope": scope_of(assignment.id) or "/",
        "policyAssignmentParameters": assignment.properties.get("parameters") or {},
        "policyExemptionIds": [],
    }
    if bound.initiative is not None:
        initiative = bound.initiative.resource
        info |= {
            "policySetDefinitionId": initiative.id,
            "policySetDefinitionName": initiative.name,
            "policySetDefinitionDisplayName": title(initiative),
            "policyDefinitionReferenceId": bound.reference,
        }
    return info


def title(resource: Resource) -> str:
    """The display name, else the name."""
    return str(resource.properties.get("displayName") or resource.name)


def category_of(resource: Resource) -> str:
    """The category that its metadata name; "" for none."""
    metadata = cast("dict[str, Any]", resource.properties.get("metadata") or {})
    return str(metadata.get("category") or "")


def _identifier(finding: Finding) -> dict[str, Any]:
    bound = finding.bound
    named: dict[str, Resource] = {
        "policyAssignment": bound.assignment.resource,
        "policyDefinition": bound.definition.resource,
    }
    if bound.initiative is not None:
        named["policySetDefinition"] = bound.initiative.resource
    identifier: dict[str, Any] = {}
    for key, resource in named.items():
        identifier[key] = {"name": title(resource), "id": resource.id}
        if key != "policyAssignment":
            identifier[key]["version"] = str(resource.properties.get("version") or "1.0.0")
    return identifier
