"""What an assignment may be. Source: "Azure Policy assignment structure"."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from linarite.controls.policy.definitions import Definition, SetDefinition, read_assignment
from linarite.controls.policy.parameters import given_problems
from linarite.domain.arm_errors import Problem
from linarite.domain.scopes import holds, scope_key, scope_of

if TYPE_CHECKING:
    from linarite.controlplane.request import Target
    from linarite.controlplane.surface import Showing, Surface
    from linarite.domain.resource import Resource

NOT_SCOPES_MAX = 400


class SentMessage(msgspec.Struct, rename="camel"):
    """Why a request is refused, in the assigner's words."""

    message: str | None = None
    policy_definition_reference_id: str | None = None


class SentValue(msgspec.Struct):
    """A parameter's value."""

    value: Any = None


class SentSelectors(msgspec.Struct):
    """A group of selectors."""

    name: str | None = None
    selectors: list[dict[str, Any]] | None = None


class SentOverride(msgspec.Struct):
    """Another effect for some definitions."""

    kind: str | None = None
    value: str | None = None
    selectors: list[dict[str, Any]] | None = None


class SentAssignment(msgspec.Struct, rename="camel"):
    """What a client may say of an assignment."""

    display_name: str | None = None
    description: str | None = None
    policy_definition_id: str | None = None
    not_scopes: list[str] | None = None
    parameters: dict[str, SentValue] | None = None
    metadata: dict[str, Any] | None = None
    enforcement_mode: Literal["Default", "DoNotEnforce"] | None = None
    non_compliance_messages: list[SentMessage] | None = None
    resource_selectors: list[SentSelectors] | None = None
    overrides: list[SentOverride] | None = None


class AssignmentFacts(msgspec.Struct, frozen=True):
    """What can be assigned."""

    definitions: Mapping[str, Definition]
    sets: Mapping[str, SetDefinition]


async def gather(surface: Surface, target: Target) -> AssignmentFacts:
    """Every definition and initiative there is."""
    del target
    return AssignmentFacts(surface.policies.definitions, surface.policies.sets)


def complete(new: Resource, old: Resource | None, facts: AssignmentFacts) -> Resource:
    """The id of what is assigned as it was first written; enforced unless it says otherwise."""
    del old
    key = scope_key(str(new.properties.get("policyDefinitionId") or ""))
    found = facts.definitions.get(key) or facts.sets.get(key)
    filled: dict[str, Any] = {"enforcementMode": "Default", "parameters": {}, "metadata": {}}
    properties = filled | new.properties
    if found is not None:
        properties["policyDefinitionId"] = found.resource.id
    return msgspec.structs.replace(new, properties=properties)


def admit(new: Resource, old: Resource | None, facts: AssignmentFacts) -> list[Problem]:
    """Everything that is wrong with it and with the parameters it gives."""
    del old
    assignment, problems = read_assignment(new)
    key = scope_key(assignment.definition_id)
    found = facts.definitions.get(key) or facts.sets.get(key)
    if found is None:
        return [*problems, _not_found(assignment.definition_id)]
    if not holds(scope_key(scope_of(found.resource.id)), assignment.scope):
        problems.append(
            Problem(
                "InvalidCreatePolicyAssignmentRequest",
                f"The policy definition '{found.resource.id}' can't be assigned at "
                f"'{scope_of(new.id)[:300]}': it counts at its own scope and below.",
                "properties.policyDefinitionId",
            )
        )
    word = "definition" if isinstance(found, Definition) else "set definition"
    told = f"{word} '{found.resource.name}'"
    problems += given_problems(found.declared, assignment.parameters, told)
    if len(assignment.not_scopes) > NOT_SCOPES_MAX:
        problems.append(
            Problem(
                "InvalidPolicyAssignmentNotScopes",
                f"An assignment excludes at most {NOT_SCOPES_MAX} scopes.",
                "properties.notScopes",
            )
        )
    for at, each in enumerate(assignment.not_scopes):
        if not holds(assignment.scope, each):
            problems.append(
                Problem(
                    "InvalidPolicyAssignmentNotScopes",
                    f"The excluded scope '{each[:300]}' does not lie below the assignment's.",
                    f"properties.notScopes[{at}]",
                )
            )
    return problems


def _not_found(definition_id: str) -> Problem:
    word = "PolicySetDefinition" if "/policyset" in definition_id.lower() else "PolicyDefinition"
    return Problem(
        f"{word}NotFound",
        f"The policy definition '{definition_id[:300]}' could not be found. `az policy definition "
        "list` shows what there is.",
        "properties.policyDefinitionId",
        404,
    )


def show(resource: Resource, showing: Showing) -> dict[str, Any]:
    """With its scope."""
    del showing
    return resource.properties | {
        "scope": scope_of(resource.id) or "/",
        "notScopes": resource.properties.get("notScopes") or [],
    }
