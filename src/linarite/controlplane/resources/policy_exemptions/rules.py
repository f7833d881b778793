"""What an exemption may be. Source: "Azure Policy exemption structure"."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from linarite.controls.policy.definitions import ASSIGNMENT_TYPE, read_exemption
from linarite.domain.arm_errors import Problem
from linarite.domain.scopes import holds, scope_key, scope_of

if TYPE_CHECKING:
    from linarite.controlplane.request import Target
    from linarite.controlplane.surface import Surface
    from linarite.domain.resource import Resource


class SentExemption(msgspec.Struct, rename="camel"):
    """What a client may say of an exemption."""

    policy_assignment_id: str | None = None
    policy_definition_reference_ids: list[str] | None = None
    exemption_category: Literal["Waiver", "Mitigated"] | None = None
    expires_on: str | None = None
    display_name: str | None = None
    description: str | None = None
    metadata: dict[str, Any] | None = None
    assignment_scope_validation: Literal["Default", "DoNotValidate"] | None = None


async def gather(surface: Surface, target: Target) -> frozenset[str]:
    """The ids of all assignments."""
    del target
    return surface.policies.assignments


def complete(new: Resource, old: Resource | None, facts: frozenset[str]) -> Resource:
    """Its end in UTC, so that ends compare as texts do."""
    del old, facts
    expires = new.properties.get("expiresOn")
    if not expires:
        return new
    try:
        moment = datetime.fromisoformat(str(expires))
        moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        text = moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    except (ValueError, OverflowError):
        return new
    return msgspec.structs.replace(new, properties=new.properties | {"expiresOn": text})


def admit(new: Resource, old: Resource | None, facts: frozenset[str]) -> list[Problem]:
    """Its category, its end, and the assignment that it is from."""
    del old
    exemption = read_exemption(new)
    problems: list[Problem] = []
    if not new.properties.get("exemptionCategory"):
        problems.append(
            Problem(
                "InvalidPolicyExemption",
                "An exemption has the exemptionCategory 'Waiver' or 'Mitigated'.",
                "properties.exemptionCategory",
            )
        )
    if exemption.expires and not _is_time(exemption.expires):
        problems.append(
            Problem(
                "InvalidPolicyExemption",
                f"'{exemption.expires[:60]}' is no time in ISO 8601.",
                "properties.expiresOn",
            )
        )
    if exemption.assignment not in facts:
        problems.append(
            Problem(
                "PolicyAssignmentNotFound",
                f"The policy assignment '{exemption.assignment[:300]}' could not be found.",
                "properties.policyAssignmentId",
                404,
            )
        )
    elif not holds(scope_key(scope_of(exemption.assignment)), exemption.scope) and (
        new.properties.get("assignmentScopeValidation") != "DoNotValidate"
    ):
        problems.append(
            Problem(
                "InvalidPolicyExemptionScope",
                "The exemption does not lie below the scope of its assignment.",
                "properties.policyAssignmentId",
            )
        )
    return problems


def linked(new: Resource | None, old: Resource | None) -> list[tuple[str, str]]:
    """Whoever exempts must be allowed to do so by whoever assigned, where it was assigned.

    Source: "Azure Policy exemption structure", Required permissions.
    """
    del old
    assignment = "" if new is None else str(new.properties.get("policyAssignmentId") or "")
    scope = scope_of(assignment)
    return [(f"{ASSIGNMENT_TYPE}/exempt/action", scope)] if assignment else []


def _is_time(text: str) -> bool:
    try:
        datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    except ValueError:
        return False
    return True
