"""States as Azure shows them: one record each, or their summary.

Source: "Policy States", REST API of Microsoft.PolicyInsights.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import msgspec

from linarite.controlplane.policy.refusals import category_of, violation
from linarite.controls.policy.compliance import COMPLIANT, ERROR, NON_COMPLIANT
from linarite.controls.policy.decisions import Finding
from linarite.domain.arm_id import resource_group_of, subscription_of
from linarite.domain.scopes import scope_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from linarite.controls.policy.compliance import Standing

FAILING = (NON_COMPLIANT, ERROR)
WORST_FIRST = (NON_COMPLIANT, ERROR, "Conflict", "Unknown", "Protected", COMPLIANT, "Exempt")


def record_of(
    standing: Standing, now: str, tenant: str, context: str, *, details: bool
) -> dict[str, Any]:
    """One resource under one policy."""
    bound, subject = standing.bound, standing.subject
    definition, assignment = bound.definition.resource, bound.assignment.resource
    initiative = bound.initiative.resource if bound.initiative else None
    tags = subject.content.get("tags")
    record: dict[str, Any] = {
        "@odata.id": None,
        "@odata.context": f"{context}/$entity",
        "timestamp": now,
        "resourceId": subject.id,
        "policyAssignmentId": assignment.id,
        "policyDefinitionId": definition.id,
        "effectiveParameters": None,
        "isCompliant": standing.state not in FAILING,
        "subscriptionId": subscription_of(subject.id),
        "resourceType": subject.type,
        "resourceLocation": subject.location or "",
        "resourceGroup": resource_group_of(subject.id),
        "resourceTags": msgspec.json.encode(tags).decode() if tags else "",
        "policyAssignmentName": assignment.name,
        "policyAssignmentOwner": "",
        "policyAssignmentParameters": None,
        "policyAssignmentScope": scope_of(assignment.id) or "/",
        "policyAssignmentVersion": "",
        "policyDefinitionName": definition.name,
        "policyDefinitionAction": standing.effect.lower(),
        "policyDefinitionCategory": category_of(definition),
        "policyDefinitionVersion": definition.properties.get("version") or "1.0.0",
        "policySetDefinitionId": initiative.id if initiative else "",
        "policySetDefinitionName": initiative.name if initiative else "",
        "policySetDefinitionOwner": "",
        "policySetDefinitionCategory": "",
        "policySetDefinitionParameters": None,
        "policyDefinitionReferenceId": bound.reference,
        "policyDefinitionGroupNames": [*bound.groups],
        "managementGroupIds": tenant,
        "complianceState": standing.state,
        "complianceReasonCode": "",
    }
    if details:
        finding = Finding(bound, standing.effect, standing.compared)
        record["policyEvaluationDetails"] = violation(finding)["evaluationDetails"]
    return record


def summary_of(standings: Sequence[Standing], uri: str, context: str) -> dict[str, Any]:
    """How many resources and policies are as they should be, in all and for each assignment."""
    by_assignment: dict[str, list[Standing]] = {}
    for each in standings:
        by_assignment.setdefault(each.bound.assignment.resource.id, []).append(each)
    return {
        "@odata.id": None,
        "@odata.context": f"{context}/$entity",
        "results": _results(standings, uri),
        "policyAssignments": [
            _of_assignment(key, of_it, uri) for key, of_it in sorted(by_assignment.items())
        ],
    }


def _of_assignment(key: str, standings: Sequence[Standing], uri: str) -> dict[str, Any]:
    by_definition: dict[tuple[str, str], list[Standing]] = {}
    for each in standings:
        definition = each.bound.definition.resource.id
        by_definition.setdefault((definition, each.bound.reference), []).append(each)
    initiative = standings[0].bound.initiative
    return {
        "policyAssignmentId": key,
        "policySetDefinitionId": initiative.resource.id if initiative else "",
        "results": _results(standings, uri),
        "policyDefinitions": [
            {
                "policyDefinitionId": definition,
                "policyDefinitionReferenceId": reference,
                "effect": of_it[0].effect.lower(),
                "policyDefinitionGroupNames": [*of_it[0].bound.groups],
                "results": _results(of_it, uri),
            }
            for (definition, reference), of_it in sorted(by_definition.items())
        ],
        "policyGroups": [],
    }


def _results(standings: Sequence[Standing], uri: str) -> dict[str, Any]:
    resources = _worst((each.subject.id.lower(), each.state) for each in standings)
    policies = _worst((_policy_key(each), each.state) for each in standings)
    return {
        "queryResultsUri": uri,
        "nonCompliantResources": sum(state in FAILING for state in resources.values()),
        "nonCompliantPolicies": sum(state in FAILING for state in policies.values()),
        "resourceDetails": _details(resources),
        "policyDetails": _details(policies),
        "policyGroupDetails": [],
    }


def _policy_key(standing: Standing) -> str:
    bound = standing.bound
    ids = bound.assignment.resource.id, bound.definition.resource.id, bound.reference
    return " ".join(ids)


def _worst(states: Iterable[tuple[str, str]]) -> dict[str, str]:
    """For each key the worst of its states."""
    worst: dict[str, str] = {}
    for key, state in states:
        known = worst.get(key, state)
        worst[key] = min(known, state, key=WORST_FIRST.index)
    return worst


def _details(states: dict[str, str]) -> list[dict[str, Any]]:
    counted = Counter(states.values())
    return [
        {"complianceState": state.lower(), "count": count}
        for state, count in sorted(counted.items())
    ]
